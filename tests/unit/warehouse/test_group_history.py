"""The history of groups and records, read from the batches alone."""

from pathlib import Path

import pytest

from linkwright.warehouse.group_history import (
    GroupEvent,
    GroupEventKind,
    HistoryBatch,
    RecordEvent,
    read_group_history,
    read_record_history,
)
from tests.grouped_project import GroupedProject
from tests.record_batches import write_assignments, write_ends

Told = list[tuple[int, str, tuple[int, ...], int | None]]


class Batches:
    """Writes batches of assignments and ends, and tells what is read from them."""

    def __init__(self, folder: Path) -> None:
        self.project = GroupedProject(folder)
        self.batches: list[HistoryBatch] = []

    def assign(self, groups: dict[int, int], *ended: int) -> None:
        assignments = write_assignments(self.project.path(), groups) if groups else None
        ends = (write_ends(self.project.path(), ended),) if ended else ()
        self.batches.append(HistoryBatch(10 * len(self.batches), assignments, ends))

    def told(self, group_id: int) -> Told:
        events = read_group_history(self.project.limits, self.batches, group_id)
        return [(one.batch, str(one.kind), one.record_ids, one.other_group_id) for one in events]


@pytest.fixture
def batches(tmp_path: Path) -> Batches:
    return Batches(tmp_path)


def test_a_group_is_created_and_records_join_it(batches: Batches) -> None:
    batches.assign({1: 1, 2: 1, 3: 2})
    batches.assign({4: 3})
    batches.assign({6: 1, 5: 1})
    assert batches.told(1) == [(0, "created", (1, 2), None), (2, "joined", (5, 6), None)]
    assert batches.told(9) == []


def test_a_merge_is_told_of_both_groups(batches: Batches) -> None:
    batches.assign({1: 1, 2: 2, 3: 2})
    batches.assign({4: 1, 2: 1, 3: 1})
    assert batches.told(1) == [
        (0, "created", (1,), None),
        (1, "joined", (4,), None),
        (1, "absorbed", (2, 3), 2),
    ]
    assert batches.told(2) == [(0, "created", (2, 3), None), (1, "absorbed_into", (2, 3), 1)]


def test_a_split_is_told_of_both_groups(batches: Batches) -> None:
    batches.assign({1: 1, 2: 1, 3: 1})
    batches.assign({3: 2})
    assert batches.told(1)[1:] == [(1, "split_off", (3,), 2)]
    assert batches.told(2) == [(1, "created", (3,), 1)]


def test_records_that_go_over_to_another_group_are_told_of_both(batches: Batches) -> None:
    batches.assign({1: 1, 2: 1, 3: 2})
    batches.assign({2: 2})
    assert batches.told(1)[1:] == [(1, "split_off", (2,), 2)]
    assert batches.told(2)[1:] == [(1, "took_over", (2,), 1)]


def test_deleted_records_are_told_and_do_not_keep_a_group_alive(batches: Batches) -> None:
    batches.assign({1: 1, 2: 2, 3: 2})
    batches.assign({3: 1}, 2)
    assert batches.told(2) == [
        (0, "created", (2, 3), None),
        (1, "deleted", (2,), None),
        (1, "absorbed_into", (3,), 1),
    ]
    assert batches.told(1)[1:] == [(1, "absorbed", (3,), 2)]


def test_without_the_batches_of_an_envelope_its_part_of_the_history_is_gone(batches: Batches) -> None:
    batches.assign({1: 1, 2: 2})
    batches.assign({2: 1})
    batches.assign({3: 2})
    del batches.batches[1]
    assert batches.told(2) == [(0, "created", (2,), None), (1, "joined", (3,), None)]


def test_events_name_the_batch_as_the_caller_does(batches: Batches) -> None:
    batches.assign({1: 1})
    batches.assign({2: 1})
    events = read_group_history(batches.project.limits, batches.batches, 1)
    assert events[1] == GroupEvent(1, 10, GroupEventKind.JOINED, (2,), None)


def test_a_records_groups_are_told_in_order(batches: Batches) -> None:
    batches.assign({1: 1, 2: 2})
    batches.assign({2: 1})
    batches.assign({2: 3})
    batches.assign({}, 2)
    assert read_record_history(batches.project.limits, batches.batches, 2) == (
        RecordEvent(0, 0, 2),
        RecordEvent(1, 10, 1),
        RecordEvent(2, 20, 3),
        RecordEvent(3, 30, None),
    )
    assert read_record_history(batches.project.limits, batches.batches, 7) == ()


def test_without_batches_there_is_no_history(batches: Batches) -> None:
    assert batches.told(1) == []
    assert read_record_history(batches.project.limits, [], 1) == ()


def test_the_history_of_a_grouped_project_is_what_its_jobs_did(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path)
    project.group([1, 2])
    project.group([3], [(1, 3, 9.0), (2, 3, 9.0)])
    project.end(3)
    project.regroup(records=[3])
    events = read_group_history(project.limits, project.history, 1)
    assert [(one.batch, str(one.kind), one.record_ids, one.other_group_id) for one in events] == [
        (0, "created", (1,), None),
        (1, "joined", (3,), None),
        (1, "absorbed", (2,), 2),
        (2, "deleted", (3,), None),
        (3, "split_off", (2,), 3),
    ]
