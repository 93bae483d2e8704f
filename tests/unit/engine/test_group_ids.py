"""Ids of groups: they stay, merge to the oldest, go with the oldest record, and are numbered in order."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkwright.engine.group_ids import Growth, Renumbering, grow_groups, renumber_groups
from linkwright.engine.links import component_labels, smallest_nodes


def ids(numbers: Sequence[int]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array(numbers, dtype=np.int64)


def grown(groups: Sequence[int], new_count: int, links: Sequence[tuple[int, int]]) -> Growth:
    """Name the groups of nodes: the existing groups first, then the new records."""
    count = len(groups) + new_count
    left, right = (ids([link[side] for link in links]) for side in (0, 1))
    smallest = smallest_nodes(component_labels(count, (left, right)))
    return grow_groups(ids(groups), new_count, smallest, 100)


def test_records_without_links_found_groups_in_order() -> None:
    growth = grown([], 3, [])
    assert growth.new_group_ids.tolist() == [100, 101, 102]
    assert (growth.new_groups_count, growth.joined_records_count, growth.next_group_id) == (3, 0, 103)


def test_new_groups_are_numbered_in_order_of_their_smallest_record() -> None:
    assert grown([], 4, [(1, 2), (0, 3)]).new_group_ids.tolist() == [100, 101, 101, 100]


def test_a_group_keeps_its_id_when_it_grows() -> None:
    growth = grown([20], 2, [(0, 1), (1, 2)])
    assert growth.new_group_ids.tolist() == [20, 20]
    assert (growth.joined_records_count, growth.next_group_id) == (2, 100)
    assert growth.grown_group_ids.tolist() == [20]
    assert growth.absorbed_group_ids.size == 0


def test_merged_groups_take_the_oldest_id() -> None:
    growth = grown([10, 20, 30], 1, [(2, 3), (1, 3), (0, 3)])
    assert growth.new_group_ids.tolist() == [10]
    assert growth.absorbed_group_ids.tolist() == [20, 30]
    assert growth.absorbing_group_ids.tolist() == [10, 10]
    assert growth.grown_group_ids.tolist() == [10]


def test_existing_groups_can_merge_without_a_new_record() -> None:
    growth = grown([20, 30], 0, [(0, 1)])
    assert (growth.absorbed_group_ids.tolist(), growth.absorbing_group_ids.tolist()) == ([30], [20])


def anew(old: Sequence[int], parts: Sequence[int]) -> Renumbering:
    """Name groups of records, which are given by the place of the first record of each one's part."""
    return renumber_groups(ids(old), ids(parts), 100)


def test_the_part_with_the_oldest_record_keeps_the_id_of_a_split_group() -> None:
    renumbering = anew([7, 7, 7, 7, 7], [0, 1, 1, 0, 4])
    assert renumbering.group_ids.tolist() == [7, 100, 100, 7, 101]
    assert renumbering.split_group_ids.tolist() == [7]
    assert (renumbering.new_groups_count, renumbering.next_group_id) == (2, 102)


def test_groups_that_become_one_take_the_oldest_id() -> None:
    renumbering = anew([9, 8, 8], [0, 0, 0])
    assert renumbering.group_ids.tolist() == [8, 8, 8]
    assert renumbering.ended_group_ids.tolist() == [9]
    assert renumbering.split_group_ids.tolist() == []


def test_records_without_a_group_join_or_found_one_and_are_no_group_of_their_own() -> None:
    renumbering = anew([5, 0, 0, 0], [0, 0, 2, 2])
    assert renumbering.group_ids.tolist() == [5, 5, 100, 100]
    assert (renumbering.split_group_ids.tolist(), renumbering.ended_group_ids.tolist()) == ([], [])
    assert renumbering.new_groups_count == 1


def test_a_group_that_loses_records_to_another_is_split_and_both_keep_their_ids() -> None:
    renumbering = anew([3, 3, 5, 5], [0, 1, 1, 1])
    assert renumbering.group_ids.tolist() == [3, 5, 5, 5]
    assert renumbering.split_group_ids.tolist() == [3]
    assert renumbering.ended_group_ids.tolist() == []


def test_groups_worked_out_anew_without_a_change_keep_their_ids() -> None:
    renumbering = anew([2, 1, 2, 1], [0, 1, 0, 1])
    assert renumbering.group_ids.tolist() == [2, 1, 2, 1]
    assert (renumbering.new_groups_count, renumbering.next_group_id) == (0, 100)


def test_without_records_nothing_is_named() -> None:
    assert anew([], []).group_ids.tolist() == []


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 9)), max_size=14))
def test_every_part_has_an_id_of_its_own_and_no_id_comes_from_elsewhere(rows: list[tuple[int, int]]) -> None:
    old = [group for group, _label in rows]
    labels = [label for _group, label in rows]
    parts = [labels.index(label) for label in labels]
    renumbering = anew(old, parts)
    named = dict(zip(parts, renumbering.group_ids.tolist(), strict=True))
    assert [named[part] for part in parts] == renumbering.group_ids.tolist()
    assert len(set(named.values())) == len(named)
    for part, name in named.items():
        members = [old[place] for place in range(len(old)) if parts[place] == part]
        assert name in members or 100 <= name < renumbering.next_group_id
    assert set(renumbering.ended_group_ids.tolist()) == set(old) - set(named.values())
    split = {
        group for group in old if len({part for part, one in zip(parts, old, strict=True) if one == group}) > 1
    }
    assert set(renumbering.split_group_ids.tolist()) == split
