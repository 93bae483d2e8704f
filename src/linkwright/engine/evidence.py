"""Owns the form of what estimation learns from: counts only, a few thousand numbers, whatever the data's size.

Must not know SQL, files or how the counts are used.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Levels: TypeAlias = NDArray[np.int8]
Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Patterns:
    """Agreement patterns, and how many pairs show each.

    Args:
        levels: patterns by comparisons; the level's number, -1 if a value is missing.
        pairs: pairs per pattern, at least 1 each.
        holds: patterns by parts of blocking rules: whether the part's values are equal.
    """

    levels: Levels
    pairs: Floats
    holds: Flags


@dataclass(frozen=True)
class RandomLevels:
    """One comparison's levels among random pairs.

    Args:
        pairs: per level number, the pairs counted; pairs with a missing value are left out.
        present_share: the share of random pairs that has both values.
        equal_share: the share with equal values among all pairs of records that have one, counted without
            sampling; None if the comparison's first level asks for more or less than equal values.
        date_shares: of a date with an `equal_share`, the shares with equal years and with equal birthdays.
    """

    pairs: Floats
    present_share: float
    equal_share: float | None = None
    date_shares: tuple[float, float] | None = None


@dataclass(frozen=True)
class RulePairs:
    """What one blocking rule finds, whether or not an earlier rule does too.

    Args:
        parts: the indexes of the rule's parts.
        patterns: of the pairs that were looked at.
        rate: of how many pairs one was looked at.
        kept_records_share: of the records that have the rule's values, the share whose block was not skipped.
        kept_pairs_share: of the pairs that share these values, the share whose block was not skipped.
    """

    parts: tuple[int, ...]
    patterns: Patterns
    rate: int = 1
    kept_records_share: float = 1.0
    kept_pairs_share: float = 1.0


@dataclass(frozen=True)
class Evidence:
    """What is known of one strategy's data before anything is estimated.

    Args:
        records_count: live records, new and held.
        random: per comparison.
        comparison_fields: per comparison, the fields that it reads.
        rules: per blocking rule.
        part_fields: per part of a rule, the fields that it reads.
        part_shares: per part, the share of all pairs of records that agrees on its values.
        part_comparisons: per part, the comparison whose first level is the same; None if there is none.
    """

    records_count: int
    random: tuple[RandomLevels, ...]
    comparison_fields: tuple[frozenset[str], ...]
    rules: tuple[RulePairs, ...]
    part_fields: tuple[frozenset[str], ...]
    part_shares: tuple[float, ...]
    part_comparisons: tuple[int | None, ...]

    @property
    def all_pairs_count(self) -> float:
        """Pairs that all records make."""
        return self.records_count * (self.records_count - 1) / 2

    def rule_fields(self, number: int) -> frozenset[str]:
        """Return the fields that a blocking rule uses."""
        return frozenset().union(*(self.part_fields[part] for part in self.rules[number].parts))

    def free_comparisons(self, number: int) -> tuple[int, ...]:
        """List the comparisons that a rule leaves free: those that read none of its fields."""
        fields = self.rule_fields(number)
        return tuple(index for index, read in enumerate(self.comparison_fields) if not read & fields)

    def union(self) -> Patterns:
        """Return the patterns of all candidates, each pair under one of the rules that find it only."""
        # which blocks a rule skipped cannot be told by the values: rules that skip least speak first
        rules = sorted(self.rules, key=lambda rule: -rule.kept_records_share)
        kept = []
        for number, rule in enumerate(rules):
            holds = rule.patterns.holds
            earlier = np.zeros(len(holds), bool)
            for other in rules[:number]:
                earlier |= holds[:, list(other.parts)].all(axis=1)
            kept.append((~earlier, rule))
        return Patterns(
            levels=np.concatenate([rule.patterns.levels[own] for own, rule in kept]),
            pairs=np.concatenate([rule.patterns.pairs[own] * rule.rate for own, rule in kept]),
            holds=np.concatenate([rule.patterns.holds[own] for own, rule in kept]),
        )
