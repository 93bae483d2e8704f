"""Owns how one comparison of a Splink model is read: its field, its method, its levels and their probabilities.

A level is taken only if it means the same here. Must not know blocking rules, strategies or files.

Source: SPEC section 1; Splink 4 and 5 (splink.internals.comparison and .comparison_level).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from linkwright.engine.comparison_methods import BOUND_RULES, METHOD_RULES, LevelKind, Method
from linkwright.engine.fields import LinkageField
from linkwright.engine.splink_context import ColumnNames, Findings, mappings_in
from linkwright.engine.splink_forms import LevelReading, example_sqls, level_readings
from linkwright.engine.splink_frequencies import read_frequencies
from linkwright.engine.splink_sql import Node, columns_of, without_date_parsing
from linkwright.engine.splink_sql_reader import ISO_DATE, UnreadableSqlError, read_condition

MAX_FIELDS = 2
_METHOD_NOTE = re.compile(r"(\w+) by (\w+)(?: with (\w+))?")
_DIGIT_KINDS = frozenset({LevelKind.DISTANCE, LevelKind.EDITS, LevelKind.SAME_YEAR})


@dataclass
class _Level:
    """A level as it stands in the model, and what was read of it."""

    place: str
    data: Mapping[str, Any]
    sql: str
    is_else: bool
    is_missing: bool
    node: Node | None = None
    readings: dict[Method, LevelReading] = field(default_factory=dict)


@dataclass(frozen=True)
class _Columns:
    """The fields of a comparison; the second is there for the method `name` only."""

    own: LinkageField
    other: str | None
    hinted_method: Method | None

    @property
    def variables(self) -> dict[str, str]:
        return {"a": self.own.name} | ({"b": self.other} if self.other else {})


def read_comparison(
    data: Mapping[str, Any], index: int, path: str, names: ColumnNames, findings: Findings
) -> dict[str, Any] | None:
    """Read one comparison.

    Args:
        data: as Splink's settings have it.
        index: its place among the comparisons.
        path: of the settings; faults begin with it.
        names: of the columns.
        findings: takes faults and notes.

    Returns:
        A comparison as a match configuration has it; None if it is refused, with at least one fault.
    """
    title = str(data.get("output_column_name") or f"comparison {index + 1}")
    place = f"{path}comparisons[{index}] ({title})"
    before = len(findings.faults)
    levels = [_level(one, f"{place}, level {number}") for number, one in enumerate(_levels_of(data), start=1)]
    formats = {one for level in levels for one in _read(level, names, findings)}
    if len(levels) < MAX_FIELDS or not any(level.is_else for level in levels):
        findings.fault(place, "it has no level ELSE after others. Add it in Splink, train again and save again.")
    compared = [level for level in levels if not level.is_missing]
    probabilities = [_probabilities(level, findings) for level in compared]
    if any(level.node is None for level in levels if not level.is_else):
        return None
    columns = _columns(levels, str(data.get("comparison_description", "")), place, names, findings)
    if columns is None or not _are_understood(compared, columns, findings):
        return None
    method = _method(compared, columns, place, findings)
    if method is None or not _dates_fit(formats, compared, (method, columns), place, findings):
        return None
    definition = {
        "name": _name(title),
        "field": columns.own.name,
        "method": method.value,
        **({"swapped_with": columns.other} if method is Method.NAME else {}),
        "levels": [
            {**_condition(level, method, findings), **values}
            for level, values in zip(compared, probabilities, strict=True)
        ],
    }
    adjusted = read_frequencies([level.data for level in compared], definition, place, names, findings)
    return None if len(findings.faults) > before else adjusted


def _levels_of(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return mappings_in(data, "comparison_levels")


def _level(data: Mapping[str, Any], place: str) -> _Level:
    sql = str(data.get("sql_condition", ""))
    return _Level(
        f"{place} `{sql}`",
        data,
        sql,
        is_else=sql.strip().upper() == "ELSE",
        is_missing=data.get("is_null_level") is True,
    )


def _read(level: _Level, names: ColumnNames, findings: Findings) -> frozenset[str]:
    """Read a level's SQL; return the formats that it reads dates by."""
    if level.is_else:
        return frozenset()
    try:
        node = read_condition(level.sql)
    except UnreadableSqlError as error:
        findings.fault(level.place, f"the SQL cannot be read: {error}. {_remedy()}")
        return frozenset()
    bare, formats = without_date_parsing(node)
    level.node = names.renamed(bare, level.place, findings)
    return formats


def _remedy() -> str:
    return "Replace the level by one that can be imported, or remove it, then train again and save again."


def _probabilities(level: _Level, findings: Findings) -> dict[str, float]:
    found: dict[str, float] = {}
    for key in ("m_probability", "u_probability"):
        value = level.data.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[key] = float(value)
        else:
            findings.fault(
                level.place,
                f"it has no {key}: the model is not trained, or no pair was in this level when it was. Train it "
                "(estimate_u_using_random_sampling, then estimate_parameters_using_expectation_maximisation) and "
                "save it again; remove a level that never occurs.",
            )
    return found


def _columns(
    levels: Sequence[_Level], description: str, place: str, names: ColumnNames, findings: Findings
) -> _Columns | None:
    """Find out which fields a comparison is of."""
    compared = dict.fromkeys(
        column for level in levels if level.node and not level.is_missing for column in columns_of(level.node)
    )
    hint = _METHOD_NOTE.fullmatch(description)
    own = _field_that_may_be_missing(levels, place, findings)
    own = own or next(iter(compared), hint[1] if hint else None)
    others = [column for column in compared if column != own]
    if own not in names.fields or any(other not in names.fields for other in others):
        derived = next((name for name in (own, *others) if name and name not in names.fields), own)
        findings.fault(
            place,
            f"it compares the column {derived!r}, which Load works out; only linkage fields can be compared. "
            "Compare the field itself, or block on the column.",
        )
        return None
    if len(others) >= MAX_FIELDS:
        listed = ", ".join([own, *others])
        findings.fault(place, f"it compares {listed}; at most two fields can be compared together. Split it.")
        return None
    if hint and hint[1] == own and not others and hint[3] in names.fields:
        others = [hint[3]]
    method = Method(hint[2]) if hint and hint[2] in set(Method) else None
    return _Columns(names.fields[own], others[0] if others else None, method)


def _field_that_may_be_missing(levels: Sequence[_Level], place: str, findings: Findings) -> str | None:
    """Return the field whose missing values make a comparison neutral."""
    missing = next((level for level in levels if level.is_missing), None)
    if missing is None or missing.node is None:
        findings.inexact(
            place,
            "it has no level for missing values, so that Splink takes them for disagreement",
            "a missing value weighs nothing",
        )
        return None
    if not _is_about_missing(missing.node):
        findings.fault(
            missing.place, "a level for missing values may only ask whether a value IS NULL. Change it."
        )
        return None
    columns = columns_of(missing.node)
    if len(columns) == 1:
        return columns[0] if missing.node.kind == "or" else None
    single = [
        columns_of(level.node)[0]
        for level in levels
        if level.node and not level.is_missing and level.node.kind == "=" and len(columns_of(level.node)) == 1
    ]
    own = next((column for column in single if column in columns), columns[0])
    findings.inexact(
        missing.place,
        f"it makes the comparison depend on missing values of {' and '.join(columns)} together",
        f"a comparison weighs nothing wherever {own!r} is missing, and only there",
    )
    return own


def _is_about_missing(node: Node) -> bool:
    if node.kind in {"and", "or"}:
        return all(_is_about_missing(part) for part in node.parts)
    value = node.parts[0] if node.kind == "is_null" else node
    if value[:2] == ("call", "substr"):
        value = value.parts[0]
    return node.kind == "is_null" and value.kind in {"left", "right"}


def _are_understood(levels: Sequence[_Level], columns: _Columns, findings: Findings) -> bool:
    """Find out what levels may mean; look at all of them, so that all faults are told at once."""
    understood = [_is_understood(level, columns, findings) for level in levels]
    return all(understood)


def _is_understood(level: _Level, columns: _Columns, findings: Findings) -> bool:
    """Find out what a level may mean, and tell whether that is anything."""
    if level.node is None:
        return level.is_else
    for reading in level_readings(level.node, columns.variables, str(level.data.get("label_for_charts", ""))):
        if columns.own.type in METHOD_RULES[reading.method].field_types:
            level.readings.setdefault(reading.method, reading)
    if not level.readings:
        findings.fault(
            level.place,
            f"it cannot be said of {columns.own.name!r}, a field of type {columns.own.type}. Supported for it: "
            f"{_supported(columns.own)}. {_remedy()}",
        )
    return bool(level.readings)


def _supported(own: LinkageField) -> str:
    examples = [
        example_sqls(method, kind, own.name)
        for method, rule in METHOD_RULES.items()
        if own.type in rule.field_types
        for kind in rule.kinds
        if kind is not LevelKind.ELSE
    ]
    return "; ".join(dict.fromkeys(examples))


def _method(levels: Sequence[_Level], columns: _Columns, place: str, findings: Findings) -> Method | None:
    """Choose the method that has all levels: the hinted one, else the first of the catalogue."""
    asked = [level for level in levels if not level.is_else]
    fitting = [method for method in Method if all(method in level.readings for level in asked)]
    if columns.other is None:
        fitting = [method for method in fitting if method is not Method.NAME]
    if columns.hinted_method in fitting:
        return columns.hinted_method
    if fitting:
        return fitting[0]
    told = "; ".join(f"`{level.sql}` is of {' or '.join(level.readings)}" for level in asked)
    findings.fault(
        place, f"no one method has all of its levels: {told}. Keep the levels of one method, then train again."
    )
    return None


def _dates_fit(
    formats: set[str],
    levels: Sequence[_Level],
    by: tuple[Method, _Columns],
    place: str,
    findings: Findings,
) -> bool:
    """Tell whether texts that are read as dates may be dates here; digits count in the form yyyy-mm-dd only."""
    method, columns = by
    if not formats or method is Method.EXACT:
        return True
    counts_digits = any(
        level.readings[method].condition.kind in _DIGIT_KINDS for level in levels if not level.is_else
    )
    if method is Method.DATE and (not counts_digits or formats == {ISO_DATE}):
        return True
    why = (
        f"it counts the digits of dates written as {', '.join(sorted(formats))}, Linkwright those of {ISO_DATE}"
        if method is Method.DATE
        else f"it reads {columns.own.name!r} as dates, which is a field of type {columns.own.type}"
    )
    findings.fault(place, f"{why}. Write the dates as {ISO_DATE} in a date field, and train again.")
    return False


def _condition(level: _Level, method: Method, findings: Findings) -> dict[str, Any]:
    if level.is_else:
        return {"when": LevelKind.ELSE.value}
    reading = level.readings[method]
    if reading.note:
        findings.note(level.place, reading.note)
    kind, bound = reading.condition
    if bound is None:
        return {"when": kind.value}
    rule = BOUND_RULES[kind]
    return {"when": kind.value, rule.key: int(bound) if rule.is_whole else bound}


def _name(title: str) -> str:
    """Make a name of a match configuration of the name that Splink gives a comparison."""
    plain = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    return plain[:63] if plain[:1].isalpha() else f"c_{plain}"[:63]
