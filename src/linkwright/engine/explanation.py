"""Owns the explanation of a pair: what each part of a strategy makes of two records, in numbers and in words.

Must not read records, nor decide weights: it is told them.

Source: SPEC section 5 (Match); the waterfall of Splink's waterfall chart.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
class FieldPart:
    """What one comparison adds to the weight of a pair.

    Args:
        comparison: its name.
        left: the field's value in the record with the smaller id, as text; None if it is missing. Personal data.
        right: the same of the other record.
        level: in words, such as `exact` or `similarity 0.9 or more`.
        weight: log2(m/u) of the level; 0 if a value is missing.
        frequency_weight: log2, what the frequency of the values changes.
    """

    comparison: str
    left: str | None
    right: str | None
    level: str
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
        match_weight: the sum of prior and parts; infinity for a deterministic strategy. It is told even if no
            blocking rule brings the records together.
        match_threshold: from which the pair is a match; None for a deterministic strategy.
        review_threshold: from which it is kept for review; None likewise.
        verdict: the outcome.
    """

    strategy: str
    rules: tuple[str, ...]
    prior_weight: float
    parts: tuple[FieldPart, ...]
    match_weight: float
    match_threshold: float | None
    review_threshold: float | None
    verdict: Verdict

    def as_plain(self) -> dict[str, Any]:
        """Return plain values for JSON; infinity becomes the text `infinity`."""
        return {
            "strategy": self.strategy,
            "blocking_rules": list(self.rules),
            "prior_weight": self.prior_weight,
            "comparisons": [vars(part) for part in self.parts],
            "match_weight": self.match_weight if math.isfinite(self.match_weight) else "infinity",
            "match_threshold": self.match_threshold,
            "review_threshold": self.review_threshold,
            "verdict": self.verdict.value,
        }


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
        values: per field the values of both records, as text.
    """
    parts = tuple(
        FieldPart(
            comparison=item.name,
            left=values[item.field][0],
            right=values[item.field][1],
            level=level_text(item, int(scored[f"level_{item.name}"])),
            weight=float(scored[f"weight_{item.name}"]),
            frequency_weight=float(scored[f"tf_weight_{item.name}"]),
        )
        for item in strategy.comparisons
    )
    weight = float(scored["match_weight"])
    return PairExplanation(
        strategy=strategy.name,
        rules=tuple(rule_text(strategy.blocking_rules[number]) for number in holding_rules),
        prior_weight=0.0 if strategy.is_deterministic else configuration.prior_weight,
        parts=parts,
        match_weight=weight,
        match_threshold=strategy.match_threshold,
        review_threshold=strategy.review_threshold,
        verdict=_verdict(strategy, weight) if holding_rules else Verdict.NOT_COMPARED,
    )


def level_text(item: Comparison, number: int) -> str:
    """Say a comparison's level in words, by the number under which pairs show it."""
    if number == NULL_LEVEL:
        return "a value is missing"
    return _condition_text(item.levels[len(item.levels) - 1 - number])


def _condition_text(level: ComparisonLevel) -> str:
    words = level.when.value.replace("_", " ")
    bounds = level.model_dump(
        exclude={"when", "m_probability", "u_probability", "term_frequency"}, exclude_none=True
    )
    told = ", ".join(f"{name.replace('_', ' ')} {bound:g}" for name, bound in bounds.items())
    return f"{words} ({told})" if told else words


def _verdict(strategy: Strategy, weight: float) -> Verdict:
    if strategy.match_threshold is None or weight >= strategy.match_threshold:
        return Verdict.MATCH
    if strategy.review_threshold is not None and weight >= strategy.review_threshold:
        return Verdict.REVIEW
    return Verdict.NO_MATCH
