"""Records that come again: rejected, skipped or replaced; stable group ids, decisions, rollbacks, failures."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from linkwright.engine.update_mode import UpdateMode
from linkwright.envelopes.builder import SourceFile, build_package
from linkwright.envelopes.manifest import RequestType
from linkwright.services.attach_event_type import change_update_mode
from linkwright.services.explain_group import explain_group
from linkwright.services.retry_job import retry_job
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    Batch,
    BatchKind,
    BatchState,
    Envelope,
    EnvelopeReport,
    EnvelopeState,
    Job,
    JobKind,
    JobState,
    LinkageProject,
    MatchConfigurationVersion,
    Notification,
    Severity,
)
from linkwright.store.settings import change_setting
from tests.integration.pipeline.acting import A, B, C, groups, person, roll_back, send, statistics
from tests.integration.pipeline.conftest import COLUMNS, Row, System

pytestmark = pytest.mark.django_db

OTHER = ("Zoe", "Zand", "1955-05-05")


def set_mode(mode: UpdateMode, code: str = "ADM") -> None:
    """Say what is done with records that come again."""
    change_update_mode(LinkageProject.objects.get(code="P1"), code, COMMAND_LINE, updates=mode)


def test_records_that_come_again_are_rejected_unless_the_project_says_otherwise(system: System) -> None:
    system.load("first", [A])
    again = system.load("second", [A, C])
    assert again.state == EnvelopeState.ERRORS
    message = Job.objects.get(envelope=again, kind=JobKind.LOAD).error_message
    assert "with a Source Unique ID that is loaded already" in message
    assert system.groups() == groups("a")


def test_a_skipped_row_changes_nothing_and_is_told(system: System) -> None:
    system.load("first", [A])
    set_mode(UpdateMode.SKIP)
    before = system.group_ids()
    second = system.load("second", [person("a", *OTHER), C])
    assert second.state == EnvelopeState.SUCCESS
    loaded = statistics(second, JobKind.LOAD)
    names = ("rows_read_count", "rows_loaded_count", "rows_skipped_count", "rows_replaced_count")
    assert [loaded[name] for name in names] == [2, 1, 1, 0]
    assert system.group_ids() == {**before, "c": 2}
    note = Notification.objects.get(envelope=second, severity=Severity.INFO)
    assert "rows passed over: 1." in note.text
    assert EnvelopeReport.objects.get(envelope=second).statistics["envelope"]["rows_skipped_count"] == 1


def test_a_replaced_record_is_linked_by_its_new_values_alone(system: System) -> None:
    system.load("first", [A, B, C])
    assert system.groups() == groups("abc")
    set_mode(UpdateMode.REPLACE)
    second = system.load("second", [person("b", *OTHER), person("d", "Zoe", "Zand", "1955-05-05")])
    assert second.state == EnvelopeState.SUCCESS
    assert system.groups() == groups("a", "c", "bd")
    loaded = statistics(second, JobKind.LOAD)
    assert (loaded["rows_loaded_count"], loaded["rows_replaced_count"]) == (2, 1)
    assert "rows that replace a record: 1." in Notification.objects.get(envelope=second).text
    assert statistics(second, JobKind.MATCH)["held_records_count"] == 2
    report = EnvelopeReport.objects.get(envelope=second).statistics
    assert report["envelope"]["rows_replaced_count"] == 1
    assert report["project"]["records_count"] == 4


def test_a_record_alone_keeps_its_group_id_through_versions_and_later_data(system: System) -> None:
    system.load("first", [A, person("z", *OTHER)])
    before = system.group_ids()
    set_mode(UpdateMode.REPLACE)
    for number, given in enumerate(("Anne", "Ann", "Anna")):
        system.load(f"version{number}", [person("a", given)])
        assert system.group_ids() == before
    system.load("later", [person("e")])
    assert system.group_ids() == {**before, "e": before["a"]}


def test_a_group_keeps_its_id_when_its_oldest_record_is_replaced(system: System) -> None:
    system.load("first", [A, person("e"), person("z", *OTHER)])
    before = system.group_ids()
    set_mode(UpdateMode.REPLACE)
    second = system.load("second", [person("a", "Ann")])
    assert system.group_ids() == before
    assert statistics(second, JobKind.GROUP)["new_groups_count"] == 0


def test_the_id_stays_with_the_records_that_stay_when_the_new_version_goes_elsewhere(system: System) -> None:
    system.load("first", [A, person("e"), person("f"), person("z", *OTHER)])
    before = system.group_ids()
    set_mode(UpdateMode.REPLACE)
    system.load("second", [person("a", *OTHER)])
    after = system.group_ids()
    assert after == {**before, "a": before["z"]}
    system.load("third", [person("a", "Una", "Ubi", "1911-11-11")])
    assert system.group_ids() == {**before, "a": max(before.values()) + 1}


def test_a_later_split_leaves_the_id_with_the_part_that_holds_the_oldest_version(system: System) -> None:
    # b holds a and c together
    system.load("first", [A, B, C])
    set_mode(UpdateMode.REPLACE)
    before = system.group_ids()
    system.load("second", [A])
    assert system.group_ids() == before
    send(system, "deletion", RequestType.SUBMIT_DELETION, ["b"])
    # the new version of a has the place of the first one: it is older than c
    assert system.group_ids()["a"] == before["a"]
    assert system.group_ids()["c"] != before["a"]


def test_decisions_hold_for_the_versions_that_follow(system: System) -> None:
    system.load("first", [A, person("e"), person("z", *OTHER)])
    send(system, "review", RequestType.SUBMIT_QUALITY_REVIEW, ["P1,a,ADM,one", "P1,z,ADM,one", "P1,e,ADM,two"])
    assert system.groups() == groups("az", "e")
    set_mode(UpdateMode.REPLACE)
    for number, given in enumerate(("Ann", "Anna")):
        system.load(f"version{number}", [person("a", given), person("e", given)])
        assert system.groups() == groups("az", "e")
    # the quick way of grouping, without replacements, knows them as well
    system.load("later", [person("z2", *OTHER), person("e2")])
    assert not any({"a", "e"} <= group for group in system.groups())
    assert any({"a", "z", "z2"} <= group for group in system.groups())
    # and a review of new versions replaces those of old ones
    send(system, "again", RequestType.SUBMIT_QUALITY_REVIEW, ["P1,a,ADM,one", "P1,e,ADM,one"])
    assert any({"a", "e"} <= group for group in system.groups())


def test_a_deleted_record_that_comes_again_is_new_in_every_mode(system: System) -> None:
    for number, mode in enumerate(UpdateMode):
        set_mode(mode)
        system.load(f"load{number}", [A])
        again = Job.objects.filter(kind=JobKind.LOAD).latest("pk").statistics
        assert (again["rows_loaded_count"], again["rows_replaced_count"], again["rows_skipped_count"]) == (1, 0, 0)
        send(system, f"deletion{number}", RequestType.SUBMIT_DELETION, ["a"])
        assert system.groups() == set()


@pytest.mark.parametrize("mode", UpdateMode)
def test_an_identifier_twice_in_a_file_is_rejected_in_every_mode(system: System, mode: UpdateMode) -> None:
    change_setting("Worker.Load.MaxRejectedRows", 5, COMMAND_LINE)
    system.load("first", [A])
    set_mode(mode)
    before = system.group_ids()
    second = system.load("second", [A, person("a", "Ann"), C])
    assert second.state == EnvelopeState.SUCCESS
    assert statistics(second, JobKind.LOAD)["rows_rejected_count"] == 2
    assert system.group_ids() == {**before, "c": 2}


@pytest.mark.parametrize("mode", UpdateMode)
def test_of_an_identifier_in_two_data_files_the_later_row_is_rejected(system: System, mode: UpdateMode) -> None:
    change_setting("Worker.Load.MaxRejectedRows", 1, COMMAND_LINE)
    system.load("first", [A])
    set_mode(mode)
    envelope = system.submit(two_files(system, [B], [person("b", *OTHER), C]))
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.SUCCESS
    second = Job.objects.filter(envelope=envelope, kind=JobKind.LOAD).latest("pk").statistics
    assert second["rejected_by_reason"] == {
        "with a Source Unique ID that an earlier data file of the Envelope holds": 1
    }
    assert system.groups() == groups("abc")


@pytest.mark.parametrize(("mode", "expected"), [(UpdateMode.SKIP, "ae"), (UpdateMode.REPLACE, "az")])
def test_of_a_held_record_in_two_data_files_at_most_the_first_counts(
    system: System, mode: UpdateMode, expected: str
) -> None:
    change_setting("Worker.Load.MaxRejectedRows", 1, COMMAND_LINE)
    system.load("first", [A, person("e"), person("z", *OTHER)])
    set_mode(mode)
    envelope = system.submit(two_files(system, [person("a", *OTHER)], [person("a", "Ann", "Elk", "1944-04-04")]))
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.SUCCESS
    assert frozenset(expected) in system.groups()


def two_files(system: System, first: Sequence[Row], second: Sequence[Row]) -> Path:
    sources = []
    for number, rows in enumerate((first, second)):
        path = system.folder / f"part{number}.csv"
        path.write_text("\n".join(",".join(row) for row in (COLUMNS, *rows)) + "\n")
        sources.append(SourceFile(path=path, event_type_code="ADM"))
    target = system.folder / "two.zip"
    return build_package(
        target, linkage_project="P1", sender="HOSP", request_type=RequestType.SUBMIT_LINKAGE, data=sources
    )


def test_too_many_rejected_rows_fail_the_load_and_nothing_is_replaced(system: System) -> None:
    system.load("first", [A])
    set_mode(UpdateMode.REPLACE)
    before = system.group_ids()
    second = system.load("second", [person("a", *OTHER), C, C])
    assert second.state == EnvelopeState.ERRORS
    assert system.group_ids() == before
    assert not Batch.objects.filter(kind=BatchKind.ENDS).exists()
    assert [path.name for path in system.project_folder.iterdir() if "ends" in path.name] == []


def test_an_estimation_with_records_that_come_again_ends_nothing(system: System) -> None:
    system.load("first", [A, B, C])
    set_mode(UpdateMode.REPLACE)
    before = system.group_ids()
    path = system.build("estimate", [person("a", *OTHER), C], request_type=RequestType.ESTIMATE_PROBABILITIES)
    envelope = system.submit(path)
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.SUCCESS
    assert system.group_ids() == before
    assert not Batch.objects.filter(kind=BatchKind.ENDS).exists()


def test_an_estimation_counts_the_last_version_of_a_record_alone(system: System) -> None:
    system.load("first", [A, B, C])
    set_mode(UpdateMode.REPLACE)
    system.load("second", [person("a", *OTHER), person("b", *OTHER)])
    path = system.build("estimate", [person("d")], request_type=RequestType.ESTIMATE_PROBABILITIES)
    envelope = system.submit(path)
    system.drain()
    counted = statistics(envelope, JobKind.ESTIMATE)
    assert (counted["records_count"], counted["new_records_count"], counted["held_records_count"]) == (4, 1, 3)


def test_what_an_envelope_would_end_stays_until_it_is_grouped(system: System) -> None:
    system.load("first", [A, B, C])
    set_mode(UpdateMode.REPLACE)
    before = system.group_ids()
    second = system.submit(system.build("second", [person("b", *OTHER)]))
    assert [job.kind for job in system.drain(3)] == ["Validate", "Load", "Match"]
    assert system.group_ids() == before
    assert Batch.objects.get(kind=BatchKind.ENDS).state == BatchState.STAGED
    system.drain()
    second.refresh_from_db()
    assert second.state == EnvelopeState.SUCCESS
    assert system.groups() == groups("a", "b", "c")


def test_a_retry_after_a_failure_in_match_replaces_what_the_first_attempt_found(system: System) -> None:
    system.load("first", [A, B, C])
    set_mode(UpdateMode.REPLACE)
    before = system.group_ids()
    version = MatchConfigurationVersion.objects.get()
    good = version.definition
    second = system.submit(system.build("second", [person("b", *OTHER)]))
    system.drain(2)
    MatchConfigurationVersion.objects.filter(pk=version.pk).update(definition={"prior": 2})
    system.drain()
    second.refresh_from_db()
    assert second.state == EnvelopeState.ERRORS
    assert system.group_ids() == before
    MatchConfigurationVersion.objects.filter(pk=version.pk).update(definition=good)
    retry_job(Job.objects.get(envelope=second, state=JobState.ERRORS).pk, COMMAND_LINE)
    system.drain()
    second.refresh_from_db()
    assert second.state == EnvelopeState.SUCCESS
    assert system.groups() == groups("a", "b", "c")


def test_a_failed_envelope_that_would_have_replaced_ends_nothing_for_later_ones(system: System) -> None:
    system.load("first", [A, B, C])
    set_mode(UpdateMode.REPLACE)
    version = MatchConfigurationVersion.objects.get()
    system.submit(system.build("second", [person("b", *OTHER)]))
    system.drain(2)
    MatchConfigurationVersion.objects.filter(pk=version.pk).update(definition={"prior": 2})
    system.drain()
    MatchConfigurationVersion.objects.filter(pk=version.pk).update(definition=version.definition)
    system.load("third", [person("d", "Anna", "Cole")])
    assert system.groups() == groups("abcd")


def test_the_latest_envelope_that_replaced_goes_back_to_the_very_same_map(system: System) -> None:
    system.load("first", [A, B, C])
    set_mode(UpdateMode.REPLACE)
    before = system.group_ids()
    second = system.load("second", [person("b", *OTHER), person("d", "Anna", "Cole")])
    middle = system.group_ids()
    third = system.load("third", [person("b", "Anna", "Cole")])
    roll_back(system, third)
    assert system.group_ids() == middle
    roll_back(system, second)
    assert system.group_ids() == before
    # and an old version that is back takes part again
    system.load("fourth", [person("e", "Anna", "Cole")])
    assert system.groups() == groups("abce")


def test_the_envelope_that_brought_the_old_version_goes_and_the_new_one_stays(system: System) -> None:
    first = system.load("first", [A, person("e", *OTHER)])
    set_mode(UpdateMode.REPLACE)
    system.load("second", [person("a", "Ann"), person("f")])
    roll_back(system, first)
    assert system.groups() == groups("af")
    system.load("third", [person("a", *OTHER)])
    assert system.groups() == groups("a", "f")


def test_of_two_envelopes_that_replace_a_record_the_first_goes_alone(system: System) -> None:
    system.load("first", [A, person("z", *OTHER)])
    set_mode(UpdateMode.REPLACE)
    second = system.load("second", [person("a", *OTHER), person("y", *OTHER)])
    third = system.load("third", [person("a", "Anna", "Cole"), C])
    roll_back(system, second)
    assert system.groups() == groups("ac", "z")
    # and when the later one goes, too, the first version is back
    roll_back(system, third)
    assert system.groups() == groups("a", "z")
    system.load("fourth", [person("e")])
    assert system.groups() == groups("ae", "z")


def test_a_version_that_comes_back_is_linked_with_what_came_since(system: System) -> None:
    system.load("first", [A, person("z", *OTHER)])
    set_mode(UpdateMode.REPLACE)
    second = system.load("second", [person("a", *OTHER)])
    system.load("third", [person("e"), person("y", *OTHER)])
    assert system.groups() == groups("azy", "e")
    roll_back(system, second)
    assert system.groups() == groups("ae", "zy")
    rollback = Job.objects.filter(kind=JobKind.ROLLBACK).latest("pk").statistics
    assert rollback["returning_records_count"] == 1


def test_a_deleted_record_that_comes_back_is_linked_with_what_came_since(system: System) -> None:
    system.load("first", [A, person("z", *OTHER)])
    deletion = send(system, "deletion", RequestType.SUBMIT_DELETION, ["a", "z"])
    system.load("second", [person("e"), person("z", *OTHER)])
    roll_back(system, deletion)
    # the newer version of z counts: an identifier is there once
    assert system.groups() == groups("ae", "z")


def test_a_version_that_went_with_a_deletion_takes_the_one_before_along(system: System) -> None:
    system.load("first", [A, C])
    set_mode(UpdateMode.REPLACE)
    second = system.load("second", [person("a", "Ann")])
    deletion = send(system, "deletion", RequestType.SUBMIT_DELETION, ["a"])
    roll_back(system, second)
    assert system.groups() == groups("c")
    roll_back(system, deletion)
    assert system.groups() == groups("a", "c")


def test_the_history_of_a_group_tells_replaced_records_from_deleted_ones(system: System) -> None:
    system.load("first", [A, person("e")])
    set_mode(UpdateMode.REPLACE)
    system.load("second", [person("a", "Ann"), person("e", *OTHER)])
    send(system, "deletion", RequestType.SUBMIT_DELETION, ["a"])
    told = explain_group(system.config, COMMAND_LINE, "P1", 1)
    events = [(entry.event.kind.value, [str(key) for key in entry.records], entry.by) for entry in told.history]
    by = {name: f"{Envelope.objects.get(name=name).pk} ({name})" for name in ("first", "second", "deletion")}
    assert events == [
        ("created", ["ADM:a", "ADM:e"], by["first"]),
        ("joined", ["ADM:a"], by["second"]),
        ("replaced", ["ADM:a", "ADM:e"], by["second"]),
        ("deleted", ["ADM:a"], by["deletion"]),
    ]
