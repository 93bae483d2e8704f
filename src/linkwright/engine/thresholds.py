"""Owns what a threshold would do: expected precision, recall and F1 per match weight, the proposal, unlinkables.

Must not estimate m, u or the prior, nor see a record.

Why posteriors are calibrated. The match weight multiplies comparisons as if they agreed independently. Real names
do not, nor do a person's errors: the weight's own probabilities are then wrong for whole blocking rules, by
factors of hundreds. What share of a rule's pairs are matches is known better, for it was estimated without the
fields of the rule. So each rule gets a factor on the odds of all its pairs, such that the posteriors of its pairs
add up to its share (iterative proportional fitting). The weights, which decide, stay as scoring has them.

Source: Fellegi and Sunter (1969); Deming and Stephan (1940), On a least squares adjustment of a sampled frequency
table when the expected marginal totals are known; unlinkables as in Splink 5 (splink.internals.unlinkables).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from linkwright.engine.evidence import Evidence, Flags, Floats, Levels, Patterns

WEIGHT_STEP = 0.5
REVIEW_PRECISION = 0.05
"""Pairs for review must hold at least this share of matches, or reviewers would look for needles."""

LEAST_GAIN = 1e-4
"""The F1 for which a lower threshold is worth it: between equals, the more careful one is proposed."""

WIDEST = 64.0
MAX_SWEEPS = 200
_NEWTON_STEPS = 5
_LEAST_SHIFT, _LEAST_SLOPE = 1e-5, 1e-9
_LN2 = math.log(2)


@dataclass(frozen=True)
class ThresholdRow:
    """What a match threshold would do.

    Args:
        match_weight: the threshold (log2).
        pairs_count: candidate pairs at or over it.
        matches_count: expected matches among these.
        precision: expected, 0 to 1.
        recall: expected, 0 to 1, of all matches: also of those that no blocking rule finds.
        f1: expected.
    """

    match_weight: float
    pairs_count: float
    matches_count: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class UnlinkableRow:
    """The share of records, 0 to 1, that cannot reach a match weight even against themselves."""

    match_weight: float
    records_share: float


def pattern_weights(levels: Levels, level_weights: Sequence[Floats], prior: float) -> Floats:
    """Return the match weight (log2) of agreement patterns, as scoring adds it up.

    Args:
        levels: patterns by comparisons.
        level_weights: per comparison and level number, log2(m/u).
        prior: the probability that two random records belong to one person.
    """
    weights = np.full(len(levels), math.log2(prior / (1 - prior)))
    for column, own in enumerate(level_weights):
        # a missing value has the number -1, the last place
        weights += np.append(own, 0.0)[levels[:, column]]
    return weights


def calibrated_posteriors(
    evidence: Evidence, candidates: Patterns, weights: Floats, shares: Sequence[float]
) -> Floats:
    """Return the probability of a match per candidate pattern, such that every rule has its share of matches.

    Args:
        evidence: of the strategy; its rules.
        candidates: of all rules, each pair once.
        weights: of the patterns.
        shares: per rule, the share of its pairs that are matches.
    """
    log_odds = np.clip(weights, -WIDEST, WIDEST) * _LN2
    found: list[Flags] = [
        np.asarray(candidates.holds[:, list(rule.parts)].all(axis=1), bool) for rule in evidence.rules
    ]
    for _sweep in range(MAX_SWEEPS):
        changes = [
            _shift(log_odds, candidates.pairs, rows, share) for rows, share in zip(found, shares, strict=True)
        ]
        if max(changes, default=0.0) < _LEAST_SHIFT:
            break
    return _probability(log_odds)


def _shift(log_odds: Floats, pairs: Floats, rows: Flags, share: float) -> float:
    """Move the log odds of one rule's patterns until their posteriors add up to its share; return by how much."""
    own, of_pairs = log_odds[rows], pairs[rows]
    target = share * of_pairs.sum()
    moved = 0.0
    for _step in range(_NEWTON_STEPS):
        posteriors = _probability(own + moved)
        slope = float(of_pairs @ (posteriors * (1 - posteriors)))
        if slope < _LEAST_SLOPE:
            break
        moved -= float(np.clip((of_pairs @ posteriors - target) / slope, -1, 1))
    log_odds[rows] = np.clip(own + moved, -WIDEST, WIDEST)
    return abs(moved)


def _probability(log_odds: Floats) -> Floats:
    result: Floats = 1 / (1 + np.exp(-log_odds))
    return result


def threshold_table(
    weights: Floats, pairs: Floats, posteriors: Floats, matches_count: float
) -> tuple[ThresholdRow, ...]:
    """Work out what each threshold would do, in steps of 0.5 over all weights that occur.

    Args:
        weights: per candidate pattern.
        pairs: per candidate pattern.
        posteriors: per candidate pattern.
        matches_count: expected among all pairs of records.

    Returns:
        Ascending; none if there are no candidates.
    """
    if not len(weights):
        return ()
    order = np.argsort(-weights, kind="stable")
    descending = -weights[order]
    found = np.concatenate([[0.0], np.cumsum(pairs[order])])
    correct = np.concatenate([[0.0], np.cumsum((pairs * posteriors)[order])])
    total = max(matches_count, float(correct[-1]))
    first, last = (math.floor(float(edge) / WEIGHT_STEP) for edge in (weights.min(), weights.max()))
    rows = []
    for step in range(first, last + 1):
        weight = step * WEIGHT_STEP
        place = int(np.searchsorted(descending, -weight, side="right"))
        pairs_count, expected = float(found[place]), float(correct[place])
        rows.append(
            ThresholdRow(
                match_weight=weight,
                pairs_count=pairs_count,
                matches_count=expected,
                precision=expected / pairs_count if pairs_count else 1.0,
                recall=expected / total if total else 1.0,
                f1=2 * expected / (pairs_count + total) if total else 0.0,
            )
        )
    return tuple(rows)


def propose_thresholds(table: Sequence[ThresholdRow]) -> tuple[float, float] | None:
    """Propose the match threshold of the highest expected F1, and the review threshold.

    The review threshold goes down as long as the pairs that it adds hold enough matches.

    Returns:
        The match threshold and the review threshold, not over it; None if no match is expected.
    """
    best = max((row.f1 for row in table), default=0.0)
    if best <= 0:
        return None
    match = max((row for row in table if row.f1 >= best - LEAST_GAIN), key=lambda row: row.match_weight)
    review = match
    for row in reversed(table):
        pairs_count, matches_count = row.pairs_count - review.pairs_count, row.matches_count - review.matches_count
        is_lower = row.match_weight < review.match_weight
        if is_lower and pairs_count > 0 and matches_count >= REVIEW_PRECISION * pairs_count:
            review = row
    return match.match_weight, review.match_weight


def unlinkables(weights: Floats, records: Floats) -> tuple[UnlinkableRow, ...]:
    """Work out which share of the records cannot reach a weight even against themselves, in steps of 0.5.

    Args:
        weights: per pattern of a record with itself.
        records: per pattern, how many show it.

    Returns:
        Ascending, from 0 up to the first weight that no record reaches; none if there are no records.
    """
    if not len(weights):
        return ()
    last = math.floor(float(weights.max()) / WEIGHT_STEP) + 1
    first = min(0, last)
    total = float(records.sum())
    return tuple(
        UnlinkableRow(step * WEIGHT_STEP, unlinkable_share(weights, records, step * WEIGHT_STEP) if total else 0.0)
        for step in range(first, last + 1)
    )


def unlinkable_share(weights: Floats, records: Floats, match_weight: float) -> float:
    """Return the share of records, 0 to 1, that stay under a match weight even against themselves."""
    return float(records[weights < match_weight].sum() / records.sum()) if len(records) else 0.0


def merging_threshold(matches_count: float, records_count: int) -> float:
    """Return the match threshold (log2, a multiple of 0.5) from which pairs should merge groups.

    A wrong pair joins two whole groups: of n records each, it makes n * n wrong pairs. So a pair should have odds
    of n * n to 1, where n is the size of the group that a record is in, on average: 1 + 2 * matches / records.

    Args:
        matches_count: expected among all pairs of records.
        records_count: 1 or more.
    """
    records_per_person = 1 + 2 * matches_count / records_count
    return math.ceil(2 * math.log2(records_per_person) / WEIGHT_STEP) * WEIGHT_STEP
