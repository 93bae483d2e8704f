"""Owns the ids of groups: which stay, which end, which are new.

A group keeps its id when it grows. Merged groups take the oldest id, which is the smallest. When a group is
split, the part that holds its oldest record (the smallest record_id) keeps the id. New ids are counted up, in
order of the smallest record of their groups. Must not decide who belongs together: `links` does.

Source: SPEC section 5 (Group ids are stable); docs/decisions/0004 and 0012.
"""

from dataclasses import dataclass

import numpy as np

from linkwright.engine.id_arrays import NO_IDS, Ids, Mask, distinct


@dataclass(frozen=True)
class Growth:
    """What happens to groups and new records when groups only grow.

    Args:
        new_group_ids: the group of each new record.
        absorbed_group_ids: existing groups that end, ascending.
        absorbing_group_ids: the existing group that each of them becomes part of.
        new_groups_count: groups that have new records only.
        joined_records_count: new records in groups that existed.
        grown_group_ids: existing groups that a new record joined or that absorbed another, ascending.
        next_group_id: the first id that is free afterwards.
    """

    new_group_ids: Ids
    absorbed_group_ids: Ids
    absorbing_group_ids: Ids
    new_groups_count: int
    joined_records_count: int
    grown_group_ids: Ids
    next_group_id: int


@dataclass(frozen=True)
class Renumbering:
    """What happens to groups that are worked out anew.

    Args:
        group_ids: the group of each record.
        ended_group_ids: groups that were, and are no more because others took their records, ascending.
        split_group_ids: groups whose records are in several groups now, ascending.
        new_groups_count: groups with a new id.
        next_group_id: the first id that is free afterwards.
    """

    group_ids: Ids
    ended_group_ids: Ids
    split_group_ids: Ids
    new_groups_count: int
    next_group_id: int


def grow_groups(groups: Ids, new_count: int, smallest: Ids, next_group_id: int) -> Growth:
    """Name the groups of existing groups and new records.

    Args:
        groups: the ids of the existing groups, ascending: the first nodes.
        new_count: the new records, ascending: the nodes after those.
        smallest: per node, the smallest node of its group; so its oldest group or, without one, its smallest new
            record.
        next_group_id: the first free group id, greater than any that exists.
    """
    group_nodes, record_nodes = smallest[: groups.size], smallest[groups.size :]
    founds = record_nodes == np.arange(groups.size, groups.size + new_count)
    joins = record_nodes < groups.size
    numbers = next_group_id + np.cumsum(founds) - 1
    new_group_ids = np.where(
        joins, _take(groups, record_nodes, joins), _take(numbers, record_nodes - groups.size, ~joins)
    )
    is_absorbed = group_nodes != np.arange(groups.size)
    absorbing = groups[group_nodes[is_absorbed]]
    new_groups_count = int(founds.sum())
    return Growth(
        new_group_ids=new_group_ids,
        absorbed_group_ids=groups[is_absorbed],
        absorbing_group_ids=absorbing,
        new_groups_count=new_groups_count,
        joined_records_count=int(joins.sum()),
        grown_group_ids=np.union1d(absorbing, new_group_ids[joins]),
        next_group_id=next_group_id + new_groups_count,
    )


def renumber_groups(old_group_ids: Ids, smallest: Ids, next_group_id: int) -> Renumbering:
    """Name groups that were worked out anew.

    A part has a claim to the id of every old group whose oldest record it holds, and takes the oldest of these.

    Args:
        old_group_ids: the group of each record before; 0 for one that had none. The records by age, the oldest
            first.
        smallest: per record, the place of the first record of its new group.
        next_group_id: the first free group id, greater than any that exists.
    """
    if not old_group_ids.size:
        return Renumbering(NO_IDS, NO_IDS, NO_IDS, 0, next_group_id)
    # the first occurrence is the oldest record
    olds, oldest_places, old_places = np.unique(old_group_ids, return_index=True, return_inverse=True)
    unclaimed = np.iinfo(np.int64).max
    numbers = np.full(smallest.size, unclaimed, dtype=np.int64)
    was = olds > 0
    np.minimum.at(numbers, smallest[oldest_places[was]], olds[was])
    founds = (numbers == unclaimed) & (smallest == np.arange(smallest.size))
    new_groups_count = int(founds.sum())
    numbers[founds] = next_group_id + np.arange(new_groups_count)
    group_ids = numbers[smallest]
    # every (old group, part) once: an old group that occurs twice was split
    crossed = distinct(old_places * smallest.size + smallest) // smallest.size
    return Renumbering(
        group_ids=group_ids,
        ended_group_ids=olds[was & ~np.isin(olds, group_ids)],
        split_group_ids=olds[was & (np.bincount(crossed) > 1)],
        new_groups_count=new_groups_count,
        next_group_id=next_group_id + new_groups_count,
    )


def _take(values: Ids, places: Ids, chosen: Mask) -> Ids:
    """Return values at places where chosen, 0 elsewhere."""
    taken = np.zeros(places.size, dtype=np.int64)
    taken[chosen] = values[places[chosen]]
    return taken
