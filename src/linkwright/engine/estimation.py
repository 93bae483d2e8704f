"""Owns the estimation of u, m and the prior of one strategy from counts, without a labelled pair.

Expectation-maximisation over agreement patterns: a few thousand numbers, so it takes milliseconds whatever the
data's size. Must not count patterns, choose thresholds or know SQL.

How the bias of blocking is handled. In the pairs of a blocking rule, the fields that it uses agree because it
chose them so. Each rule's pairs therefore teach only about the comparisons that it leaves free; all rules share
one m per comparison, and each has its own share of matches. A rule that leaves fewer than two comparisons free
cannot tell its share by itself: it is what exceeds the number of pairs that would agree by chance.

How matches among random pairs are handled. In small data they are a good part of the pairs that agree on a telling
field, and u would come out many times too high. They are taken off, by the m and the prior estimated with it.

How the prior is estimated. The matches that the rules find, divided by the recall of the rules: per rule the
product, over its fields, of how often these agree in the matches that rules on other fields found (capture and
recapture).

Source: Fellegi and Sunter (1969); Winkler (1988), Using the EM algorithm for weight computation in the
Fellegi-Sunter model; Splink 5 (splink.internals.em_training_session). docs/decisions/0013-own-em-on-patterns.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from linkwright.engine.evidence import Evidence, Floats, Levels, RandomLevels

Probabilities: TypeAlias = tuple[Floats, ...]
"""Per comparison, a probability per level number."""

UNSEEN_PAIRS = 0.5
"""Added to the count of every level: one that never occurred is rare and not impossible (Jeffreys' prior)."""

EXPLAINED_SHARE = 0.05
"""The share of agreeing random pairs up to which matches can explain them all: u is not told from 0 under it."""

LARGEST_DISAGREEMENT = 0.1
"""The share of matches that may be in a comparison's last level, where the pairs themselves cannot tell."""

MIN_FREE_COMPARISONS = 2
"""With fewer, any share of matches fits the pairs of a rule equally well, with an m of its own."""

MAX_ROUNDS = 60
MAX_STEPS = 500
ROUND_TOLERANCE = 1e-5
STEP_TOLERANCE = 1e-7
LEAST_SHARE = 1e-9
LEAST_PRIOR, LARGEST_PRIOR = 1e-15, 0.5


@dataclass(frozen=True)
class Estimate:
    """What the evidence says of one strategy.

    Args:
        m: per comparison and level number.
        u: per comparison and level number.
        prior: the probability that two random records belong to one person.
        m_pairs: per comparison and level number, the expected matches that m rests on; a match that several rules
            found is counted for each. All 0 if no rule leaves the comparison free: its m is the given one.
        u_pairs: per comparison and level number, the random pairs that u rests on.
        rule_shares: per blocking rule, the share of its pairs that are matches.
        rule_recalls: per blocking rule, the share of all matches that it finds.
        matches_count: expected, of all pairs of records.
        rounds_count: how often u and the prior were worked out anew before nothing changed.
        has_converged: whether it stopped for that reason, and not at the limit of rounds.
    """

    m: Probabilities
    u: Probabilities
    prior: float
    m_pairs: Probabilities
    u_pairs: Probabilities
    rule_shares: tuple[float, ...]
    rule_recalls: tuple[float, ...]
    matches_count: float
    rounds_count: int
    has_converged: bool


@dataclass(frozen=True)
class _Known:
    """What one round knows: parameters, and how often parts of rules, and rules, hold for matches."""

    m: Probabilities
    u: Probabilities
    prior: float
    part_recalls: Floats
    rule_recalls: tuple[float, ...]


@dataclass
class _Block:
    """One rule's pairs as EM sees them: the patterns of its free comparisons, and its share of matches."""

    free: tuple[int, ...]
    levels: Levels
    pairs: Floats
    inverse: NDArray[np.intp]
    share: float
    is_pinned: bool

    def match_odds(self, m: Probabilities, u: Probabilities) -> Floats:
        """Return per pattern how much likelier it is among matches, before the share of matches."""
        ratio = np.ones(len(self.pairs))
        for column, index in enumerate(self.free):
            # a missing value has the number -1, the last place
            ratio *= np.append(m[index] / u[index], 1.0)[self.levels[:, column]]
        return ratio

    def posteriors(self, m: Probabilities, u: Probabilities) -> Floats:
        """Return per pattern the probability of a match."""
        odds = self.match_odds(m, u) * self.share / (1 - self.share)
        result: Floats = odds / (1 + odds)
        return result


def estimate(evidence: Evidence, m_start: Probabilities, prior_start: float) -> Estimate:
    """Estimate u, m and the prior together.

    Args:
        evidence: of one strategy.
        m_start: per comparison and level number; where EM begins, and what stays of comparisons that no rule
            leaves free.
        prior_start: where the rounds begin, between 0 and 1.
    """
    observed = tuple(_observed_levels(random.pairs, random.equal_share) for random in evidence.random)
    blocks = [_block(evidence, number) for number in range(len(evidence.rules))]
    known = _Known(
        m=tuple(np.maximum(part, LEAST_SHARE) for part in m_start),
        u=observed,
        prior=prior_start,
        part_recalls=np.full(len(evidence.part_fields), np.nan),
        rule_recalls=(),
    )
    rounds_count, has_converged = 0, False
    while rounds_count < MAX_ROUNDS and not has_converged:
        rounds_count += 1
        before, known = known, _next_round(evidence, blocks, observed, known)
        change = max(abs(known.prior / before.prior - 1), _difference(known.m, before.m))
        has_converged = change < ROUND_TOLERANCE
    return Estimate(
        m=known.m,
        u=known.u,
        prior=known.prior,
        m_pairs=_expected_levels(blocks, known.m, known.u),
        u_pairs=tuple(random.pairs for random in evidence.random),
        rule_shares=tuple(block.share for block in blocks),
        rule_recalls=known.rule_recalls,
        matches_count=known.prior * evidence.all_pairs_count,
        rounds_count=rounds_count,
        has_converged=has_converged,
    )


def _next_round(evidence: Evidence, blocks: Sequence[_Block], observed: Probabilities, known: _Known) -> _Known:
    u = tuple(
        _without_matches(shares, matches, known.prior, random)
        for shares, matches, random in zip(observed, known.m, evidence.random, strict=True)
    )
    _pin_shares(evidence, blocks, replace(known, u=u))
    m = _maximise(blocks, known.m, u)
    part_recalls = _part_recalls(evidence, blocks, m, u)
    rule_recalls = _rule_recalls(evidence, part_recalls, m)
    return _Known(m, u, _prior(evidence, blocks, rule_recalls), part_recalls, rule_recalls)


def _observed_levels(pairs: Floats, equal_share: float | None) -> Floats:
    shares = _smoothed(pairs)
    if equal_share is None or equal_share in (0.0, 1.0):
        return shares
    # counted exactly, so no level of it is left to the luck of the draw
    others = shares[:-1] / shares[:-1].sum() * (1 - equal_share)
    return np.append(others, equal_share)


def _smoothed(pairs: Floats) -> Floats:
    result: Floats = (pairs + UNSEEN_PAIRS) / (pairs + UNSEEN_PAIRS).sum()
    return result


def _without_matches(shares: Floats, m: Floats, prior: float, random: RandomLevels) -> Floats:
    """Take the matches off the levels of random pairs, taking them to lack values as often as others do."""
    found = prior * m
    rest = np.maximum(shares - found, np.minimum(shares, EXPLAINED_SHARE * found))
    if _is_mostly_matches(random, m, prior):
        rest[-1] = _by_chance(random, m, prior)
    result: Floats = rest / rest.sum()
    return result


def _is_mostly_matches(random: RandomLevels, m: Floats, prior: float) -> bool:
    """Say whether equal dates are mostly those of matches, so that what is left of them would be a guess."""
    equal_share = random.equal_share
    return random.date_shares is not None and equal_share is not None and prior * m[-1] > equal_share / 2


def _by_chance(random: RandomLevels, m: Floats, prior: float) -> float:
    """Return how often dates agree that have the year and the birthday independently of each other."""
    shares = (max(share - prior * float(m[-1]), LEAST_SHARE) for share in random.date_shares or ())
    return float(np.prod(list(shares)))


def _block(evidence: Evidence, number: int) -> _Block:
    rule = evidence.rules[number]
    free = evidence.free_comparisons(number)
    levels, inverse = np.unique(rule.patterns.levels[:, list(free)], axis=0, return_inverse=True)
    pairs: Floats = np.bincount(inverse.reshape(-1), rule.patterns.pairs, len(levels)).astype(np.float64)
    pairs *= rule.rate
    return _Block(free, levels, pairs, inverse.reshape(-1), 0.5, is_pinned=False)


def _pin_shares(evidence: Evidence, blocks: Sequence[_Block], known: _Known) -> None:
    """Set the shares of matches that the pairs of a rule cannot tell by themselves."""
    matches = known.prior * np.nan_to_num(known.part_recalls, nan=0.0)
    by_chance = np.maximum(np.array(evidence.part_shares) - matches, EXPLAINED_SHARE * matches)
    for rule, block in zip(evidence.rules, blocks, strict=True):
        index = evidence.part_comparisons[rule.parts[0]]
        is_clean = False
        if len(rule.parts) == 1 and index is not None:
            random = evidence.random[index]
            is_clean = _is_mostly_matches(random, known.m[index], known.prior)
            if is_clean:
                by_chance[rule.parts[0]] = random.present_share * _by_chance(random, known.m[index], known.prior)
        block.is_pinned = is_clean or len(block.free) < MIN_FREE_COMPARISONS
        if block.is_pinned and len(block.pairs):
            chance = float(by_chance[list(rule.parts)].prod()) * rule.kept_pairs_share * evidence.all_pairs_count
            share = 1 - chance / float(block.pairs.sum())
            if len(block.free) == 1:
                share = min(share, _largest_share(block, known.u[block.free[0]]))
            block.share = float(np.clip(share, 1e-3, 1 - 1e-3))


def _largest_share(block: _Block, u: Floats) -> float:
    """Return the share of matches at which too many of them would disagree on the one comparison left free.

    Names and other fields do not agree independently: far more pairs share a whole name than chance has it. Such
    pairs show by their disagreement elsewhere.
    """
    counts: Floats = np.bincount(block.levels[:, 0] + 1, block.pairs, len(u) + 1)[1:].astype(np.float64)
    last = float(_smoothed(counts)[0] / u[0])
    return (1 - last) / (1 - LARGEST_DISAGREEMENT / float(u[0])) if u[0] > LARGEST_DISAGREEMENT else 1.0


def _maximise(blocks: Sequence[_Block], m: Probabilities, u: Probabilities) -> Probabilities:
    for _step in range(MAX_STEPS):
        before = m
        counts = [np.zeros(len(part)) for part in m]
        for block in blocks:
            matches = block.pairs * block.posteriors(m, u)
            if not block.is_pinned and len(matches):
                block.share = float(np.clip(matches.sum() / block.pairs.sum(), LEAST_SHARE, 1 - 1e-6))
            _add_levels(counts, block, matches)
        m = tuple(
            _smoothed(count) if count.sum() > 0 else part for count, part in zip(counts, before, strict=True)
        )
        if _difference(m, before) < STEP_TOLERANCE:
            break
    return m


def _difference(one: Probabilities, other: Probabilities) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))


def _add_levels(counts: Sequence[Floats], block: _Block, matches: Floats) -> None:
    for column, index in enumerate(block.free):
        found = np.bincount(block.levels[:, column] + 1, weights=matches, minlength=len(counts[index]) + 1)
        counts[index][:] += found[1:]


def _expected_levels(blocks: Sequence[_Block], m: Probabilities, u: Probabilities) -> Probabilities:
    counts = tuple(np.zeros(len(part)) for part in m)
    for block in blocks:
        _add_levels(counts, block, block.pairs * block.posteriors(m, u))
    return counts


def _part_recalls(evidence: Evidence, blocks: Sequence[_Block], m: Probabilities, u: Probabilities) -> Floats:
    """Return per part of a rule how often its values agree in matches; NaN if every rule uses its field."""
    recalls = np.full(len(evidence.part_fields), np.nan)
    posteriors = [block.posteriors(m, u)[block.inverse] for block in blocks]
    for part, fields in enumerate(evidence.part_fields):
        agreeing = total = 0.0
        for number, rule in enumerate(evidence.rules):
            if not fields & evidence.rule_fields(number):
                matches = rule.patterns.pairs * rule.rate * posteriors[number]
                agreeing += float(matches @ rule.patterns.holds[:, part])
                total += float(matches.sum())
        if total > 0:
            recalls[part] = agreeing / total
    return recalls


def _rule_recalls(evidence: Evidence, part_recalls: Floats, m: Probabilities) -> tuple[float, ...]:
    recalls = part_recalls.copy()
    for part in np.flatnonzero(np.isnan(recalls)):
        reading = [
            float(m[index][-1])
            for index, fields in enumerate(evidence.comparison_fields)
            if fields & evidence.part_fields[part]
        ]
        recalls[part] = max(reading, default=1.0)
    # a match is as likely as any record to be in a block that was skipped
    return tuple(float(recalls[list(rule.parts)].prod()) * rule.kept_records_share for rule in evidence.rules)


def _prior(evidence: Evidence, blocks: Sequence[_Block], recalls: Sequence[float]) -> float:
    found = sum(float(block.pairs.sum()) * block.share for block in blocks)
    matches = found / max(sum(recalls), LEAST_SHARE)
    return float(np.clip(matches / max(evidence.all_pairs_count, 1.0), LEAST_PRIOR, LARGEST_PRIOR))
