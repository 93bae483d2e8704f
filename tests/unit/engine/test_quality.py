"""Pairwise quality: the counts against pairs counted one by one, and the measures at the edges."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkwright.engine.quality import PairwiseQuality, pairwise_quality

LABELS = st.integers(0, 5)


@given(records=st.lists(st.tuples(LABELS, LABELS), max_size=30))
def test_counts_equal_those_of_all_pairs_looked_at_one_by_one(records: list[tuple[int, int]]) -> None:
    pairs = list(combinations(records, 2))
    found = [one[0] == other[0] for one, other in pairs]
    true = [one[1] == other[1] for one, other in pairs]
    quality = pairwise_quality([group for group, _ in records], [person for _, person in records])
    assert quality == PairwiseQuality(
        found_pairs_count=sum(found),
        true_pairs_count=sum(true),
        correct_pairs_count=sum(f and t for f, t in zip(found, true, strict=True)),
    )


def test_precision_recall_and_f1_follow_from_the_counts() -> None:
    quality = PairwiseQuality(found_pairs_count=8, true_pairs_count=4, correct_pairs_count=2)
    assert (quality.precision, quality.recall) == (0.25, 0.5)
    assert quality.f1 == pytest.approx(1 / 3)


def test_nothing_found_is_nothing_wrong_but_everything_missed() -> None:
    quality = pairwise_quality([1, 2, 3], ["a", "a", "b"])
    assert (quality.precision, quality.recall, quality.f1) == (1.0, 0.0, 0.0)


def test_no_pairs_at_all_are_perfect() -> None:
    quality = pairwise_quality([1, 2], ["a", "b"])
    assert (quality.precision, quality.recall, quality.f1) == (1.0, 1.0, 1.0)
    assert pairwise_quality([], []).f1 == 1.0


def test_a_group_of_a_million_records_is_counted_without_overflow() -> None:
    size = 1_000_000
    quality = pairwise_quality([1] * size, [1] * size)
    assert quality.correct_pairs_count == size * (size - 1) // 2


def test_labels_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one label per record"):
        pairwise_quality([1, 2], [1])
