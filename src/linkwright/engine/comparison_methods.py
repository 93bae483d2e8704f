"""Owns the comparison methods: which levels each offers, and the SQL that tells which level two values reach.

An expensive measure (a similarity, a number of edits) is computed once per pair and comparison, not once per
level, and not at all for equal values. Must not know probabilities, weights or thresholds.

Source: the levels mean what they mean in Splink 5's comparison_level_library (checked against it in the tests).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from linkwright.engine.dialect import Dialect
from linkwright.engine.fields import FieldType
from linkwright.engine.sql import literal

DAYS_A_YEAR = 365.25
DAYS_A_MONTH = DAYS_A_YEAR / 12

NULL_LEVEL = -1
"""The number of the level of a pair of which a value is missing; its weight is 0."""


class Method(StrEnum):
    """How two values of a field are compared."""

    EXACT = "exact"
    JARO_WINKLER = "jaro_winkler"
    JARO = "jaro"
    LEVENSHTEIN = "levenshtein"
    DAMERAU_LEVENSHTEIN = "damerau_levenshtein"
    DATE = "date"


class LevelKind(StrEnum):
    """The condition that a pair of values meets to be in a level."""

    EXACT = "exact"
    SIMILARITY = "similarity"
    DISTANCE = "distance"
    WITHIN_DAYS = "within_days"
    WITHIN_MONTHS = "within_months"
    WITHIN_YEARS = "within_years"
    DAY_AND_MONTH_SWAPPED = "day_and_month_swapped"
    SAME_YEAR = "same_year"
    SAME_DAY_AND_MONTH = "same_day_and_month"
    ELSE = "else"


class LevelCondition(NamedTuple):
    """A level's condition: its kind, and the bound that some kinds need (None otherwise)."""

    kind: LevelKind
    bound: float | None


AT_LEAST = frozenset({LevelKind.SIMILARITY})
"""The kinds that need `at_least`: a similarity between 0 and 1."""

AT_MOST = frozenset({LevelKind.DISTANCE, LevelKind.WITHIN_DAYS, LevelKind.WITHIN_MONTHS, LevelKind.WITHIN_YEARS})
"""The kinds that need `at_most`: edits, days, months or years."""

DAYS_PER_UNIT = {
    LevelKind.WITHIN_DAYS: 1.0,
    LevelKind.WITHIN_MONTHS: DAYS_A_MONTH,
    LevelKind.WITHIN_YEARS: DAYS_A_YEAR,
}

_TEXT_TYPES = frozenset(FieldType) - {FieldType.DATE, FieldType.NUMBER, FieldType.BLOOM}


@dataclass(frozen=True)
class MethodRule:
    """What a method may be used for.

    Args:
        kinds: the levels that it offers.
        field_types: the types of field that it compares.
    """

    kinds: tuple[LevelKind, ...]
    field_types: frozenset[FieldType]


_SIMILARITY_LEVELS = (LevelKind.EXACT, LevelKind.SIMILARITY, LevelKind.ELSE)
_DISTANCE_LEVELS = (LevelKind.EXACT, LevelKind.DISTANCE, LevelKind.ELSE)

METHOD_RULES: dict[Method, MethodRule] = {
    Method.EXACT: MethodRule((LevelKind.EXACT, LevelKind.ELSE), frozenset(FieldType) - {FieldType.BLOOM}),
    Method.JARO_WINKLER: MethodRule(_SIMILARITY_LEVELS, _TEXT_TYPES),
    Method.JARO: MethodRule(_SIMILARITY_LEVELS, _TEXT_TYPES),
    Method.LEVENSHTEIN: MethodRule(_DISTANCE_LEVELS, _TEXT_TYPES),
    Method.DAMERAU_LEVENSHTEIN: MethodRule(_DISTANCE_LEVELS, _TEXT_TYPES),
    Method.DATE: MethodRule(
        tuple(kind for kind in LevelKind if kind is not LevelKind.SIMILARITY), frozenset({FieldType.DATE})
    ),
}


def measure_sql(
    method: Method, conditions: Sequence[LevelCondition], left: str, right: str, dialect: Dialect
) -> str | None:
    """Return what the levels of a comparison are told apart by, if it is worth computing once.

    Args:
        method: of the comparison.
        conditions: of its levels.
        left: the SQL expression of one value.
        right: the SQL expression of the other value.
        dialect: the engine's SQL.

    Returns:
        The SQL expression of a similarity (1 for equal values) or a number of edits (0 for equal values), NULL
        if a value is missing; None if no level needs one.
    """
    kinds = {condition.kind for condition in conditions}
    if LevelKind.SIMILARITY in kinds:
        return f"CASE WHEN {left} = {right} THEN 1.0 ELSE {dialect.similarity(method, left, right)} END"
    if LevelKind.DISTANCE not in kinds:
        return None
    if method is Method.DATE:
        # a date's misread digits are edits of its text yyyy-mm-dd
        edits = dialect.distance(Method.DAMERAU_LEVENSHTEIN, dialect.text(left), dialect.text(right))
    else:
        edits = dialect.distance(method, left, right)
    return f"CASE WHEN {left} = {right} THEN 0 ELSE {edits} END"


def condition_sql(condition: LevelCondition, left: str, right: str, measure: str, dialect: Dialect) -> str:
    """Return the SQL condition of a level, for two values that are not missing.

    Args:
        condition: of any kind but `else`, which has none.
        left: the SQL expression of one value.
        right: the SQL expression of the other value.
        measure: the name of what `measure_sql` computed, for the kinds that need it.
        dialect: the engine's SQL.

    Raises:
        ValueError: for `else`.
    """
    kind = condition.kind
    if kind is LevelKind.EXACT:
        return f"{left} = {right}"
    if kind is LevelKind.SIMILARITY:
        return f"{measure} >= {literal(condition.bound)}"
    if kind is LevelKind.DISTANCE:
        return f"{measure} <= {literal(condition.bound)}"
    return _date_condition_sql(condition, left, right, dialect)


def _date_condition_sql(condition: LevelCondition, left: str, right: str, dialect: Dialect) -> str:
    kind = condition.kind
    if kind in DAYS_PER_UNIT:
        days = (condition.bound or 0) * DAYS_PER_UNIT[kind]
        return f"{dialect.days_apart(left, right)} <= {literal(days)}"
    same_year = f"{dialect.year(left)} = {dialect.year(right)}"
    if kind is LevelKind.SAME_YEAR:
        return same_year
    month_l, month_r, day_l, day_r = (
        part(date) for part in (dialect.month, dialect.day) for date in (left, right)
    )
    if kind is LevelKind.SAME_DAY_AND_MONTH:
        return f"{month_l} = {month_r} AND {day_l} = {day_r}"
    if kind is LevelKind.DAY_AND_MONTH_SWAPPED:
        return f"{same_year} AND {month_l} = {day_r} AND {day_l} = {month_r}"
    raise ValueError(f"the level {kind.value!r} takes what is left over and has no condition")
