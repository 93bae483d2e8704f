"""Owns what an Import Format says: how a source file is written, and which of its columns fill which fields.

Checks a declaration and names all of its faults at once. Must not open a file.

Source: SPEC section 1 (Import Format); section 2 (data files); section 5 (Load).
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from linkwright.engine.date_formats import DEFAULT_DATE_FORMATS, ambiguous_formats, date_format_fault
from linkwright.engine.fields import SOURCE_PERSON_ID, SOURCE_UNIQUE_ID, FieldType, LinkageField
from linkwright.engine.strategy_faults import choice
from linkwright.errors import ConfigurationError


class SourceKind(StrEnum):
    """How a source file is laid out."""

    DELIMITED = "delimited"
    FIXED_WIDTH = "fixed_width"
    PARQUET = "parquet"


class Encoding(StrEnum):
    """How the characters of a text file are stored; a byte order mark is read and dropped."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    LATIN_1 = "latin-1"
    WINDOWS_1252 = "windows-1252"


_ENCODING_ALIASES = {
    "utf8": Encoding.UTF_8,
    "utf-8-sig": Encoding.UTF_8,
    "utf16": Encoding.UTF_16,
    "latin1": Encoding.LATIN_1,
    "iso-8859-1": Encoding.LATIN_1,
    "cp1252": Encoding.WINDOWS_1252,
}


def _known_encoding(value: object) -> object:
    if not isinstance(value, str):
        return value
    plain = value.lower().replace("_", "-")
    return _ENCODING_ALIASES.get(plain, plain)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


MOST_CHARACTERS = 4 * 1024 * 1024
"""Of a line, as it can be read."""


class CharacterRange(BaseModel):
    """Where a value stands in a line of a fixed-width file; `start` counts characters from 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Annotated[StrictInt, Field(ge=1, le=MOST_CHARACTERS)]
    width: Annotated[StrictInt, Field(ge=1, le=MOST_CHARACTERS)]

    @property
    def end(self) -> int:
        """The number of the range's last character."""
        return self.start + self.width - 1


ColumnName = Annotated[StrictStr, Field(min_length=1)]
ColumnPosition = Annotated[StrictInt, Field(ge=1)]
ColumnSource = ColumnName | ColumnPosition | CharacterRange
Character = Annotated[StrictStr, Field(min_length=1, max_length=1)]
DateFormats = Annotated[tuple[StrictStr, ...], BeforeValidator(_as_list), Field(min_length=1)]


class ImportFormat(BaseModel):
    """How a source file is written. Make one with `parse_import_format`, which checks it against the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: SourceKind = SourceKind.DELIMITED
    separator: Character = ","
    quote: Character | None = '"'
    escape: Character | None = None
    header: bool = True
    encoding: Annotated[Encoding, BeforeValidator(_known_encoding)] = Encoding.UTF_8
    line_width: Annotated[StrictInt, Field(ge=1)] | None = None
    columns: dict[str, ColumnSource]
    other_columns: dict[ColumnName, CharacterRange] = {}
    date_formats: DateFormats = DEFAULT_DATE_FORMATS
    field_date_formats: dict[str, DateFormats] = {}
    null_values: tuple[StrictStr, ...] = ()

    def date_formats_of(self, field: str) -> tuple[str, ...]:
        """The formats in which the file writes the dates of a field, in the order in which they are tried."""
        return self.field_date_formats.get(field, self.date_formats)


_REFUSED = "The Import Format is refused."
_HINTS = {
    "kind": f"Choose one of: {', '.join(SourceKind)}.",
    "separator": "Give one character, such as ',' or '|' or a tab.",
    "quote": "Give one character, such as '\"', or null if values are never quoted.",
    "escape": "Give one character, such as '\\', or null if a quote inside a value is doubled.",
    "header": "Give true if the first line names the columns, otherwise false.",
    "encoding": f"Choose one of: {', '.join(Encoding)}.",
    "line_width": "Give the number of characters of a line, 1 or more, or leave it out.",
    "columns": "Give field: the source column's name, its position from 1, or {start: ..., width: ...}.",
    "other_columns": "Give name: {start: ..., width: ...} for each column to keep apart.",
    "date_formats": "Give a list of formats, such as ['%d/%m/%Y'].",
    "field_date_formats": "Give field: [formats], such as date_of_birth: ['%d/%m/%Y'].",
    "null_values": "Give a list of texts, each in quotes.",
}
_IDENTIFIERS = {SOURCE_UNIQUE_ID, SOURCE_PERSON_ID}
_MAPPINGS = {"columns", "other_columns", "field_date_formats"}
_ONLY_FOR = {
    "separator": {SourceKind.DELIMITED},
    "quote": {SourceKind.DELIMITED},
    "escape": {SourceKind.DELIMITED},
    "header": {SourceKind.DELIMITED},
    "encoding": {SourceKind.DELIMITED, SourceKind.FIXED_WIDTH},
    "line_width": {SourceKind.FIXED_WIDTH},
    "other_columns": {SourceKind.FIXED_WIDTH},
}


def parse_import_format(
    data: Mapping[str, Any], fields: Sequence[LinkageField], path: str = "import_format"
) -> ImportFormat:
    """Read an Import Format from a declaration.

    Args:
        data: as a project file holds it; what `ImportFormat.model_dump(mode="json")` gives reads back the same.
        fields: the project's linkage fields; the format may map these.
        path: where in that file the declaration stands; the faults begin with it.

    Raises:
        ConfigurationError: naming every fault at once: path, value, what is allowed, remedy.
    """
    if not isinstance(data, Mapping):
        raise ConfigurationError(_REFUSED, [f"{path}: {data!r} is no mapping. Write it as keys with values."])
    try:
        parsed = ImportFormat.model_validate(dict(data))
        faults: dict[str, str] = {}
    except ValidationError as error:
        faults = _model_faults(error)
        parsed = _sound_part(data, faults)
    for place, text in _cross_faults(parsed, {field.name: field for field in fields}, frozenset(faults)):
        faults.setdefault(place, text)
    if faults:
        raise ConfigurationError(_REFUSED, [f"{path}.{place}: {text}" for place, text in faults.items()])
    return parsed


def _model_faults(error: ValidationError) -> dict[str, str]:
    """Say pydantic's findings in sentences, one per place (a union reports each of its branches)."""
    told: dict[str, str] = {}
    for detail in error.errors(include_url=False):
        key, *below = (str(part) for part in detail["loc"])
        place = ".".join([key, *below[:1]]) if key in _MAPPINGS else key
        if key not in ImportFormat.model_fields:
            told.setdefault(place, f"the key is unknown. {choice(key, list(ImportFormat.model_fields))}")
        elif detail["type"] == "missing" and not below:
            told.setdefault(place, f"is missing. {_HINTS[key]}")
        else:
            told.setdefault(place, f"{detail['input']!r} is not allowed. {_HINTS[key]}")
    return told


def _sound_part(data: Mapping[str, Any], faults: Mapping[str, str]) -> ImportFormat:
    """Return what is left of a declaration without its faulty places, so that the rest can be checked as well."""
    sound: dict[str, Any] = {"columns": {}}
    for key, value in data.items():
        if key in ImportFormat.model_fields and key not in faults:
            is_mapping = key in _MAPPINGS and isinstance(value, Mapping)
            sound[key] = {k: v for k, v in value.items() if f"{key}.{k}" not in faults} if is_mapping else value
    return ImportFormat.model_validate(sound)


def _kind_faults(part: ImportFormat) -> Iterator[tuple[str, str]]:
    for key, kinds in _ONLY_FOR.items():
        if part.kind not in kinds and getattr(part, key) != _default(key):
            meant = " and ".join(sorted(kinds))
            yield key, f"{getattr(part, key)!r} means nothing for {part.kind}, only for {meant}. Remove it."


def _cross_faults(
    part: ImportFormat, fields: Mapping[str, LinkageField], told: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Name what is wrong between keys that are each sound by themselves: pairs of place and sentence.

    What follows from a fault that is `told` already is left out.
    """
    if "kind" not in told:
        yield from _kind_faults(part)
        yield from _source_faults(part)
    if not any(place.split(".")[0] == "columns" for place in told):
        yield from _coverage_faults(part)
    yield from _character_faults(part)
    yield from _column_faults(part, fields)
    yield from _date_faults(part, fields)


def _default(key: str) -> object:
    return ImportFormat.model_fields[key].default


def _character_faults(part: ImportFormat) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    for key in ("separator", "quote", "escape"):
        character = getattr(part, key)
        if character is None:
            continue
        if character in "\r\n\0":
            yield key, f"{character!r} ends a line or a text. {_HINTS[key]}"
        elif character in seen:
            yield key, f"{character!r} is the {seen[character]} already. Give another character, or null."
        seen.setdefault(character, key)


def _coverage_faults(part: ImportFormat) -> Iterator[tuple[str, str]]:
    if SOURCE_UNIQUE_ID not in part.columns:
        yield f"columns.{SOURCE_UNIQUE_ID}", "is missing. Name the source column that identifies each record."
    if not part.columns.keys() - _IDENTIFIERS:
        yield "columns", "no linkage field is filled. Map at least one, for instance surname or date_of_birth."


def _column_faults(part: ImportFormat, fields: Mapping[str, LinkageField]) -> Iterator[tuple[str, str]]:
    for name in part.columns:
        if name not in fields and name not in _IDENTIFIERS:
            allowed = [SOURCE_UNIQUE_ID, SOURCE_PERSON_ID, *fields]
            yield f"columns.{name}", f"the project has no linkage field of that name. {choice(name, allowed)}"


def _source_faults(part: ImportFormat) -> Iterator[tuple[str, str]]:
    for name, source in part.columns.items():
        place, is_range = f"columns.{name}", isinstance(source, CharacterRange)
        if part.kind is SourceKind.FIXED_WIDTH and not is_range:
            yield place, f"{source!r} is no place in a fixed-width line. Give {{start: ..., width: ...}}."
        elif part.kind is not SourceKind.FIXED_WIDTH and is_range:
            yield place, "start and width are for fixed-width files. Give the column's name or position."
        elif part.kind is SourceKind.DELIMITED and not part.header and isinstance(source, str):
            yield place, f"{source!r} is a name, but header is false. Give the column's position, counted from 1."
    ranges = {f"columns.{name}": source for name, source in part.columns.items()}
    ranges |= {f"other_columns.{name}": source for name, source in part.other_columns.items()}
    for place, source in ranges.items():
        if part.line_width and isinstance(source, CharacterRange) and source.end > part.line_width:
            yield (
                place,
                f"ends at character {source.end}, beyond line_width {part.line_width}. Correct one of them.",
            )


def _date_faults(part: ImportFormat, fields: Mapping[str, LinkageField]) -> Iterator[tuple[str, str]]:
    for name in part.field_date_formats:
        if name not in fields or fields[name].type is not FieldType.DATE:
            dates = [field.name for field in fields.values() if field.type is FieldType.DATE]
            yield (
                f"field_date_formats.{name}",
                f"the project has no date field of that name. {choice(name, dates)}",
            )
    lists = {"date_formats": part.date_formats}
    lists |= {f"field_date_formats.{name}": formats for name, formats in part.field_date_formats.items()}
    for place, formats in lists.items():
        wrong = [fault for fault in map(date_format_fault, formats) if fault]
        ambiguous = [] if wrong else ambiguous_formats(formats)
        wrong.extend(
            f"{first!r} and {second!r} read the same text as different days. Keep the one that the file uses."
            for first, second in ambiguous
        )
        if wrong:
            yield place, " ".join(wrong)
