"""Owns what all parts of a Splink model are read with: the names of its columns, and what was found to tell.

Must not know what is read.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from linkwright.engine.blocking import DERIVED_SUFFIX, Transform
from linkwright.engine.fields import LinkageField
from linkwright.engine.splink_sql import LEFT, RIGHT, Node, columns_of, rewritten
from linkwright.engine.strategy_faults import choice


class Findings:
    """What is wrong with a model, and what a person should know of what was read.

    Args:
        approximate: whether what can be said nearly, but not exactly, is a note and no fault.
    """

    def __init__(self, *, approximate: bool) -> None:
        self.faults: list[str] = []
        self.notes: list[str] = []
        self._approximate = approximate

    def fault(self, place: str, text: str) -> None:
        """Name what cannot be read."""
        self.faults.append(f"{place}: {text}")

    def note(self, place: str, text: str) -> None:
        """Tell what is read, but differs in a way that a person should know."""
        note = f"{place}: {text}"
        if note not in self.notes:
            self.notes.append(note)

    def inexact(self, place: str, text: str, instead: str) -> None:
        """Tell of what Linkwright can only say nearly: `instead` is what it would do."""
        if self._approximate:
            self.note(place, f"{text}; {instead}")
        else:
            self.fault(place, f"{text}. Change it in Splink, or import approximately: then {instead}.")


class ColumnNames:
    """Which linkage field each column of a model is.

    Args:
        fields: the project's linkage fields.
        columns: column → field, for columns that are not named as their field is.
    """

    def __init__(self, fields: Sequence[LinkageField], columns: Mapping[str, str]) -> None:
        self.fields = {field.name: field for field in fields}
        self._derived = {
            field.name + suffix: (field.name, transform)
            for field in fields
            if field.derived_columns
            for transform, suffix in DERIVED_SUFFIX.items()
        }
        self._known = {name: name for name in (*self.fields, *self._derived)}
        self._given = {column.casefold(): field for column, field in columns.items()}
        self._given_as = {column.casefold(): column for column in columns}
        self._seen: set[str] = set()

    def derived_from(self, name: str) -> tuple[str, Transform] | None:
        """Return the field that Load works a column out from, and how; None if it is none of those."""
        return self._derived.get(name)

    def renamed(self, node: Node, place: str, findings: Findings) -> Node | None:
        """Return a condition with the names of linkage fields; None, with faults, if a column is none."""
        columns = columns_of(node)
        found = {column: self.name_of(column) for column in columns}
        for column in columns:
            if found[column] is None:
                findings.fault(place, self._unknown(column))
        if None in found.values():
            return None
        return rewritten(
            node,
            lambda part: part._replace(value=str(found[str(part.value)])) if part.kind in {LEFT, RIGHT} else part,
        )

    def name_of(self, column: str) -> str | None:
        """Return the column of the records files that a column of the model is; None if it is unknown."""
        key = column.casefold()
        self._seen.add(key)
        return self._known.get(self._given.get(key, key))

    def faults(self) -> list[str]:
        """Name what is wrong with the columns as given, once the whole model is read."""
        faults = [
            f"column {self._given_as[key]}={field}: {field!r} is no linkage field of the project. "
            f"{choice(field, list(self.fields))}"
            for key, field in self._given.items()
            if field not in self._known
        ]
        return faults + [
            f"column {self._given_as[key]}={field}: the model has no column {self._given_as[key]!r}. "
            f"{choice(key, sorted(self._seen))}"
            for key, field in self._given.items()
            if key not in self._seen
        ]

    def _unknown(self, column: str) -> str:
        return (
            f"the column {column!r} is no linkage field of the project. {choice(column, list(self.fields))} "
            f"Say which field it is: {column}=FIELD."
        )


def mappings_in(data: object, key: str) -> list[Mapping[str, Any]]:
    """Return the mappings in a list that a mapping holds; none, if it holds no such list."""
    values = data.get(key) if isinstance(data, Mapping) else None
    if not isinstance(values, list | tuple):
        return []
    return [value for value in values if isinstance(value, Mapping)]
