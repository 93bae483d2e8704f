"""Owns the path between two records of a group: the chain of links that holds them together best.

Of all chains, one whose weakest link is the strongest, as in the maximum spanning tree (Kruskal 1956); of these,
one of the fewest links. Must not know where links come from.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree

from linkwright.engine.id_arrays import Ids, Weights


class Link(NamedTuple):
    """An accepted pair.

    Args:
        record_id_l: the smaller id.
        record_id_r: the other.
        match_weight: log2; infinity for a deterministic strategy.
        strategy: its name.
    """

    record_id_l: int
    record_id_r: int
    match_weight: float
    strategy: str


def strongest_path(links: Sequence[Link], start: int, end: int) -> tuple[Link, ...] | None:
    """Find the chain of links between two records whose weakest link is the strongest, and the shortest of these.

    Args:
        links: of the records' group; more do no harm.
        start: the record to begin with.
        end: the record to end with, another one.

    Returns:
        The links in order from start to end; None if no chain joins them. The other way round it is the same.
    """
    ordered = sorted(links, key=lambda one: (-one.match_weight, one.record_id_l, one.record_id_r))
    weakest = _weakest_link(ordered, start, end)
    if weakest is None:
        return None
    path = _shortest([link for link in ordered if link.match_weight >= weakest], min(start, end), max(start, end))
    return path if start < end else path[::-1]


def spanning_links(left: Ids, right: Ids, weights: Weights) -> Ids:
    """Choose so many of a group's links that the strongest chain between any two records is still among them.

    Args:
        left: one record of each link, of shape (links,).
        right: the other; each couple of records once.
        weights: match weights (log2); infinity is one.

    Returns:
        The places of the links of the maximum spanning tree, ascending: fewer than there are records.
    """
    order = np.lexsort((right, left, -weights))
    # ranks from 1 on, since 0 would be no link; with ranks in the place of weights, infinity is no special case
    ranks = np.empty(order.size, dtype=np.float64)
    ranks[order] = np.arange(1, order.size + 1)
    records, places = np.unique(np.concatenate((left, right)), return_inverse=True)
    sides = places[: left.size], places[left.size :]
    tree = minimum_spanning_tree(csr_array((ranks, sides), shape=(records.size, records.size)))
    return np.sort(order[tree.data.astype(np.int64) - 1])


def _weakest_link(ordered: Sequence[Link], start: int, end: int) -> float | None:
    """Take links from the strongest on until the two records are joined; return the last one's weight."""
    roots: dict[int, int] = {}

    def root_of(record: int) -> int:
        while roots.setdefault(record, record) != record:
            roots[record] = roots[roots[record]]
            record = roots[record]
        return record

    for link in ordered:
        roots[root_of(link.record_id_r)] = root_of(link.record_id_l)
        if root_of(start) == root_of(end):
            return link.match_weight
    return None


def _shortest(links: Sequence[Link], start: int, end: int) -> tuple[Link, ...]:
    """Walk from record to record, the nearest first, until the end is reached, and tell the way back."""
    links_of: dict[int, list[Link]] = {}
    for link in links:
        links_of.setdefault(link.record_id_l, []).append(link)
        links_of.setdefault(link.record_id_r, []).append(link)
    came_by: dict[int, Link | None] = {start: None}
    waiting = deque([start])
    while end not in came_by:
        record = waiting.popleft()
        for link in links_of[record]:
            other = link.record_id_r if link.record_id_l == record else link.record_id_l
            if other not in came_by:
                came_by[other] = link
                waiting.append(other)
    path: list[Link] = []
    at = end
    while (link_here := came_by[at]) is not None:
        path.append(link_here)
        at = link_here.record_id_l if link_here.record_id_r == at else link_here.record_id_r
    return tuple(reversed(path))
