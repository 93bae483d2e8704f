"""Shows a data file before it is submitted: as the Import Format reads it, or as a list of records.

Writes nothing but what the engine spills into the scratch folder. Who may see the file is the caller's to ask.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

from linkwright.config import ServerConfig
from linkwright.engine.import_format import SourceKind
from linkwright.envelopes.gunzip import GZIP_MAGIC
from linkwright.envelopes.manifest import RequestType
from linkwright.errors import LinkwrightError
from linkwright.jobs.context import engine_limits
from linkwright.jobs.load import LoadSource, LoadTarget, load_request
from linkwright.jobs.review import COLUMNS
from linkwright.services.submit_data_file import DataFileSubmission, demand_data_file, is_parquet
from linkwright.store.models import EventType, LinkageProject
from linkwright.warehouse.preview import (
    READ_WHOLE_BYTES,
    Preview,
    PreviewCell,
    PreviewColumn,
    PreviewRow,
    preview_data_file,
)

PREVIEW_ROWS = 10
_LONGEST_LINE_BYTES = 64 * 1024
_LISTS = {
    RequestType.SUBMIT_DELETION: ("Source Unique ID",),
    RequestType.SUBMIT_QUALITY_REVIEW: COLUMNS,
}


class UnreadableListError(LinkwrightError):
    """A list of records is not text in UTF-8, or damaged."""


def preview_submission(submission: DataFileSubmission, config: ServerConfig) -> tuple[Preview, str]:
    """Read the first rows of a data file as they would be processed, and name its encoding.

    Raises:
        DataFileRefusedError: as `submit_data_file`.
        UnreadableSourceError: if the file is not as its Import Format says; with the line, where there is one.
        MissingColumnsError: naming the columns that the Import Format maps and the file lacks.
        ConfigurationError: if the Import Format does not fit the project's fields.
        UnreadableListError: if a list of records is no text.
    """
    event_type = demand_data_file(submission)
    columns = _LISTS.get(submission.request_type)
    if columns is not None:
        return _preview_list(submission, columns), "utf-8"
    return _preview_records(submission, event_type, config)


def _preview_records(
    submission: DataFileSubmission, event_type: EventType, config: ServerConfig
) -> tuple[Preview, str]:
    project = LinkageProject.objects.get(code=submission.project_code)
    source = LoadSource(submission.path, submission.file_name, parquet=is_parquet(submission.path))
    config.scratch_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # swept like those of the command that looks at a file beforehand, should this process be killed
    with TemporaryDirectory(prefix="estimate-", dir=config.scratch_folder) as name:
        folder = Path(name)
        target = LoadTarget(folder=folder, stem="preview", first_record_id=1, held_records=())
        request = load_request(project, event_type, source, target, engine_limits(folder))
        preview = preview_data_file(request, PREVIEW_ROWS)
    is_text = not source.parquet and request.import_format.kind is not SourceKind.PARQUET
    return preview, request.import_format.encoding.value if is_text else ""


def _preview_list(submission: DataFileSubmission, names: tuple[str, ...]) -> Preview:
    rows: list[PreviewRow] = []
    rows_count, read_bytes = 0, 0
    for number, line in _lines(submission):
        read_bytes += len(line)
        if line.strip():
            rows_count += 1
            if len(rows) < PREVIEW_ROWS:
                rows.append(_list_row(submission, number, line.strip(), names))
        if read_bytes > READ_WHOLE_BYTES:
            size_bytes = submission.path.stat().st_size
            # of a gzip nobody knows how much it holds; it has this much at least
            rows_count = max(rows_count, round(rows_count * size_bytes / read_bytes))
            break
    return Preview(
        columns=tuple(PreviewColumn(name, f"column {place}") for place, name in enumerate(names, start=1)),
        rows=tuple(rows),
        rows_count=rows_count,
        is_exact=read_bytes <= READ_WHOLE_BYTES,
    )


def _list_row(submission: DataFileSubmission, number: int, line: str, names: tuple[str, ...]) -> PreviewRow:
    values = [value.strip() for value in next(csv.reader([line]))] if len(names) > 1 else [line]
    if len(values) != len(names) or not all(values):
        return PreviewRow(number, fault=f"The row must hold {len(names)} values: {', '.join(names)}.")
    cells = [PreviewCell(value) for value in values]
    if len(names) > 1 and values[0] != submission.project_code:
        cells[0] = PreviewCell(values[0], fault=f"This is not {submission.project_code}, the project at hand.")
    return PreviewRow(number, tuple(cells))


def _lines(submission: DataFileSubmission) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        with ExitStack() as stack:
            stream: BinaryIO = stack.enter_context(submission.path.open("rb"))
            if stream.read(len(GZIP_MAGIC)) == GZIP_MAGIC:
                stream = cast("BinaryIO", stack.enter_context(gzip.open(submission.path, "rb")))
            else:
                stream.seek(0)
            while line := stream.readline(_LONGEST_LINE_BYTES):
                number += 1
                if len(line) == _LONGEST_LINE_BYTES:
                    raise UnreadableListError(
                        f"{submission.file_name}, line {number} has more than {_LONGEST_LINE_BYTES:,} bytes. "
                        "Check that this is the right file: a list holds one record a line."
                    )
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableListError(
            f"{submission.file_name}, line {number}: no text in UTF-8. Save it as UTF-8 and upload it again."
        ) from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise UnreadableListError(
            f"{submission.file_name}: its gzip packing is damaged ({error}). Have it delivered again."
        ) from error
