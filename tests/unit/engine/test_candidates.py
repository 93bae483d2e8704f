"""Candidate pairs in sorted key lists, against pairs that are found by looking at every two records."""

from collections.abc import Sequence
from itertools import combinations
from random import Random
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkwright.engine.candidates import (
    Chunk,
    KeyList,
    Search,
    candidate_pairs,
    find_blocks,
    merged,
    plan_chunks,
    prepare_search,
    split_list,
)

RecordKeys: TypeAlias = Sequence[frozenset[int]]
"""Per record of a batch, the keys that it has under one rule: none, one, or several."""
Batch: TypeAlias = Sequence[Sequence[frozenset[int]]]
"""Per rule, the keys of each record of a batch."""


def key_list(records: RecordKeys) -> KeyList:
    entries = sorted((key, position) for position, keys in enumerate(records) for key in keys)
    return KeyList(
        np.array([key for key, _position in entries], dtype=np.uint64),
        np.array([position for _key, position in entries], dtype=np.uint32),
    )


def searches(new: Batch, held: Sequence[Batch]) -> list[Search]:
    count = len(new[0])
    starts = [count + sum(len(batch[0]) for batch in held[:number]) for number in range(len(held))]
    prepared = []
    for rule, records in enumerate(new):
        new_list, held_lists = key_list(records), [key_list(batch[rule]) for batch in held]
        prepared.append(prepare_search(rule, new_list, held_lists, starts, find_blocks(new_list, held_lists)))
    return prepared


def found_pairs(new: Batch, held: Sequence[Batch], chunk_pairs_count: int) -> list[tuple[int, int, int]]:
    """Return owner, partner and rule of all pairs, chunk after chunk."""
    prepared = searches(new, held)
    pairs: list[tuple[int, int, int]] = []
    for chunk in plan_chunks(prepared, len(new[0]), chunk_pairs_count):
        found = candidate_pairs(prepared, chunk)
        pairs += zip(found.owners.tolist(), found.partners.tolist(), found.rules.tolist(), strict=True)
    return pairs


def expected_pairs(new: Batch, held: Sequence[Batch]) -> list[tuple[int, int, int]]:
    """Look at every two records of which one is new, rule by rule."""
    records = [list(zip(*batch, strict=True)) for batch in (new, *held)]
    numbered = list(enumerate(keys for batch in records for keys in batch))
    new_count = len(records[0])
    pairs = []
    for (one, one_keys), (other, other_keys) in combinations(numbered, 2):
        if one >= new_count:
            continue
        owner, partner = (other, one) if other < new_count else (one, other)
        rules = [rule for rule, (own, its) in enumerate(zip(one_keys, other_keys, strict=True)) if own & its]
        if rules:
            pairs.append((owner, partner, rules[0]))
    return sorted(pairs)


KEYS = st.one_of(
    st.just(frozenset[int]()),
    st.integers(0, 3).map(lambda key: frozenset({key})),
    st.frozensets(st.integers(0, 5), max_size=3),
)


def batch_of(rules_count: int, least: int = 0) -> st.SearchStrategy[Batch]:
    def of_size(size: int) -> st.SearchStrategy[Batch]:
        return st.lists(st.lists(KEYS, min_size=size, max_size=size), min_size=rules_count, max_size=rules_count)

    return st.integers(least, 8).flatmap(of_size)


@given(new=batch_of(2), held=st.lists(batch_of(2), max_size=3), chunk_pairs_count=st.sampled_from([1, 4, 1000]))
def test_each_pair_of_a_new_record_is_found_once_under_its_first_rule(
    new: Batch, held: Sequence[Batch], chunk_pairs_count: int
) -> None:
    found = found_pairs(new, held, chunk_pairs_count)
    assert found == sorted(found)
    assert found == expected_pairs(new, held)


@given(new=batch_of(1, least=1), held=st.lists(batch_of(1), max_size=3))
def test_blocks_are_counted_before_their_pairs_are_made(new: Batch, held: Sequence[Batch]) -> None:
    new_list, held_lists = key_list(new[0]), [key_list(batch[0]) for batch in held]
    blocks = find_blocks(new_list, held_lists)
    sizes = {}
    for key in range(6):
        new_count = sum(key in keys for keys in new[0])
        held_count = sum(key in keys for batch in held for keys in batch[0])
        if new_count and new_count + held_count > 1:
            sizes[key] = (new_count, held_count, new_count * (new_count - 1) // 2 + new_count * held_count)
    counted = zip(
        blocks.new_counts.tolist(), blocks.held_counts.tolist(), blocks.pairs_counts.tolist(), strict=True
    )
    keys = new_list.keys[blocks.starts].tolist()
    assert dict(zip(keys, counted, strict=True)) == sizes


def people(count: int) -> Batch:
    random = Random(count)
    return [[frozenset({random.randrange(count // 4 + 1)}) for _ in range(count)] for _rule in range(3)]


@pytest.mark.parametrize("chunk_pairs_count", [1, 50, 10_000])
def test_chunks_hold_about_as_many_pairs_as_wished_and_all_together(chunk_pairs_count: int) -> None:
    new, held = people(200), [people(100), people(3)]
    prepared = searches(new, held)
    chunks = plan_chunks(prepared, 200, chunk_pairs_count)
    assert sum(chunk.pairs_count for chunk in chunks) == sum(
        int(search.blocks.pairs_counts.sum()) for search in prepared
    )
    assert all(chunk.pairs_count <= chunk_pairs_count or chunk.end == chunk.first + 1 for chunk in chunks)
    assert [chunk.first for chunk in chunks] == sorted(chunk.first for chunk in chunks)
    assert found_pairs(new, held, chunk_pairs_count) == expected_pairs(new, held)


def test_without_pairs_there_is_no_chunk() -> None:
    alone: Batch = [[frozenset({1}), frozenset({2}), frozenset()]]
    assert plan_chunks(searches(alone, []), 3, 10) == ()
    assert plan_chunks(searches([[]], [alone]), 0, 10) == ()


def test_chosen_blocks_keep_their_held_records() -> None:
    new: Batch = [[frozenset({1}), frozenset({2}), frozenset({3})]]
    held: Batch = [[frozenset({1}), frozenset({3}), frozenset({3})]]
    new_list, held_list = key_list(new[0]), key_list(held[0])
    blocks = find_blocks(new_list, [held_list])
    chosen = blocks.only(new_list.keys[blocks.starts] == 3)
    assert (chosen.new_counts.tolist(), chosen.held_counts.tolist()) == ([1], [2])
    search = prepare_search(0, new_list, [held_list], [3], chosen)
    pairs = candidate_pairs([search], Chunk(0, 3, 2))
    assert pairs.partners.tolist() == [4, 5]


def test_the_lists_of_several_new_batches_become_one() -> None:
    one, other = key_list([frozenset({5}), frozenset({2})]), key_list([frozenset({2}), frozenset()])
    together = merged([one, other], [0, 2])
    assert (together.keys.tolist(), together.positions.tolist()) == ([2, 2, 5], [1, 2, 0])


def test_ended_records_are_left_out() -> None:
    left = key_list([frozenset({1}), frozenset({1}), frozenset({2})]).without(np.array([False, True, False]))
    assert (left.keys.tolist(), left.positions.tolist()) == ([1, 2], [0, 2])


@given(parent=st.lists(KEYS, min_size=1, max_size=10), data=st.data())
def test_a_split_list_joins_records_that_share_both_rules(parent: RecordKeys, data: st.DataObject) -> None:
    by = data.draw(st.lists(KEYS, min_size=len(parent), max_size=len(parent)))
    parent_list = key_list(parent)
    parts = split_list(parent_list, np.arange(parent_list.keys.size), key_list(by), len(parent))
    blocks = find_blocks(parts, [])
    pairs = candidate_pairs([prepare_search(0, parts, [], [], blocks)], Chunk(0, len(parent), 1))
    expected = {
        (other, one)
        for one, other in combinations(range(len(parent)), 2)
        if parent[one] & parent[other] and by[one] & by[other]
    }
    assert set(zip(pairs.owners.tolist(), pairs.partners.tolist(), strict=True)) == expected


def test_only_the_chosen_entries_of_a_list_are_split() -> None:
    parent = key_list([frozenset({1}), frozenset({1}), frozenset({2})])
    by = key_list([frozenset({7}), frozenset({8}), frozenset({7})])
    parts = split_list(parent, np.array([0, 1]), by, 3)
    assert sorted(parts.positions.tolist()) == [0, 1]


def test_numbers_above_2_to_the_32_and_a_hundred_rules_fit_into_a_pair() -> None:
    # held batches can lie behind four thousand million records, and a strategy can have a hundred rules
    new, held = key_list([frozenset({1})]), key_list([frozenset({1})])
    search = prepare_search(99, new, [held], [2**33], find_blocks(new, [held]))
    pairs = candidate_pairs([search], Chunk(0, 1, 1))
    assert (pairs.owners.tolist(), pairs.partners.tolist(), pairs.rules.tolist()) == ([0], [2**33], [99])
