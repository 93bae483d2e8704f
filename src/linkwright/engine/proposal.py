"""Owns what estimation tells: parameters side by side with the current ones, and the configuration they make.

Must not count, and must not change a configuration: it proposes one, as plain data, and a person applies it.

Source: SPEC section 5 (Estimate).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from linkwright.engine.blocking import rule_text
from linkwright.engine.comparisons import Comparison, ComparisonLevel
from linkwright.engine.estimation import Estimate, Probabilities
from linkwright.engine.evidence import Evidence, Floats, Patterns
from linkwright.engine.strategy import MatchConfiguration, Strategy
from linkwright.engine.thresholds import (
    WEIGHT_STEP,
    ThresholdRow,
    UnlinkableRow,
    calibrated_posteriors,
    pattern_weights,
    propose_thresholds,
    threshold_table,
    unlinkable_share,
    unlinkables,
)

SIGNIFICANT_DIGITS = 4
FEW_MATCHES = 100
"""Fewer expected matches than this make m a guess, and the proposal says so."""


@dataclass(frozen=True)
class LevelEstimate:
    """One level of a comparison, current and estimated.

    Args:
        level: in words, as in the configuration.
        current_m: the configuration's m.
        estimated_m: the proposed m; the current one if the comparison's m could not be estimated.
        current_u: the configuration's u.
        estimated_u: the proposed u.
        m_pairs_count: expected matches in the level that m rests on; one that several rules found counts for each.
        u_pairs_count: random pairs in the level.
    """

    level: str
    current_m: float
    estimated_m: float
    current_u: float
    estimated_u: float
    m_pairs_count: float
    u_pairs_count: int

    @property
    def current_weight(self) -> float:
        """log2(m/u) of the configuration."""
        return math.log2(self.current_m / self.current_u)

    @property
    def estimated_weight(self) -> float:
        """log2(m/u) of the proposal."""
        return math.log2(self.estimated_m / self.estimated_u)


@dataclass(frozen=True)
class ComparisonEstimate:
    """One comparison: its levels in the configuration's order, and whether its m could be estimated."""

    name: str
    levels: tuple[LevelEstimate, ...]
    is_m_estimated: bool


@dataclass(frozen=True)
class RuleEstimate:
    """What one blocking rule taught.

    Args:
        rule: in words.
        candidate_pairs_count: its pairs, those of other rules included, without skipped blocks.
        sampling_rate: of how many of these one was looked at.
        skipped_records_share: of the records with its values, the share in blocks that were skipped, 0 to 1.
        matches_share: the estimated share of matches among them, 0 to 1.
        recall: the estimated share of all matches that it finds, 0 to 1.
    """

    rule: str
    candidate_pairs_count: int
    sampling_rate: int
    skipped_records_share: float
    matches_share: float
    recall: float


@dataclass(frozen=True)
class StrategyEstimate:
    """All that was estimated of one strategy.

    Args:
        strategy: its name.
        comparisons: in the configuration's order.
        rules: in the configuration's order.
        prior: estimated from this strategy's pairs alone.
        matches_count: expected among all pairs of records.
        random_pairs_count: pairs that u rests on.
        thresholds: what each match threshold would do.
        current_match_threshold: of the configuration.
        proposed_match_threshold: of the highest expected F1.
        current_review_threshold: of the configuration.
        proposed_review_threshold: not over the proposed match threshold.
        unlinkables: per match weight, the share of records that cannot reach it.
        unlinkable_share: the same at the proposed match threshold.
        notes: full sentences: what could not be estimated, and what rests on little.
    """

    strategy: str
    comparisons: tuple[ComparisonEstimate, ...]
    rules: tuple[RuleEstimate, ...]
    prior: float
    matches_count: float
    random_pairs_count: int
    thresholds: tuple[ThresholdRow, ...]
    current_match_threshold: float
    proposed_match_threshold: float
    current_review_threshold: float
    proposed_review_threshold: float
    unlinkables: tuple[UnlinkableRow, ...]
    unlinkable_share: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Learned:
    """What is known of one strategy when the proposal is made; `selves`: its records against themselves."""

    strategy: Strategy
    evidence: Evidence
    selves: Patterns
    random_pairs_count: int
    candidate_pairs_counts: tuple[int, ...]
    estimate: Estimate


def current_m(strategy: Strategy) -> Probabilities:
    """Return the m of a strategy per comparison and level number, from `else` upwards."""
    return tuple(
        np.array([level.m_probability for level in reversed(item.levels)]) for item in strategy.comparisons
    )


def choose_prior(learned: Sequence[Learned], current: float) -> float:
    """Return the prior that all strategies share: that of the strategy which finds the most matches.

    Args:
        learned: per strategy with comparisons.
        current: the configuration's, for when there is none.
    """
    if not learned:
        return current
    return _rounded(max(learned, key=_found_count).estimate.prior)


def estimate_strategy(one: Learned, prior: float) -> StrategyEstimate:
    """Put a strategy's estimates beside its current parameters, and propose its thresholds.

    The thresholds are worked out with the rounded parameters, which are those that will score.

    Args:
        one: what is known of the strategy.
        prior: the proposed one.
    """
    strategy, found = one.strategy, one.estimate
    comparisons = tuple(_comparison(item, found, number) for number, item in enumerate(strategy.comparisons))
    level_weights = [np.array([level.estimated_weight for level in reversed(item.levels)]) for item in comparisons]
    candidates = one.evidence.union()
    weights = pattern_weights(candidates.levels, level_weights, prior)
    posteriors = calibrated_posteriors(one.evidence, candidates, weights, found.rule_shares)
    table = threshold_table(weights, candidates.pairs, posteriors, found.matches_count)
    self_weights = pattern_weights(one.selves.levels, level_weights, prior)
    match_threshold, review_threshold = _thresholds(strategy, table, _highest_weight(strategy, comparisons, prior))
    return StrategyEstimate(
        strategy=strategy.name,
        comparisons=comparisons,
        rules=_rules(one),
        prior=found.prior,
        matches_count=found.matches_count,
        random_pairs_count=one.random_pairs_count,
        thresholds=table,
        current_match_threshold=strategy.match_threshold or 0.0,
        proposed_match_threshold=match_threshold,
        current_review_threshold=strategy.review_threshold or 0.0,
        proposed_review_threshold=review_threshold,
        unlinkables=unlinkables(self_weights, one.selves.pairs),
        unlinkable_share=unlinkable_share(self_weights, one.selves.pairs, match_threshold),
        notes=_notes(one, comparisons),
    )


def proposed_configuration(
    configuration: MatchConfiguration, prior: float, estimates: Sequence[StrategyEstimate]
) -> dict[str, Any]:
    """Return the configuration with the estimated parameters, as plain data for `parse_match_configuration`.

    Rules, comparisons, conditions and deterministic strategies are the same.
    """
    definition = configuration.model_dump(mode="json", exclude_none=True)
    if not estimates:
        return definition
    definition["prior"] = prior
    by_name: Mapping[str, StrategyEstimate] = {item.strategy: item for item in estimates}
    for strategy in definition["strategies"]:
        own = by_name.get(strategy["name"])
        if own is None:
            continue
        strategy["match_threshold"] = own.proposed_match_threshold
        strategy["review_threshold"] = own.proposed_review_threshold
        for comparison, estimated in zip(strategy["comparisons"], own.comparisons, strict=True):
            for level, values in zip(comparison["levels"], estimated.levels, strict=True):
                level["m_probability"] = values.estimated_m
                level["u_probability"] = values.estimated_u
    return definition


def _found_count(one: Learned) -> float:
    # a match that several rules find counts more than once: enough to tell which strategy sees the most
    return sum(
        share * float(rule.patterns.pairs.sum()) * rule.rate
        for share, rule in zip(one.estimate.rule_shares, one.evidence.rules, strict=True)
    )


def _comparison(item: Comparison, found: Estimate, number: int) -> ComparisonEstimate:
    is_estimated = float(found.m_pairs[number].sum()) > 0
    m = (
        _rounded_levels(found.m[number])
        if is_estimated
        else [level.m_probability for level in reversed(item.levels)]
    )
    u = _rounded_levels(found.u[number])
    return ComparisonEstimate(
        name=item.name,
        levels=tuple(
            LevelEstimate(
                level=_level_text(level),
                current_m=level.m_probability,
                estimated_m=m[item.level_number(index)],
                current_u=level.u_probability,
                estimated_u=u[item.level_number(index)],
                m_pairs_count=float(found.m_pairs[number][item.level_number(index)]),
                u_pairs_count=int(found.u_pairs[number][item.level_number(index)]),
            )
            for index, level in enumerate(item.levels)
        ),
        is_m_estimated=is_estimated,
    )


def _level_text(level: ComparisonLevel) -> str:
    said = level.model_dump(mode="json", exclude_defaults=True, exclude={"m_probability", "u_probability"})
    when = said.pop("when")
    return " ".join(
        [when, *(f"{key} {value:g}" for key, value in said.items() if key != "term_frequency")]
    ).replace("_", " ")


def _rounded_levels(probabilities: Floats) -> list[float]:
    """Round to a few digits and give what is lost or won to the most frequent level, so that the sum stays 1."""
    rounded = [_rounded(float(value)) for value in probabilities]
    largest = int(np.argmax(probabilities))
    others = sum(value for place, value in enumerate(rounded) if place != largest)
    rounded[largest] = round(1 - others, 12)
    return rounded


def _rounded(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def _thresholds(strategy: Strategy, table: Sequence[ThresholdRow], highest: float) -> tuple[float, float]:
    """Propose thresholds, or keep the current ones if no match is expected; none over what a pair can reach."""
    kept = (strategy.match_threshold or 0.0, strategy.review_threshold or 0.0)
    match_threshold, review_threshold = propose_thresholds(table) or kept
    reachable = highest if math.isinf(highest) else math.floor(highest / WEIGHT_STEP) * WEIGHT_STEP
    return min(match_threshold, reachable), min(review_threshold, reachable)


def _highest_weight(strategy: Strategy, comparisons: Sequence[ComparisonEstimate], prior: float) -> float:
    """Return the highest match weight under the estimates, by the rule that a configuration is checked with."""
    changed = tuple(
        item.model_copy(
            update={
                "levels": tuple(
                    level.model_copy(update={"m_probability": own.estimated_m, "u_probability": own.estimated_u})
                    for level, own in zip(item.levels, estimated.levels, strict=True)
                )
            }
        )
        for item, estimated in zip(strategy.comparisons, comparisons, strict=True)
    )
    return math.log2(prior / (1 - prior)) + strategy.model_copy(update={"comparisons": changed}).highest_weight


def _rules(one: Learned) -> tuple[RuleEstimate, ...]:
    return tuple(
        RuleEstimate(
            rule=rule_text(rule),
            candidate_pairs_count=one.candidate_pairs_counts[number],
            sampling_rate=one.evidence.rules[number].rate,
            skipped_records_share=1 - one.evidence.rules[number].kept_records_share,
            matches_share=one.estimate.rule_shares[number],
            recall=one.estimate.rule_recalls[number],
        )
        for number, rule in enumerate(one.strategy.blocking_rules)
    )


def _notes(one: Learned, comparisons: Sequence[ComparisonEstimate]) -> tuple[str, ...]:
    name, found = one.strategy.name, one.estimate
    notes = [
        f"No rule of the strategy {name} that leaves {item.name} free found pairs with its values: its m stays as "
        "it is. Add a blocking rule on other fields to estimate it."
        for item in comparisons
        if not item.is_m_estimated
    ]
    notes.extend(
        f"The rule {rule.rule} of the strategy {name} finds {rule.candidate_pairs_count:,} pairs; one in "
        f"{rule.sampling_rate} was looked at."
        for rule in _rules(one)
        if rule.sampling_rate > 1
    )
    notes.extend(
        f"The rule {rule.rule} of the strategy {name} skips blocks over the size limit, with "
        f"{rule.skipped_records_share:.1%} of the records that have its values."
        for rule in _rules(one)
        if rule.skipped_records_share > 0
    )
    if found.matches_count < FEW_MATCHES:
        notes.append(
            f"Only {found.matches_count:.0f} matches are expected in {one.evidence.records_count:,} records, "
            f"fewer than {FEW_MATCHES}: the estimates are rough. Estimate again with more records."
        )
    if not found.has_converged:
        notes.append(
            f"The estimates of the strategy {name} still changed after {found.rounds_count} rounds and are rough. "
            "Add comparisons or blocking rules that tell matches from other pairs more clearly."
        )
    return tuple(notes)
