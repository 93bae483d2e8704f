"""Looks at a sample by a draft of an Import Format: its columns, what they seem to be, and the first rows as read.

Changes nothing. Who may see the sample is the caller's to ask.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import ValidationError

from linkwright.config import ServerConfig
from linkwright.engine.column_guesses import ColumnGuess, guess_column, joint_date_formats, suggest_fields
from linkwright.engine.date_formats import DEFAULT_DATE_FORMATS
from linkwright.engine.fields import SOURCE_PERSON_ID, SOURCE_UNIQUE_ID, LinkageField
from linkwright.engine.import_format import (
    MOST_CHARACTERS,
    CharacterRange,
    Encoding,
    ImportFormat,
    SourceKind,
    parse_import_format,
)
from linkwright.engine.sample_text import NoText, SampleText, decode_sample, read_sample_text
from linkwright.engine.sniffing import LOOKED_AT_LINES, Sniffed, read_rows, sniff
from linkwright.engine.value_guesses import Suggestion, suggest_by_values
from linkwright.errors import FaultsError, LinkwrightError
from linkwright.jobs.context import engine_limits
from linkwright.jobs.load import standardisation_maps
from linkwright.services.sample_file import Sample, SampleRefusedError
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.load import LoadRequest
from linkwright.warehouse.parquet_sample import read_parquet_sample
from linkwright.warehouse.preview import Preview, preview_data_file

PREVIEW_ROWS = 20
SHOWN_COLUMNS = 300
_VALUES_LOOKED_AT = 200
_SHOWN_LINES = 5


@dataclass(frozen=True)
class SampleColumn:
    """A column of the sample: its name ('' without a header), position from 1, first values, and what they are."""

    name: str
    position: int
    values: tuple[str, ...]
    guess: ColumnGuess
    # of every row that was looked at, as it stands there
    rows: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class SampleColumns:
    """What the sample holds, read as a draft says; `columns_count` also counts those that are not listed."""

    columns: tuple[SampleColumn, ...]
    columns_count: int
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Detected:
    """What was detected: the definition without `columns`, how the file is written in words, notes."""

    definition: Mapping[str, Any]
    words: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Look:
    """The first rows as the draft reads them; None if it cannot be read so, for the reasons that `faults` name."""

    preview: Preview | None
    faults: tuple[str, ...]


def detect(sample: Sample, fields: Sequence[LinkageField]) -> Detected:
    """Detect how a sample is written, with the date formats of its columns.

    Raises:
        SampleRefusedError: if it is neither text nor Parquet.
        UnreadableSourceError: if it is a damaged Parquet file.
    """
    if sample.is_parquet:
        return _with_dates(sample, {"kind": SourceKind.PARQUET.value}, ("Parquet",), ())
    text = _text_of(sample, None)
    found = sniff(text, fields)
    definition: dict[str, Any] = {"kind": found.kind.value, "encoding": text.encoding.value}
    if found.kind is SourceKind.FIXED_WIDTH:
        definition["ranges"] = [{"start": one.start, "width": one.width} for one in found.ranges]
    else:
        definition |= {"separator": found.separator, "quote": found.quote, "escape": found.escape}
        definition["header"] = found.header
    return _with_dates(sample, definition, _words(text, found), found.notes)


def read_columns(sample: Sample, definition: Mapping[str, Any]) -> SampleColumns:
    """Read the columns of a sample as a draft says.

    Raises:
        SampleRefusedError: if it is no text.
        UnreadableSourceError: if it is a damaged Parquet file.
    """
    if sample.is_parquet:
        names, rows = read_parquet_sample(sample.path, sample.file_name, _VALUES_LOOKED_AT)
        return _columns(names, rows)
    text = _text_of(sample, definition.get("encoding"))
    lines = text.lines[:LOOKED_AT_LINES]
    if definition.get("kind") == SourceKind.FIXED_WIDTH:
        plain = [line.rstrip("\r\n") for line in lines if line.strip()]
        ranges = _ranges(definition.get("ranges", ()))
        rows = [[line[one.start - 1 : one.end] for one in ranges] for line in plain]
        found = _columns([""] * len(ranges), rows)
        return SampleColumns(found.columns, found.columns_count, tuple(plain[:_SHOWN_LINES]))
    try:
        rows = read_rows(
            lines, definition.get("separator", ","), definition.get("quote", '"'), definition.get("escape")
        )
    except (TypeError, ValueError) as error:
        raise SampleRefusedError(
            "Separator, quote and escape must be one character each, and differ. Correct them."
        ) from error
    if not rows:
        return SampleColumns((), 0)
    width = max(len(rows[0]), 1)
    if definition.get("header", True):
        return _columns(rows[0], rows[1:])
    return _columns([""] * width, rows)


def look(
    sample: Sample, definition: Mapping[str, Any], fields: tuple[LinkageField, ...], config: ServerConfig
) -> Look:
    """Read the first rows of a sample as a draft says; what it lacks yet does not hinder."""
    columns: dict[str, Any] = dict(definition.get("columns", {}))
    if not columns.keys() - {SOURCE_UNIQUE_ID, SOURCE_PERSON_ID}:
        # nothing to show yet, and no fault either
        return Look(None, ())
    stand_in = SOURCE_UNIQUE_ID not in columns
    if stand_in:
        is_fixed = definition.get("kind") == SourceKind.FIXED_WIDTH
        columns[SOURCE_UNIQUE_ID] = {"start": 1, "width": 1} if is_fixed else 1
    try:
        parsed = parse_import_format({**definition, "columns": columns}, fields)
        with TemporaryDirectory(prefix="estimate-", dir=_scratch(config)) as name:
            preview = preview_data_file(_request(sample, parsed, fields, Path(name)), PREVIEW_ROWS)
    except FaultsError as error:
        return Look(None, tuple(fault.removeprefix("import_format.") for fault in error.faults))
    except LinkwrightError as error:
        return Look(None, (str(error),))
    return Look(_without_first_identifier(preview) if stand_in else preview, ())


def _scratch(config: ServerConfig) -> Path:
    config.scratch_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return config.scratch_folder


def _request(
    sample: Sample, import_format: ImportFormat, fields: tuple[LinkageField, ...], folder: Path
) -> LoadRequest:
    limits: EngineLimits = engine_limits(folder)
    return LoadRequest(
        source=sample.path,
        source_name=sample.file_name,
        parquet=sample.is_parquet,
        import_format=import_format,
        fields=fields,
        event_type_code="this draft",
        first_record_id=1,
        held_records=(),
        keep_aux=True,
        target_folder=folder,
        stem="preview",
        max_rejected_rows=0,
        maps=standardisation_maps(),
        limits=limits,
    )


def _without_first_identifier(preview: Preview) -> Preview:
    """Leave out the column that stood in for the Source Unique ID."""
    place = [column.name for column in preview.columns].index(SOURCE_UNIQUE_ID)

    def without(parts: Sequence[Any]) -> tuple[Any, ...]:
        return (*parts[:place], *parts[place + 1 :])

    rows = [type(row)(row.line, without(row.cells), row.fault) for row in preview.rows]
    return Preview(
        columns=without(preview.columns),
        rows=tuple(rows),
        rows_count=preview.rows_count,
        is_exact=preview.is_exact,
        other_columns=preview.other_columns,
        place=preview.place,
        faulty_rows_count=preview.faulty_rows_count,
    )


def suggested_fields(found: SampleColumns, fields: Sequence[LinkageField]) -> list[Suggestion]:
    """Suggest a linkage field for each column: by its name, or by its values if it has none."""
    columns = found.columns
    by_name = suggest_fields([column.name for column in columns], fields)
    by_values = suggest_by_values(
        [() if column.name else column.rows for column in columns],
        [column.guess for column in columns],
        {SOURCE_UNIQUE_ID, *(field.name for field in fields)} - set(by_name),
    )
    return [Suggestion(named, "") if named else valued for named, valued in zip(by_name, by_values, strict=True)]


def _with_dates(
    sample: Sample, definition: dict[str, Any], words: tuple[str, ...], notes: tuple[str, ...]
) -> Detected:
    guesses = [column.guess for column in read_columns(sample, definition).columns]
    definition["date_formats"] = list(joint_date_formats(guesses) or DEFAULT_DATE_FORMATS)
    return Detected(definition, words, notes)


def _text_of(sample: Sample, encoding: str | None) -> SampleText:
    try:
        if encoding in set(Encoding):
            return decode_sample(sample.read(), Encoding(encoding), is_cut=sample.is_cut)
        return read_sample_text(sample.read(), is_cut=sample.is_cut)
    except NoText as error:
        raise SampleRefusedError(f"{sample.file_name}: {error}") from error
    except FileNotFoundError as error:
        raise SampleRefusedError("The sample does not wait any more. Choose the file again.") from error


def _columns(names: Sequence[str], rows: Sequence[Sequence[str]]) -> SampleColumns:
    columns = []
    for place, name in enumerate(names[:SHOWN_COLUMNS]):
        values = tuple(row[place] if place < len(row) else "" for row in rows[:_VALUES_LOOKED_AT])
        shown = tuple(dict.fromkeys(value.strip() for value in values if value.strip()))[:3]
        columns.append(SampleColumn(name, place + 1, shown, guess_column(values), values))
    return SampleColumns(tuple(columns), len(names))


def _ranges(given: Sequence[Mapping[str, Any]]) -> list[CharacterRange]:
    try:
        return [CharacterRange.model_validate(one) for one in given]
    except ValidationError as error:
        raise SampleRefusedError(
            f"First character and width must be whole numbers from 1 to {MOST_CHARACTERS:,}. Correct them."
        ) from error


_SEPARATOR_WORDS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", "^": "caret", "~": "tilde"}


def _words(text: SampleText, found: Sniffed) -> tuple[str, ...]:
    mark = " with a byte order mark" if text.has_mark else ""
    words = [f"{text.encoding.value}{mark}"]
    if found.kind is SourceKind.FIXED_WIDTH:
        words.insert(0, f"fixed-width, {len(found.ranges)} columns")
    else:
        words.insert(0, f"delimited by {_SEPARATOR_WORDS.get(found.separator, found.separator)}")
        words.append("the first line names the columns" if found.header else "no header line")
    return (*words, f"lines end with {text.line_end}") if text.line_end else tuple(words)
