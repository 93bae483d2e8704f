"""Owns the catalogue of comparison methods: which levels each offers, for which fields, and the bounds of levels.

Must not know probabilities and weights, nor write SQL (`comparison_sql` does).

Source: SPEC section 1; the levels mean what they mean in Splink 5's comparison_level_library (checked against it
in the tests).
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from linkwright.engine.fields import FieldType

DAYS_A_YEAR = 365.25
DAYS_A_MONTH = DAYS_A_YEAR / 12


class Method(StrEnum):
    """How two values of a field are compared.

    `jaro_winkler`, `jaro` and `jaccard` (of the letters that occur) are similarities; `levenshtein` and
    `damerau_levenshtein` count edits. `date` and `postcode` and `identifier` count edits as Damerau-Levenshtein
    does: two neighbours swapped are one edit. `name` looks at a second field too, which values may have been
    swapped with, and its similarity is Jaro-Winkler's. `tokens` takes a text for its words. `dice` compares
    encoded fields by Dice's coefficient of the bits set; filters of unequal length agree in nothing.
    """

    EXACT = "exact"
    JARO_WINKLER = "jaro_winkler"
    JARO = "jaro"
    JACCARD = "jaccard"
    LEVENSHTEIN = "levenshtein"
    DAMERAU_LEVENSHTEIN = "damerau_levenshtein"
    DATE = "date"
    NAME = "name"
    POSTCODE = "postcode"
    IDENTIFIER = "identifier"
    NUMBER = "number"
    TOKENS = "tokens"
    DICE = "dice"


class LevelKind(StrEnum):
    """The condition that a pair of values meets to be in a level.

    A month counts as 365.25 / 12 days and a year as 365.25, as in Splink: from 15 January to 15 February, 31 days,
    is more than a month. `exact_both`, `exact_other`, `similarity_both` and `swapped` look at the second field of
    the method `name`: both fields equal, the second equal, both similar, each equal to the other record's other.
    `edits` are Levenshtein's, of a date's text: two neighbours swapped are two, where `distance` counts one.
    `transposed` is two neighbouring characters swapped, and nothing else. `within_percent` is a difference of less
    than so much of the greater value, by magnitude; equal values are within every percentage.
    """

    EXACT = "exact"
    EXACT_BOTH = "exact_both"
    EXACT_OTHER = "exact_other"
    SWAPPED = "swapped"
    SIMILARITY = "similarity"
    SIMILARITY_BOTH = "similarity_both"
    DISTANCE = "distance"
    EDITS = "edits"
    TRANSPOSED = "transposed"
    SAME_PREFIX = "same_prefix"
    SHARED_TOKENS = "shared_tokens"
    WITHIN_DAYS = "within_days"
    WITHIN_MONTHS = "within_months"
    WITHIN_YEARS = "within_years"
    DAY_AND_MONTH_SWAPPED = "day_and_month_swapped"
    SAME_YEAR = "same_year"
    SAME_DAY_AND_MONTH = "same_day_and_month"
    WITHIN_ABSOLUTE = "within_absolute"
    WITHIN_PERCENT = "within_percent"
    ELSE = "else"


class LevelCondition(NamedTuple):
    """A level's condition: its kind, and the bound that some kinds need (None otherwise)."""

    kind: LevelKind
    bound: float | None


@dataclass(frozen=True)
class BoundRule:
    """The bound that a kind of level needs.

    Args:
        key: the level's key for it: `at_least`, `at_most` or `length`.
        is_whole: whether it is a whole number, 1 or more; otherwise it is any number over 0.
        highest: that it may have.
    """

    key: str
    is_whole: bool
    highest: float = math.inf


_WHOLE_MOST = BoundRule("at_most", is_whole=True)
_SHARE = BoundRule("at_least", is_whole=False, highest=1)

BOUND_RULES: dict[LevelKind, BoundRule] = {
    LevelKind.SIMILARITY: _SHARE,
    LevelKind.SIMILARITY_BOTH: _SHARE,
    LevelKind.DISTANCE: _WHOLE_MOST,
    LevelKind.EDITS: _WHOLE_MOST,
    LevelKind.SAME_PREFIX: BoundRule("length", is_whole=True),
    LevelKind.SHARED_TOKENS: BoundRule("at_least", is_whole=True),
    LevelKind.WITHIN_DAYS: _WHOLE_MOST,
    LevelKind.WITHIN_MONTHS: _WHOLE_MOST,
    LevelKind.WITHIN_YEARS: _WHOLE_MOST,
    LevelKind.WITHIN_ABSOLUTE: BoundRule("at_most", is_whole=False),
    LevelKind.WITHIN_PERCENT: BoundRule("at_most", is_whole=False, highest=100),
}
"""The kinds that need a bound, and which."""

DAYS_PER_UNIT = {
    LevelKind.WITHIN_DAYS: 1.0,
    LevelKind.WITHIN_MONTHS: DAYS_A_MONTH,
    LevelKind.WITHIN_YEARS: DAYS_A_YEAR,
}

TEXT_TYPES = frozenset(FieldType) - {FieldType.DATE, FieldType.NUMBER, FieldType.BLOOM}
"""The types of field whose values are text that people wrote."""


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
_WRITTEN = frozenset({FieldType.NAME, FieldType.TEXT})

METHOD_RULES: dict[Method, MethodRule] = {
    Method.EXACT: MethodRule((LevelKind.EXACT, LevelKind.ELSE), frozenset(FieldType) - {FieldType.BLOOM}),
    Method.JARO_WINKLER: MethodRule(_SIMILARITY_LEVELS, TEXT_TYPES),
    Method.JARO: MethodRule(_SIMILARITY_LEVELS, TEXT_TYPES),
    Method.JACCARD: MethodRule(_SIMILARITY_LEVELS, TEXT_TYPES),
    Method.LEVENSHTEIN: MethodRule(_DISTANCE_LEVELS, TEXT_TYPES),
    Method.DAMERAU_LEVENSHTEIN: MethodRule(_DISTANCE_LEVELS, TEXT_TYPES),
    Method.DATE: MethodRule(
        (
            LevelKind.EXACT,
            LevelKind.DISTANCE,
            LevelKind.EDITS,
            *DAYS_PER_UNIT,
            LevelKind.DAY_AND_MONTH_SWAPPED,
            LevelKind.SAME_YEAR,
            LevelKind.SAME_DAY_AND_MONTH,
            LevelKind.ELSE,
        ),
        frozenset({FieldType.DATE}),
    ),
    Method.NAME: MethodRule(
        (
            LevelKind.EXACT_BOTH,
            LevelKind.EXACT,
            LevelKind.SWAPPED,
            LevelKind.SIMILARITY_BOTH,
            LevelKind.SIMILARITY,
            LevelKind.EXACT_OTHER,
            LevelKind.ELSE,
        ),
        _WRITTEN,
    ),
    Method.POSTCODE: MethodRule(
        (LevelKind.EXACT, LevelKind.DISTANCE, LevelKind.SAME_PREFIX, LevelKind.ELSE), TEXT_TYPES
    ),
    Method.IDENTIFIER: MethodRule(
        (LevelKind.EXACT, LevelKind.TRANSPOSED, LevelKind.DISTANCE, LevelKind.ELSE), TEXT_TYPES
    ),
    Method.NUMBER: MethodRule(
        (LevelKind.EXACT, LevelKind.WITHIN_ABSOLUTE, LevelKind.WITHIN_PERCENT, LevelKind.ELSE),
        frozenset({FieldType.NUMBER}),
    ),
    Method.TOKENS: MethodRule((LevelKind.EXACT, LevelKind.SHARED_TOKENS, LevelKind.ELSE), _WRITTEN),
    Method.DICE: MethodRule(_SIMILARITY_LEVELS, frozenset({FieldType.BLOOM})),
}
