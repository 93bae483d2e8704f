"""Rollback: the latest Envelope and the ones before it, an earlier one alone, and nothing of its data left."""

from pathlib import Path

import pytest
from django.db import connection

from linkwright.services.estimate_pairs import estimate_pairs
from linkwright.services.explain_group import explain_group
from linkwright.services.roll_back_envelope import (
    RollbackRefusedError,
    RollbackScope,
    preview_rollback,
    roll_back_envelope,
)
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AuditLogEntry,
    Batch,
    BatchState,
    Envelope,
    EnvelopeState,
    Job,
    JobKind,
    JobState,
)
from tests.integration.pipeline.conftest import Row, System

pytestmark = pytest.mark.django_db

REASON = "sent by mistake"


def person(identifier: str, given: str = "Anna", surname: str = "Berg", birth: str = "1980-01-02") -> Row:
    return (identifier, given, surname, birth, "2000")


def roll_back(system: System, envelope: Envelope, scope: RollbackScope = RollbackScope.ALONE) -> Job:
    job = roll_back_envelope(envelope.pk, COMMAND_LINE, reason=REASON, scope=scope)
    system.drain()
    job.refresh_from_db()
    envelope.refresh_from_db()
    assert job.state == JobState.SUCCESS, job.error_message
    sweep_files(system.config)
    return job


def test_the_latest_envelope_goes_as_if_it_had_never_been_loaded(system: System) -> None:
    system.load("first", [person("a1"), person("b1", "Ben", "Cole", "1975-05-06")])
    before = system.group_ids()
    second = system.load("second", [person("a2"), person("c1", "Cleo", "Dunn", "1990-09-10")])
    assert len(system.groups()) == 3
    job = roll_back(system, second)
    assert system.group_ids() == before
    assert second.state == EnvelopeState.ROLLED_BACK
    assert job.statistics["records_count"] == 2
    again = system.load("third", [person("a2"), person("c1", "Cleo", "Dunn", "1990-09-10")])
    assert again.state == EnvelopeState.SUCCESS
    assert system.group_ids() == {**before, "a2": before["a1"], "c1": max(before.values()) + 1}


def test_one_envelope_after_the_other_goes_back_to_the_first(system: System) -> None:
    envelopes = [system.load(f"load{number}", [person(f"a{number}")]) for number in range(3)]
    maps = []
    for envelope in reversed(envelopes):
        maps.append(system.group_ids())
        assert preview_rollback(envelope).is_latest
        roll_back(system, envelope)
    assert [len(one) for one in maps] == [3, 2, 1]
    assert system.group_ids() == {}


def test_an_earlier_envelope_goes_alone_and_its_groups_are_worked_out_anew(system: System) -> None:
    # b is like both a and c, which are not like each other: it holds the group together
    system.load("first", [person("a", "Anna", "Berg")])
    bridge = system.load("second", [person("b", "Anna", "Cole")])
    system.load("third", [person("c", "Carl", "Cole"), person("d", "Anna", "Berg")])
    assert system.groups() == {frozenset("abcd")}
    preview = preview_rollback(bridge)
    assert (preview.is_latest, [one.name for one in preview.later], preview.records_count) == (False, ["third"], 1)
    roll_back(system, bridge)
    assert system.groups() == {frozenset({"a", "d"}), frozenset({"c"})}
    system.load("fourth", [person("b", "Anna", "Cole")])
    assert system.groups() == {frozenset("abcd")}


def test_an_envelope_can_go_with_all_later_ones(system: System) -> None:
    system.load("first", [person("a1")])
    before = system.group_ids()
    second = system.load("second", [person("a2")])
    third = system.load("third", [person("a3")])
    job = roll_back(system, second, RollbackScope.WITH_LATER)
    third.refresh_from_db()
    assert (second.state, third.state) == (EnvelopeState.ROLLED_BACK, EnvelopeState.ROLLED_BACK)
    assert [one["envelope"] for one in job.statistics["envelopes"]] == ["third", "second"]
    assert system.group_ids() == before


@pytest.mark.parametrize("scope", RollbackScope)
def test_nothing_of_the_data_is_left_under_the_data_folder(system: System, scope: RollbackScope) -> None:
    system.load("first", [person("a1")])
    planted = [person(f"z{number}", "Zebulon", "Quixwater") for number in range(4)]
    second = system.load("second", planted)
    system.load("third", [person("a3")])
    # names stand in statistics and in Notifications, too
    Job.objects.filter(envelope=second, kind=JobKind.MATCH).update(
        statistics={"largest_blocks": [{"rule": "surname", "values": "quixwater"}]}
    )
    roll_back(system, second, scope)
    left = [path.name for path in system.config.home.rglob("*") if path.is_file() and holds_name(path)]
    assert left == []
    tables = [name for name in connection.introspection.table_names() if name.startswith("store_")]
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            assert b"quixwater" not in repr(cursor.fetchall()).lower().encode(), table


def holds_name(path: Path) -> bool:
    content = path.read_bytes().lower()
    return b"quixwater" in content or b"zebulon" in content


def test_a_rollback_needs_a_reason_that_stands_in_the_audit_log(system: System) -> None:
    envelope = system.load("first", [person("a1")])
    with pytest.raises(RollbackRefusedError, match="needs a reason"):
        roll_back_envelope(envelope.pk, COMMAND_LINE, reason="  ", scope=RollbackScope.ALONE)
    roll_back(system, envelope)
    entry = AuditLogEntry.objects.get(action="roll back Envelope")
    assert (entry.reason, entry.project_code) == (REASON, "P1")


def test_it_is_refused_while_a_job_of_the_project_waits_and_for_what_cannot_be_undone(system: System) -> None:
    envelope = system.load("first", [person("a1")])
    waiting = system.submit(system.build("second", [person("a2")]))
    with pytest.raises(RollbackRefusedError, match=r"Job \d+ \(Validate\) of project P1 is queued; wait"):
        roll_back_envelope(envelope.pk, COMMAND_LINE, reason=REASON, scope=RollbackScope.ALONE)
    with pytest.raises(RollbackRefusedError, match="second is Queued; only an Envelope that ended in Success"):
        roll_back_envelope(waiting.pk, COMMAND_LINE, reason=REASON, scope=RollbackScope.ALONE)
    system.drain()
    roll_back(system, waiting)
    with pytest.raises(RollbackRefusedError, match="second is Rolled back"):
        roll_back_envelope(waiting.pk, COMMAND_LINE, reason=REASON, scope=RollbackScope.ALONE)
    with pytest.raises(RollbackRefusedError, match="There is no Envelope 9999"):
        roll_back_envelope(9999, COMMAND_LINE, reason=REASON, scope=RollbackScope.ALONE)


def test_files_of_what_was_rolled_back_no_longer_count(system: System) -> None:
    envelope = system.load("first", [person("a1")])
    roll_back(system, envelope)
    assert set(Batch.objects.values_list("state", flat=True)) == {BatchState.REMOVED}
    assert [path for path in system.config.warehouse_folder.rglob("*") if path.is_file()] == []
    assert list(system.config.incoming_folder.iterdir()) == []


def test_the_history_of_a_group_names_the_rollback_that_split_it(system: System) -> None:
    system.load("first", [person("a", "Anna", "Berg")])
    bridge = system.load("second", [person("b", "Anna", "Cole")])
    system.load("third", [person("c", "Carl", "Cole")])
    job = roll_back(system, bridge)
    told = explain_group(system.config, COMMAND_LINE, "P1", system.group_ids()["a"])
    assert [(str(member.key)) for member in told.members] == ["ADM:a"]
    assert str(job) in [entry.by for entry in told.history]


def test_a_file_is_estimated_in_full_after_a_rollback_out_of_order(system: System) -> None:
    first = system.load("first", [person("a")])
    system.load("second", [person("b"), person("c")])
    roll_back(system, first)
    roll_back(system, Envelope.objects.get(name="second"))
    file = system.folder / "new.csv"
    file.write_text("id,given,surname,dob,postcode\nd,Anna,Berg,1980-01-02,2000\ne,Anna,Berg,1980-01-02,2000\n")
    # ids of the ended records are not given again: the two new ones count, and make a pair per rule
    assert estimate_pairs(system.config, file, "P1", "ADM").preflight.candidate_pairs_count == 2
