"""The current map: the latest batch counts, ended records are in no group, sizes are counted."""

from pathlib import Path

import pytest

from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.linkage_map import (
    GroupSize,
    current_map_sql,
    group_sizes,
    read_map,
)
from tests.record_batches import write_assignments, write_ends


@pytest.fixture
def limits(tmp_path: Path) -> EngineLimits:
    return EngineLimits(tmp_path / "scratch", memory_mib=512, threads=1)


@pytest.fixture
def batches(tmp_path: Path) -> list[Path]:
    contents = [{3: 2, 1: 1, 2: 1}, {4: 3, 3: 1}, {5: 3, 2: 7}]
    return [write_assignments(tmp_path / f"a{number}.parquet", groups) for number, groups in enumerate(contents)]


def test_the_latest_batch_of_a_record_counts(limits: EngineLimits, batches: list[Path]) -> None:
    current = read_map(limits, batches)
    assert current.record_ids.tolist() == [1, 2, 3, 4, 5]
    assert current.group_ids.tolist() == [1, 7, 1, 3, 3]


def test_leaving_out_the_latest_batch_shows_the_map_before_it(limits: EngineLimits, batches: list[Path]) -> None:
    current = read_map(limits, batches[:2])
    assert dict(zip(current.record_ids.tolist(), current.group_ids.tolist(), strict=True)) == {
        1: 1,
        2: 1,
        3: 1,
        4: 3,
    }
    assert read_map(limits, batches[:1]).group_ids.tolist() == [1, 1, 2]


def test_ended_records_are_not_in_the_map(limits: EngineLimits, batches: list[Path], tmp_path: Path) -> None:
    ended = [write_ends(tmp_path / "e1.parquet", [1]), write_ends(tmp_path / "e2.parquet", [4])]
    assert read_map(limits, batches, ended).record_ids.tolist() == [2, 3, 5]
    assert read_map(limits, batches[:1], ended).record_ids.tolist() == [2, 3]


def test_without_batches_the_map_is_empty(limits: EngineLimits) -> None:
    assert read_map(limits, []).record_ids.size == 0
    assert group_sizes(limits, []) == ()
    assert "WHERE FALSE" in current_map_sql([])


def test_group_sizes_are_counted_from_the_smallest(limits: EngineLimits, batches: list[Path]) -> None:
    assert group_sizes(limits, batches) == (GroupSize(1, 1), GroupSize(2, 2))
