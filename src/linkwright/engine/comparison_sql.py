"""Owns the SQL that tells which level two values reach.

An expensive measure (a similarity, a number of edits) is computed once per pair and comparison, not once per
level, and not at all for equal values. What has to be taken apart first (words, encoded bits) is taken apart once
per record. Must not know probabilities, weights or thresholds.

Source: the levels mean what they mean in Splink 5's comparison_level_library (checked against it in the tests).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from linkwright.engine.comparison_methods import DAYS_PER_UNIT, LevelCondition, LevelKind, Method
from linkwright.engine.dialect import Dialect
from linkwright.engine.sql import literal

NULL_LEVEL = -1
"""The number of the level of a pair of which a value is missing; its weight is 0."""

FORM_PARTS = {Method.DICE: ("bits", "count"), Method.TOKENS: ("words",)}
"""The methods that take values apart, and the names of the parts, in the order of `form_sql`."""

Sides = tuple[str, str]
"""The SQL expressions of one value in the left and in the right record."""


_Given = TypeVar("_Given", Sides, tuple[Sides, ...])


@dataclass(frozen=True)
class ComparedValues:
    """What a comparison looks at, as SQL expressions.

    Args:
        value: the field.
        other: the second field of `name`.
        form: the parts that `form_sql` makes of the field, if its method takes values apart.
    """

    value: Sides
    other: Sides | None = None
    form: tuple[Sides, ...] = ()


@dataclass(frozen=True)
class Measures:
    """What the levels of a comparison are told apart by, where it is worth computing once.

    Args:
        of_value: an SQL expression, or None: a similarity (1 for equal values), a number of edits (0 for equal
            values) or a number of shared words; NULL if a value is missing.
        of_other: the same of the second field of `name`.
    """

    of_value: str | None = None
    of_other: str | None = None


def form_sql(method: Method, column: str, dialect: Dialect) -> tuple[str, ...]:
    """Return what a method takes a record's value apart into, once per record; nothing if it takes it as it is.

    Args:
        method: of the comparison.
        column: the SQL expression of the value.
        dialect: the engine's SQL.
    """
    if method is Method.DICE:
        # counted here because counting takes as long as putting two values over each other
        bits = dialect.bits(column)
        return bits, dialect.set_count(bits)
    if method is Method.TOKENS:
        return (dialect.distinct_tokens(column),)
    return ()


def measures_sql(
    method: Method, conditions: Sequence[LevelCondition], values: ComparedValues, dialect: Dialect
) -> Measures:
    """Return what the levels of a comparison are told apart by, if it is worth computing once.

    Args:
        method: of the comparison.
        conditions: of its levels, in order.
        values: what it looks at.
        dialect: the engine's SQL.
    """
    kinds = {condition.kind for condition in conditions}
    if LevelKind.SHARED_TOKENS in kinds:
        shared = dialect.shared_count(*_given(values.form)[0])
        # equal values never come to the measure if the first level takes them
        skips_equal = conditions[0].kind is LevelKind.EXACT
        return Measures(_unless_equal(values.value, "NULL", shared) if skips_equal else shared)
    if method is Method.DICE and LevelKind.SIMILARITY in kinds:
        bits, counts = _given(values.form)
        # equality is asked of the text, which DuckDB compares much faster than bits
        return Measures(_unless_equal(values.value, "1.0", dialect.dice(*bits, " + ".join(counts))))
    if kinds & {LevelKind.SIMILARITY, LevelKind.SIMILARITY_BOTH}:
        needs_other = LevelKind.SIMILARITY_BOTH in kinds
        return Measures(
            _similarity_sql(method, values.value, dialect),
            _similarity_sql(method, _given(values.other), dialect) if needs_other else None,
        )
    if kinds & {LevelKind.DISTANCE, LevelKind.TRANSPOSED}:
        left, right = values.value
        # a date's misread digits are edits of its text yyyy-mm-dd
        texts = (dialect.text(left), dialect.text(right)) if method is Method.DATE else (left, right)
        if method is Method.LEVENSHTEIN:
            return Measures(_unless_equal(values.value, "0", dialect.distance(method, *texts)))
        most = max(
            (condition.bound or 0 for condition in conditions if condition.kind is LevelKind.DISTANCE), default=0
        )
        return Measures(_unless_equal(values.value, "0", _bounded_damerau_sql(texts, int(max(most, 1)), dialect)))
    return Measures()


def _similarity_sql(method: Method, sides: Sides, dialect: Dialect) -> str:
    function = Method.JARO_WINKLER if method is Method.NAME else method
    return _unless_equal(sides, "1.0", dialect.similarity(function, *sides))


def _bounded_damerau_sql(texts: Sides, most: int, dialect: Dialect) -> str:
    """Return a Damerau-Levenshtein distance that is exact up to `most`, and somewhere above it otherwise.

    A transposition is two of Levenshtein's edits, so that his distance is at most twice the other; it is computed
    several times as fast, and rules out nearly all pairs that differ.
    """
    edits = dialect.distance(Method.LEVENSHTEIN, *texts)
    exact = dialect.distance(Method.DAMERAU_LEVENSHTEIN, *texts)
    return f"CASE WHEN {edits} > {literal(2 * most)} THEN {literal(2 * most + 1)} ELSE {exact} END"


def _unless_equal(sides: Sides, if_equal: str, measure: str) -> str:
    return f"CASE WHEN {sides[0]} = {sides[1]} THEN {if_equal} ELSE {measure} END"


def _given(sides: _Given | None) -> _Given:
    if not sides:
        raise ValueError("the levels of this comparison look at a second field or at a form that is not given")
    return sides


def condition_sql(condition: LevelCondition, values: ComparedValues, measures: Measures, dialect: Dialect) -> str:
    """Return the SQL condition of a level, for values of the field that are not missing.

    Args:
        condition: of any kind but `else`, which has none.
        values: what the comparison looks at; of the second field, values may be missing.
        measures: the names of what `measures_sql` computed.
        dialect: the engine's SQL.

    Raises:
        ValueError: for `else`.
    """
    kind, bound = condition
    left, right = values.value
    match kind:
        case LevelKind.EXACT:
            sql = f"{left} = {right}"
        case LevelKind.SIMILARITY | LevelKind.SHARED_TOKENS:
            sql = f"{measures.of_value} >= {literal(bound)}"
        case LevelKind.DISTANCE:
            sql = f"{measures.of_value} <= {literal(bound)}"
        case LevelKind.TRANSPOSED:
            edits = dialect.distance(Method.LEVENSHTEIN, left, right)
            sql = f"CASE WHEN {measures.of_value} = 1 THEN {edits} = 2 ELSE FALSE END"
        case LevelKind.SAME_PREFIX:
            sql = " = ".join(dialect.prefix(side, int(bound or 0)) for side in values.value)
        case LevelKind.WITHIN_ABSOLUTE:
            sql = f"abs({left} - {right}) <= {literal(bound)}"
        case LevelKind.WITHIN_PERCENT:
            share = f"abs({left} - {right}) / greatest(abs({left}), abs({right}))"
            sql = f"({left} = {right} OR {share} < {literal((bound or 0) / 100)})"
        case LevelKind.EXACT_BOTH | LevelKind.EXACT_OTHER | LevelKind.SWAPPED | LevelKind.SIMILARITY_BOTH:
            sql = _two_fields_sql(condition, values, measures)
        case _:
            sql = _date_condition_sql(condition, left, right, dialect)
    return sql


def _two_fields_sql(condition: LevelCondition, values: ComparedValues, measures: Measures) -> str:
    kind, bound = condition
    left, right = values.value
    other_left, other_right = _given(values.other)
    if kind is LevelKind.SWAPPED:
        return f"{left} = {other_right} AND {other_left} = {right}"
    if kind is LevelKind.SIMILARITY_BOTH:
        return f"{measures.of_value} >= {literal(bound)} AND {measures.of_other} >= {literal(bound)}"
    other_equal = f"{other_left} = {other_right}"
    return other_equal if kind is LevelKind.EXACT_OTHER else f"{left} = {right} AND {other_equal}"


def _date_condition_sql(condition: LevelCondition, left: str, right: str, dialect: Dialect) -> str:
    kind, bound = condition
    if kind is LevelKind.EDITS:
        edits = dialect.distance(Method.LEVENSHTEIN, dialect.text(left), dialect.text(right))
        return f"{edits} <= {literal(bound)}"
    if kind in DAYS_PER_UNIT:
        days = (bound or 0) * DAYS_PER_UNIT[kind]
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
