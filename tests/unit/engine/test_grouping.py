"""Merging: groups equal networkx's components, and ids stay, merge to the oldest and are numbered in order."""

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkwright.engine.grouping import Merge, UnknownRecordError, merge_groups

HELD = {1: 10, 2: 10, 3: 20, 4: 30}
"""Record id → group id of the live map in the examples."""


def merged(
    new: Sequence[int], pairs: Sequence[tuple[int, int]], held: dict[int, int], next_group_id: int = 100
) -> Merge:
    sides = [np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1)]
    groups = [np.array([held.get(int(i), -1) for i in side], dtype=np.int64) for side in sides]
    return merge_groups(np.array(new, dtype=np.int64), (sides[0], sides[1]), (groups[0], groups[1]), next_group_id)


def test_records_without_pairs_found_groups_in_order_of_their_ids() -> None:
    merge = merged([9, 7, 8], [], HELD)
    assert merge.new_group_ids.tolist() == [102, 100, 101]
    assert (merge.new_groups_count, merge.joined_records_count, merge.next_group_id) == (3, 0, 103)


def test_new_groups_are_numbered_in_order_of_their_smallest_record() -> None:
    merge = merged([5, 6, 7, 8], [(6, 7), (5, 8)], HELD)
    assert merge.new_group_ids.tolist() == [100, 101, 101, 100]
    assert merge.new_groups_count == 2


def test_a_group_keeps_its_id_when_it_grows() -> None:
    merge = merged([5, 6], [(3, 5), (5, 6)], HELD)
    assert merge.new_group_ids.tolist() == [20, 20]
    assert merge.joined_records_count == 2
    assert merge.grown_group_ids.tolist() == [20]
    assert merge.absorbed_group_ids.size == 0
    assert merge.next_group_id == 100


def test_merged_groups_take_the_oldest_id() -> None:
    merge = merged([5], [(4, 5), (3, 5), (1, 5)], HELD)
    assert merge.new_group_ids.tolist() == [10]
    assert merge.absorbed_group_ids.tolist() == [20, 30]
    assert merge.absorbing_group_ids.tolist() == [10, 10]
    assert merge.grown_group_ids.tolist() == [10]


def test_a_pair_of_held_records_merges_their_groups() -> None:
    merge = merged([], [(3, 4)], HELD)
    assert (merge.absorbed_group_ids.tolist(), merge.absorbing_group_ids.tolist()) == ([30], [20])


def test_hundreds_of_pairs_between_the_same_two_groups_are_one_connection() -> None:
    held = {number: 1 if number < 512 else 2 for number in range(1024)}
    merge = merged([], [(number, number + 512) for number in range(512)], held)
    assert (merge.absorbed_group_ids.tolist(), merge.absorbing_group_ids.tolist()) == ([2], [1])


def test_a_pair_with_an_unknown_record_is_refused() -> None:
    with pytest.raises(UnknownRecordError, match="the record 77, which is neither new nor in the linkage map"):
        merged([5], [(5, 77)], HELD)
    with pytest.raises(UnknownRecordError, match="the record 6"):
        merged([], [(1, 6)], HELD)


RECORDS = st.integers(0, 24)


@given(
    held_pairs=st.lists(st.tuples(RECORDS, RECORDS), max_size=12),
    new_pairs=st.lists(st.tuples(RECORDS, RECORDS), max_size=20),
    held_count=st.integers(0, 25),
)
def test_groups_are_the_connected_components_of_all_pairs_with_the_oldest_ids(
    held_pairs: list[tuple[int, int]], new_pairs: list[tuple[int, int]], held_count: int
) -> None:
    held_pairs = [pair for pair in held_pairs if max(pair) < held_count]
    first = merged(range(held_count), held_pairs, {}, 1)
    held = dict(zip(range(held_count), first.new_group_ids.tolist(), strict=True))
    new = list(range(held_count, 25))
    merge = merged(new, new_pairs, held, first.next_group_id)
    becomes = dict(zip(merge.absorbed_group_ids.tolist(), merge.absorbing_group_ids.tolist(), strict=True))
    after = {record: becomes.get(group, group) for record, group in held.items()}
    after |= dict(zip(new, merge.new_group_ids.tolist(), strict=True))

    graph = nx.Graph([*held_pairs, *new_pairs])
    graph.add_nodes_from(range(25))
    for component in nx.connected_components(graph):
        groups = {after[record] for record in component}
        assert len(groups) == 1
        before = {held[record] for record in component if record in held}
        assert groups <= ({min(before)} if before else set(range(first.next_group_id, merge.next_group_id)))
    assert len(set(after.values())) == nx.number_connected_components(graph)
    assert len(set(after.values())) == first.new_groups_count + merge.new_groups_count - len(becomes)
