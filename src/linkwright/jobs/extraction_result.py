"""The Envelope that holds what was extracted of one Event Type, and the folder in which it is kept."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from linkwright.config import ServerConfig
from linkwright.disk import sync
from linkwright.envelopes.builder import SourceFile, build_package
from linkwright.envelopes.corruption import BuildError
from linkwright.envelopes.manifest import FileFormat, RequestType
from linkwright.jobs.context import JobContext, JobError
from linkwright.store.models import ExtractionFormat, ExtractionProject
from linkwright.warehouse.extraction import ExtractedType
from linkwright.warehouse.kept_parts import file_sha256
from linkwright.warehouse.limits import StorageError

SENDER = "LINKWRIGHT"
DATA_NAME, CHANGES_NAME = "data-extract", "data-changes"


@dataclass(frozen=True)
class PackedResult:
    """A result Envelope, and the name under which it is kept."""

    path: Path
    file_name: str
    bytes_count: int
    sha256: str


def pack_result(
    context: JobContext, extraction_project: ExtractionProject, extracted: ExtractedType
) -> PackedResult:
    """Build the Envelope in the scratch folder; the data files go when they are in it.

    Raises:
        JobError: if it cannot be written.
        StorageError: if it cannot be read again.
    """
    # the attempt is part of the name, so that a sweep beside it leaves it alone
    file_name = f"{context.stem}-{token_hex(16)}.zip"
    is_parquet = extraction_project.file_format == ExtractionFormat.PARQUET
    file_format = FileFormat.PARQUET if is_parquet else FileFormat.FLAT_FILE
    sources = [
        SourceFile(path, extracted.event_type, file_format, f"{name}{path.suffix}")
        for path, name in ((extracted.data, DATA_NAME), (extracted.changes, CHANGES_NAME))
        if path is not None
    ]
    try:
        path = build_package(
            extracted.data.parent / file_name,
            linkage_project=extraction_project.project.code,
            sender=SENDER,
            request_type=RequestType.SUBMIT_EXTRACTION,
            extraction_project=extraction_project.code,
            data=sources,
            report=context.report,
        )
    except BuildError as error:
        raise JobError(
            f"The result of {extracted.event_type} was not kept. {error} Then retry the job."
        ) from error
    for source in sources:
        source.path.unlink()
    return PackedResult(path, file_name, path.stat().st_size, file_sha256(path))


def keep_results(config: ServerConfig, packed: Sequence[PackedResult]) -> None:
    """Move results into the folder where they are kept; they count once rows name them.

    Raises:
        StorageError: if the folder cannot be written.
    """
    folder = config.results_folder
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for one in packed:
            one.path.rename(folder / one.file_name)
        sync(folder)
    except OSError as error:
        raise StorageError(
            f"The results cannot be kept in {folder} ({os.strerror(error.errno) if error.errno else error}). Free "
            "space on the disk or give Linkwright the right to write there, then retry the job."
        ) from error
