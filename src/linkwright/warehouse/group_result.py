"""Owns what Group and Regroup report: one form for both, and how it is counted from the map before and after.

Must not decide groups, nor read files.

Source: SPEC section 3 (statistics of Group); ARCHITECTURE section 4 (assignments).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from linkwright.engine.id_arrays import Ids
from linkwright.engine.links import Linked, Refusal, WeighedPairs
from linkwright.warehouse.limits import WrittenFile
from linkwright.warehouse.linkage_map import GroupArray, GroupSize, histogram_of

NAMED_COUNT = 100
"""How many flagged groups, ignored merges and contradictions are named; all are counted."""


@dataclass(frozen=True)
class IgnoredMerge:
    """Two groups that a pair would have joined, had a rule not kept them apart; with their strongest such pair.

    Args:
        group_id_l: the group of record_id_l.
        group_id_r: the group of record_id_r.
        record_id_l: one record of the pair.
        record_id_r: the other.
        match_weight: log2; +inf for deterministic pairs.
        reason: the rule.
    """

    group_id_l: int
    group_id_r: int
    record_id_l: int
    record_id_r: int
    match_weight: float
    reason: Refusal


@dataclass(frozen=True)
class IgnoredMerges:
    """Pairs that joined nothing because of a rule.

    Args:
        count: different couples of groups that they lie between.
        pairs_count: the pairs themselves.
        named: the first `NAMED_COUNT` couples, the strongest pair first.
    """

    count: int
    pairs_count: int
    named: tuple[IgnoredMerge, ...]


@dataclass(frozen=True)
class FlaggedGroup:
    """A touched group that a person should look at, and one reason for it.

    Args:
        group_id: of the group.
        reason: the word of a `warehouse.flagged_groups.FlagReason`.
        records_count: of the Event Type, if one is named; else of the group.
        event_type: the authoritative Event Type that it holds several records of.
        match_weight: of the weakest link that holds it together.
    """

    group_id: int
    reason: str
    records_count: int
    event_type: str | None = None
    match_weight: float | None = None


@dataclass(frozen=True)
class FlaggedGroups:
    """The touched groups that a person should look at.

    Args:
        count: different groups.
        by_reason: groups per reason; a group can have several.
        named: the first `NAMED_COUNT` findings, by group, reason and Event Type.
    """

    count: int
    by_reason: Mapping[str, int]
    named: tuple[FlaggedGroup, ...]


@dataclass(frozen=True)
class GroupCounts:
    """The whole map in numbers.

    Args:
        groups_before_count: groups of live records.
        groups_after_count: the same afterwards.
        largest_group_id: of the most records; the oldest of several. None without records.
        largest_group_size: its records.
        sizes: how many groups there are of each size, the smallest first.
    """

    groups_before_count: int
    groups_after_count: int
    largest_group_id: int | None
    largest_group_size: int
    sizes: tuple[GroupSize, ...]


@dataclass(frozen=True)
class GroupResult:
    """What Group or Regroup did.

    Args:
        assignments: the file written: all new records, and held records whose group changed.
        accepted_pairs_count: pairs of live records that are matches.
        counts: the whole map in numbers.
        new_groups_count: groups with a new id.
        joined_records_count: new records in groups that existed.
        grown_groups_count: existing groups that took in records or other groups.
        merged_groups_count: existing groups that ended in another.
        split_groups_count: groups whose records are in several groups now; 0 of Group.
        changed_records_count: held records whose group changed.
        ignored: pairs that joined nothing because of a rule.
        flagged: touched groups that a person should look at.
        contradictions_count: Quality Reviews about touched records that do not hold.
        contradictions: the first `NAMED_COUNT`, a full sentence each.
        max_group_id: the highest id that is or was in use; 0 if none.
        seconds: per stage.
    """

    assignments: WrittenFile
    accepted_pairs_count: int
    counts: GroupCounts
    new_groups_count: int
    joined_records_count: int
    grown_groups_count: int
    merged_groups_count: int
    split_groups_count: int
    changed_records_count: int
    ignored: IgnoredMerges
    flagged: FlaggedGroups
    contradictions_count: int
    contradictions: tuple[str, ...]
    max_group_id: int
    seconds: Mapping[str, float]


def count_groups(before: GroupArray, after: GroupArray) -> GroupCounts:
    """Count the whole map, before and after."""
    sizes = after.sizes()
    largest_id = int(sizes.argmax()) if sizes.any() else None
    return GroupCounts(
        groups_before_count=int(np.count_nonzero(before.sizes())),
        groups_after_count=int(np.count_nonzero(sizes)),
        largest_group_id=largest_id,
        largest_group_size=0 if largest_id is None else int(sizes[largest_id]),
        sizes=histogram_of(sizes),
    )


def ignored_merges(pairs: WeighedPairs, linked: Linked, after: GroupArray) -> IgnoredMerges:
    """Name the couples of groups that refused pairs lie between.

    Args:
        pairs: all pairs.
        linked: which of them were refused, in the order in which they were tried.
        after: the map with the groups that came about.
    """
    refused = linked.refused
    if not refused.size:
        return IgnoredMerges(0, 0, ())
    left, right = (side[refused] for side in pairs.record_ids)
    groups = after.of(left), after.of(right)
    couples = np.stack((np.minimum(*groups), np.maximum(*groups)))
    _couples, firsts = np.unique(couples, axis=1, return_index=True)
    weights = pairs.weights[refused]
    strongest: Ids = firsts[np.lexsort((right[firsts], left[firsts], -weights[firsts]))]
    named = tuple(
        IgnoredMerge(
            group_id_l=int(groups[0][place]),
            group_id_r=int(groups[1][place]),
            record_id_l=int(left[place]),
            record_id_r=int(right[place]),
            match_weight=float(weights[place]),
            reason=linked.refusals[place],
        )
        for place in strongest[:NAMED_COUNT].tolist()
    )
    return IgnoredMerges(int(strongest.size), int(refused.size), named)
