"""Owns how accepted pairs become groups: connected components among the touched groups, with ids that stay.

A group keeps its id when it grows; merged groups take the oldest id, which is the smallest; new groups are
numbered in order of their smallest record_id. Must not know files, weights or thresholds.

Source: SPEC section 5 (Group: merge); ARCHITECTURE section 6; components by scipy.sparse.csgraph.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from linkwright.errors import LinkwrightError

Ids: TypeAlias = NDArray[np.int64]


class UnknownRecordError(LinkwrightError):
    """A pair names a record that is neither new nor in the linkage map: the project's files do not agree."""


@dataclass(frozen=True)
class Merge:
    """What accepted pairs change.

    Args:
        new_group_ids: the group of each new record, in the order given.
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


def merge_groups(
    new_record_ids: Ids, pairs: tuple[Ids, Ids], pair_groups: tuple[Ids, Ids], next_group_id: int
) -> Merge:
    """Put records that accepted pairs connect, directly or through others, into one group.

    Args:
        new_record_ids: the new records, each once, in any order.
        pairs: the record ids of the accepted pairs, left and right.
        pair_groups: the current group of each of those records; -1 for new ones.
        next_group_id: the first free group id, greater than any that exists.

    Returns:
        The new records' groups, and the existing groups that become one. Nothing else changes.

    Raises:
        UnknownRecordError: if a pair's record has no group and is not new.
    """
    order = np.argsort(new_record_ids, kind="stable")
    new_ids = new_record_ids[order]
    left, right = (_record_nodes(new_ids, *side) for side in zip(pairs, pair_groups, strict=True))
    groups = np.unique(np.concatenate([side[side >= 0] for side in pair_groups]))
    # nodes: the touched groups, ascending, then the new records, ascending; so the smallest node of a component is
    # its oldest group or, without one, its smallest new record
    for side, side_groups in ((left, pair_groups[0]), (right, pair_groups[1])):
        is_held = side_groups >= 0
        side[is_held] = np.searchsorted(groups, side_groups[is_held])
        side[~is_held] += groups.size
    smallest = _smallest_nodes(groups.size + new_ids.size, left, right)
    group_nodes, record_nodes = smallest[: groups.size], smallest[groups.size :]
    founds = record_nodes == np.arange(groups.size, groups.size + new_ids.size)
    joins = record_nodes < groups.size
    numbers = next_group_id + np.cumsum(founds) - 1
    sorted_group_ids = np.where(
        joins, _take(groups, record_nodes, joins), _take(numbers, record_nodes - groups.size, ~joins)
    )
    new_group_ids = np.empty_like(sorted_group_ids)
    new_group_ids[order] = sorted_group_ids
    is_absorbed = group_nodes != np.arange(groups.size)
    absorbing = groups[group_nodes[is_absorbed]]
    new_groups_count = int(founds.sum())
    return Merge(
        new_group_ids=new_group_ids,
        absorbed_group_ids=groups[is_absorbed],
        absorbing_group_ids=absorbing,
        new_groups_count=new_groups_count,
        joined_records_count=int(joins.sum()),
        grown_group_ids=np.union1d(absorbing, sorted_group_ids[joins]),
        next_group_id=next_group_id + new_groups_count,
    )


def _record_nodes(new_ids: Ids, record_ids: Ids, group_ids: Ids) -> Ids:
    """Return, per record without a group, its place among the new records; 0 for the others."""
    nodes = np.zeros(record_ids.size, dtype=np.int64)
    is_new = group_ids < 0
    wanted = record_ids[is_new]
    places = np.searchsorted(new_ids, wanted)
    known = places < new_ids.size
    known[known] = new_ids[places[known]] == wanted[known]
    if not known.all():
        missing = int(wanted[~known][0])
        raise UnknownRecordError(
            f"A pair names the record {missing}, which is neither new nor in the linkage map. The project's files "
            "do not fit together: run 'linkwright doctor', then retry the job."
        )
    nodes[is_new] = places
    return nodes


def _smallest_nodes(nodes_count: int, left: Ids, right: Ids) -> Ids:
    """Return, per node, the smallest node of its component."""
    # many pairs can join the same two groups, and are summed up: a small integer would wrap to 0, which is no edge
    edges = coo_array((np.ones(left.size, dtype=np.float64), (left, right)), shape=(nodes_count, nodes_count))
    components_count, labels = connected_components(edges, directed=False)
    smallest = np.full(components_count, nodes_count, dtype=np.int64)
    np.minimum.at(smallest, labels, np.arange(nodes_count))
    return np.asarray(smallest[labels], dtype=np.int64)


def _take(values: Ids, places: Ids, chosen: NDArray[np.bool_]) -> Ids:
    """Return values at places where chosen, 0 elsewhere."""
    taken = np.zeros(places.size, dtype=np.int64)
    taken[chosen] = values[places[chosen]]
    return taken
