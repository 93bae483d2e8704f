"""The current map as an array: read as the map is, looked up, changed and counted by position."""

from pathlib import Path

import numpy as np
import pytest

from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.linkage_map import GroupArray, GroupSize, histogram_of, read_group_array, read_map
from tests.record_batches import write_assignments, write_ends

EMPTY = GroupArray(0, np.empty(0, dtype=np.int64))


@pytest.fixture
def limits(tmp_path: Path) -> EngineLimits:
    return EngineLimits(tmp_path / "scratch", memory_mib=512, threads=2)


def test_the_array_holds_what_the_map_holds(limits: EngineLimits, tmp_path: Path) -> None:
    contents = [{3: 2, 1: 1, 2: 1}, {4: 3, 3: 1}, {5: 3, 2: 7}]
    batches = [write_assignments(tmp_path / f"a{number}.parquet", one) for number, one in enumerate(contents)]
    ended = [write_ends(tmp_path / "e.parquet", [4, 99])]
    with open_engine(limits) as con:
        array = read_group_array(con, batches, ended)
    current = read_map(limits, batches, ended)
    assert array.of(current.record_ids).tolist() == current.group_ids.tolist()
    assert array.members_of(np.unique(current.group_ids)).tolist() == current.record_ids.tolist()


def test_rows_of_a_later_batch_count_however_many_rows_and_threads_there_are(
    limits: EngineLimits, tmp_path: Path
) -> None:
    count = 600_000
    ids = np.arange(1, count + 1)
    batches = [
        write_assignments(
            tmp_path / f"a{number}.parquet", dict(zip(ids.tolist(), (ids + number).tolist(), strict=True))
        )
        for number in range(3)
    ]
    with open_engine(limits) as con:
        array = read_group_array(con, batches)
    assert np.array_equal(array.of(ids), ids + 2)


def test_without_rows_the_array_is_empty(limits: EngineLimits, tmp_path: Path) -> None:
    with open_engine(limits) as con:
        assert read_group_array(con, []).groups.size == 0
        assert read_group_array(con, [write_assignments(tmp_path / "a.parquet", {})]).groups.size == 0


def test_records_that_are_not_in_the_map_have_no_group() -> None:
    array = GroupArray(10, np.array([5, 0, 6]))
    assert array.of(np.array([9, 10, 11, 12, 13, -1])).tolist() == [0, 5, 0, 6, 0, 0]
    assert EMPTY.of(np.array([1])).tolist() == [0]


def test_members_are_found_by_groups() -> None:
    array = GroupArray(10, np.array([5, 0, 6, 5]))
    assert array.members_of(np.array([5])).tolist() == [10, 13]
    assert array.members_of(np.array([0, 7, 10**15, -6])).tolist() == []
    assert EMPTY.members_of(np.array([5])).tolist() == []


def test_records_get_groups_before_within_and_after_the_array() -> None:
    array = GroupArray(10, np.array([5, 6])).with_groups(np.array([8, 11, 13]), np.array([1, 2, 3]))
    assert array.of(np.arange(8, 14)).tolist() == [1, 0, 5, 2, 0, 3]
    assert EMPTY.with_groups(np.array([7]), np.array([4])).of(np.array([7])).tolist() == [4]
    assert array.with_groups(np.array([], dtype=np.int64), np.array([], dtype=np.int64)) is array


def test_sizes_are_counted_without_the_places_that_have_no_group() -> None:
    sizes = GroupArray(1, np.array([2, 0, 2, 3, 0])).sizes()
    assert sizes.tolist() == [0, 0, 2, 1]
    assert histogram_of(sizes) == (GroupSize(1, 1), GroupSize(2, 1))
    assert histogram_of(EMPTY.sizes()) == ()
