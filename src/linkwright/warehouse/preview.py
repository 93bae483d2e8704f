"""Owns the look at a data file before it is loaded: its first rows as Load would read them, and how many follow.

Reads the beginning of the file only, and writes nothing. What a row is, where it goes and how it is cleaned is
decided by the same code that loads.

Source: SPEC section 2 (a single data file: confirm a summary), section 5 (Load).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from linkwright.engine.fields import SOURCE_PERSON_ID, SOURCE_UNIQUE_ID, LinkageField
from linkwright.engine.import_format import CharacterRange, ColumnSource
from linkwright.engine.progress import Progress
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.load import LoadRequest, cleaning_rules, open_source
from linkwright.warehouse.source import Misfit, Source, SourceChunk
from linkwright.warehouse.standardise import Standardiser

# a file that has no more is read to its end, so that its rows are counted and not guessed
READ_WHOLE_BYTES = 8 * 1024 * 1024
_IDENTIFIERS = (SOURCE_UNIQUE_ID, SOURCE_PERSON_ID)


@dataclass(frozen=True)
class PreviewColumn:
    """A column as it will be: its name, and where in the file it comes from."""

    name: str
    source: str


@dataclass(frozen=True)
class PreviewCell:
    """A value as it stands in the file, as it will be stored if that differs, and what is wrong with it."""

    raw: str
    standard: str = ""
    fault: str = ""


@dataclass(frozen=True)
class PreviewRow:
    """A row, and the line (for Parquet: the row) at which it starts; `fault`: why it has no cells."""

    line: int
    cells: tuple[PreviewCell, ...] = ()
    fault: str = ""


@dataclass(frozen=True)
class Preview:
    """What a data file looks like.

    Args:
        columns: those that linkage uses, in the order of the Import Format.
        rows: the first ones.
        rows_count: of the whole file, faulty rows included.
        is_exact: whether `rows_count` was counted, and not worked out from the beginning.
        other_columns: names of the columns that no linkage field uses, if these are kept.
        place: what a row's number counts: line or row.
        faulty_rows_count: rows with a wrong number of columns, in what was read.
    """

    columns: tuple[PreviewColumn, ...]
    rows: tuple[PreviewRow, ...]
    rows_count: int
    is_exact: bool
    other_columns: tuple[str, ...] = ()
    place: str = "line"
    faulty_rows_count: int = 0


@dataclass
class _Beginning:
    """What has been read of the file."""

    chunk: SourceChunk | None = None
    misfits: list[Misfit] = field(default_factory=list)
    rows_count: int = 0
    faulty_rows_count: int = 0
    is_whole: bool = False


def preview_data_file(request: LoadRequest, most_rows: int) -> Preview:
    """Read the beginning of a data file.

    Args:
        request: what would be loaded, and how; its targets and held records are not looked at.
        most_rows: how many rows to return at the most.

    Raises:
        UnreadableSourceError: if the file is not as its Import Format says.
        MissingColumnsError: if mapped columns are not in the file.
    """
    consumed = [0.0]

    def report(progress: Progress, /) -> None:
        if progress.total:
            consumed[0] = progress.done / progress.total

    source = open_source(request, report)
    beginning = _read_beginning(source, most_rows)
    columns = source.layout.mapped
    rows_count = beginning.rows_count
    if request.parquet:
        rows_count = _parquet_rows_count(request.source)
    elif not beginning.is_whole and consumed[0]:
        rows_count = round(rows_count / consumed[0])
    return Preview(
        columns=tuple(PreviewColumn(name, _source_text(request.import_format.columns[name])) for name in columns),
        rows=_rows(request, source, beginning, columns)[:most_rows],
        rows_count=rows_count,
        is_exact=beginning.is_whole or request.parquet,
        other_columns=tuple(source.layout.unused),
        place=source.place,
        faulty_rows_count=beginning.faulty_rows_count,
    )


def _read_beginning(source: Source, most_rows: int) -> _Beginning:
    found = _Beginning()
    for chunk in source.chunks():
        if found.chunk is None and len(chunk.lines):
            found.chunk = _first_rows(chunk, most_rows)
        found.misfits += chunk.misfits[: most_rows - len(found.misfits)]
        found.rows_count += len(chunk.lines) + len(chunk.misfits)
        found.faulty_rows_count += len(chunk.misfits)
        if source.bytes_read_count > READ_WHOLE_BYTES or source.place == "row":
            return found
    found.is_whole = True
    return found


def _first_rows(chunk: SourceChunk, most_rows: int) -> SourceChunk:
    return SourceChunk(
        lines=chunk.lines.slice(0, most_rows), columns=[column.slice(0, most_rows) for column in chunk.columns]
    )


def _rows(
    request: LoadRequest, source: Source, beginning: _Beginning, columns: Mapping[str, int]
) -> tuple[PreviewRow, ...]:
    rows = [PreviewRow(misfit.line, fault=f"The row {misfit.fault}.") for misfit in beginning.misfits]
    if beginning.chunk is not None:
        rows += _read_rows(request, source, beginning.chunk, columns)
    return tuple(sorted(rows, key=lambda row: row.line))


def _read_rows(
    request: LoadRequest, source: Source, chunk: SourceChunk, columns: Mapping[str, int]
) -> Iterator[PreviewRow]:
    fields = {each.name: each for each in request.fields}
    with open_engine(request.limits) as con:
        standardiser = Standardiser(con, cleaning_rules(request, source))
        cells = [
            _cells(standardiser, name, fields.get(name), chunk.columns[index]) for name, index in columns.items()
        ]
    for place, line in enumerate(chunk.lines.to_pylist()):
        yield PreviewRow(line, tuple(column[place] for column in cells))


def _cells(
    standardiser: Standardiser, name: str, linkage_field: LinkageField | None, column: pa.ChunkedArray
) -> Sequence[PreviewCell]:
    raw = [value or "" for value in column.to_pylist()]
    if linkage_field is None:
        kept = standardiser.identifiers(column).to_pylist()
        faults = _source_unique_id_faults(kept) if name == SOURCE_UNIQUE_ID else [""] * len(raw)
        return [PreviewCell(text, fault=fault) for text, fault in zip(raw, faults, strict=True)]
    standard = standardiser.column(linkage_field, column)
    return [
        PreviewCell(
            text,
            standard="" if value is None or str(value) == text else str(value),
            fault=f"This is no {linkage_field.type.value} that can be read; it stays empty." if is_invalid else "",
        )
        for text, value, is_invalid in zip(
            raw, standard.values.to_pylist(), standard.is_invalid.to_pylist(), strict=True
        )
    ]


def _source_unique_id_faults(values: Sequence[str | None]) -> list[str]:
    """Say what is wrong with each; what repeats below the rows that are shown is found by Load only."""
    counts = Counter(values)
    repeated = "It occurs more than once in these rows, and Load rejects each of them."
    return [
        "The Source Unique ID is missing." if not value else repeated if counts[value] > 1 else ""
        for value in values
    ]


def _parquet_rows_count(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


def _source_text(source: ColumnSource) -> str:
    if isinstance(source, CharacterRange):
        return f"characters {source.start}–{source.end}"
    return f"column {source}" if isinstance(source, int) else source
