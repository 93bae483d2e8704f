"""Owns the order of a comparison's levels: none may be one that no pair reaches, because earlier ones take all.

Must not know fields, probabilities or SQL.

Source: the meaning of the levels in `comparison_methods`. What several earlier levels take only together is not
looked for.
"""

from collections.abc import Sequence

from linkwright.engine.comparison_methods import (
    BOUND_RULES,
    DAYS_PER_UNIT,
    METHOD_RULES,
    LevelCondition,
    LevelKind,
    Method,
)
from linkwright.engine.strategy_faults import PartFault

DATE_TEXT_DIGITS = 8
PART_DIGITS = 4
"""A date's text yyyy-mm-dd has eight digits, four of the year, four of month and day."""

MOST_DAYS_SAME_YEAR = 365
MOST_DAYS_SWAPPED = 324
"""From 12 January to 1 December of a leap year."""

_WHAT_EQUAL_VALUES_MEET = {
    LevelKind.SIMILARITY,
    LevelKind.DISTANCE,
    LevelKind.EDITS,
    LevelKind.SAME_PREFIX,
    *DAYS_PER_UNIT,
    LevelKind.SAME_YEAR,
    LevelKind.SAME_DAY_AND_MONTH,
    LevelKind.WITHIN_ABSOLUTE,
    LevelKind.WITHIN_PERCENT,
}
_WHAT_BOTH_EQUAL_MEET = {
    LevelKind.EXACT,
    LevelKind.EXACT_OTHER,
    LevelKind.SIMILARITY,
    LevelKind.SIMILARITY_BOTH,
}
# only equal values are as similar as can be, but equal letters in another order share all that jaccard counts
_ONLY_EQUAL_REACH_1 = {Method.JARO_WINKLER, Method.JARO, Method.NAME, Method.DICE}
_DIGITS = {LevelKind.DISTANCE, LevelKind.EDITS}
_EQUALITIES = {
    LevelKind.SIMILARITY: {LevelKind.EXACT},
    LevelKind.SIMILARITY_BOTH: {LevelKind.EXACT, LevelKind.EXACT_OTHER, LevelKind.EXACT_BOTH},
}


def unreachable_faults(method: Method | None, conditions: Sequence[LevelCondition]) -> list[PartFault]:
    """Name the levels that no pair reaches.

    Args:
        method: of the comparison; None if it is not known.
        conditions: of its levels, in order.

    Returns:
        Faults at the index and the key `when` of a level; none for a ladder of which every level can be reached.
    """
    faults: list[PartFault] = []
    for index, condition in enumerate(conditions):
        earlier = [level for level in conditions[:index] if level.kind is not LevelKind.ELSE]
        text = None
        if condition.kind is LevelKind.ELSE and index < len(conditions) - 1:
            text = "'else' takes all pairs, and none reaches the levels after it. Move it last."
        elif any(covers(method, level, condition) for level in earlier):
            text = _remedy(condition)
        if text:
            faults.append(((index, "when"), text))
    return faults


def _remedy(condition: LevelCondition) -> str:
    kind = condition.kind
    if kind is LevelKind.ELSE:
        return (
            "an earlier level takes all pairs, and 'else' is left none. Lower the bounds of the levels before it."
        )
    if kind is LevelKind.EXACT:
        return "no pair reaches 'exact' after a looser level. Move it first, and once only."
    order = "Order the levels from the closest agreement to the loosest, each once."
    return f"an earlier level takes all pairs of this {kind.value!r}. {order}"


def covers(method: Method | None, earlier: LevelCondition, later: LevelCondition) -> bool:
    """Return whether every pair of values that meets `later` meets `earlier`, so that the earlier takes it.

    Args:
        method: of the comparison; None if it is not known.
        earlier: any level but `else`.
        later: any level.
    """
    kind, bound = later
    if earlier.kind is kind:
        return _is_as_loose(earlier, later)
    match kind:
        case LevelKind.EXACT:
            shares_a_word = earlier == (LevelKind.SHARED_TOKENS, 1)
            takes_all = shares_a_word or earlier.kind in _WHAT_EQUAL_VALUES_MEET
        case LevelKind.EXACT_BOTH:
            takes_all = earlier.kind in _WHAT_BOTH_EQUAL_MEET
        case LevelKind.SIMILARITY | LevelKind.SIMILARITY_BOTH:
            is_equality = bound == 1 and method in _ONLY_EQUAL_REACH_1
            looser = earlier.kind is LevelKind.SIMILARITY and _bound(earlier) <= _bound(later)
            takes_all = looser or (is_equality and earlier.kind in _EQUALITIES[kind])
        case LevelKind.TRANSPOSED:
            takes_all = earlier.kind is LevelKind.DISTANCE
        case LevelKind.ELSE:
            takes_all = method is Method.DATE and earlier.kind in _DIGITS and _has_all_digits(earlier)
        case _:
            takes_all = kind in METHOD_RULES[Method.DATE].kinds and _date_covers(earlier, later)
    return takes_all


def _is_as_loose(earlier: LevelCondition, later: LevelCondition) -> bool:
    if earlier.kind not in BOUND_RULES:
        return True
    if BOUND_RULES[earlier.kind].key == "at_most":
        return _bound(earlier) >= _bound(later)
    return _bound(earlier) <= _bound(later)


def _date_covers(earlier: LevelCondition, later: LevelCondition) -> bool:
    kind = later.kind
    if earlier.kind in _DIGITS:
        if kind in _DIGITS:
            # two neighbours swapped are one edit of the one, two of the other
            needed = 1 if earlier.kind is LevelKind.DISTANCE else 2
            return _has_all_digits(earlier) or _bound(earlier) >= needed * _bound(later)
        one_part = {LevelKind.SAME_YEAR, LevelKind.SAME_DAY_AND_MONTH, LevelKind.DAY_AND_MONTH_SWAPPED}
        return _has_all_digits(earlier) or (kind in one_part and _bound(earlier) >= PART_DIGITS)
    if earlier.kind in DAYS_PER_UNIT:
        days = _bound(earlier) * DAYS_PER_UNIT[earlier.kind]
        if kind in DAYS_PER_UNIT:
            return days >= _bound(later) * DAYS_PER_UNIT[kind]
        most = {LevelKind.SAME_YEAR: MOST_DAYS_SAME_YEAR, LevelKind.DAY_AND_MONTH_SWAPPED: MOST_DAYS_SWAPPED}
        return kind in most and days >= most[kind]
    return earlier.kind is LevelKind.SAME_YEAR and kind is LevelKind.DAY_AND_MONTH_SWAPPED


def _has_all_digits(distance: LevelCondition) -> bool:
    return _bound(distance) >= DATE_TEXT_DIGITS


def _bound(condition: LevelCondition) -> float:
    return condition.bound or 0.0
