"""Owns the path between two records of a group: the chain of links that holds them together best.

Of all chains, the one whose weakest link is the strongest: the path in the maximum spanning tree (Kruskal 1956).
Must not know where links come from.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple


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
    """Find the chain of links between two records whose weakest link is the strongest.

    Args:
        links: of the records' group; more do no harm.
        start: the record to begin with.
        end: the record to end with, another one.

    Returns:
        The links in order from start to end; None if no chain joins them.
    """
    roots: dict[int, int] = {}

    def root_of(record: int) -> int:
        while roots.setdefault(record, record) != record:
            roots[record] = roots[roots[record]]
            record = roots[record]
        return record

    tree: dict[int, list[Link]] = {}
    for link in sorted(links, key=lambda one: (-one.match_weight, one.record_id_l, one.record_id_r)):
        left, right = root_of(link.record_id_l), root_of(link.record_id_r)
        if left != right:
            roots[right] = left
            tree.setdefault(link.record_id_l, []).append(link)
            tree.setdefault(link.record_id_r, []).append(link)
    return _walk(tree, start, end)


def _walk(tree: dict[int, list[Link]], start: int, end: int) -> tuple[Link, ...] | None:
    """Find the one way between two records of a tree."""
    came_by: dict[int, Link | None] = {start: None}
    waiting = deque([start])
    while waiting and end not in came_by:
        record = waiting.popleft()
        for link in tree.get(record, []):
            other = link.record_id_r if link.record_id_l == record else link.record_id_l
            if other not in came_by:
                came_by[other] = link
                waiting.append(other)
    if end not in came_by:
        return None
    path: list[Link] = []
    at = end
    while (link_here := came_by[at]) is not None:
        path.append(link_here)
        at = link_here.record_id_l if link_here.record_id_r == at else link_here.record_id_r
    return tuple(reversed(path))
