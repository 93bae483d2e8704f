"""Estimation from counts: m, u and the prior of a known model, whatever is left out of what the rules see."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from linkwright.engine.estimation import UNSEEN_PAIRS, Estimate, estimate
from linkwright.engine.evidence import Evidence, Floats, Patterns, RandomLevels, RulePairs

RECORDS_COUNT = 20_000
PAIRS_COUNT = RECORDS_COUNT * (RECORDS_COUNT - 1) / 2
MATCHES_COUNT = 8_000
PRIOR = MATCHES_COUNT / PAIRS_COUNT
M = (np.array([0.1, 0.9]), np.array([0.15, 0.15, 0.7]), np.array([0.08, 0.92]))
U = (np.array([0.998, 0.002]), np.array([0.98, 0.01, 0.01]), np.array([0.9995, 0.0005]))
START = (np.array([0.4, 0.6]), np.array([0.2, 0.2, 0.6]), np.array([0.4, 0.6]))
FIELDS = ("a", "b", "c")


def expected_patterns() -> tuple[np.ndarray[tuple[int, int], np.dtype[np.int8]], Floats]:
    """All patterns of the three fields, and how many pairs the model expects of each."""
    levels = np.array(list(product(range(2), range(3), range(2))), np.int8)
    matches, others = (
        count * np.prod([own[levels[:, index]] for index, own in enumerate(shares)], axis=0)
        for count, shares in ((MATCHES_COUNT, M), (PAIRS_COUNT - MATCHES_COUNT, U))
    )
    return levels, np.asarray(matches + others, np.float64)


def observed_share(index: int) -> Floats:
    """The levels of random pairs, the matches among them included."""
    shares: Floats = PRIOR * M[index] + (1 - PRIOR) * U[index]
    return shares


def evidence_of(rules: Sequence[Sequence[int]], rate: int = 1) -> Evidence:
    """What rules on equal values of some fields find, in the numbers that the model expects."""
    levels, pairs = expected_patterns()
    holds = np.column_stack([levels[:, index] == len(U[index]) - 1 for index in range(3)])
    found = []
    for rule in rules:
        rows = holds[:, list(rule)].all(axis=1)
        found.append(RulePairs(tuple(rule), Patterns(levels[rows], pairs[rows] / rate, holds[rows]), rate))
    return Evidence(
        records_count=RECORDS_COUNT,
        random=tuple(RandomLevels(observed_share(index) * 1e9, 1.0) for index in range(3)),
        comparison_fields=tuple(frozenset({field}) for field in FIELDS),
        rules=tuple(found),
        part_fields=tuple(frozenset({field}) for field in FIELDS),
        part_shares=tuple(float(observed_share(index)[-1]) for index in range(3)),
        part_comparisons=(0, 1, 2),
    )


def assert_recovers(found: Estimate, tolerance: float) -> None:
    assert found.prior == pytest.approx(PRIOR, rel=tolerance)
    for own, true in zip((*found.m, *found.u), (*M, *U), strict=True):
        assert own == pytest.approx(true, rel=tolerance)


@pytest.mark.parametrize("rate", [1, 7])
def test_rules_that_leave_two_comparisons_free_give_back_the_model(rate: int) -> None:
    found = estimate(evidence_of([[0], [1], [2]], rate), START, 1e-3)
    assert found.has_converged
    assert_recovers(found, 0.01)
    assert found.rule_recalls == pytest.approx([0.9, 0.7, 0.92], rel=0.01)
    assert found.matches_count == pytest.approx(MATCHES_COUNT, rel=0.01)


def test_rules_that_leave_one_comparison_free_count_what_exceeds_chance() -> None:
    found = estimate(evidence_of([[0, 1], [1, 2], [0, 2]]), START, 1e-3)
    # capped where a tenth of the matches disagree, which the second field's do
    assert found.m[0] == pytest.approx(M[0], rel=0.05)
    assert found.m[2] == pytest.approx(M[2], rel=0.05)
    assert found.prior == pytest.approx(PRIOR, rel=0.1)


def test_the_start_makes_no_difference() -> None:
    evidence = evidence_of([[0], [1], [2]])
    far = (np.array([0.05, 0.95]), np.array([0.01, 0.01, 0.98]), np.array([0.3, 0.7]))
    one, other = estimate(evidence, START, 1e-3), estimate(evidence, far, 1e-9)
    assert one.prior == pytest.approx(other.prior, rel=1e-3)
    for own, another in zip((*one.m, *one.u), (*other.m, *other.u), strict=True):
        assert own == pytest.approx(another, rel=1e-3)


def test_a_comparison_that_every_rule_uses_keeps_its_m() -> None:
    found = estimate(evidence_of([[0], [0, 1]]), START, PRIOR)
    assert found.m[0] == pytest.approx(START[0])
    assert found.m_pairs[0].sum() == 0
    assert found.m_pairs[2].sum() > 0


def test_a_level_that_never_occurs_is_rare_and_not_impossible() -> None:
    evidence = evidence_of([[0], [2]])
    rules = []
    for rule in evidence.rules:
        seen = rule.patterns.levels[:, 1] != 1
        patterns = Patterns(rule.patterns.levels[seen], rule.patterns.pairs[seen], rule.patterns.holds[seen])
        rules.append(RulePairs(rule.parts, patterns, 1))
    random = (evidence.random[0], RandomLevels(np.array([1e6, 0.0, 1e4]), 1.0), evidence.random[2])
    found = estimate(replace(evidence, random=random, rules=tuple(rules)), START, PRIOR)
    assert found.m_pairs[1][1] == 0
    assert 0 < found.m[1][1] < 2 * UNSEEN_PAIRS / found.m_pairs[1].sum()
    assert 0 < found.u[1][1] < 1e-6


def test_matches_among_random_pairs_are_not_taken_for_chance() -> None:
    # 8,000 matches that agree on the third field at 0.92 are a fifth of a tenth per mille of all pairs
    shares = observed_share(2)
    assert shares[1] / U[2][1] > 1.05
    assert estimate(evidence_of([[0], [1], [2]]), START, 1e-3).u[2][1] == pytest.approx(U[2][1], rel=0.01)


def test_without_candidates_nothing_is_learnt_but_u() -> None:
    evidence = evidence_of([[0], [1], [2]])
    none = Patterns(np.zeros((0, 3), np.int8), np.zeros(0), np.zeros((0, 3), bool))
    rules = tuple(RulePairs(rule.parts, none, 1) for rule in evidence.rules)
    found = estimate(replace(evidence, rules=rules), START, 1e-3)
    for own, start in zip(found.m, START, strict=True):
        assert own == pytest.approx(start)
    assert found.matches_count < 1
    assert found.u[0] == pytest.approx(U[0], rel=0.05)
