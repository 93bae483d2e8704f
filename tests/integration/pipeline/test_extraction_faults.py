"""Extraction when something breaks: disk, snapshot, secret, a crash before the commit, a cancel, a download."""

import errno
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from linkwright.jobs.context import JobContext
from linkwright.jobs.extract import run_extract
from linkwright.jobs.keyring import KeyringError, keyring_path
from linkwright.queue.claim import claim_next
from linkwright.services.cancel_envelope import cancel_envelope
from linkwright.services.download_extraction_result import NoResultError, take_result
from linkwright.services.end_job import complete_job
from linkwright.services.retry_job import retry_job
from linkwright.services.rotate_key_secret import rotate_key_secret
from linkwright.services.start_extraction import start_extraction
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AuditLogEntry,
    Envelope,
    EnvelopeState,
    ExtractionProject,
    ExtractionResult,
    Job,
    JobState,
    ResultEnd,
)
from linkwright.worker import child, housekeeping
from linkwright.worker.housekeeping import Housekeeping
from tests.integration.pipeline.acting import A
from tests.integration.pipeline.conftest import System
from tests.integration.pipeline.extracting import D, ask, create, extract, keys, package, rows

pytestmark = pytest.mark.django_db


def results(system: System) -> list[Path]:
    return list(system.config.results_folder.iterdir())


def retry(system: System, job: Job) -> Job:
    retry_job(job.pk, COMMAND_LINE)
    system.drain()
    job.refresh_from_db()
    return job


def no_space(*_arguments: object, **_options: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("stage", ["warehouse.extraction_files.csv_header", "envelopes.builder.sync"])
def test_a_full_disk_while_a_result_is_written_is_told_and_a_retry_succeeds(
    system: System, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    system.load("first", [A])
    create()
    with monkeypatch.context() as patch:
        patch.setattr(f"linkwright.{stage}", no_space)
        job = extract(system)
    assert job.state == JobState.ERRORS
    assert "No space left on device" in job.error_message
    assert "retry the job" in job.error_message
    assert not ExtractionResult.objects.exists()
    assert results(system) == []
    assert rows(system, retry(system, job))[1:][0][1] == "a"


def test_a_snapshot_that_was_damaged_is_told_and_a_restored_one_serves(system: System) -> None:
    system.load("first", [A])
    create("S", "snapshot")
    system.drain()
    (part,) = ExtractionProject.objects.get().parts.all()
    assert part.records is not None
    path = system.project_folder / part.records.file_name
    sound = path.read_bytes()
    path.write_bytes(sound[:-20] + bytes([sound[-20] ^ 1]) + sound[-19:])
    job = extract(system, "S")
    assert "is damaged: its content is no longer what was written. Restore the file" in job.error_message
    path.unlink()
    assert "cannot be read (No such file or directory). Restore it" in retry(system, job).error_message
    path.write_bytes(sound)
    assert retry(system, job).state == JobState.SUCCESS


def test_without_its_secret_nothing_is_extracted_or_created_and_none_is_made(system: System) -> None:
    system.load("first", [A])
    create()
    before = keys(system)
    path = keyring_path(system.config)
    content = path.read_bytes()
    path.unlink()
    job = extract(system)
    assert job.state == JobState.ERRORS
    assert "is gone. Restore the file from a backup" in job.error_message
    with pytest.raises(KeyringError, match="is gone"):
        create("X2")
    with pytest.raises(KeyringError, match="is gone"):
        rotate_key_secret(COMMAND_LINE)
    assert not path.exists()
    assert not ExtractionProject.objects.filter(code="X2").exists()
    path.write_bytes(content)
    assert retry(system, job).state == JobState.SUCCESS
    assert keys(system) == before


def test_rotation_changes_no_key_of_what_exists(system: System) -> None:
    system.load("first", [A])
    create("X1")
    before = keys(system)
    assert rotate_key_secret(COMMAND_LINE).version == 2
    create("X2")
    versions = dict(ExtractionProject.objects.values_list("code", "secret_version"))
    assert versions == {"X1": 1, "X2": 2}
    assert keys(system) == before
    assert keys(system, "X2") != before
    assert AuditLogEntry.objects.get(action="rotate the secret of Person Keys").target == "version 2"


def test_no_secret_and_no_key_is_in_the_database(system: System) -> None:
    system.load("first", [A])
    create()
    found = keys(system)
    text = repr(
        [list(model.objects.values()) for model in (ExtractionProject, ExtractionResult, Job, AuditLogEntry)]
    )
    assert found["a"] not in text
    secret = keyring_path(system.config).read_text().split('"')[5]
    assert len(secret) == 64
    assert secret not in text


def test_a_crash_between_the_files_and_the_commit_leaves_files_that_are_swept(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.load("first", [A])
    create()
    system.config.results_folder.mkdir(exist_ok=True)
    with monkeypatch.context() as patch:
        patch.setattr(child, "complete_job", no_space)
        job = extract(system)
    assert job.state == JobState.ERRORS
    assert len(results(system)) == 1
    assert len(list(system.project_folder.glob("*ledger*"))) == 2
    sweep_files(system.config)
    assert results(system) == []
    assert list(system.project_folder.glob("*ledger*")) == []
    assert retry(system, job).state == JobState.SUCCESS


def test_the_files_of_the_running_attempt_are_not_swept(system: System) -> None:
    system.load("first", [A])
    start_extraction(create(), COMMAND_LINE)
    job = claim_next()
    assert job is not None
    own = system.config.results_folder / f"s-j{job.pk}-a{job.attempt}-abc.zip"
    other = system.config.results_folder / f"s-j{job.pk}-a{job.attempt + 1}-abc.zip"
    for path in (own, other):
        path.write_bytes(b"")
    sweep_files(system.config)
    assert results(system) == [own]


def test_an_envelope_that_is_cancelled_as_its_job_ends_leaves_no_result(system: System) -> None:
    system.load("first", [A])
    create()
    envelope = ask_without_running(system)
    system.drain(limit=1)
    job = claim_next()
    assert job is not None
    job = Job.objects.select_related("envelope__project", "project").get(pk=job.pk)
    result = run_extract(context_of(system, job))
    cancel_envelope(envelope.pk, COMMAND_LINE)
    job.refresh_from_db()
    complete_job(job, attempt=job.attempt, result=result, raised=[], peak_memory_bytes=0)
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.CANCELLED
    assert not ExtractionResult.objects.exists()
    assert ExtractionProject.objects.get().kept_at is None
    sweep_files(system.config)
    assert results(system) == []


def ask_without_running(system: System) -> Envelope:
    drained = System(system.config, system.folder)
    object.__setattr__(drained, "drain", lambda: None)
    return ask(drained, "asked")


def context_of(system: System, job: Job) -> JobContext:
    return JobContext(
        job=job,
        config=system.config,
        report=lambda _progress: None,
        audit=lambda _text: None,
        notify=lambda _severity, _text: None,
    )


def test_a_result_expires_on_its_day_even_if_no_job_runs(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system.load("first", [A])
    create(keep_results_days=3)
    extract(system)
    result = ExtractionResult.objects.select_related("extraction_project__project", "event_type").get()
    assert result.expires_at == result.created_at + timedelta(days=3)
    monkeypatch.setattr(housekeeping, "RESULTS_EVERY_S", -1.0)
    keeper = Housekeeping(system.config)
    keeper.before_claim()
    assert len(results(system)) == 1
    ExtractionResult.objects.update(expires_at=timezone.now())
    with pytest.raises(NoResultError, match="is no longer kept"):
        take_result(result, COMMAND_LINE)
    keeper.before_claim()
    assert results(system) == []
    result.refresh_from_db()
    assert (result.removed_why, result.downloads_count) == (ResultEnd.EXPIRED, 0)


def test_a_download_is_counted_and_stands_in_the_audit_log(system: System) -> None:
    system.load("first", [A, D])
    create()
    job = extract(system)
    result = ExtractionResult.objects.select_related("extraction_project__project", "event_type").get()
    taken = take_result(result, COMMAND_LINE)
    assert taken.name == f"P1-X1-ADM-{result.pk}.zip"
    assert taken.path.read_bytes() == package(system, job)
    result.refresh_from_db()
    entry = AuditLogEntry.objects.get(action="download extraction result")
    assert (result.downloads_count, entry.project_code, entry.detail["sha256"]) == (1, "P1", result.sha256)
    taken.path.write_bytes(b"")
    with pytest.raises(NoResultError, match="is gone or damaged"):
        take_result(result, COMMAND_LINE)
    result.refresh_from_db()
    assert result.downloads_count == 1


def test_a_ledger_that_is_damaged_is_told(system: System) -> None:
    system.load("first", [A])
    create()
    extract(system)
    (part,) = ExtractionProject.objects.get().parts.all()
    assert part.records is not None
    (system.project_folder / part.records.file_name).write_bytes(b"PAR1 and nothing more")
    job = extract(system)
    assert "The ledger" in job.error_message
    assert "Restore the file from a backup" in job.error_message
