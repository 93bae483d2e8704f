"""Owns what an extraction shows: which columns there are, and when a choice of them can be a file.

Must not know projects, files or secrets.

Source: SPEC section 5 (Extract).
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

MAX_COLUMN_NAME_CHARACTERS = 100
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class ExtractionColumn(StrEnum):
    """A column that an Extraction Project can show; the value is stored, and is its name unless renamed."""

    PERSON_KEY = "person_key"
    SOURCE_UNIQUE_ID = "source_unique_id"
    EVENT_TYPE_CODE = "event_type_code"
    LINKAGE_PROJECT_CODE = "linkage_project_code"
    SOURCE_PERSON_ID = "source_person_id"
    EXTRACTION_PROJECT_ID = "extraction_project_id"


class ChosenColumn(NamedTuple):
    """A column, and its name in the header."""

    column: ExtractionColumn
    name: str


class ChangeReason(StrEnum):
    """Why a Person Key was replaced by another one, or is no longer in use."""

    MERGED = "merged"
    SPLIT = "split"
    REVIEWED = "moved by review"
    ENDED = "records ended"
    ROLLED_BACK = "rolled back"


def parse_columns(stored: Iterable[dict[str, str]]) -> tuple[ChosenColumn, ...]:
    """Return columns from their stored form, a list of {"column", "name"}."""
    return tuple(ChosenColumn(ExtractionColumn(one["column"]), one["name"]) for one in stored)


def column_faults(columns: Sequence[tuple[str, str]]) -> list[str]:
    """Name everything that is wrong with a choice of columns.

    Args:
        columns: pairs of a column and its name in the header, in the order of the file.

    Returns:
        One full sentence per fault; empty if the choice can be a file.
    """
    if not columns:
        return [f"No column is chosen. Choose at least one of {', '.join(ExtractionColumn)}."]
    faults = [
        f"There is no column {column!r}. There are: {', '.join(ExtractionColumn)}."
        for column, _name in columns
        if column not in set(ExtractionColumn)
    ]
    faults += [
        f"The column {column!r} is chosen {count} times. Choose it once."
        for column, count in Counter(column for column, _name in columns).items()
        if count > 1
    ]
    for column, name in columns:
        if (
            not name.strip()
            or name != name.strip()
            or len(name) > MAX_COLUMN_NAME_CHARACTERS
            or _CONTROL.search(name)
        ):
            faults.append(
                f"The column {column!r} is named {name!r}. A name has 1 to {MAX_COLUMN_NAME_CHARACTERS} printable "
                "characters, and no space around it."
            )
    # many readers of Parquet take names that differ in case only for the same
    faults += [
        f"The name {name!r} is given to {count} columns. Give each its own; case does not count."
        for name, count in Counter(name.casefold() for _column, name in columns).items()
        if count > 1
    ]
    return faults


def csv_value_sql(expression: str) -> str:
    """Return a text as RFC 4180 writes it: in quotes where it holds a comma, a quote or a line end.

    NULL becomes an empty text.
    """
    quoted = f"'\"' || replace({expression}, '\"', '\"\"') || '\"'"
    return (
        f"CASE WHEN {expression} IS NULL THEN '' WHEN regexp_matches({expression}, '[\",\\r\\n]') "
        f"THEN {quoted} ELSE {expression} END"
    )


def csv_header(names: Sequence[str]) -> str:
    """Return the first line of a file, without its end."""
    return ",".join(
        f'"{name.replace(chr(34), chr(34) * 2)}"' if re.search('[",]', name) else name for name in names
    )
