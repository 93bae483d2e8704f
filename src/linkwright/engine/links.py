"""Owns how links make groups: connected components, and the ordered pass where a rule can forbid a link.

Links are between numbered nodes; what a node stands for (a record, a group that exists) is the caller's affair.
Where no rule can be broken, the groups are the connected components, in any order. Only components in which a
rule could be broken are worked through pair by pair, the strongest first. Must not know files, records or ids.

Source: SPEC section 5 (Group: merge, weighted best-link, Quality Reviews); docs/decisions/0011; components by
scipy.sparse.csgraph; the ordered pass is single-linkage agglomeration with constraints (Davidson and Ravi 2005).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from linkwright.engine.id_arrays import NO_IDS, Ids, Mask, Weights

Edges: TypeAlias = tuple[Ids, Ids]
NO_EDGES: Edges = (NO_IDS, NO_IDS)

BLOCK_NODES = 500_000
"""Nodes that are worked through pair by pair at a time: bounds the memory of the lists and sets for it."""


class Refusal(StrEnum):
    """Why a pair joined nothing."""

    APART = "kept_apart"
    AUTHORITATIVE = "one_per_authoritative"
    EXISTING = "two_existing_groups"


@dataclass(frozen=True)
class WeighedPairs:
    """Accepted pairs; all arrays have one entry per pair.

    Args:
        nodes: the two nodes of each.
        weights: match weight (log2), +inf for deterministic pairs.
        record_ids: of the two sides; they decide between equal weights.
        steps: at which step the pair counts; smaller steps are worked through first.
    """

    nodes: Edges
    weights: Weights
    record_ids: Edges
    steps: Ids


@dataclass(frozen=True)
class LinkRules:
    """What binds; without any, groups are connected components.

    Args:
        together: nodes that are in one group whatever the weights.
        apart: nodes that share no group, whatever chain of pairs joins them; never a node with itself.
        exclusive: nodes and a number each: nodes with the same number share no group, unless `together` puts
            them there. A node can have several.
        arrivals: with weighted best-link, the step at which each node came in. At a step, two groups that both
            hold a node of an earlier step exist already, and stay apart. None with merge.
    """

    together: Edges = NO_EDGES
    apart: Edges = NO_EDGES
    exclusive: Edges = NO_EDGES
    arrivals: Ids | None = None


@dataclass(frozen=True)
class Linked:
    """The groups of the nodes.

    Args:
        smallest: per node, the smallest node of its group.
        refused: places of the pairs that joined nothing because of a rule; those of one component in the order in
            which they were tried.
        refusals: why, one per refused pair.
        broken: places in `together` that `apart` forbids.
    """

    smallest: Ids
    refused: Ids = field(default_factory=lambda: NO_IDS)
    refusals: tuple[Refusal, ...] = ()
    broken: Ids = field(default_factory=lambda: NO_IDS)


def link_nodes(
    nodes_count: int, pairs: WeighedPairs, rules: LinkRules, *, block_nodes: int = BLOCK_NODES
) -> Linked:
    """Put nodes into groups.

    Pairs are taken by ascending step, then descending weight (deterministic ones first), then record ids; a pair
    that a rule forbids at its turn is refused. Decisions (`together`) come before all pairs.

    Args:
        nodes_count: nodes are numbered from 0.
        pairs: between nodes; a pair of a node with itself does nothing.
        rules: what binds.
        block_nodes: components in which a rule could be broken are worked through so many nodes at a time, and at
            least one component.

    Returns:
        The groups, and which pairs were refused.
    """
    left, right = (np.concatenate(sides) for sides in zip(pairs.nodes, rules.together, strict=True))
    labels = component_labels(nodes_count, (left, right))
    smallest = smallest_nodes(labels)
    disputed = _disputed(labels, pairs, rules)
    if not disputed.any():
        return Linked(smallest)
    sizes = np.bincount(labels) * disputed
    blocks = np.where(disputed, (np.cumsum(sizes) - sizes) // block_nodes, -1)[labels]
    passed = Linked(smallest)
    for block in np.unique(blocks[blocks >= 0]):
        passed = _OrderedPass(blocks == block, pairs, rules).run(passed)
    return passed


def component_labels(nodes_count: int, edges: Edges) -> Ids:
    """Return, per node, the number of its connected component, from 0.

    Args:
        nodes_count: nodes are numbered from 0.
        edges: the two nodes of each.
    """
    # many pairs can join the same two nodes, and are summed up: a small integer would wrap to 0, which is no edge
    ones = np.ones(edges[0].size, dtype=np.float64)
    _count, labels = connected_components(
        coo_array((ones, edges), shape=(nodes_count, nodes_count)), directed=False
    )
    return np.asarray(labels, dtype=np.int64)


def smallest_nodes(labels: Ids) -> Ids:
    """Return, per node, the smallest node of its component."""
    smallest = np.full(int(labels.max(initial=-1)) + 1, labels.size, dtype=np.int64)
    np.minimum.at(smallest, labels, np.arange(labels.size))
    return np.asarray(smallest[labels], dtype=np.int64)


def _disputed(labels: Ids, pairs: WeighedPairs, rules: LinkRules) -> Mask:
    """Return, per component, whether some rule could be broken in it."""
    count = int(labels.max(initial=-1)) + 1
    disputed = np.zeros(count, dtype=np.bool_)
    sides = labels[rules.apart[0]], labels[rules.apart[1]]
    disputed[sides[0][sides[0] == sides[1]]] = True
    owners, kinds = rules.exclusive
    if owners.size:
        kinds_count = int(kinds.max()) + 1
        held = np.sort(labels[owners] * kinds_count + kinds)
        disputed[held[1:][held[1:] == held[:-1]] // kinds_count] = True
    if rules.arrivals is not None:
        last_steps = np.full(count, np.iinfo(np.int64).min)
        np.maximum.at(last_steps, labels[pairs.nodes[0]], pairs.steps)
        exists = rules.arrivals < last_steps[labels]
        disputed |= np.bincount(labels[exists], minlength=count) > 1
    return disputed


class _OrderedPass:
    """Works through the pairs of some nodes in order; groups only grow, so a rule once in the way stays so."""

    def __init__(self, chosen: Mask, pairs: WeighedPairs, rules: LinkRules) -> None:
        self._nodes = np.flatnonzero(chosen)
        places = np.zeros(chosen.size, dtype=np.int64)
        places[self._nodes] = np.arange(self._nodes.size)
        picked = np.flatnonzero(chosen[pairs.nodes[0]])
        keys = (pairs.record_ids[1], pairs.record_ids[0], -pairs.weights, pairs.steps)
        # lexsort: the last key counts first
        self._order = picked[np.lexsort([key[picked] for key in keys])]
        self._left, self._right = (places[side[self._order]].tolist() for side in pairs.nodes)
        self._steps = pairs.steps[self._order].tolist()
        self._decided = np.flatnonzero(chosen[rules.together[0]])
        self._together = [places[side[self._decided]].tolist() for side in rules.together]
        self._parents = list(range(self._nodes.size))
        self._arrivals = None if rules.arrivals is None else rules.arrivals[self._nodes].tolist()
        self._kinds = _bits(rules.exclusive, chosen, places, self._nodes.size)
        self._apart: dict[int, set[int]] = {}
        within = chosen[rules.apart[0]] & chosen[rules.apart[1]]
        for one, other in zip(*(places[side[within]].tolist() for side in rules.apart), strict=True):
            self._apart.setdefault(one, set()).add(other)
            self._apart.setdefault(other, set()).add(one)

    def run(self, earlier: Linked) -> Linked:
        """Return the groups: of the chosen nodes as worked out here, of the others as given; add to the rest."""
        broken = []
        for place, one, other in zip(self._decided.tolist(), *self._together, strict=True):
            first, second = self._root(one), self._root(other)
            if second in self._apart.get(first, ()):
                broken.append(place)
            elif first != second:
                self._join(first, second)
        refused: list[int] = []
        refusals: list[Refusal] = []
        for turn, (one, other, step) in enumerate(zip(self._left, self._right, self._steps, strict=True)):
            first, second = self._root(one), self._root(other)
            if first == second:
                continue
            refusal = self._refusal(first, second, step)
            if refusal is None:
                self._join(first, second)
            else:
                refused.append(turn)
                refusals.append(refusal)
        roots = np.array([self._root(node) for node in range(self._nodes.size)], dtype=np.int64)
        smallest = earlier.smallest.copy()
        smallest[self._nodes] = self._nodes[roots]
        return Linked(
            smallest,
            np.concatenate((earlier.refused, self._order[np.array(refused, dtype=np.int64)])),
            (*earlier.refusals, *refusals),
            np.concatenate((earlier.broken, np.array(broken, dtype=np.int64))),
        )

    def _root(self, node: int) -> int:
        parents = self._parents
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    def _refusal(self, first: int, second: int, step: int) -> Refusal | None:
        if second in self._apart.get(first, ()):
            return Refusal.APART
        if self._kinds[first] & self._kinds[second]:
            return Refusal.AUTHORITATIVE
        if self._arrivals is not None and self._arrivals[first] < step and self._arrivals[second] < step:
            return Refusal.EXISTING
        return None

    def _join(self, first: int, second: int) -> None:
        root, child = min(first, second), max(first, second)
        self._parents[child] = root
        self._kinds[root] |= self._kinds[child]
        if self._arrivals is not None:
            self._arrivals[root] = min(self._arrivals[root], self._arrivals[child])
        for other in self._apart.pop(child, ()):
            self._apart[other].discard(child)
            self._apart[other].add(root)
            self._apart.setdefault(root, set()).add(other)


def _bits(exclusive: Edges, chosen: Mask, places: Ids, size: int) -> list[int]:
    """Return, per chosen node, its exclusive numbers as the bits of one integer."""
    bits = [0] * size
    inside = chosen[exclusive[0]]
    for place, kind in zip(places[exclusive[0][inside]].tolist(), exclusive[1][inside].tolist(), strict=True):
        bits[place] |= 1 << kind
    return bits
