"""Owns the measures of a linkage map against a known truth, pair by pair: precision, recall and F1.

Counts pairs from the sizes of groups, of true clusters and of what they share, never from lists of pairs, so that
a map of millions of records is measured in seconds. Must not know files.

Source: the pairwise measures of Menestrina, Whang and Garcia-Molina (2010), Evaluating entity resolution results.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class PairwiseQuality:
    """How well a map finds the pairs of records that belong together.

    Args:
        found_pairs_count: pairs of records in one group.
        true_pairs_count: pairs of records of one person.
        correct_pairs_count: pairs that are both.
    """

    found_pairs_count: int
    true_pairs_count: int
    correct_pairs_count: int

    @property
    def precision(self) -> float:
        """The share of the found pairs that is true, 0 to 1; 1 if none was found, for none is wrong."""
        return self.correct_pairs_count / self.found_pairs_count if self.found_pairs_count else 1.0

    @property
    def recall(self) -> float:
        """The share of the true pairs that was found, 0 to 1; 1 if there is none, for none is missed."""
        return self.correct_pairs_count / self.true_pairs_count if self.true_pairs_count else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, 0 to 1."""
        pairs_count = self.found_pairs_count + self.true_pairs_count
        return 2 * self.correct_pairs_count / pairs_count if pairs_count else 1.0


def pairwise_quality(groups: ArrayLike, truth: ArrayLike) -> PairwiseQuality:
    """Measure a map against the truth.

    Args:
        groups: the group of each record, shape (records,).
        truth: the true person of each record, in the same order, shape (records,).

    Returns:
        The counts of pairs, and the measures that follow from them.

    Raises:
        ValueError: if the shapes differ.
    """
    group_labels, true_labels = np.asarray(groups), np.asarray(truth)
    if group_labels.shape != true_labels.shape:
        shapes = f"groups {group_labels.shape} and truth {true_labels.shape}"
        raise ValueError(f"{shapes} must have one label per record each, in the same order")
    _, group_numbers = np.unique(group_labels, return_inverse=True)
    _, person_numbers = np.unique(true_labels, return_inverse=True)
    shared = group_numbers.astype(np.int64) * (int(person_numbers.max(initial=0)) + 1) + person_numbers
    return PairwiseQuality(
        found_pairs_count=_pairs_count(group_numbers),
        true_pairs_count=_pairs_count(person_numbers),
        correct_pairs_count=_pairs_count(shared),
    )


def _pairs_count(labels: NDArray[Any]) -> int:
    """Return how many pairs share a label: the sum of n(n-1)/2 over the sizes n."""
    sizes = np.unique(labels, return_counts=True)[1].astype(np.int64)
    return int((sizes * (sizes - 1) // 2).sum())
