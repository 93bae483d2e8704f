"""Owns what Quality Reviews say when all are read together: what holds, and what contradicts what.

A later decision about the same two records replaces the earlier one. Of decisions that contradict each other over
a chain of records, the newer ones hold. Must not know groups, weights or files.

Source: SPEC sections 1 (Quality Review) and 5 (Quality Reviews bind); docs/decisions/0012.
"""

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import TypeAlias

RecordPair: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class Decision:
    """A person's decision about two records.

    Args:
        record_id_l: one record.
        record_id_r: the other.
        is_together: whether they belong together; if not, they belong apart.
        batch: a number that is higher the later the decision was made.
    """

    record_id_l: int
    record_id_r: int
    is_together: bool
    batch: int

    @property
    def pair(self) -> RecordPair:
        """The two records, the smaller id first."""
        return min(self.record_id_l, self.record_id_r), max(self.record_id_l, self.record_id_r)


@dataclass(frozen=True)
class Contradiction:
    """Decisions of which not all can hold.

    Args:
        left_out: the decision that does not hold: the oldest of them or, of one batch, the one taken last.
        apart: the two records that were put apart, by it or by another decision.
        chain: the records that decisions put together, from one of those two to the other; neighbours were put
            together.
    """

    left_out: Decision
    apart: RecordPair
    chain: tuple[int, ...]

    def __str__(self) -> str:
        """Return a full sentence with the records, what holds, and the remedy."""
        word = "together" if self.left_out.is_together else "apart"
        one, other = self.left_out.pair
        links = ", ".join(f"{a}-{b}" for a, b in pairwise(self.chain))
        joined = f"decisions put them together through {links}" if links else "they are one record"
        return (
            f"Records {self.apart[0]} and {self.apart[1]} were put apart, but {joined}. Of these "
            f"decisions, the one that {one} and {other} belong {word} does not hold: newer ones go before older "
            "ones, and apart before together. Review these records, and decide anew the pair that is wrong."
        )


@dataclass(frozen=True)
class Settled:
    """What holds; it is free of contradictions.

    Args:
        together: pairs of records that share a group; through them, so do all that they connect.
        apart: pairs of records that never share one.
        contradictions: what does not hold, the newest first.
    """

    together: tuple[RecordPair, ...] = ()
    apart: tuple[RecordPair, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()

    @property
    def record_ids(self) -> set[int]:
        """All records that decisions name."""
        held = {record_id for pair in (*self.together, *self.apart) for record_id in pair}
        return held.union(*(contradiction.chain for contradiction in self.contradictions))


def settle(decisions: Iterable[Decision]) -> Settled:
    """Work out which decisions hold.

    They are taken from the newest to the oldest (in one batch: apart before together, then by record ids), and
    each holds unless it contradicts what holds already. So the result depends on nothing else.

    Args:
        decisions: in any order.
    """
    latest: dict[RecordPair, Decision] = {}
    clusters = _Clusters()
    contradictions: list[Contradiction] = []
    # the smaller id first, so that it does not matter which way round the same decision was told
    told_once = {
        (-one.batch, one.is_together, one.pair): Decision(*one.pair, one.is_together, one.batch)
        for one in decisions
    }
    for _turn, decision in sorted(told_once.items(), key=itemgetter(0)):
        newest = latest.setdefault(decision.pair, decision)
        # an older decision about the same two records is replaced, without a word
        if newest.batch == decision.batch:
            contradictions.extend(clusters.take(decision))
    return Settled(tuple(clusters.together), tuple(clusters.apart), tuple(contradictions))


def between_live(settled: Settled, live: Collection[int]) -> tuple[list[RecordPair], list[RecordPair]]:
    """Say what decisions mean for the records that are left.

    A decision outlives the records that it was made with: if A and B, and B and C, belong together, A and C still
    do when B is deleted.

    Args:
        settled: what holds.
        live: the record ids that there are; those that decisions name are enough.

    Returns:
        Pairs of live records that belong together, and that belong apart, each without doubles.
    """
    clusters = _Clusters()
    for pair in settled.together:
        clusters.join(*pair)
    members: dict[int, list[int]] = {}
    for record_id in sorted({record_id for pair in settled.together for record_id in pair}):
        if record_id in live:
            members.setdefault(clusters.root(record_id), []).append(record_id)
    together = [pair for alive in members.values() for pair in pairwise(alive)]
    apart: dict[RecordPair, None] = {}
    for pair in settled.apart:
        ends = [_stand_in(record_id, clusters, members, live) for record_id in pair]
        if ends[0] is not None and ends[1] is not None:
            apart[(min(ends[0], ends[1]), max(ends[0], ends[1]))] = None
    return together, list(apart)


def _stand_in(
    record_id: int, clusters: "_Clusters", members: dict[int, list[int]], live: Collection[int]
) -> int | None:
    if record_id in live:
        return record_id
    alive: Sequence[int] = members.get(clusters.root(record_id), ())
    return alive[0] if alive else None


class _Clusters:
    """The decisions that hold so far, and what they connect."""

    def __init__(self) -> None:
        self.together: list[RecordPair] = []
        self.apart: list[RecordPair] = []
        self._parents: dict[int, int] = {}
        self._neighbours: dict[int, list[int]] = {}
        # root → root it must not join → the decision that says so
        self._forbidden: dict[int, dict[int, RecordPair]] = {}

    def take(self, decision: Decision) -> tuple[Contradiction, ...]:
        """Let the decision hold, or say what it contradicts."""
        one, other = decision.pair
        first, second = self.root(one), self.root(other)
        if not decision.is_together:
            if first == second:
                return (Contradiction(decision, decision.pair, self._chain(one, other)),)
            self.apart.append(decision.pair)
            self._forbidden.setdefault(first, {}).setdefault(second, decision.pair)
            self._forbidden.setdefault(second, {}).setdefault(first, decision.pair)
            return ()
        forbidden = self._forbidden.get(first, {}).get(second)
        if forbidden is not None:
            # the decision would close the chain between the two that are apart
            start, end = forbidden if self.root(forbidden[0]) == first else forbidden[::-1]
            chain = (*self._chain(start, one), *self._chain(other, end))
            return (Contradiction(decision, forbidden, chain),)
        if one != other:
            self.together.append(decision.pair)
            self._neighbours.setdefault(one, []).append(other)
            self._neighbours.setdefault(other, []).append(one)
            self.join(one, other)
        return ()

    def root(self, record_id: int) -> int:
        parents = self._parents
        while (parent := parents.setdefault(record_id, record_id)) != record_id:
            parents[record_id] = parents[parent]
            record_id = parents[record_id]
        return record_id

    def join(self, one: int, other: int) -> None:
        first, second = self.root(one), self.root(other)
        if first == second:
            return
        root, child = min(first, second), max(first, second)
        self._parents[child] = root
        for enemy, pair in self._forbidden.pop(child, {}).items():
            del self._forbidden[enemy][child]
            self._forbidden[enemy].setdefault(root, pair)
            self._forbidden.setdefault(root, {}).setdefault(enemy, pair)

    def _chain(self, start: int, end: int) -> tuple[int, ...]:
        """Return the shortest way between two records over decisions that put together."""
        came_from = {start: start}
        waiting = deque([start])
        while end not in came_from:
            record_id = waiting.popleft()
            for neighbour in self._neighbours.get(record_id, ()):
                if neighbour not in came_from:
                    came_from[neighbour] = record_id
                    waiting.append(neighbour)
        way = [end]
        while way[-1] != start:
            way.append(came_from[way[-1]])
        return tuple(reversed(way))
