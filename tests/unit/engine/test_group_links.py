"""Links between nodes: components by networkx, and every rule against a simulation in plain Python sets."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkwright.engine.links import Linked, LinkRules, Refusal, WeighedPairs, link_nodes

COUNT = 9


class Pair(NamedTuple):
    """An accepted pair of nodes at a step."""

    left: int
    right: int
    weight: float
    step: int = 1


class Rules(NamedTuple):
    """Rules between nodes; `exclusive` are (node, Event Type) and `arrivals` the step of each node."""

    together: Sequence[tuple[int, int]] = ()
    apart: Sequence[tuple[int, int]] = ()
    exclusive: Sequence[tuple[int, int]] = ()
    arrivals: Sequence[int] | None = None


def edges(pairs: Sequence[tuple[int, ...]]) -> tuple["np.ndarray[tuple[int], np.dtype[np.int64]]", ...]:
    return tuple(np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))


NO_RULES = Rules()


def linked(pairs: Sequence[Pair], rules: Rules = NO_RULES, count: int = COUNT, **settings: int) -> Linked:
    left, right = edges([pair[:2] for pair in pairs])
    weighed = WeighedPairs(
        nodes=(left, right),
        weights=np.array([pair.weight for pair in pairs], dtype=np.float64),
        record_ids=(left, right),
        steps=np.array([pair.step for pair in pairs], dtype=np.int64),
    )
    together, apart, exclusive = (edges(one) for one in (rules.together, rules.apart, rules.exclusive))
    arrivals = None if rules.arrivals is None else np.array(rules.arrivals, dtype=np.int64)
    bound = LinkRules((together[0], together[1]), (apart[0], apart[1]), (exclusive[0], exclusive[1]), arrivals)
    return link_nodes(count, weighed, bound, **settings)


def partition(result: Linked) -> set[frozenset[int]]:
    smallest = result.smallest.tolist()
    return {frozenset(node for node, first in enumerate(smallest) if first == root) for root in smallest}


def test_without_rules_groups_are_components() -> None:
    result = linked([Pair(0, 3, 5.0), Pair(3, 8, 6.0), Pair(1, 2, 7.0)], count=9)
    assert result.smallest.tolist() == [0, 1, 1, 0, 4, 5, 6, 7, 0]
    assert result.refused.size == 0


def test_hundreds_of_pairs_between_the_same_two_nodes_are_one_connection() -> None:
    assert linked([Pair(0, 1, 5.0)] * 512, count=2).smallest.tolist() == [0, 0]


def test_two_nodes_that_are_apart_share_no_group_whatever_chain_joins_them() -> None:
    result = linked([Pair(0, 1, 9.0), Pair(1, 2, 8.0), Pair(2, 3, 7.0)], Rules(apart=[(0, 3)]))
    assert frozenset({0, 1, 2}) in partition(result)
    assert (result.refused.tolist(), result.refusals) == ([2], (Refusal.APART,))


def test_the_weakest_link_of_the_chain_is_the_one_that_gives() -> None:
    result = linked([Pair(0, 1, 5.5), Pair(1, 2, 8.0), Pair(2, 3, 7.0)], Rules(apart=[(0, 3)]))
    assert {frozenset({0}), frozenset({1, 2, 3})} <= partition(result)


def test_deterministic_pairs_come_first_and_equal_weights_go_by_record_ids() -> None:
    apart = Rules(apart=[(0, 2)])
    assert frozenset({1, 2}) in partition(linked([Pair(0, 1, 99.0), Pair(1, 2, math.inf)], apart))
    assert frozenset({0, 1}) in partition(linked([Pair(1, 2, 9.0), Pair(0, 1, 9.0)], apart))


def test_decisions_come_before_pairs_of_any_weight() -> None:
    result = linked([Pair(0, 1, math.inf)], Rules(together=[(1, 2)], apart=[(0, 2)]))
    assert {frozenset({0}), frozenset({1, 2})} <= partition(result)


def test_nodes_with_the_same_exclusive_number_share_no_group() -> None:
    result = linked([Pair(0, 1, 9.0), Pair(1, 2, 8.0)], Rules(exclusive=[(0, 4), (2, 4), (1, 3)]))
    assert {frozenset({0, 1}), frozenset({2})} <= partition(result)
    assert result.refusals == (Refusal.AUTHORITATIVE,)


def test_a_decision_outweighs_the_exclusive_number() -> None:
    result = linked([], Rules(together=[(0, 2)], exclusive=[(0, 4), (2, 4)]))
    assert frozenset({0, 2}) in partition(result)


def test_decisions_that_the_nodes_cannot_keep_are_named() -> None:
    result = linked([], Rules(together=[(0, 1), (1, 2)], apart=[(0, 2)]))
    assert frozenset({0, 1}) in partition(result)
    assert result.broken.tolist() == [1]


def test_with_best_link_existing_groups_never_merge() -> None:
    arrivals = [0, 0, 1, 1, 1, 1, 1, 1, 1]
    result = linked([Pair(0, 2, 9.0), Pair(1, 2, 8.0), Pair(0, 1, 7.0)], Rules(arrivals=arrivals))
    assert {frozenset({0, 2}), frozenset({1})} <= partition(result)
    assert result.refused.tolist() == [1, 2]
    assert result.refusals == (Refusal.EXISTING, Refusal.EXISTING)


def test_with_best_link_new_records_that_joined_each_other_join_one_existing_group_together() -> None:
    arrivals = [0, 0, 1, 1, 1, 1, 1, 1, 1]
    result = linked([Pair(2, 3, 9.0), Pair(1, 2, 8.0), Pair(0, 3, 7.0)], Rules(arrivals=arrivals))
    assert {frozenset({0}), frozenset({1, 2, 3})} <= partition(result)


def test_what_comes_about_in_a_step_exists_in_the_next() -> None:
    pairs = [Pair(0, 1, 6.0, 1), Pair(2, 3, 6.0, 1), Pair(1, 4, 9.0, 2), Pair(3, 4, 8.0, 2)]
    result = linked(pairs, Rules(arrivals=[1, 1, 1, 1, 2, 2, 2, 2, 2]))
    assert {frozenset({0, 1, 4}), frozenset({2, 3})} <= partition(result)


NODES = st.integers(0, COUNT - 1)
WEIGHTS = st.sampled_from([5.0, 6.0, 7.0, math.inf])
COUPLES = st.tuples(NODES, NODES)
PAIRS = st.lists(st.builds(Pair, NODES, NODES, WEIGHTS, st.integers(1, 3)), max_size=16)
RULES = st.builds(
    Rules,
    together=st.lists(COUPLES, max_size=3),
    apart=st.lists(COUPLES.filter(lambda couple: couple[0] != couple[1]), max_size=4),
    exclusive=st.lists(st.tuples(NODES, st.integers(0, 1)), max_size=5, unique=True),
    arrivals=st.none() | st.lists(st.integers(0, 3), min_size=COUNT, max_size=COUNT),
)


@given(PAIRS)
def test_without_rules_groups_equal_networkx_components_in_any_order(pairs: list[Pair]) -> None:
    graph: nx.Graph[int] = nx.Graph([pair[:2] for pair in pairs])
    graph.add_nodes_from(range(COUNT))
    assert partition(linked(pairs)) == {frozenset(component) for component in nx.connected_components(graph)}
    assert np.array_equal(linked(pairs).smallest, linked(pairs[::-1]).smallest)


@given(PAIRS, RULES)
def test_every_rule_holds_as_in_a_simulation_pair_by_pair(pairs: list[Pair], rules: Rules) -> None:
    result = linked(pairs, rules)
    groups, refused, broken = simulated(pairs, rules)
    assert partition(result) == groups
    assert [
        (pairs[place], why) for place, why in zip(result.refused.tolist(), result.refusals, strict=True)
    ] == refused
    assert result.broken.tolist() == broken
    for one, other in rules.apart:
        assert result.smallest[one] != result.smallest[other]


@given(PAIRS, RULES, st.integers(1, COUNT))
def test_working_through_few_nodes_at_a_time_changes_nothing(
    pairs: list[Pair], rules: Rules, block_nodes: int
) -> None:
    whole, parts = linked(pairs, rules), linked(pairs, rules, block_nodes=block_nodes)
    assert np.array_equal(whole.smallest, parts.smallest)
    assert dict(zip(whole.refused.tolist(), whole.refusals, strict=True)) == dict(
        zip(parts.refused.tolist(), parts.refusals, strict=True)
    )
    assert set(whole.broken.tolist()) == set(parts.broken.tolist())


class Simulation:
    """Groups as plain sets, and the rules as their definitions say."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.groups = [{node} for node in range(COUNT)]

    def group_of(self, node: int) -> set[int]:
        return next(group for group in self.groups if node in group)

    def join(self, first: set[int], second: set[int]) -> None:
        if first is not second:
            self.groups.remove(second)
            first |= second

    def are_apart(self, first: set[int], second: set[int]) -> bool:
        return any((a in first and b in second) or (b in first and a in second) for a, b in self.rules.apart)

    def kinds(self, group: set[int]) -> set[int]:
        return {kind for node, kind in self.rules.exclusive if node in group}

    def exists(self, group: set[int], step: int) -> bool:
        arrivals = self.rules.arrivals
        return arrivals is not None and any(arrivals[node] < step for node in group)

    def refusal(self, first: set[int], second: set[int], step: int) -> Refusal | None:
        if self.are_apart(first, second):
            return Refusal.APART
        if self.kinds(first) & self.kinds(second):
            return Refusal.AUTHORITATIVE
        return Refusal.EXISTING if self.exists(first, step) and self.exists(second, step) else None


def simulated(
    pairs: Sequence[Pair], rules: Rules
) -> tuple[set[frozenset[int]], list[tuple[Pair, Refusal]], list[int]]:
    """Take pair by pair, with no shortcut."""
    simulation = Simulation(rules)
    broken = []
    for place, (one, other) in enumerate(rules.together):
        first, second = simulation.group_of(one), simulation.group_of(other)
        if simulation.are_apart(first, second):
            broken.append(place)
        else:
            simulation.join(first, second)
    refused = []
    for pair in sorted(pairs, key=lambda one: (one.step, -one.weight, one.left, one.right)):
        first, second = simulation.group_of(pair.left), simulation.group_of(pair.right)
        if first is second:
            continue
        refusal = simulation.refusal(first, second, pair.step)
        if refusal is None:
            simulation.join(first, second)
        else:
            refused.append((pair, refusal))
    return {frozenset(group) for group in simulation.groups}, refused, broken
