"""Owns the explanation of a pair: what each part of a strategy makes of two records, in numbers and in words.

Must not read records, nor decide weights: it is told them.

Source: SPEC section 5 (Match); the waterfall of Splink's waterfall chart.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from linkwright.engine.blocking import rule_text
from linkwright.engine.comparison_sql import NULL_LEVEL
from linkwright.engine.comparisons import Comparison, ComparisonLevel
from linkwright.engine.strategy import MatchConfiguration, Strategy


class Verdict(StrEnum):
    """What a strategy makes of two records."""

    MATCH = "match"
    REVIEW = "review"
    NO_MATCH = "no match"
    NOT_COMPARED = "not compared"


@dataclass(frozen=True)
class FieldValues:
    """What two records hold in a field, as text; None is missing. Personal data.

    Args:
        field: the linkage field.
        left: of the record with the smaller id.
        right: of the other.
    """

    field: str
    left: str | None
    right: str | None


@dataclass(frozen=True)
class FieldPart:
    """What one comparison adds to the weight of a pair.

    Args:
        comparison: its name.
        values: of each field that it looks at, its own first; None if they are hidden.
        level: in words, such as `similarity (at least 0.9)`.
        level_number: as pairs show it: -1 if a value is missing, 0 for `else`, counted upwards.
        m_probability: of the level; None if a value is missing.
        u_probability: of the level; None likewise.
        weight: log2(m/u) of the level; 0 if a value is missing.
        frequency_weight: log2, what the frequency of the values changes.
    """

    comparison: str
    values: tuple[FieldValues, ...] | None
    level: str
    level_number: int
    m_probability: float | None
    u_probability: float | None
    weight: float
    frequency_weight: float


@dataclass(frozen=True)
class PairExplanation:
    """What one strategy makes of two records.

    Args:
        strategy: its name.
        rules: the blocking rules that bring the records together, in words; none: they are not compared.
        prior_weight: log2 of the prior's odds; 0 for a deterministic strategy.
        parts: per comparison, in order; none for a deterministic strategy.
        match_weight: the sum of prior and parts, even if no blocking rule brings the records together. Of a
            deterministic strategy infinity if one does, else None.
        match_threshold: from which the pair is a match; None for a deterministic strategy.
        review_threshold: from which it is kept for review; None likewise.
        verdict: the outcome.
    """

    strategy: str
    rules: tuple[str, ...]
    prior_weight: float
    parts: tuple[FieldPart, ...]
    match_weight: float | None
    match_threshold: float | None
    review_threshold: float | None
    verdict: Verdict

    @property
    def is_deterministic(self) -> bool:
        """Whether the strategy weighs nothing."""
        return self.match_threshold is None

    def without_values(self) -> "PairExplanation":
        """Return the same with the records' values hidden; levels and weights stay."""
        return replace(self, parts=tuple(replace(part, values=None) for part in self.parts))

    def as_plain(self) -> dict[str, Any]:
        """Return plain values for JSON; infinity becomes the text `infinity`, hidden values null."""
        return {
            "strategy": self.strategy,
            "blocking_rules": list(self.rules),
            "prior_weight": self.prior_weight,
            "comparisons": [asdict(part) for part in self.parts],
            "match_weight": None if self.match_weight is None else plain_weight(self.match_weight),
            "match_threshold": self.match_threshold,
            "review_threshold": self.review_threshold,
            "verdict": self.verdict.value,
        }


def plain_weight(weight: float) -> float | str:
    """Return a match weight as JSON can hold it: infinity as a word."""
    return weight if math.isfinite(weight) else "infinity"


def explain_pair(
    configuration: MatchConfiguration,
    strategy: Strategy,
    holding_rules: Sequence[int],
    scored: Mapping[str, Any],
    values: Mapping[str, tuple[str | None, str | None]],
) -> PairExplanation:
    """Put together what a strategy makes of a pair.

    Args:
        configuration: that the strategy is of.
        strategy: one of its strategies.
        holding_rules: the numbers of the blocking rules whose values the records share.
        scored: the pair's row of `scoring.scored_pairs_sql` with parts.
        values: per field that is compared the values of both records, as text.
    """
    weight = float(scored["match_weight"])
    return PairExplanation(
        strategy=strategy.name,
        rules=tuple(rule_text(strategy.blocking_rules[number]) for number in holding_rules),
        prior_weight=0.0 if strategy.is_deterministic else configuration.prior_weight,
        parts=tuple(_part(item, scored, values) for item in strategy.comparisons),
        match_weight=None if strategy.is_deterministic and not holding_rules else weight,
        match_threshold=strategy.match_threshold,
        review_threshold=strategy.review_threshold,
        verdict=_verdict(strategy, weight) if holding_rules else Verdict.NOT_COMPARED,
    )


def decisive_explanation(explanations: Sequence[PairExplanation]) -> PairExplanation | None:
    """Return the strategy that a stored pair would be of: as `scoring.pairs_file_sql` chooses it.

    Returns:
        Of those that compare the records the one that takes them for a match, then the one of the highest weight,
        then the first; None if no strategy compares them.
    """
    compared = [one for one in explanations if one.verdict is not Verdict.NOT_COMPARED]
    if not compared:
        return None
    return max(compared, key=lambda one: (one.verdict is Verdict.MATCH, one.match_weight or 0.0))


def level_text(item: Comparison, number: int) -> str:
    """Say a comparison's level in words, by the number under which pairs show it."""
    return "a value is missing" if number == NULL_LEVEL else _condition_text(_level(item, number))


def _part(
    item: Comparison, scored: Mapping[str, Any], values: Mapping[str, tuple[str | None, str | None]]
) -> FieldPart:
    number = int(scored[f"level_{item.name}"])
    level = None if number == NULL_LEVEL else _level(item, number)
    return FieldPart(
        comparison=item.name,
        values=tuple(FieldValues(field, *values[field]) for field in item.columns),
        level=level_text(item, number),
        level_number=number,
        m_probability=level.m_probability if level else None,
        u_probability=level.u_probability if level else None,
        weight=float(scored[f"weight_{item.name}"]),
        frequency_weight=float(scored[f"tf_weight_{item.name}"]),
    )


def _level(item: Comparison, number: int) -> ComparisonLevel:
    return item.levels[len(item.levels) - 1 - number]


def _condition_text(level: ComparisonLevel) -> str:
    words = level.when.value.replace("_", " ")
    bounds = {"at least": level.at_least, "at most": level.at_most, "length": level.length}
    told = [f"{name} {bound:g}" for name, bound in bounds.items() if bound is not None]
    return f"{words} ({told[0]})" if told else words


def _verdict(strategy: Strategy, weight: float) -> Verdict:
    if strategy.match_threshold is None or weight >= strategy.match_threshold:
        return Verdict.MATCH
    if strategy.review_threshold is not None and weight >= strategy.review_threshold:
        return Verdict.REVIEW
    return Verdict.NO_MATCH
