"""Purge: nothing of ended records is left on disk, all else stays, and what it takes away is said before."""

import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.db import connection
from django.utils import timezone

from linkwright.envelopes.manifest import RequestType
from linkwright.services.check_system import check_system
from linkwright.services.explain_group import explain_group
from linkwright.services.retry_job import retry_job
from linkwright.services.roll_back_envelope import (
    RollbackRefusedError,
    RollbackScope,
    preview_rollback,
    roll_back_envelope,
    why_not_roll_back,
)
from linkwright.services.start_compact import start_compact
from linkwright.services.start_purge import (
    PurgeRefusedError,
    preview_purge,
    start_purge,
    unpurged_records_count,
)
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE, SYSTEM
from linkwright.store.batch_catalog import live_batches, original_batches
from linkwright.store.models import (
    AuditLogEntry,
    AuditMessage,
    Batch,
    BatchKind,
    Envelope,
    EnvelopeState,
    Job,
    JobKind,
    JobState,
    LinkageProject,
    Notification,
)
from linkwright.store.settings import change_setting
from tests.integration.pipeline.conftest import PROJECT_YAML, Row, System

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_drawing")]

REASON = "asked for by the person"
# names, a date of birth, a column that no linkage field uses, a Source Unique ID
PLANTED = ("zebulon", "quixwater", "1966-06-06", "remarkable", "planted-17")
COLUMNS = ("id", "given", "surname", "dob", "postcode", "note")
ANNA: Row = ("a1", "Anna", "Berg", "1980-01-02", "2000", "plain")
BEN: Row = ("b1", "Ben", "Cole", "1975-05-06", "3000", "plain")
ZEBULON: Row = ("planted-17", "Zebulon", "Quixwater", "1966-06-06", "4000", "remarkable")


def project() -> LinkageProject:
    return LinkageProject.objects.get(code="P1")


def load(system: System, name: str, *rows: Row) -> Envelope:
    envelope = system.submit(system.build(name, rows, columns=COLUMNS))
    return drained(system, envelope)


def delete(system: System, *identifiers: str, name: str = "deletion") -> Envelope:
    return send(system, name, RequestType.SUBMIT_DELETION, *identifiers)


def send(system: System, name: str, request_type: RequestType, *lines: str) -> Envelope:
    content = {"ADM": "".join(f"{line}\n" for line in lines).encode()}
    return drained(system, system.submit(system.build_raw(name, content, request_type=request_type)))


def drained(system: System, envelope: Envelope) -> Envelope:
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.SUCCESS, [job.error_message for job in envelope.jobs.all()]
    return envelope


def purge(system: System) -> Job:
    job = start_purge(project(), COMMAND_LINE, reason=REASON, older_than_days=0)
    assert job is not None
    system.drain()
    job.refresh_from_db()
    assert job.state == JobState.SUCCESS, job.error_message
    sweep_files(system.config)
    return job


def names_left(system: System) -> list[str]:
    """Return where a planted value is found: in a file, unpacked if it is packed, or in a table."""
    return sorted({*_in_files(system.config.home), *_in_tables()})


def _in_files(home: Path) -> Iterator[str]:
    for path in home.rglob("*"):
        if not path.is_file() or path.name.startswith("linkwright.sqlite3"):
            continue
        contents = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as package:
                contents += [package.read(name) for name in package.namelist()]
        if path.suffix == ".parquet":
            contents.append(repr(pq.read_table(path).to_pydict()).encode())
            contents.append(repr(pq.read_table(path).to_pylist()).encode())
        for value in PLANTED:
            if any(value.encode() in content.lower() for content in contents):
                yield f"{value} in {path.name}"


def _in_tables() -> Iterator[str]:
    tables = [name for name in connection.introspection.table_names() if name.startswith("store_")]
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            held = repr(cursor.fetchall()).lower()
            yield from (f"{value} in {table}" for value in PLANTED if value in held)


def test_nothing_of_a_deleted_record_is_left_under_the_data_folder(system: System) -> None:
    load(system, "first", ANNA, ZEBULON)
    later = load(system, "second", BEN, ("z2", *ZEBULON[1:5], "plain"))
    # what a later job says of a block that both share, and what the Load could not read
    Job.objects.filter(envelope=later, kind=JobKind.MATCH).update(
        statistics={
            "largest_blocks": [{"rule": "surname", "values": "quixwater"}, {"rule": "x", "values": "berg"}]
        }
    )
    match, load_job = (later.jobs.get(kind=kind) for kind in (JobKind.MATCH, JobKind.LOAD))
    now = timezone.now()
    for job, text in (
        (match, "The block quixwater"),
        (match, "The block berg"),
        (load_job, "no date: 1966-66-06"),
    ):
        Notification.objects.create(envelope=later, job=job, severity="warning", text=text, raised_at=now)
        AuditMessage.objects.create(job=job, attempt=1, at=now, text=text)
    delete(system, "planted-17", "z2")
    assert system.groups() == {frozenset({"a1"}), frozenset({"b1"})}
    # the Parquet files, their indexes, the received Envelopes, texts
    assert len(names_left(system)) > len(PLANTED)
    before = system.group_ids()
    job = purge(system)
    assert names_left(system) == []
    assert system.group_ids() == before
    assert job.statistics["records_count"] == 2
    assert job.statistics["envelopes_count"] == 3
    texts = list(Notification.objects.filter(envelope=later).values_list("text", flat=True))
    assert [("purged" in text, "berg" in text) for text in texts] == [(True, False), (False, True), (True, False)]
    match.refresh_from_db()
    assert [block["values"] for block in match.statistics["largest_blocks"]] == ["", "berg"]
    assert set(Envelope.objects.values_list("file_name", flat=True)) == {""}
    entry = AuditLogEntry.objects.get(action="purge project")
    assert (entry.reason, entry.project_code, entry.detail["records"]) == (REASON, "P1", 2)


def test_what_is_not_ended_keeps_every_value_and_every_file_that_holds_no_ended_record(system: System) -> None:
    load(system, "first", ANNA, ZEBULON)
    other = load(system, "second", BEN)
    files = {
        batch.pk: pq.read_table(system.project_folder / batch.file_name)
        for batch in original_batches(project(), BatchKind.RECORDS)
    }
    delete(system, "planted-17")
    purge(system)
    first, second = original_batches(project(), BatchKind.RECORDS)
    assert second.purged_at is None
    table = pq.read_table(system.project_folder / first.file_name)
    assert table.schema.equals(files[first.pk].schema)
    assert table.slice(0, 1).equals(files[first.pk].slice(0, 1))
    blank = {name: value for name, value in table.slice(1, 1).to_pylist()[0].items() if value is not None}
    assert blank == {"record_id": 2, "event_type": "ADM"}
    assert table.num_rows == 2
    other.refresh_from_db()
    assert (system.config.incoming_folder / other.file_name).is_file()
    assert all(
        finding.ok for finding in check_system(system.config) if finding.subject in {"warehouse", "Envelopes"}
    )


def test_what_is_loaded_after_it_links_as_before_and_the_identifier_is_free(system: System) -> None:
    load(system, "first", ANNA, ZEBULON)
    delete(system, "planted-17")
    purge(system)
    load(system, "second", ZEBULON, ("a2", *ANNA[1:]))
    assert system.groups() == {frozenset({"a1", "a2"}), frozenset({"planted-17"})}
    history = explain_group(system.config, COMMAND_LINE, "P1", 2).history
    assert [str(key) for entry in history for key in entry.records] == ["ADM:(purged record 2)"] * 2


def test_a_deletion_is_not_rolled_back_once_its_records_were_purged(system: System) -> None:
    first = load(system, "first", ANNA, ZEBULON)
    deletion = delete(system, "planted-17")
    later = load(system, "later", BEN)
    assert why_not_roll_back(deletion) == ""
    purge(system)
    assert "deletion ended 1 records, and its records were purged on 20" in why_not_roll_back(deletion)
    assert preview_rollback(deletion).refusal
    with pytest.raises(RollbackRefusedError, match="their values are gone"):
        roll_back_envelope(deletion.pk, COMMAND_LINE, reason=REASON, scope=RollbackScope.ALONE)
    # the Envelope that brought them goes, with the deletion or without it
    assert why_not_roll_back(first) == ""
    roll_back_envelope(first.pk, COMMAND_LINE, reason=REASON, scope=RollbackScope.WITH_LATER)
    system.drain()
    assert system.groups() == set()
    for envelope in (first, deletion, later):
        envelope.refresh_from_db()
        assert envelope.state == EnvelopeState.ROLLED_BACK


def test_the_envelope_that_brought_purged_records_rolls_back_alone(system: System) -> None:
    first = load(system, "first", ANNA, ZEBULON)
    delete(system, "planted-17")
    load(system, "later", BEN)
    purge(system)
    roll_back_envelope(first.pk, COMMAND_LINE, reason=REASON, scope=RollbackScope.ALONE)
    (job,) = system.drain()
    assert job.state == JobState.SUCCESS, job.error_message
    assert system.groups() == {frozenset({"b1"})}
    # nothing is left to purge: the files of what was rolled back are gone
    assert unpurged_records_count(project()) == 0


def test_one_and_all_later_are_refused_if_a_purged_record_would_come_back(system: System) -> None:
    load(system, "first", ANNA, ZEBULON)
    second = load(system, "second", BEN)
    delete(system, "planted-17")
    purge(system)
    with pytest.raises(RollbackRefusedError, match="deletion ended 1 records"):
        roll_back_envelope(second.pk, COMMAND_LINE, reason=REASON, scope=RollbackScope.WITH_LATER)


def test_a_rollback_that_was_queued_before_it_is_refused_by_its_job(system: System) -> None:
    load(system, "first", ANNA, ZEBULON)
    deletion = delete(system, "planted-17")
    start_purge(project(), COMMAND_LINE, reason=REASON, older_than_days=0)
    assert "(Purge) of project P1 is queued" in why_not_roll_back(deletion)
    purging = Job.objects.get(kind=JobKind.PURGE)
    Job.objects.filter(pk=purging.pk).update(state=JobState.HELD)
    rolling = roll_back_envelope(deletion.pk, COMMAND_LINE, reason=REASON, scope=RollbackScope.ALONE)
    Job.objects.filter(pk=purging.pk).update(state=JobState.QUEUED, queue_rank=rolling.queue_rank - 1)
    assert [job.kind for job in system.drain()] == [JobKind.PURGE, JobKind.ROLLBACK]
    rolling.refresh_from_db()
    assert rolling.state == JobState.ERRORS
    assert "their values are gone" in rolling.error_message
    assert system.groups() == {frozenset({"a1"})}


def test_only_what_ended_long_enough_ago_is_purged(system: System) -> None:
    change_setting("Worker.Purge.AfterDays", 10, COMMAND_LINE)
    load(system, "first", ANNA, BEN, ZEBULON)
    old = delete(system, "planted-17", name="old")
    Batch.objects.filter(envelope=old).update(created_at=timezone.now() - timedelta(days=11))
    delete(system, "b1", name="young")
    preview = preview_purge(project())
    assert (preview.records_count, preview.younger_count, preview.older_than_days) == (1, 1, 10)
    assert [envelope.name for envelope in preview.fixed] == ["old"]
    assert start_purge(project(), SYSTEM) is not None
    system.drain()
    sweep_files(system.config)
    assert names_left(system) == []
    (records,) = original_batches(project(), BatchKind.RECORDS)
    assert pq.read_table(system.project_folder / records.file_name)["surname"].to_pylist() == [
        "berg",
        "cole",
        None,
    ]
    assert unpurged_records_count(project()) == 1
    assert "1 ended later" in preview_purge(project()).refusal
    assert start_purge(project(), SYSTEM) is None


def test_it_needs_a_reason_a_number_of_days_and_something_to_purge(system: System) -> None:
    load(system, "first", ANNA, ZEBULON)
    with pytest.raises(PurgeRefusedError, match="needs a reason"):
        start_purge(project(), COMMAND_LINE, reason=" ", older_than_days=0)
    with pytest.raises(PurgeRefusedError, match="number of days is -1; allowed is 0 to 36,500"):
        start_purge(project(), COMMAND_LINE, reason=REASON, older_than_days=-1)
    assert start_purge(project(), COMMAND_LINE, reason=REASON, older_than_days=0) is None
    assert "has no ended records to purge" in preview_purge(project(), 0).refusal
    delete(system, "planted-17")
    assert start_purge(project(), COMMAND_LINE, reason=REASON, older_than_days=0) is not None
    assert start_purge(project(), COMMAND_LINE, reason=REASON, older_than_days=0) is None
    assert "(Purge) of project P1 is queued or runs already" in preview_purge(project(), 0).refusal


def test_compacted_files_are_purged_too_and_stay_in_use(system: System) -> None:
    change_setting("Worker.Compact.AfterBatches", 0, COMMAND_LINE)
    load(system, "first", ANNA)
    load(system, "second", ZEBULON)
    load(system, "third", BEN)
    start_compact(project(), COMMAND_LINE)
    system.drain()
    delete(system, "planted-17")
    purge(system)
    assert names_left(system) == []
    assert live_batches(project(), BatchKind.RECORDS).count() == 1
    assert live_batches(project(), BatchKind.INDEX).count() == 1
    load(system, "fourth", ("a2", *ANNA[1:]))
    assert system.groups() == {frozenset({"a1", "a2"}), frozenset({"b1"})}


def test_a_list_of_reviewed_records_goes_and_so_do_rejected_rows(system: System) -> None:
    change_setting("Worker.Load.MaxRejectedRows", 10, COMMAND_LINE)
    first = load(system, "first", ANNA, ZEBULON, BEN, ("b1", *BEN[1:]))
    assert Batch.objects.filter(kind=BatchKind.REJECTS).exclude(state="removed").exists()
    lines = ("P1,planted-17,ADM,x", "P1,a1,ADM,y")
    review = send(system, "review", RequestType.SUBMIT_QUALITY_REVIEW, *lines)
    delete(system, "planted-17")
    purge(system)
    assert names_left(system) == []
    assert not Batch.objects.filter(envelope=first, kind=BatchKind.REJECTS).exclude(state="removed").exists()
    review.refresh_from_db()
    assert review.file_name == ""


def test_a_damaged_file_fails_it_and_a_retry_works_when_it_is_there_again(system: System) -> None:
    load(system, "first", ANNA, ZEBULON)
    delete(system, "planted-17")
    (records,) = original_batches(project(), BatchKind.RECORDS)
    path = system.project_folder / records.file_name
    content = path.read_bytes()
    path.write_bytes(b"PAR1 no more")
    job = start_purge(project(), COMMAND_LINE, reason=REASON, older_than_days=0)
    assert job is not None
    system.drain()
    job.refresh_from_db()
    assert f"{records.file_name} cannot be read" in job.error_message
    assert "Nothing was changed. Restore the file" in job.error_message
    path.write_bytes(content)
    retry_job(job.pk, COMMAND_LINE)
    system.drain()
    sweep_files(system.config)
    assert names_left(system) == []


def test_files_that_were_written_but_not_committed_change_nothing(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(system, "first", ANNA, ZEBULON)
    delete(system, "planted-17")
    names = set(Batch.objects.values_list("file_name", "purged_at"))

    def lost(*_arguments: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr("linkwright.jobs.purge.blank_texts", lost)
        job = start_purge(project(), COMMAND_LINE, reason=REASON, older_than_days=0)
        system.drain()
    assert job is not None
    assert set(Batch.objects.values_list("file_name", "purged_at")) == names
    sweep_files(system.config)
    assert {path.name for path in system.project_folder.iterdir()} == {
        batch.file_name for batch in Batch.objects.exclude(state="removed")
    }
    retry_job(job.pk, COMMAND_LINE)
    system.drain()
    sweep_files(system.config)
    assert names_left(system) == []


def test_a_failed_envelope_can_be_retried_after_it(system: System) -> None:
    load(system, "first", ANNA, ZEBULON)
    delete(system, "planted-17")
    failed = system.submit(system.build("failed", [BEN, BEN], columns=COLUMNS))
    system.drain()
    purge(system)
    change_setting("Worker.Load.MaxRejectedRows", 5, COMMAND_LINE)
    retry_job(failed.jobs.get(kind=JobKind.LOAD).pk, COMMAND_LINE)
    drained(system, failed)


def test_an_event_type_of_another_project_is_not_touched(system: System) -> None:
    system.apply(PROJECT_YAML.replace("code: P1", "code: P2"))
    load(system, "first", ANNA, ZEBULON)
    envelope = system.submit(system.build("other", [ZEBULON], project="P2", columns=COLUMNS))
    drained(system, envelope)
    delete(system, "planted-17")
    purge(system)
    assert system.group_ids("P2") == {"planted-17": 1}
    envelope.refresh_from_db()
    assert envelope.file_name
