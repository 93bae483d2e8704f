"""Owns what a batch quality review means: which records belong together and which apart, by their target groups.

A record that is listed leaves those of its group that are not listed with the same target, and joins all that are:
it is moved, as the reviewer said. Must not know files, nor how groups come about (`reviews` settles decisions).

Source: SPEC sections 1 (Quality Review) and 2 (batch quality review).
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple


class Decisions(NamedTuple):
    """Pairs of record ids, the smaller first, ascending, each once."""

    together: tuple[tuple[int, int], ...]
    apart: tuple[tuple[int, int], ...]


def decisions_of(targets: Mapping[int, str], groups: Iterable[Sequence[int]]) -> Decisions:
    """Turn targets into decisions.

    Args:
        targets: the target group of each listed record, by record id.
        groups: the members of every current group that holds a listed record.

    Returns:
        Together: the records of a target, as a chain. Apart: in each current group, one record of each target
        from one of every other target and from every member that is not listed; the chains carry it to the rest.
    """
    parts: dict[str, list[int]] = {}
    for record_id, target in sorted(targets.items()):
        parts.setdefault(target, []).append(record_id)
    together = {pair for members in parts.values() for pair in pairwise(members)}
    apart: set[tuple[int, int]] = set()
    for group in groups:
        listed = sorted({targets[record_id] for record_id in group if record_id in targets})
        speakers = [parts[target][0] for target in listed]
        unlisted = [record_id for record_id in group if record_id not in targets]
        apart.update(_ordered(one, other) for one, other in combinations(speakers, 2))
        apart.update(_ordered(speaker, other) for speaker in speakers for other in unlisted)
    return Decisions(tuple(sorted(together)), tuple(sorted(apart)))


def _ordered(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)
