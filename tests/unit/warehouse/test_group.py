"""Group as a whole: what is written, what is counted; thresholds, ends and merges."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from linkwright.engine.grouping import UnknownRecordError
from linkwright.engine.progress import Progress, silent
from linkwright.warehouse.group import group_records
from linkwright.warehouse.linkage_map import GroupSize
from tests.grouped_project import GroupedProject
from tests.record_batches import read_rows


@pytest.fixture
def project(tmp_path: Path) -> GroupedProject:
    return GroupedProject(tmp_path)


def test_matches_join_and_pairs_for_review_do_not(project: GroupedProject) -> None:
    result = project.group([1, 2, 3, 4], [(1, 2, 5.0), (3, 4, 4.99)])
    assert project.written == [(1, 1), (2, 1), (3, 2), (4, 3)]
    assert (result.accepted_pairs_count, result.new_groups_count, result.max_group_id) == (1, 3, 3)


def test_deterministic_pairs_always_join(project: GroupedProject) -> None:
    project.group([1, 2], [(1, 2, math.inf)])
    assert project.written == [(1, 1), (2, 1)]


@pytest.mark.parametrize("pair", [(1, 9, 9.0), (1, 6, 9.0), (0, 1, 9.0)])
def test_a_pair_with_a_record_that_nobody_knows_is_refused(
    project: GroupedProject, pair: tuple[int, int, float]
) -> None:
    project.group([5])
    with pytest.raises(UnknownRecordError, match="is neither new nor in the linkage map"):
        project.group([1, 2], [pair])


def test_only_what_changed_is_written(project: GroupedProject) -> None:
    project.group([1, 2, 3, 4], [(1, 2, 9.0)])
    result = project.group([5, 6, 7], [(2, 5, 9.0), (5, 6, 9.0)])
    assert project.written == [(5, 1), (6, 1), (7, 4)]
    assert (result.counts.groups_before_count, result.counts.groups_after_count) == (3, 4)
    assert (result.new_groups_count, result.joined_records_count, result.grown_groups_count) == (1, 2, 1)
    assert (result.merged_groups_count, result.changed_records_count, result.split_groups_count) == (0, 0, 0)
    assert (result.counts.largest_group_id, result.counts.largest_group_size) == (1, 4)
    assert result.counts.sizes == (GroupSize(1, 3), GroupSize(4, 1))


def test_held_records_of_an_absorbed_group_get_the_oldest_id(project: GroupedProject) -> None:
    project.group([1, 2], [(1, 2, 9.0)])
    project.group([3, 4, 5], [(3, 4, 9.0)])
    result = project.group([7], [(3, 7, 9.0), (1, 7, 9.0)])
    assert project.written == [(3, 1), (4, 1), (7, 1)]
    assert (result.merged_groups_count, result.changed_records_count, result.grown_groups_count) == (1, 2, 1)
    assert (result.counts.groups_before_count, result.counts.groups_after_count) == (3, 2)
    assert (result.new_groups_count, result.max_group_id) == (0, 3)


def test_the_latest_batch_says_which_group_a_record_is_in(project: GroupedProject) -> None:
    project.group([1, 3])
    project.group([4], [(1, 4, 9.0), (3, 4, 9.0)])
    project.group([7], [(3, 7, 9.0)])
    assert project.written == [(7, 1)]


def test_ended_records_are_in_no_group_and_their_pairs_join_nothing(project: GroupedProject) -> None:
    project.group([1, 2])
    project.end(1, 9)
    result = project.group([7, 8, 9], [(1, 7, 9.0), (1, 8, 9.0), (8, 9, 9.0)])
    assert project.written == [(7, 3), (8, 4)]
    assert (result.counts.groups_before_count, result.counts.groups_after_count) == (1, 3)
    assert result.accepted_pairs_count == 0


def test_new_records_come_in_any_order_and_are_numbered_by_their_ids(project: GroupedProject) -> None:
    project.group([12, 10, 11], [(10, 12, 9.0)])
    assert project.written == [(10, 1), (11, 2), (12, 1)]


def test_without_records_there_is_nothing_to_group(project: GroupedProject) -> None:
    result = project.group([])
    assert project.written == []
    assert (result.counts.groups_after_count, result.counts.largest_group_id) == (0, None)
    assert (result.counts.largest_group_size, result.counts.sizes, result.max_group_id) == (0, (), 0)


def test_without_any_file_there_is_nothing_to_group(project: GroupedProject) -> None:
    request = replace(project.request([]), new_records=(), new_pairs=())
    assert group_records(request, silent).assignments.rows_count == 0


def test_without_pairs_files_every_new_record_stays_alone(project: GroupedProject) -> None:
    request = replace(project.request([1, 2]), new_pairs=())
    result = group_records(request, silent)
    assert [row["group_id"] for row in read_rows(result.assignments.path)] == [1, 2]
    assert result.accepted_pairs_count == 0


def test_records_that_are_not_numbered_from_one_take_no_more_room(project: GroupedProject) -> None:
    far = 4_000_000_000
    project.group([far, far + 1], [(far, far + 1, 9.0)])
    project.group([far + 2], [(far, far + 2, 9.0)])
    assert project.written == [(far + 2, 1)]


def test_stages_are_told_and_timed(project: GroupedProject) -> None:
    reports: list[Progress] = []
    result = group_records(project.request([1]), reports.append)
    assert [report.stage for report in reports] == ["read", "merge", "write", "count"]
    assert set(result.seconds) == {"read", "merge", "write", "count"}
