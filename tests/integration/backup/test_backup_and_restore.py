"""A backup, restored into an empty place, is the same system: map, lists, people, and what comes next."""

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import connection

from linkwright.config import read_secret_key
from linkwright.services.check_audit_log import check_audit_log, fault_of_kept
from linkwright.services.check_system import check_system
from linkwright.services.create_administrator import create_administrator
from linkwright.services.start_backup import start_backup
from linkwright.store.audit_chain import Head
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.backup.manifest import read_manifest
from linkwright.store.backup.rows import backed_up_models
from linkwright.store.backup.snapshot import all_rows
from linkwright.store.models import (
    AuditLogEntry,
    Batch,
    Envelope,
    EnvelopeState,
    Job,
    JobEvent,
    JobKind,
    JobState,
    User,
)
from linkwright.store.queries.envelope_lists import list_envelopes
from linkwright.store.queries.envelope_search import EnvelopeFilter
from linkwright.store.queries.job_lists import list_jobs
from linkwright.store.queries.job_search import JobFilter
from tests.integration.backup.conftest import LATER_ROWS, ROWS, NewPlace, back_up, backup_of
from tests.integration.pipeline.conftest import System

WAYS = [
    pytest.param("sqlite", "sqlite"),
    pytest.param("postgres", "sqlite", marks=pytest.mark.postgres),
    pytest.param("sqlite", "postgres", marks=pytest.mark.postgres),
]


def all_tables() -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table that a backup holds."""
    return {model.__name__: list(all_rows(model).order_by("pk").values()) for model in backed_up_models()}


def lists(system: System) -> tuple[list[Any], list[Any]]:
    """Return what the Administrator sees."""
    admin = User.objects.get(username="ada")
    envelopes = list(list_envelopes(admin, EnvelopeFilter()).rows)
    jobs = list(list_jobs(admin, JobFilter()).rows)
    return envelopes, jobs


@pytest.mark.parametrize(("source", "target"), WAYS)
def test_a_restored_system_is_the_same_and_goes_on(new_place: NewPlace, source: str, target: str) -> None:
    first, second = new_place(source), new_place(target)
    with first.set_up() as system:
        system.load("first", ROWS)
        password = create_administrator("ada", COMMAND_LINE)
        secret = read_secret_key(system.config)
        (system.config.home / "person-keys.json").write_text("other secrets")
        backup = back_up(system)
        before, rows, shown = system.group_ids(), all_tables(), lists(system)
        envelope = system.load("next", LATER_ROWS)
        expected_map, expected_batches = system.group_ids(), batches(envelope)
    with second.restore(backup) as system:
        assert system.group_ids() == before
        # that it was backed up and restored, and the end of that
        assert changed_tables(rows, all_tables()) <= {
            "AuditLogEntry",
            "AuditLogHead",
            "AuditMessage",
            "Job",
            "JobEvent",
        }
        mark, found = read_manifest(backup).audit_log, check_audit_log()
        assert mark is not None
        assert (found.ok, found.checked_count) == (True, mark.entries_count + 1)
        assert fault_of_kept(Head(mark.entries_count, mark.sha256)) == ""
        envelopes, jobs = lists(system)
        assert envelopes == shown[0]
        assert [(row.id, row.status, row.headline_count) for row in jobs] == [
            (row.id, row.status, row.headline_count) for row in shown[1]
        ]
        assert authenticate(username="ada", password=password) == User.objects.get(username="ada")
        assert read_secret_key(system.config) == secret
        assert (system.config.home / "person-keys.json").read_text() == "other secrets"
        assert [finding.text for finding in check_system(system.config) if not finding.ok] == []
        assert system.drain() == []
        envelope = system.load("next", LATER_ROWS)
        assert envelope.state == EnvelopeState.SUCCESS
        assert (system.group_ids(), batches(envelope)) == (expected_map, expected_batches)


def batches(envelope: Envelope) -> list[tuple[Any, ...]]:
    return list(Batch.objects.filter(envelope=envelope).values_list("pk", "kind", "state", "first_id", "last_id"))


def changed_tables(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name, rows in before.items() if rows != after[name]}


def test_the_job_that_made_the_backup_has_succeeded_in_it(new_place: NewPlace) -> None:
    with new_place().set_up() as system:
        system.load("first", ROWS)
        backup = back_up(system)
    with new_place().restore(backup) as system:
        job = Job.objects.get(kind=JobKind.BACKUP)
        assert (job.state, job.attempt, job.statistics["name"]) == (JobState.SUCCESS, 1, backup.name)
        entered = list(JobEvent.objects.filter(job=job).values_list("entered", flat=True))
        assert entered == [JobState.QUEUED, JobState.RUNNING, JobState.SUCCESS]
        assert AuditLogEntry.objects.filter(action="restore backup", target=backup.name).count() == 1


def test_what_was_queued_is_still_queued_and_is_processed(new_place: NewPlace) -> None:
    with new_place().set_up() as system:
        system.load("first", ROWS)
        job = start_backup(COMMAND_LINE)
        waiting = system.submit(system.build("waiting", LATER_ROWS))
        system.drain(limit=1)
        backup = backup_of(system, job)
        system.drain()
        expected = system.group_ids()
    with new_place().restore(backup) as system:
        restored = Envelope.objects.get(pk=waiting.pk)
        assert restored.state == EnvelopeState.QUEUED
        system.drain()
        restored.refresh_from_db()
        assert restored.state == EnvelopeState.SUCCESS
        assert system.group_ids() == expected


def test_passing_things_are_left_out_and_other_files_are_taken(new_place: NewPlace) -> None:
    with new_place().set_up() as system:
        home = system.config.home
        system.load("first", ROWS)
        read_secret_key(system.config)
        (home / "worker.lock").write_text("1")
        (home / "server.log").write_text("said")
        (home / "scratch" / "upload").write_text("half")
        (home / "inbox").mkdir()
        (home / "inbox" / "arriving.zip").write_text("half")
        (home / "extracts" / "7").mkdir(parents=True)
        (home / "extracts" / "7" / "result.zip").write_text("a result")
        (home / "project-link").symlink_to("/etc/hostname")
        junk = system.project_folder / "e9-j9-a9-records.parquet"
        junk.write_text("given up")
        backup = back_up(system)
        backup_again = back_up(system)
    for one in (backup, backup_again):
        files = {
            path.relative_to(one / "files").as_posix() for path in (one / "files").rglob("*") if path.is_file()
        }
        others = {name for name in files if not name.startswith(("warehouse/", "envelopes/"))}
        assert others == {"secret.key", "extracts/7/result.zip"}
        assert not any(name.endswith(junk.name) for name in files)
    with new_place().restore(backup) as system:
        assert {path.name for path in system.config.home.iterdir()} >= {
            "secret.key",
            "extracts",
            "linkwright.sqlite3",
        }
        assert (system.config.home / "extracts/7/result.zip").read_text() == "a result"


def test_files_are_copies_that_their_owner_alone_may_read(new_place: NewPlace) -> None:
    with new_place().set_up() as system:
        system.load("first", ROWS)
        backup = back_up(system)
        for path in backup.rglob("*"):
            status = path.stat()
            assert status.st_mode & 0o077 == 0, path
            assert path.is_dir() or status.st_nlink == 1
    with new_place().restore(backup) as system:
        for path in system.config.home.rglob("*"):
            if path.is_file() and "sqlite3" not in path.name and not path.name.endswith(".lock"):
                assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.postgres
def test_characters_that_postgres_refuses_do_not_stop_a_restore(new_place: NewPlace) -> None:
    odd = "a\0b\u2028c\\u0000d"
    with new_place().set_up() as system:
        system.load("first", ROWS)
        Job.objects.filter(kind=JobKind.LOAD).update(statistics={odd: [odd, 1.5, None, 2**60]}, error_message=odd)
        backup = back_up(system)
        assert read_manifest(backup).rows_count > 0
    shown = odd.replace("\0", "\ufffd")
    with new_place("postgres").restore(backup):
        job = Job.objects.get(kind=JobKind.LOAD)
        assert job.statistics == {shown: [shown, 1.5, None, 2**60]}
        assert job.error_message == shown
    with new_place("sqlite").restore(backup):
        assert connection.vendor == "sqlite"
        assert Job.objects.get(kind=JobKind.LOAD).statistics == {odd: [odd, 1.5, None, 2**60]}
