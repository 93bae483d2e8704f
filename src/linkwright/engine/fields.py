"""Owns the linkage fields: their names and types, the standard set, and the columns that they become.

A linkage field is a named, typed value of a record that linking may use. From a project's fields follows the
schema of its records files: every such file has the same columns, whichever of them a source file fills.
Must not know how a value is cleaned, or where it comes from.

Source: SPEC section 1 (linkage field); ARCHITECTURE section 4 (records).
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from linkwright.errors import ConfigurationError, LinkwrightError

RECORD_ID = "record_id"
EVENT_TYPE = "event_type"
SOURCE_UNIQUE_ID = "source_unique_id"
SOURCE_PERSON_ID = "source_person_id"

# group_id is no column of the records files, but views join the group to a record under this name
RESERVED_COLUMNS = frozenset({RECORD_ID, EVENT_TYPE, SOURCE_UNIQUE_ID, SOURCE_PERSON_ID, "group_id"})

SOUNDEX_SUFFIX = "_soundex"
NYSIIS_SUFFIX = "_nysiis"
INITIAL_SUFFIX = "_initial"
DERIVED_SUFFIXES = (SOUNDEX_SUFFIX, NYSIIS_SUFFIX, INITIAL_SUFFIX)

_NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,62}")


class FieldType(StrEnum):
    """What kind of value a linkage field holds; it decides how the value is cleaned and stored."""

    NAME = "name"
    TEXT = "text"
    DATE = "date"
    SEX = "sex"
    STATE = "state"
    POSTCODE = "postcode"
    IDENTIFIER = "identifier"
    NUMBER = "number"
    BLOOM = "bloom"


class InvalidFieldError(LinkwrightError):
    """A linkage field has a name that its column could not have."""


@dataclass(frozen=True)
class LinkageField:
    """A field of a project's records.

    Args:
        name: the column's name: a small letter, then small letters, digits and underscores, 63 at most.
        type: what kind of value it holds.

    Raises:
        InvalidFieldError: if the name is not of that form, or belongs to a column that every record has.
    """

    name: str
    type: FieldType

    def __post_init__(self) -> None:
        if not _NAME_PATTERN.fullmatch(self.name):
            raise InvalidFieldError(
                f"{self.name!r} cannot be the name of a linkage field. A name starts with a small letter (a-z), "
                "goes on with small letters, digits and underscores, and has at most 63 characters. Change it."
            )
        if self.name in RESERVED_COLUMNS:
            raise InvalidFieldError(
                f"{self.name!r} cannot be the name of a linkage field, because every record has a column of that "
                f"name anyway. Choose another name; {', '.join(sorted(RESERVED_COLUMNS))} are taken."
            )

    @property
    def sql_type(self) -> str:
        """The SQL type of the field's column."""
        match self.type:
            case FieldType.DATE:
                return "DATE"
            case FieldType.NUMBER:
                return "DOUBLE"
            case _:
                return "VARCHAR"

    @property
    def derived_columns(self) -> tuple[str, ...]:
        """The names of the columns worked out from the field: none, or Soundex, NYSIIS and initial."""
        if self.type is not FieldType.NAME:
            return ()
        return tuple(self.name + suffix for suffix in DERIVED_SUFFIXES)


class RecordColumn(NamedTuple):
    """One column of a records file."""

    name: str
    sql_type: str
    is_derived: bool


STANDARD_FIELDS: tuple[LinkageField, ...] = (
    LinkageField("given_name", FieldType.NAME),
    LinkageField("second_given_name", FieldType.NAME),
    LinkageField("surname", FieldType.NAME),
    LinkageField("previous_surname", FieldType.NAME),
    LinkageField("date_of_birth", FieldType.DATE),
    LinkageField("date_of_death", FieldType.DATE),
    LinkageField("sex", FieldType.SEX),
    LinkageField("street_number", FieldType.TEXT),
    LinkageField("address_line_1", FieldType.TEXT),
    LinkageField("address_line_2", FieldType.TEXT),
    LinkageField("suburb", FieldType.TEXT),
    LinkageField("state", FieldType.STATE),
    LinkageField("postcode", FieldType.POSTCODE),
    LinkageField("country_of_birth", FieldType.TEXT),
    LinkageField("health_identifier", FieldType.IDENTIFIER),
    LinkageField("national_identifier", FieldType.IDENTIFIER),
    LinkageField("event_date", FieldType.DATE),
)


def field_faults(fields: Sequence[LinkageField]) -> list[str]:
    """Name what is wrong with the fields as a set: names that occur twice, or that a derived column has.

    Returns:
        One full sentence per fault; empty if the fields can be the columns of one file.
    """
    faults = [
        f"The linkage field {name!r} is defined {count} times. Each name may occur once: remove the others."
        for name, count in Counter(field.name for field in fields).items()
        if count > 1
    ]
    derived_from = {column: field.name for field in fields for column in field.derived_columns}
    faults.extend(
        f"The linkage field {field.name!r} has the name of a column that is worked out from the field "
        f"{derived_from[field.name]!r} (of type name). Choose another name."
        for field in fields
        if field.name in derived_from
    )
    return faults


def record_columns(fields: Sequence[LinkageField]) -> list[RecordColumn]:
    """List the columns of a project's records files, in order.

    Returns:
        record_id, event_type, source_unique_id, source_person_id; one column per field; then, per field of
        type name, its Soundex code, its NYSIIS code and its initial (these are marked as derived).

    Raises:
        ConfigurationError: if two columns would have the same name.
    """
    faults = field_faults(fields)
    if faults:
        raise ConfigurationError("These linkage fields cannot be the columns of one records file.", faults)
    return [
        RecordColumn(RECORD_ID, "BIGINT", is_derived=False),
        RecordColumn(EVENT_TYPE, "VARCHAR", is_derived=False),
        RecordColumn(SOURCE_UNIQUE_ID, "VARCHAR", is_derived=False),
        RecordColumn(SOURCE_PERSON_ID, "VARCHAR", is_derived=False),
        *(RecordColumn(field.name, field.sql_type, is_derived=False) for field in fields),
        *(RecordColumn(name, "VARCHAR", is_derived=True) for field in fields for name in field.derived_columns),
    ]


def parse_fields(own: Mapping[str, object], path: str = "fields") -> tuple[LinkageField, ...]:
    """Add a project's own fields to the standard set.

    Args:
        own: field name → the name of its type, as a project file holds it.
        path: where in that file the mapping stands; the faults begin with it.

    Returns:
        The standard fields, then the project's own in their order.

    Raises:
        ConfigurationError: naming every fault at once.
    """
    allowed = ", ".join(FieldType)
    standard = {field.name: field for field in STANDARD_FIELDS}
    faults: list[str] = []
    added: list[LinkageField] = []
    for name, type_name in own.items():
        if not isinstance(type_name, str) or type_name not in set(FieldType):
            faults.append(f"{path}.{name}: {type_name!r} is no field type. Choose one of: {allowed}.")
            continue
        try:
            field = LinkageField(name, FieldType(type_name))
        except InvalidFieldError as error:
            faults.append(f"{path}.{name}: {error}")
            continue
        if name not in standard:
            added.append(field)
        elif field != standard[name]:
            faults.append(
                f"{path}.{name}: {type_name!r} differs from the standard field of that name, which is of "
                f"type {standard[name].type}. Leave it out, or choose another name."
            )
    fields = (*STANDARD_FIELDS, *added)
    faults.extend(f"{path}: {fault}" for fault in field_faults(fields))
    if faults:
        raise ConfigurationError("The linkage fields are refused.", faults)
    return fields
