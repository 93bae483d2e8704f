"""Parameters side by side, rounded; the candidates of all rules, each pair once."""

from typing import Any

import numpy as np
import pytest

from linkwright.engine.estimation import estimate
from linkwright.engine.evidence import Evidence, Floats, Patterns, RandomLevels, RulePairs
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.proposal import (
    Learned,
    choose_prior,
    current_m,
    estimate_strategy,
    proposed_configuration,
)
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration

PARTS = ("suburb", "postcode", "state")


def configuration() -> MatchConfiguration:
    """Three comparisons, and a rule on each of their fields."""
    levels = [
        {"when": "exact", "m_probability": 0.9, "u_probability": 0.1},
        {"when": "distance", "at_most": 2, "m_probability": 0.06, "u_probability": 0.1},
        {"when": "else", "m_probability": 0.04, "u_probability": 0.8},
    ]
    comparisons: list[dict[str, Any]] = [
        {"field": field, "method": "levenshtein", "levels": levels} for field in PARTS
    ]
    strategy = {
        "name": "person",
        "match_threshold": 5,
        "review_threshold": 1,
        "blocking_rules": [[field] for field in PARTS],
        "comparisons": comparisons,
    }
    return parse_match_configuration({"prior": 0.1, "strategies": [strategy]}, STANDARD_FIELDS)


def evidence_of(levels: Any, pairs: Floats) -> Evidence:
    """What rules on the equal values of three fields find among such pairs."""
    every = np.array(levels, np.int8).reshape(-1, 3)
    holds = every == 2
    rules = []
    for part in range(3):
        rows = holds[:, part]
        rules.append(RulePairs((part,), Patterns(every[rows], pairs[rows], holds[rows])))
    return Evidence(
        records_count=1_001,
        random=tuple(RandomLevels(np.array([99_000.0, 700.0, 300.0]), 1.0) for _part in PARTS),
        comparison_fields=tuple(frozenset({field}) for field in PARTS),
        rules=tuple(rules),
        part_fields=tuple(frozenset({field}) for field in PARTS),
        part_shares=(0.003, 0.003, 0.003),
        part_comparisons=(0, 1, 2),
    )


def learned_from(evidence: Evidence) -> Learned:
    (strategy,) = configuration().strategies
    selves = Patterns(
        np.array([[2, 2, 2], [2, -1, -1]], np.int8), np.array([900.0, 101.0]), np.zeros((2, 0), bool)
    )
    found = estimate(evidence, current_m(strategy), 0.001)
    return Learned(strategy, evidence, selves, 100_000, (1, 2, 3), found)


LEVELS = [[2, 2, 2], [2, 2, 0], [2, 1, 2], [0, 2, 2], [2, 0, 0], [0, 2, 0], [0, 0, 2], [2, 0, 1]]
PAIRS = np.array([300.0, 30.0, 20.0, 30.0, 1500.0, 1480.0, 1490.0, 10.0])


def test_a_pair_that_several_rules_find_is_one_candidate() -> None:
    union = evidence_of(LEVELS, PAIRS).union()
    assert union.pairs.sum() == PAIRS.sum()
    assert sorted(map(tuple, union.levels.tolist())) == sorted(map(tuple, LEVELS))


def test_sampled_pairs_stand_for_those_that_were_not_looked_at() -> None:
    evidence = evidence_of([[2, 0, 0], [0, 2, 0]], np.array([10.0, 4.0]))
    sampled = RulePairs((0,), evidence.rules[0].patterns, 7)
    found = Evidence(**{**vars(evidence), "rules": (sampled, *evidence.rules[1:])}).union()
    assert found.pairs.tolist() == [70.0, 4.0]


def test_levels_are_named_and_rounded_and_still_add_up_to_one() -> None:
    estimated = estimate_strategy(learned_from(evidence_of(LEVELS, PAIRS)), 0.0007)
    for item in estimated.comparisons:
        assert [level.level for level in item.levels] == ["exact", "distance at most 2", "else"]
        assert sum(level.estimated_m for level in item.levels) == pytest.approx(1, abs=1e-12)
        assert sum(level.estimated_u for level in item.levels) == pytest.approx(1, abs=1e-12)
        *small, _largest = sorted(level.estimated_m for level in item.levels)
        assert all(float(f"{value:.4g}") == value for value in small)
        assert item.levels[0].current_weight == pytest.approx(np.log2(9))
        assert item.levels[0].estimated_weight > item.levels[2].estimated_weight
    assert estimated.unlinkable_share in (0, pytest.approx(101 / 1_001))


def test_the_thresholds_are_those_of_the_highest_expected_f1() -> None:
    estimated = estimate_strategy(learned_from(evidence_of(LEVELS, PAIRS)), 0.0007)
    best = max(row.f1 for row in estimated.thresholds)
    (row,) = (row for row in estimated.thresholds if row.match_weight == estimated.proposed_match_threshold)
    assert row.f1 == pytest.approx(best, abs=1e-4)
    assert estimated.proposed_review_threshold <= estimated.proposed_match_threshold
    assert estimated.current_match_threshold == 5
    assert estimated.current_review_threshold == 1


def test_where_nothing_was_found_m_and_thresholds_stay_as_far_as_they_can_be_reached() -> None:
    learned = learned_from(evidence_of([], np.zeros(0)))
    estimated = estimate_strategy(learned, 1e-9)
    for item, current in zip(estimated.comparisons, learned.strategy.comparisons, strict=True):
        assert not item.is_m_estimated
        assert [level.estimated_m for level in item.levels] == [level.m_probability for level in current.levels]
    assert len(estimated.notes) == 4
    proposed = proposed_configuration(configuration(), 1e-9, [estimated])
    assert parse_match_configuration(proposed, STANDARD_FIELDS).prior == 1e-9


def test_without_a_strategy_to_learn_from_the_prior_and_all_else_stay() -> None:
    assert choose_prior([], 0.25) == 0.25
    current = configuration()
    assert parse_match_configuration(proposed_configuration(current, 0.5, []), STANDARD_FIELDS) == current
