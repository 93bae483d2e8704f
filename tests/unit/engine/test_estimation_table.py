"""What a threshold would do: the table, the proposal, posteriors that keep to each rule's share, unlinkables."""

import math

import numpy as np
import pytest

from linkwright.engine.evidence import Evidence, Patterns, RulePairs
from linkwright.engine.thresholds import (
    ThresholdRow,
    calibrated_posteriors,
    merging_threshold,
    pattern_weights,
    propose_thresholds,
    threshold_table,
    unlinkable_share,
    unlinkables,
)

WEIGHTS = np.array([6.2, 2.0, -0.6, -4.0])
PAIRS = np.array([100.0, 20.0, 30.0, 1000.0])
POSTERIORS = np.array([1.0, 0.8, 0.3, 0.0])


def rows_by_weight() -> dict[float, ThresholdRow]:
    return {row.match_weight: row for row in threshold_table(WEIGHTS, PAIRS, POSTERIORS, 200)}


def evidence_of(patterns: Patterns, rules: tuple[tuple[int, ...], ...]) -> Evidence:
    """Rules over the parts that `patterns` tells; what else evidence holds plays no role here."""
    return Evidence(
        records_count=1000,
        random=(),
        comparison_fields=(),
        rules=tuple(RulePairs(parts, patterns, 1) for parts in rules),
        part_fields=(),
        part_shares=(),
        part_comparisons=(),
    )


def test_a_pattern_weighs_the_prior_and_its_levels_and_a_missing_value_adds_nothing() -> None:
    levels = np.array([[1, 2], [0, -1], [-1, 0]], np.int8)
    weights = pattern_weights(levels, [np.array([-2.0, 3.0]), np.array([-1.0, 0.5, 4.0])], 0.2)
    assert weights == pytest.approx([-2 + 7, -2 - 2, -2 - 1])


def test_the_table_goes_over_all_weights_in_halves() -> None:
    assert list(rows_by_weight()) == [step / 2 for step in range(-8, 13)]


def test_the_table_counts_pairs_at_or_over_a_threshold() -> None:
    rows = rows_by_weight()
    assert rows[6.0].pairs_count == 100
    assert rows[2.0].pairs_count == 120
    assert rows[-0.5].pairs_count == 120
    assert rows[-1.0].pairs_count == 150
    assert rows[-4.0].pairs_count == 1150


def test_the_table_tells_expected_precision_recall_and_f1() -> None:
    row = rows_by_weight()[2.0]
    assert row.matches_count == pytest.approx(116)
    assert row.precision == pytest.approx(116 / 120)
    assert row.recall == pytest.approx(116 / 200)
    assert row.f1 == pytest.approx(2 * 116 / (120 + 200))


def test_no_more_matches_can_be_found_than_there_are() -> None:
    rows = threshold_table(WEIGHTS, PAIRS, POSTERIORS, 10)
    assert rows[0].recall == 1
    assert all(row.f1 <= 1 for row in rows)


def test_the_threshold_of_the_highest_f1_is_proposed_and_the_most_careful_of_equals() -> None:
    table = tuple(rows_by_weight().values())
    assert propose_thresholds(table) == (2.0, -1.0)


@pytest.mark.parametrize(
    ("matches_count", "records_count", "expected"),
    [(0, 100, 0.0), (50, 100, 2.0), (150, 100, 4.0), (215_644, 50_578, 7.0)],
)
def test_merging_asks_for_odds_of_the_wrong_pairs_that_a_wrong_link_makes(
    matches_count: float, records_count: int, expected: float
) -> None:
    assert merging_threshold(matches_count, records_count) == expected


def test_review_stops_where_matches_are_needles_in_a_haystack() -> None:
    posteriors = np.array([1.0, 0.9, 0.04, 0.0])
    table = threshold_table(WEIGHTS, PAIRS, posteriors, 200)
    assert propose_thresholds(table) == (2.0, 2.0)


def test_nothing_is_proposed_where_no_match_is_expected() -> None:
    assert propose_thresholds(threshold_table(WEIGHTS, PAIRS, np.zeros(4), 0)) is None
    assert propose_thresholds(()) is None
    assert threshold_table(np.zeros(0), np.zeros(0), np.zeros(0), 5) == ()


def test_posteriors_add_up_to_each_rules_share() -> None:
    holds = np.array([[True, True], [True, False], [False, True], [True, False]])
    candidates = Patterns(np.zeros((4, 0), np.int8), PAIRS, holds)
    evidence = evidence_of(candidates, ((0,), (1,)))
    posteriors = calibrated_posteriors(evidence, candidates, WEIGHTS, (0.15, 0.9))
    for part, share in enumerate((0.15, 0.9)):
        found = holds[:, part]
        assert (PAIRS * posteriors)[found].sum() == pytest.approx(share * PAIRS[found].sum(), rel=0.01)


def test_posteriors_that_are_right_stay_as_the_weight_has_them() -> None:
    candidates = Patterns(np.zeros((4, 0), np.int8), PAIRS, np.ones((4, 1), bool))
    of_weight = 1 / (1 + 2.0**-WEIGHTS)
    share = float(PAIRS @ of_weight / PAIRS.sum())
    posteriors = calibrated_posteriors(evidence_of(candidates, ((0,),)), candidates, WEIGHTS, (share,))
    assert posteriors == pytest.approx(of_weight)


def test_calibration_keeps_the_order_within_a_rule() -> None:
    candidates = Patterns(np.zeros((4, 0), np.int8), PAIRS, np.ones((4, 1), bool))
    posteriors = calibrated_posteriors(evidence_of(candidates, ((0,),)), candidates, WEIGHTS, (0.02,))
    assert list(posteriors) == sorted(posteriors, reverse=True)


def test_unlinkables_are_records_under_a_weight_even_against_themselves() -> None:
    weights, records = np.array([9.7, 1.0, -3.0]), np.array([70.0, 20.0, 10.0])
    rows = unlinkables(weights, records)
    shares = {row.match_weight: row.records_share for row in rows}
    assert rows[0].match_weight == 0
    assert rows[-1].match_weight == 10
    assert shares[0.0] == pytest.approx(0.1)
    assert shares[1.0] == pytest.approx(0.1)
    assert shares[1.5] == pytest.approx(0.3)
    assert shares[10.0] == 1
    assert unlinkable_share(weights, records, 4) == pytest.approx(0.3)
    assert unlinkables(np.zeros(0), np.zeros(0)) == ()
    assert math.isclose(unlinkable_share(np.zeros(0), np.zeros(0), 4), 0)
