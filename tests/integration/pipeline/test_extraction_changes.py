"""What becomes of Person Keys: merge, split, review, deletion and rollback, as the list of changes tells it."""

import shutil
from collections.abc import Sequence

import pytest

from linkwright.services.roll_back_envelope import RollbackScope, preview_rollback
from linkwright.services.sweep_files import sweep_files
from linkwright.store.models import (
    BatchKind,
    ExtractionProject,
    ExtractionResult,
    Job,
    JobKind,
    LinkageProject,
    ResultEnd,
)
from tests.integration.pipeline.acting import A, B, C, delete, person, review, roll_back
from tests.integration.pipeline.conftest import System
from tests.integration.pipeline.extracting import D, ask, changes, create, extract, keys, rows

pytestmark = pytest.mark.django_db


def test_merged_groups_take_the_oldest_key_and_the_other_is_told(system: System) -> None:
    system.load("first", [A, C])
    create()
    before = keys(system)
    assert before["a"] != before["c"]
    system.load("second", [B])
    assert changes(system) == [(before["c"], before["a"], "merged")]
    assert set(keys(system).values()) == {before["a"]}
    assert changes(system) == []
    job = Job.objects.filter(kind=JobKind.EXTRACT).order_by("-pk")[0]
    counted = ("new_keys_count", "kept_keys_count", "retired_keys_count")
    assert [job.statistics[name] for name in counted] == [0, 1, 0]


def test_after_a_split_the_part_with_the_oldest_record_keeps_the_key(system: System) -> None:
    system.load("first", [A, B, C])
    create()
    (before,) = set(keys(system).values())
    delete(system, "b")
    (change,) = changes(system)
    after = keys(system)
    assert change == (before, after["c"], "split")
    assert after["a"] == before


def test_what_a_person_decided_is_told_as_such(system: System) -> None:
    system.load("first", [A, B, D])
    create()
    before = keys(system)
    review(system, "b>somebody else")
    ((old, new, reason),) = changes(system)
    assert (old, reason) == (before["a"], "moved by review")
    review(system, "b>one", "d>one", name="joined")
    assert changes(system) == [(new, before["d"], "moved by review")]


def test_a_key_whose_records_ended_is_told_and_never_given_again(system: System) -> None:
    system.load("first", [A, D])
    create()
    before = keys(system)
    delete(system, "d")
    assert changes(system) == [(before["d"], "", "records ended")]
    system.load("second", [person("e", "Eve", "Eck", "1955-05-05")])
    assert keys(system)["e"] not in before.values()


def test_a_rollback_retires_the_keys_that_it_takes_and_the_same_group_ids_give_others(system: System) -> None:
    system.load("first", [A])
    create()
    second = system.load("second", [D, person("d2", "Dora", "Dunn", "1990-09-10")])
    before = keys(system)
    groups = system.group_ids()
    roll_back(system, second)
    system.load("third", [person("e", "Eve", "Eck", "1955-05-05")])
    # the same number for another person
    assert system.group_ids()["e"] == groups["d"]
    assert changes(system) == [(before["d"], "", "rolled back")]
    after = keys(system)
    assert after["a"] == before["a"]
    assert after["e"] not in before.values()


def test_keys_that_come_apart_in_a_rollback_are_told_so_and_the_old_one_comes_back(system: System) -> None:
    system.load("first", [A, C])
    create()
    before = keys(system)
    bridge = system.load("second", [B])
    assert set(keys(system).values()) == {before["a"]}
    roll_back(system, bridge)
    assert changes(system) == [(before["a"], before["c"], "rolled back")]
    assert keys(system) == before


def test_a_review_before_a_rollback_is_told_as_such_after_it(system: System) -> None:
    system.load("first", [A, B])
    create()
    system.load("second", [D])
    before = keys(system)
    review(system, "b>somebody else")
    third = system.load("third", [person("e", "Eve", "Eck", "1955-05-05")])
    roll_back(system, third)
    ((old, _new, reason),) = changes(system)
    assert (old, reason) == (before["a"], "moved by review")


def test_results_made_since_are_withdrawn_and_their_files_go(system: System) -> None:
    system.load("first", [A])
    create("OLD", "snapshot")
    create("X1")
    system.drain()
    early = [extract(system, code) for code in ("OLD", "X1")]
    second = system.load("second", [D])
    create("NEW", "snapshot")
    system.drain()
    late = [extract(system, code) for code in ("OLD", "X1", "NEW")]
    ExtractionResult.objects.filter(job=late[1]).update(downloads_count=1)
    found = preview_rollback(second).extractions
    assert (found.results_count, found.downloaded_count, found.snapshots_count) == (2, 1, 1)
    done = roll_back(system, second)
    sweep_files(system.config)
    assert (done.statistics["withdrawn_results_count"], done.statistics["mended_snapshots_count"]) == (2, 1)
    kept = ExtractionResult.objects.filter(removed_at=None)
    # a snapshot from before the Envelope holds nothing of it
    assert {result.job for result in kept} == {*early, late[0]}
    assert {path.name for path in system.config.results_folder.iterdir()} == {result.file_name for result in kept}
    gone = ExtractionResult.objects.exclude(removed_at=None)
    assert {(result.removed_why, result.removed_by_job) for result in gone} == {(ResultEnd.WITHDRAWN, done)}
    assert sorted(keys(system, "NEW")) == ["a"]
    assert preview_rollback(second).extractions.results_count == 0


@pytest.mark.parametrize("scope", RollbackScope)
def test_nothing_of_rolled_back_data_is_left_in_snapshots_ledgers_and_results(
    system: System, scope: RollbackScope
) -> None:
    system.load("first", [A])
    second = system.load("second", [person(f"quixwater-{number}", "Zeb", "Zed") for number in range(3)])
    system.load("third", [D])
    create("S", "snapshot")
    create("X1")
    system.drain()
    extract(system, "S")
    extract(system, "X1")
    roll_back(system, second, scope)
    sweep_files(system.config)
    left = [path for path in system.config.home.rglob("*") if path.is_file() and b"quixwater" in path.read_bytes()]
    assert left == []
    expected = {"a", "d"} if scope is RollbackScope.ALONE else {"a"}
    assert keys(system, "S").keys() == keys(system, "X1").keys() == expected


def test_a_rollback_without_extractions_writes_nothing_for_them(system: System) -> None:
    envelope = system.load("first", [A])
    job = roll_back(system, envelope)
    assert job.batches.filter(kind__in=[BatchKind.SNAPSHOT, BatchKind.LEDGER]).count() == 0
    assert "withdrawn_results_count" not in job.statistics
    assert LinkageProject.objects.get(code="P1").group_id_floors == [[1, job.pk]]


def test_a_snapshot_does_not_keep_the_latest_envelope_from_going_by_dropping_its_files(system: System) -> None:
    envelope = system.load("first", [A])
    create("S", "snapshot")
    create("X1")
    system.drain()
    extract(system, "X1")
    assert preview_rollback(envelope).is_latest
    job = roll_back(system, envelope)
    assert "groups_after_count" not in job.statistics
    assert keys(system, "S") == {}


def test_extractions_of_some_records_do_not_hide_changes_of_the_others(system: System) -> None:
    system.load("first", [A, C, D])
    create()
    before = keys(system)
    system.load("second", [B])
    shown = _changes_of_a_list(system, ["d"])
    assert shown == [[before["c"], before["a"], "merged"]]
    shutil.rmtree(system.config.scratch_folder)
    assert changes(system) == []


def _changes_of_a_list(system: System, identifiers: Sequence[str]) -> list[list[str]]:
    envelope = ask(system, "list", lists={"ADM": identifiers})
    return rows(system, envelope.jobs.get(kind=JobKind.EXTRACT), "data-changes.csv")[1:]


def test_each_extraction_replaces_the_ledger_of_the_one_before(system: System) -> None:
    system.load("first", [A])
    create()
    for _time in range(3):
        extract(system)
    sweep_files(system.config)
    (part,) = ExtractionProject.objects.get().parts.all()
    assert part.records is not None
    assert part.groups is not None
    left = {path.name for path in system.project_folder.glob("*ledger*")}
    assert left == {part.records.file_name, part.groups.file_name}
