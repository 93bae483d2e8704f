"""Turns a job's statistics into what a page can show: headline numbers and tables. Pure; knows no kind of job.

What is drawn as a plot (web/job_plots.py) has its table there. The shape follows from the value: a number or text
is a headline, a dict of numbers a table of two columns, a list of dicts a table. The unit follows from the key's
ending (`_count`, `_bytes`, `_s`, `_ms`, `_share`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from linkwright.services.hidden_values import without_values
from linkwright.web.formatting import (
    NO_VALUE,
    format_bytes,
    format_duration,
    format_number,
    format_probability,
    format_share,
)

MAX_TABLE_ROWS = 200
# these columns name or order things: a bar would compare what cannot be compared
_SCALES = frozenset(
    {
        "attempt",
        "weight",
        "match_weight",
        "match_threshold",
        "review_threshold",
        "group_size",
        "position",
        "line",
        "current_match_threshold",
        "proposed_match_threshold",
        "current_review_threshold",
        "proposed_review_threshold",
        "current_weight",
        "estimated_weight",
        "sampling_rate",
    }
)
# positions in a configuration file, always beside the name of what stands there
_LEFT_OUT = frozenset({"blocking_rule"})
_WIDE_COLUMNS = 6
_DIGEST_LENGTH = 12

_UNITS: tuple[tuple[str, Callable[[float], str]], ...] = (
    ("_count", format_number),
    ("_bytes", format_bytes),
    ("_ms", lambda value: format_duration(value / 1000)),
    ("_s", format_duration),
    ("seconds", format_duration),
    ("_share", format_share),
    ("_prior", format_probability),
    ("_m", format_probability),
    ("_u", format_probability),
)
# these say what is counted; the others only how
_NAMING_ENDINGS = frozenset({"_share", "_prior", "_m", "_u"})
_LABELS = {
    "is_skipped": "Skipped",
    "is_marked": "Unlike before",
    "event_type": "Event Type",
    "with_event_type": "With Event Type",
    "sha256": "SHA-256",
}


Links: TypeAlias = Mapping[str, Callable[[int], str]]
"""By the name of a column, the address that a number in it leads to."""


@dataclass(frozen=True)
class Figure:
    """A headline number and what it counts."""

    label: str
    text: str
    is_number: bool


@dataclass(frozen=True)
class Cell:
    """A table's cell; `bar` is its share of the column's largest value, in percent, or None. It leads to `url`."""

    text: str
    is_number: bool
    bar: float | None = None
    title: str = ""
    url: str = ""


@dataclass(frozen=True)
class Column:
    """A table's column."""

    label: str
    is_number: bool


@dataclass(frozen=True)
class Table:
    """A titled table; `left_out_count` rows are not shown."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    left_out_count: int = 0

    @property
    def is_wide(self) -> bool:
        """Whether it needs the whole width."""
        return len(self.columns) >= _WIDE_COLUMNS


@dataclass(frozen=True)
class StatisticsView:
    """Everything that is shown of one statistics object."""

    figures: Sequence[Figure]
    tables: Sequence[Table]


def view_statistics(
    statistics: Mapping[str, Any],
    *,
    hide_values: bool = False,
    links: Links | None = None,
    drawn: Collection[str] = (),
) -> StatisticsView:
    """Sort a statistics object into headline numbers and tables, in its own order.

    With `hide_values`, values from which a person could be recognised are left out. `links` say where the values
    of some columns of tables lead; what is `drawn` is left to its plot.
    """
    figures: list[Figure] = []
    tables: list[Table] = []
    for key, value in statistics.items():
        if key in drawn:
            continue
        if isinstance(value, Mapping):
            if value:
                tables.append(_table_of_mapping(key, value))
        elif isinstance(value, list):
            if value:
                shown = without_values(value) if hide_values else value
                tables.append(_table_of_list(key, shown, links or {}))
        else:
            figures.append(Figure(label_of(key), _text(key, value), _is_number(value)))
    return StatisticsView(figures, tables)


def label_of(key: str) -> str:
    """Return a key as a label: 'rows_rejected_count' → 'Rows rejected'."""
    words = key
    for ending, _ in _UNITS:
        # a share beside its count needs its own name
        if (
            ending not in _NAMING_ENDINGS
            and words.endswith(ending)
            and ending[0] == "_"
            and len(words) > len(ending)
        ):
            words = words[: -len(ending)]
            break
    text = " ".join(word for word in words.split("_") if word)
    return _LABELS.get(key) or text[:1].upper() + text[1:]


def _table_of_mapping(key: str, mapping: Mapping[str, Any]) -> Table:
    numbers = all(_is_number(value) for value in mapping.values())
    if not numbers:
        rows = [[Cell(label_of(name), is_number=False), _cell(name, value)] for name, value in mapping.items()]
        return Table(label_of(key), [Column("", is_number=False), Column("Value", is_number=False)], rows)
    largest = max(mapping.values())
    rows = [
        [Cell(str(name), is_number=False), _cell(key, value, largest=largest)] for name, value in mapping.items()
    ]
    title = label_of(key)
    return Table(
        title,
        [Column("", is_number=False), Column("Count", is_number=True)],
        rows[:MAX_TABLE_ROWS],
        max(len(rows) - MAX_TABLE_ROWS, 0),
    )


def _table_of_list(key: str, items: Sequence[Any], links: Links) -> Table:
    if not all(isinstance(item, Mapping) for item in items):
        cells = [[_cell(key, item)] for item in items[:MAX_TABLE_ROWS]]
        return Table(label_of(key), [Column("", is_number=False)], cells, max(len(items) - MAX_TABLE_ROWS, 0))
    # the union of the keys, in order of appearance: rows may leave out what they do not have
    keys = list(dict.fromkeys(name for item in items for name in item if name not in _LEFT_OUT))
    numeric = {name for name in keys if _is_numeric_column(name, items)}
    largest = {
        # a share is a part of one, whatever the largest share is
        name: 1.0 if name.endswith("_share") else max(item[name] for item in items if item.get(name) is not None)
        for name in numeric - _SCALES
    }
    shown = items[:MAX_TABLE_ROWS]
    rows = [
        [
            _linked(_cell(name, item.get(name), largest=largest.get(name)), item.get(name), links.get(name))
            for name in keys
        ]
        for item in shown
    ]
    columns = [Column(label_of(name), name in numeric) for name in keys]
    return Table(label_of(key), columns, rows, len(items) - len(shown))


def _is_numeric_column(name: str, items: Sequence[Mapping[str, Any]]) -> bool:
    values = [item[name] for item in items if item.get(name) is not None]
    return bool(values) and not name.endswith("_id") and all(_is_number(value) for value in values)


def _cell(key: str, value: Any, *, largest: float | None = None) -> Cell:
    bar = None
    if largest and largest > 0 and _is_number(value):
        bar = round(max(value, 0) / largest * 100, 1)
    if key == "sha256" and isinstance(value, str):
        return Cell(f"{value[:_DIGEST_LENGTH]}…", is_number=False, title=value)
    return Cell(_text(key, value), _is_number(value) and not key.endswith("_id"), bar)


def _linked(cell: Cell, value: Any, link: Callable[[int], str] | None) -> Cell:
    return replace(cell, url=link(value)) if link is not None and isinstance(value, int) else cell


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(key: str, value: Any) -> str:
    if value is None or value == "" or isinstance(value, bool):
        return {True: "yes", False: "no"}.get(value, NO_VALUE)
    if not _is_number(value) or key.endswith("_id"):
        return str(value)
    if "bytes" in key.split("_"):
        return format_bytes(value)
    for ending, form in _UNITS:
        if key.endswith(ending):
            return form(value)
    return format_number(value)
