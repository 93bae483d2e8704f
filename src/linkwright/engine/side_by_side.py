"""Owns the comparing of records that stand side by side: which of a field's values differ from the usual one.

Must not know where values come from. It shows what meets the eye: values are equal or not; how near they are to
each other, comparison levels say.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class SideValue:
    """A field's value in one record; `differs` if it is not what most of the records have that have any."""

    text: str | None
    differs: bool


def compare_side_by_side(
    fields: Sequence[str], records: Sequence[Mapping[str, str | None]]
) -> tuple[tuple[str, ...], tuple[tuple[SideValue, ...], ...]]:
    """Mark the values that differ.

    Args:
        fields: the fields to show, in order.
        records: per record the value of each field; None is missing, and never differs.

    Returns:
        The fields that any record has a value of; and per record the values of these. If no value is the most
        frequent one, all that the field has differ from each other, and all are marked.
    """
    shown = tuple(field for field in fields if any(record.get(field) is not None for record in records))
    usual = {field: _usual([record.get(field) for record in records]) for field in shown}
    return shown, tuple(
        tuple(SideValue(record.get(field), _differs(record.get(field), usual[field])) for field in shown)
        for record in records
    )


def _usual(values: Sequence[str | None]) -> str | None:
    """Return the value that most have; None if there is no such one."""
    counts = Counter(value for value in values if value is not None).most_common(2)
    if len(counts) > 1 and counts[0][1] == counts[1][1]:
        return None
    return counts[0][0] if counts else None


def _differs(value: str | None, usual: str | None) -> bool:
    return value is not None and value != usual
