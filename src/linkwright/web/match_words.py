"""Says in plain words what the parts of a match configuration do. Pure; one sentence per word of the engine."""

import math
from collections.abc import Mapping

from linkwright.engine.blocking import Transform
from linkwright.engine.comparison_methods import BOUND_RULES, LevelKind, Method
from linkwright.engine.comparisons import ComparisonLevel
from linkwright.engine.strategy import OversizedBlocks

METHOD_WORDS: Mapping[Method, str] = {
    Method.EXACT: "Values are equal or they are not.",
    Method.JARO_WINKLER: "Similarity from 0 to 1 by shared letters and their order; equal beginnings count more.",
    Method.JARO: "Similarity from 0 to 1 by shared letters and their order.",
    Method.JACCARD: "Similarity from 0 to 1: the share of letters that occur in both.",
    Method.LEVENSHTEIN: "Counts the edits (a letter more, less or another) between the values.",
    Method.DAMERAU_LEVENSHTEIN: "Counts edits; two neighbours swapped are one edit.",
    Method.DATE: "Compares dates: typing errors, day and month swapped, nearness in time.",
    Method.NAME: "Compares a name, and sees when it changed places with a second name field.",
    Method.POSTCODE: "Compares postcodes: equal, one edit away, or the same area at the start.",
    Method.IDENTIFIER: "Compares identifiers: equal, two neighbours swapped, or few edits.",
    Method.NUMBER: "Compares numbers by their difference.",
    Method.TOKENS: "Takes a text for its words, and counts those in common.",
    Method.DICE: "Compares encoded (Bloom filter) values by Dice's coefficient of their bits.",
}
LEVEL_WORDS: Mapping[LevelKind, str] = {
    LevelKind.EXACT: "the values are equal",
    LevelKind.EXACT_BOTH: "both names are equal",
    LevelKind.EXACT_OTHER: "the second name is equal",
    LevelKind.SWAPPED: "the two names changed places",
    LevelKind.SIMILARITY: "similarity of {bound} or more",
    LevelKind.SIMILARITY_BOTH: "both names are similar, {bound} or more",
    LevelKind.DISTANCE: "at most {bound} edits, neighbours swapped being one",
    LevelKind.EDITS: "at most {bound} edits, neighbours swapped being two",
    LevelKind.TRANSPOSED: "two neighbouring characters are swapped",
    LevelKind.SAME_PREFIX: "the first {bound} characters are equal",
    LevelKind.SHARED_TOKENS: "at least {bound} words in common",
    LevelKind.WITHIN_DAYS: "at most {bound} days apart",
    LevelKind.WITHIN_MONTHS: "at most {bound} months apart",
    LevelKind.WITHIN_YEARS: "at most {bound} years apart",
    LevelKind.DAY_AND_MONTH_SWAPPED: "day and month are swapped",
    LevelKind.SAME_YEAR: "the same year",
    LevelKind.SAME_DAY_AND_MONTH: "the same day and month",
    LevelKind.WITHIN_ABSOLUTE: "at most {bound} apart",
    LevelKind.WITHIN_PERCENT: "less than {bound} % apart",
    LevelKind.ELSE: "anything else",
}
LEVEL_CHOICES: Mapping[LevelKind, str] = {
    kind: words.format(bound="…").removesuffix(", neighbours swapped being one")
    for kind, words in LEVEL_WORDS.items()
}
"""How the levels are offered for choice: with a gap for the bound."""

TRANSFORM_WORDS: Mapping[Transform, str] = {
    Transform.SOUNDEX: "sounds alike (Soundex)",
    Transform.NYSIIS: "sounds alike (NYSIIS)",
    Transform.INITIAL: "same initial",
    Transform.PREFIX: "same first characters",
    Transform.SUFFIX: "same last characters",
    Transform.YEAR: "same year",
    Transform.MONTH_DAY: "same day and month",
    Transform.ANY_TOKEN: "a word in common",
    Transform.SWAPPED: "same, or swapped with",
}
OVERSIZED_WORDS: Mapping[OversizedBlocks, str] = {
    OversizedBlocks.SPLIT: "compare those of its pairs that also share the block of a later rule",
    OversizedBlocks.SKIP: "leave its pairs to the other rules",
    OversizedBlocks.FAIL: "fail the Match job before anything is compared",
}
GROUPING_WORDS: Mapping[str, str] = {
    "merge": "Records connected by a chain of pairs at or over the match threshold are one group; groups merge.",
    "best_link": "The best pair counts: a new record joins at most one group, and groups that exist never merge.",
}


def level_words(level: ComparisonLevel) -> str:
    """Say when a pair is in a level."""
    bound = level.condition.bound
    told = LEVEL_WORDS[level.when].format(bound="" if bound is None else f"{bound:g}")
    return told.replace(" 1 edits", " 1 edit").replace(" 1 words", " 1 word").replace(" 1 years", " 1 year")


def has_bound(kind: str) -> bool:
    """Tell whether a level of this kind needs a number."""
    return kind in BOUND_RULES


def level_weight(m: object, u: object) -> float | None:
    """Return the match weight of m and u as they were typed; None if they give none."""
    if (
        isinstance(m, bool)
        or isinstance(u, bool)
        or not isinstance(m, int | float)
        or not isinstance(u, int | float)
    ):
        return None
    if not (0 < m <= 1 and 0 < u <= 1):
        return None
    return math.log2(m / u)
