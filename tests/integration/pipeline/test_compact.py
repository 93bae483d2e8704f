"""Compact: few files instead of many, nothing visible changes, and undo and history stay exact."""

import pyarrow.parquet as pq
import pytest

from linkwright.services.cancel_envelope import cancel_envelope
from linkwright.services.clear_queue import clear_queue
from linkwright.services.retry_job import retry_job, why_not_retry
from linkwright.services.roll_back_envelope import RollbackScope, roll_back_envelope, why_not_roll_back
from linkwright.services.start_compact import start_compact, why_not_compact
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.batch_catalog import live_batches, original_batches
from linkwright.store.models import (
    AuditLogEntry,
    Batch,
    BatchKind,
    BatchState,
    Envelope,
    EnvelopeState,
    Job,
    JobKind,
    JobState,
    LinkageProject,
)
from linkwright.store.settings import change_setting
from tests.integration.pipeline.conftest import Row, System
from tests.integration.pipeline.visible_state import files_count, visible

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_drawing")]

PEOPLE = [
    (given, surname, birth)
    for given in ("Anna", "Carl")
    for surname in ("Berg", "Cole")
    for birth in ("1980-01-02", "1975-05-06")
]


def person(identifier: str, given: str = "Anna", surname: str = "Berg", birth: str = "1980-01-02") -> Row:
    return (identifier, given, surname, birth, "2000")


def project(code: str = "P1") -> LinkageProject:
    return LinkageProject.objects.get(code=code)


def compact(system: System, code: str = "P1") -> Job:
    job = start_compact(project(code), COMMAND_LINE)
    assert job is not None
    system.drain()
    job.refresh_from_db()
    assert job.state == JobState.SUCCESS, job.error_message
    return job


def roll_back(system: System, envelope: Envelope) -> None:
    roll_back_envelope(envelope.pk, COMMAND_LINE, reason="a test", scope=RollbackScope.ALONE)
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.ROLLED_BACK


def test_many_small_batches_become_one_and_nothing_visible_changes(by_hand: System) -> None:
    for number, one in enumerate(PEOPLE):
        by_hand.load(f"load{number}", [person(f"a{number}", *one), person(f"b{number}", *one)])
    before = visible(by_hand, "P1")
    assert files_count()["records"] == len(PEOPLE)
    job = compact(by_hand)
    assert files_count() == {"records": 1, "pairs": 1, "assignments": 1, "ends": 0, "decisions": 0}
    assert visible(by_hand, "P1") == before
    assert (job.statistics["files_before_count"], job.statistics["files_after_count"]) == (3 * len(PEOPLE), 3)
    sweep_files(by_hand.config)
    # the originals stay on disk; their match indexes go, as the one of the compacted file serves
    names = {path.name for path in by_hand.project_folder.iterdir()}
    assert {batch.file_name for batch in original_batches(project(), BatchKind.RECORDS)} <= names
    assert len([name for name in names if name.endswith(".index")]) == 1
    assert AuditLogEntry.objects.filter(action="compact project", project_code="P1").count() == 1


def test_what_is_loaded_after_it_links_as_before(by_hand: System) -> None:
    first = by_hand.load("first", [person("a1")])
    by_hand.load("second", [person("b1", "Ben", "Cole", "1975-05-06")])
    group_of = by_hand.group_ids()
    compact(by_hand)
    third = by_hand.load("third", [person("a2"), person("c1", "Cleo", "Dunn", "1990-09-10")])
    assert third.state == EnvelopeState.SUCCESS
    assert by_hand.group_ids() == {**group_of, "a2": group_of["a1"], "c1": 3}
    # a Source Unique ID is still taken, whichever file it stands in
    again = by_hand.load("again", [person("a1")])
    assert again.state == EnvelopeState.ERRORS
    assert first.state == EnvelopeState.SUCCESS


def test_the_latest_envelopes_roll_back_one_by_one_after_it(by_hand: System) -> None:
    maps, envelopes = [], []
    for number, one in enumerate(PEOPLE[:4]):
        maps.append(by_hand.group_ids())
        envelopes.append(by_hand.load(f"load{number}", [person(f"a{number}", *one)]))
    compact(by_hand)
    for envelope, before in zip(reversed(envelopes), reversed(maps), strict=True):
        roll_back(by_hand, envelope)
        assert by_hand.group_ids() == before
    assert not Batch.objects.filter(state=BatchState.LIVE).exists()
    sweep_files(by_hand.config)
    assert [path for path in by_hand.project_folder.iterdir() if path.is_file()] == []


def test_rolling_back_what_is_not_covered_leaves_the_compacted_files_in_use(by_hand: System) -> None:
    for number in range(3):
        by_hand.load(f"load{number}", [person(f"a{number}")])
    compact(by_hand)
    roll_back(by_hand, by_hand.load("later", [person("z")]))
    assert files_count()["records"] == 1


def test_it_starts_by_itself_after_so_many_batches_and_never_inside_a_chain(system: System) -> None:
    change_setting("Worker.Compact.AfterBatches", 3, COMMAND_LINE)
    for number in range(6):
        system.submit(system.build(f"load{number}", [person(f"a{number}")]))
    order = [job.kind if job.envelope_id is None else job.envelope_id for job in system.drain()]
    chains = [key for index, key in enumerate(order) if index == 0 or order[index - 1] != key]
    assert len(chains) == len(set(chains))
    assert chains[-1] == JobKind.COMPACT
    assert max(files_count().values()) <= 3
    assert system.groups() == {frozenset(f"a{number}" for number in range(6))}


def test_few_batches_are_left_alone(system: System) -> None:
    change_setting("Worker.Compact.AfterBatches", 3, COMMAND_LINE)
    for number in range(3):
        system.load(f"load{number}", [person(f"a{number}")])
    assert not Job.objects.filter(kind=JobKind.COMPACT).exists()


def test_there_is_nothing_to_start_twice_or_for_nothing(by_hand: System) -> None:
    assert start_compact(project(), COMMAND_LINE) is None
    assert "has no small files to compact" in why_not_compact(project())
    for number in range(2):
        by_hand.load(f"load{number}", [person(f"a{number}")])
    assert start_compact(project(), COMMAND_LINE) is not None
    assert start_compact(project(), COMMAND_LINE) is None
    assert "is queued or runs already" in why_not_compact(project())
    by_hand.drain()
    assert start_compact(project(), COMMAND_LINE) is None


def test_a_failed_job_can_be_retried_after_a_compact(by_hand: System) -> None:
    for number in range(3):
        by_hand.load(f"load{number}", [person(f"a{number}")])
    failed = by_hand.load("failed", [person("b1"), person("b1")])
    assert failed.state == EnvelopeState.ERRORS
    job = failed.jobs.get(kind=JobKind.LOAD)
    compact(by_hand)
    assert why_not_retry(job) == ""
    change_setting("Worker.Load.MaxRejectedRows", 5, COMMAND_LINE)
    retry_job(job.pk, COMMAND_LINE)
    by_hand.drain()
    failed.refresh_from_db()
    assert failed.state == EnvelopeState.SUCCESS
    by_hand.load("other", [person("c1")])


def test_a_rollback_does_not_wait_for_a_queued_compact_to_be_asked_for(by_hand: System) -> None:
    envelopes = [by_hand.load(f"load{number}", [person(f"a{number}")]) for number in range(3)]
    start_compact(project(), COMMAND_LINE)
    assert why_not_roll_back(envelopes[0]) == ""
    roll_back(by_hand, envelopes[0])
    assert by_hand.groups() == {frozenset({"a1", "a2"})}
    # the compacted files stood for files that are gone: they went with them
    assert files_count()["records"] == 2


def test_a_damaged_original_fails_it_with_a_message_and_nothing_is_lost(system: System) -> None:
    change_setting("Worker.Compact.AfterBatches", 2, COMMAND_LINE)
    for number in range(2):
        system.load(f"load{number}", [person(f"a{number}")])
    damaged = system.project_folder / original_batches(project(), BatchKind.PAIRS)[1].file_name
    content = damaged.read_bytes()
    damaged.write_bytes(b"PAR1 no more")
    system.load("third", [person("a2")])
    job = Job.objects.get(kind=JobKind.COMPACT)
    assert job.state == JobState.ERRORS
    assert "Nothing was changed" in job.error_message
    assert "linkwright doctor" in job.error_message
    assert len(system.groups()) == 1
    system.load("fourth", [person("a3")])
    # it does not fail once more with every Envelope: a person retries it when the file is there again
    assert Job.objects.filter(kind=JobKind.COMPACT).count() == 1
    damaged.write_bytes(content)
    compact(system)
    assert files_count()["pairs"] == 1
    assert sorted(system.group_ids()) == ["a0", "a1", "a2", "a3"]


def test_a_compacted_file_that_is_gone_is_made_again_from_its_originals(by_hand: System) -> None:
    for number in range(3):
        by_hand.load(f"load{number}", [person(f"a{number}")])
    before = visible(by_hand, "P1")
    compact(by_hand)
    for kind in (BatchKind.RECORDS, BatchKind.ASSIGNMENTS):
        (by_hand.project_folder / live_batches(project(), kind)[0].file_name).unlink()
    job = compact(by_hand)
    assert job.statistics["files_after_count"] == 2
    assert visible(by_hand, "P1") == before
    assert files_count() == {"records": 1, "pairs": 1, "assignments": 1, "ends": 0, "decisions": 0}


def test_a_file_that_lost_rows_is_not_taken_for_whole(by_hand: System) -> None:
    for number in range(2):
        by_hand.load(f"load{number}", [person(f"a{number}"), person(f"b{number}")])
    path = by_hand.project_folder / original_batches(project(), BatchKind.RECORDS)[0].file_name
    pq.write_table(pq.read_table(path).slice(0, 1), path)
    job = start_compact(project(), COMMAND_LINE)
    by_hand.drain()
    assert job is not None
    job.refresh_from_db()
    assert "hold 3 rows, where the catalog says 4" in job.error_message


def test_clearing_the_queue_withdraws_it_and_it_comes_again(system: System) -> None:
    change_setting("Worker.Compact.AfterBatches", 2, COMMAND_LINE)
    for number in range(3):
        system.submit(system.build(f"load{number}", [person(f"a{number}")]))
    system.drain(limit=15)
    assert Job.objects.get(kind=JobKind.COMPACT).state == JobState.QUEUED
    clear_queue(COMMAND_LINE)
    assert Job.objects.get(kind=JobKind.COMPACT).end_reason == "cleared"
    system.load("next", [person("a4")])
    assert Job.objects.filter(kind=JobKind.COMPACT, state=JobState.SUCCESS).count() == 1


def test_an_attempt_whose_files_were_written_but_not_committed_leaves_nothing(
    by_hand: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        by_hand.load(f"load{number}", [person(f"a{number}")])
    before = visible(by_hand, "P1")
    start_compact(project(), COMMAND_LINE)
    with monkeypatch.context() as patched:
        patched.setattr("linkwright.jobs.compact.add_compacted", lost)
        (job,) = by_hand.drain()
    assert (job.state, job.attempt) == (JobState.ERRORS, 1)
    left = [path for path in by_hand.project_folder.iterdir() if path.name.startswith(f"s-j{job.pk}-")]
    assert left
    assert visible(by_hand, "P1") == before
    sweep_files(by_hand.config)
    assert not any(path.exists() for path in left)
    retry_job(job.pk, COMMAND_LINE)
    by_hand.drain()
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.SUCCESS, 2)
    assert visible(by_hand, "P1") == before


def lost(*_arguments: object) -> Batch:
    raise MemoryError


def test_cancelling_an_envelope_behind_it_changes_nothing_of_it(by_hand: System) -> None:
    for number in range(2):
        by_hand.load(f"load{number}", [person(f"a{number}")])
    start_compact(project(), COMMAND_LINE)
    waiting = by_hand.submit(by_hand.build("waiting", [person("z")]))
    cancel_envelope(waiting.pk, COMMAND_LINE)
    by_hand.drain()
    assert files_count()["records"] == 1
