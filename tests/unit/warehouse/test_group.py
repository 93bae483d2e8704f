"""Group as a whole: assignments file and statistics; thresholds, ends, merges and flags."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from linkwright.engine.grouping import UnknownRecordError
from linkwright.engine.progress import Progress
from linkwright.warehouse.connection import EngineLimits
from linkwright.warehouse.group import (
    FLAGGED_GROUPS_COUNT,
    FlaggedGroup,
    GroupRequest,
    GroupResult,
    UnknownStrategyError,
    group_records,
)
from linkwright.warehouse.linkage_map import GroupSize
from tests.record_batches import read_rows, write_assignments, write_ends, write_pairs, write_records

Pair = tuple[int, int, str, float]


class Project:
    """Groups records by id; a record is (id) of Event Type E, or (id, Event Type)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reports: list[Progress] = []
        self.files_count = 0

    def path(self) -> Path:
        self.files_count += 1
        return self.folder / f"{self.files_count}.parquet"

    def records(self, ids: Sequence[int | tuple[int, str]]) -> tuple[Path, ...]:
        pairs = [(one, "E") if isinstance(one, int) else one for one in ids]
        rows = [{"record_id": number, "event_type": code} for number, code in pairs]
        return (write_records(self.path(), rows),)

    def group(
        self,
        new: Sequence[int | tuple[int, str]],
        pairs: Sequence[Pair] = (),
        held: Sequence[int | tuple[int, str]] = (),
        batches: Sequence[Mapping[int, int]] = (),
        **settings: Any,
    ) -> GroupResult:
        request = GroupRequest(
            new_records=self.records(new),
            held_records=self.records(held) if held else (),
            new_pairs=(write_pairs(self.path(), pairs),),
            assignments=tuple(write_assignments(self.path(), batch) for batch in batches),
            ended=(write_ends(self.path(), settings.pop("ended")),) if "ended" in settings else (),
            match_thresholds={"person": 5.0, "identifier": math.inf},
            authoritative_event_types=settings.pop("authoritative", ()),
            next_group_id=settings.pop("next_group_id", 100),
            target=self.folder / "assignments.parquet",
            limits=EngineLimits(self.folder / "scratch", memory_mib=512, threads=1),
        )
        return group_records(request, self.reports.append)

    def written(self) -> list[tuple[int, int]]:
        """Return the rows of the assignments file, in their order."""
        return [(row["record_id"], row["group_id"]) for row in read_rows(self.folder / "assignments.parquet")]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_pairs_at_the_match_threshold_join_and_those_for_review_do_not(project: Project) -> None:
    result = project.group([1, 2, 3, 4], [(1, 2, "person", 5.0), (3, 4, "person", 4.99)])
    assert project.written() == [(1, 100), (2, 100), (3, 101), (4, 102)]
    assert (result.accepted_pairs_count, result.new_groups_count, result.max_group_id) == (1, 3, 102)


def test_deterministic_pairs_always_join(project: Project) -> None:
    project.group([1, 2], [(1, 2, "identifier", math.inf)])
    assert project.written() == [(1, 100), (2, 100)]


def test_a_pair_of_a_strategy_without_threshold_is_refused(project: Project) -> None:
    with pytest.raises(UnknownStrategyError, match="strategies old, which have no match threshold"):
        project.group([1, 2], [(1, 2, "old", 9.0)])


def test_a_pair_with_a_record_that_nobody_knows_is_refused(project: Project) -> None:
    with pytest.raises(UnknownRecordError, match="record 9"):
        project.group([1, 2], [(1, 9, "person", 9.0)])


def test_only_what_changed_is_written(project: Project) -> None:
    result = project.group(
        [5, 6, 7],
        [(2, 5, "person", 9.0), (5, 6, "person", 9.0)],
        held=[1, 2, 3, 4],
        batches=[{1: 10, 2: 10, 3: 20, 4: 30}],
    )
    assert project.written() == [(5, 10), (6, 10), (7, 100)]
    assert (result.groups_before_count, result.groups_after_count) == (3, 4)
    assert (result.new_groups_count, result.joined_records_count, result.grown_groups_count) == (1, 2, 1)
    assert (result.merged_groups_count, result.changed_records_count) == (0, 0)
    assert (result.largest_group_id, result.largest_group_size) == (10, 4)
    assert result.sizes == (GroupSize(1, 3), GroupSize(4, 1))


def test_held_records_of_an_absorbed_group_get_the_oldest_id(project: Project) -> None:
    result = project.group(
        [7],
        [(3, 7, "person", 9.0), (1, 7, "person", 9.0)],
        held=[1, 2, 3, 4, 5],
        batches=[{1: 10, 2: 10}, {3: 20, 4: 20, 5: 30}],
    )
    assert project.written() == [(3, 10), (4, 10), (7, 10)]
    assert (result.merged_groups_count, result.changed_records_count) == (1, 2)
    assert (result.groups_before_count, result.groups_after_count) == (3, 2)
    assert (result.new_groups_count, result.max_group_id) == (0, 99)


def test_the_latest_batch_says_which_group_a_record_is_in(project: Project) -> None:
    project.group([7], [(3, 7, "person", 9.0)], held=[1, 3], batches=[{1: 10, 3: 20}, {3: 10}])
    assert project.written() == [(7, 10)]


def test_ended_records_are_in_no_group_and_their_pairs_join_nothing(project: Project) -> None:
    result = project.group(
        [7, 8, 9],
        [(1, 7, "person", 9.0), (1, 8, "person", 9.0), (8, 9, "person", 9.0)],
        held=[1, 2],
        batches=[{1: 10, 2: 20}],
        ended=[1, 9],
    )
    assert project.written() == [(7, 100), (8, 101)]
    assert (result.groups_before_count, result.groups_after_count) == (1, 3)


def test_a_touched_group_with_two_authoritative_records_of_a_kind_is_flagged(project: Project) -> None:
    result = project.group(
        [(7, "BIRTH"), (8, "ADMISSION"), (9, "BIRTH")],
        [(1, 7, "person", 9.0), (1, 8, "person", 9.0)],
        held=[(1, "BIRTH"), (2, "ADMISSION"), (3, "BIRTH"), (4, "BIRTH")],
        batches=[{1: 10, 2: 10, 3: 20, 4: 20}],
        authoritative=("BIRTH",),
    )
    assert result.flagged_groups == (FlaggedGroup(10, "BIRTH", 2),)
    assert result.flagged_groups_count == 1


def test_groups_that_merge_are_flagged_by_their_records_together(project: Project) -> None:
    result = project.group(
        [7],
        [(1, 7, "person", 9.0), (2, 7, "person", 9.0)],
        held=[(1, "DEATH"), (2, "DEATH")],
        batches=[{1: 10, 2: 20}],
        authoritative=("BIRTH", "DEATH"),
    )
    assert result.flagged_groups == (FlaggedGroup(10, "DEATH", 2),)


def test_flagged_groups_are_all_counted_but_named_up_to_a_limit(project: Project) -> None:
    count = FLAGGED_GROUPS_COUNT + 3
    pairs = [(2 * number, 2 * number + 1, "person", 9.0) for number in range(count)]
    result = project.group(list(range(2 * count)), pairs, authoritative=("E",))
    assert result.flagged_groups_count == count
    assert [flagged.group_id for flagged in result.flagged_groups] == list(range(100, 100 + FLAGGED_GROUPS_COUNT))


def test_without_records_there_is_nothing_to_group(project: Project) -> None:
    result = project.group([], next_group_id=1)
    assert project.written() == []
    assert (result.groups_after_count, result.largest_group_id, result.largest_group_size) == (0, None, 0)
    assert (result.sizes, result.max_group_id) == ((), 0)


def test_stages_are_told_and_timed(project: Project) -> None:
    result = project.group([1])
    assert [report.stage for report in project.reports] == ["read", "merge", "write", "count"]
    assert set(result.seconds) == {"read", "merge", "write", "count"}


def test_without_pairs_files_every_new_record_stays_alone(project: Project, tmp_path: Path) -> None:
    request = GroupRequest(
        new_records=project.records([1, 2]),
        held_records=(),
        new_pairs=(),
        assignments=(),
        ended=(),
        match_thresholds={},
        authoritative_event_types=(),
        next_group_id=1,
        target=project.folder / "assignments.parquet",
        limits=EngineLimits(tmp_path / "scratch", memory_mib=512, threads=1),
    )
    result = group_records(request, project.reports.append)
    assert project.written() == [(1, 1), (2, 2)]
    assert result.accepted_pairs_count == 0
