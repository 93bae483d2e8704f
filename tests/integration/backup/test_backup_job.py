"""The Backup job: what it refuses, what it keeps and deletes, and what it does when something goes wrong."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from linkwright.config import read_secret_key
from linkwright.jobs import backup_files
from linkwright.services.end_job import end_job_cancelled
from linkwright.services.retry_job import RetryRefusedError, retry_job
from linkwright.services.start_backup import BackupRefusedError, start_backup
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.backup.folder import list_backups, remove_old
from linkwright.store.backup.manifest import MANIFEST_NAME, WrittenPart
from linkwright.store.backup.parts import copy_file
from linkwright.store.models import AuditLogEntry, AuditMessage, Batch, BatchState, Envelope, Job, JobState
from linkwright.store.settings import change_setting
from tests.integration.backup.conftest import ROWS, NewPlace, back_up, backup_of
from tests.integration.pipeline.conftest import System
from tests.small_disk import mounted_disk, only_root


@pytest.fixture
def system(new_place: NewPlace) -> Iterator[System]:
    """Return a system with one Envelope."""
    with new_place().set_up() as made:
        made.load("first", ROWS)
        yield made


def failed(system: System) -> str:
    """Make a backup that must fail; returns what is told, and makes sure that nothing is left of it."""
    job = start_backup(COMMAND_LINE)
    system.drain()
    job.refresh_from_db()
    assert job.state == JobState.ERRORS
    left = [path.name for path in (system.config.backups_folder, system.config.scratch_folder) if path.is_dir()]
    assert [name for name in left if name.startswith(("unfinished", "job"))] == []
    return job.error_message


def names(system: System) -> list[str]:
    """Return what lies in the folder of the backups."""
    return sorted(path.name for path in system.config.backups_folder.iterdir())


def test_a_second_backup_is_refused_while_one_waits_and_both_stand_in_the_audit_log(system: System) -> None:
    job = start_backup(COMMAND_LINE)
    with pytest.raises(
        BackupRefusedError, match=rf"Job {job.pk} \(Backup\) is queued already\. Wait until it has"
    ):
        start_backup(COMMAND_LINE)
    system.drain()
    assert backup_of(system, job).is_dir()
    assert AuditLogEntry.objects.get(action="back up").target == str(job)
    assert start_backup(COMMAND_LINE).pk > job.pk


def test_the_statistics_say_what_was_copied(system: System) -> None:
    backup = back_up(system)
    statistics = Job.objects.get(kind="Backup").statistics
    files = [path for path in (backup / "files").rglob("*") if path.is_file()]
    assert statistics["files_count"] == len(files) >= 5
    sizes = sum(path.stat().st_size for path in backup.rglob("*") if path.is_file() and path.name != MANIFEST_NAME)
    assert statistics["size_bytes"] == sizes
    assert {table["table"]: table["rows_count"] for table in statistics["tables"]}["store_envelope"] == 1
    (found,) = list_backups(system.config.backups_folder)
    assert (found.name, found.fault) == (backup.name, "")
    assert abs(found.made_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_newest_backups_are_kept_and_older_ones_go(system: System) -> None:
    change_setting("Backup.Keep", 2, COMMAND_LINE)
    made = [back_up(system).name for _number in range(4)]
    assert len(set(made)) == 4
    assert names(system) == sorted(made)[-2:]
    assert Job.objects.order_by("-pk")[0].statistics["deleted_backups_count"] == 1


def test_only_finished_backups_count_and_nothing_else_in_the_folder_is_touched(system: System) -> None:
    folder = system.config.backups_folder
    folder.mkdir()
    (folder / "backup-of-my-own").mkdir()
    (folder / "backup-20200101T000000Z.tar").write_text("mine")
    (folder / "unfinished-job-7-attempt-1" / "database").mkdir(parents=True)
    (folder / "unfinished-job-7-attempt-1" / "database" / "rows").write_text("half")
    assert list_backups(folder) == []
    made = back_up(system).name
    assert names(system) == sorted(["backup-of-my-own", "backup-20200101T000000Z.tar", made])
    assert remove_old(folder, keep=1) == []


def test_the_sweep_removes_what_a_killed_attempt_left_and_not_what_the_running_one_makes(system: System) -> None:
    job = start_backup(COMMAND_LINE)
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, attempt=2, started_at=timezone.now())
    folder = system.config.backups_folder
    for attempt in (1, 2):
        (folder / f"unfinished-job-{job.pk}-attempt-{attempt}").mkdir(parents=True)
        (folder / f"unfinished-job-{job.pk}-attempt-{attempt}" / "rows").write_text("half")
    assert sweep_files(system.config).files_count == 1
    assert names(system) == [f"unfinished-job-{job.pk}-attempt-2"]
    job.refresh_from_db()
    end_job_cancelled(job, attempt=2)
    sweep_files(system.config)
    assert names(system) == []


def test_a_file_that_is_gone_fails_the_backup_and_a_retry_succeeds_once_it_is_back(system: System) -> None:
    earlier = back_up(system)
    batch = Batch.objects.get(kind="records")
    path = system.project_folder / batch.file_name
    path.unlink()
    text = failed(system)
    assert f"{batch.file_name} is gone from the data folder" in text
    assert "Restore it from an earlier backup, then retry" in text
    assert names(system) == [earlier.name]
    shutil.copy(earlier / "files" / path.relative_to(system.config.home), path)
    job = retry_job(Job.objects.order_by("-pk")[0].pk, COMMAND_LINE)
    system.drain()
    assert backup_of(system, job).is_dir()


@pytest.mark.parametrize("change", ["cut", "flipped"])
def test_a_damaged_file_fails_the_backup_before_it_displaces_a_good_one(system: System, change: str) -> None:
    change_setting("Backup.Keep", 1, COMMAND_LINE)
    earlier = back_up(system)
    path = system.project_folder / Batch.objects.get(kind="records").file_name
    content = bytearray(path.read_bytes())
    if change == "cut":
        del content[-1]
    else:
        content[len(content) // 2] ^= 1
    path.write_bytes(content)
    text = failed(system)
    assert f"{path.name} is damaged" in text
    assert "earlier ones were kept" in text
    assert names(system) == [earlier.name]


def test_a_received_envelope_that_waits_must_be_there_and_one_that_is_over_need_not(system: System) -> None:
    over = Envelope.objects.get()
    (system.config.incoming_folder / over.file_name).unlink()
    back_up(system)
    assert AuditMessage.objects.filter(text__contains="the received files of 1 Envelopes that are over").exists()
    job = start_backup(COMMAND_LINE)
    waiting = system.submit(system.build("waiting", ROWS))
    path = system.config.incoming_folder / waiting.file_name
    path.write_bytes(b"overwritten")
    system.drain(limit=1)
    job.refresh_from_db()
    assert f"{path.name} is damaged" in job.error_message


def test_a_file_that_its_row_gave_up_meanwhile_makes_it_look_again(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = Batch.objects.get(kind="index")
    calls: list[str] = []

    def give_up_first(source: Path, target: Path, name: str, advance: Callable[[int], None]) -> WrittenPart:
        if not calls:
            # as a sweep does that was overtaken by the snapshot
            Batch.objects.filter(pk=batch.pk).update(state=BatchState.REMOVED)
            (system.project_folder / batch.file_name).unlink()
        calls.append(name)
        return copy_file(source, target, name, advance)

    monkeypatch.setattr(backup_files, "copy_file", give_up_first)
    backup = back_up(system)
    assert len([name for name in calls if name.endswith(".zip")]) == 1
    assert not list(backup.rglob(batch.file_name))
    assert AuditMessage.objects.filter(text__contains="was given up while the backup was made").count() == 1


def test_a_folder_that_is_not_there_is_told_and_is_not_made(system: System, tmp_path: Path) -> None:
    elsewhere = tmp_path / "disk" / "backups"
    change_setting("Backup.Folder", str(elsewhere), COMMAND_LINE)
    text = failed(system)
    assert f"Backups cannot be written to {elsewhere} (No such file or directory)" in text
    assert "Make or mount that folder" in text
    assert not elsewhere.exists()
    elsewhere.mkdir(parents=True)
    retry_job(Job.objects.order_by("-pk")[0].pk, COMMAND_LINE)
    system.drain()
    assert [found.fault for found in list_backups(elsewhere)] == [""]
    assert not system.config.backups_folder.exists()


@pytest.mark.parametrize("below", ["", "warehouse", "warehouse/project-1", "envelopes", "scratch/x"])
def test_backups_do_not_go_where_the_system_keeps_its_own_files(system: System, below: str) -> None:
    change_setting("Backup.Folder", str(system.config.home / below), COMMAND_LINE)
    assert "where Linkwright keeps its own files. Name a folder outside the data folder" in failed(system)


def test_a_folder_of_backups_inside_the_data_folder_is_not_backed_up_itself(system: System) -> None:
    read_secret_key(system.config)
    own = system.config.home / "my" / "backups"
    own.mkdir(parents=True)
    change_setting("Backup.Folder", str(own), COMMAND_LINE)
    for _number in range(2):
        start_backup(COMMAND_LINE)
        system.drain()
    for found in list_backups(own):
        assert not (own / found.name / "files" / "my").exists()
        assert (own / found.name / "files" / "secret.key").exists()


def test_a_failed_backup_is_not_retried_once_another_one_was_made(system: System) -> None:
    change_setting("Backup.Folder", str(system.folder / "gone"), COMMAND_LINE)
    failed(system)
    first = Job.objects.order_by("-pk")[0]
    change_setting("Backup.Folder", "", COMMAND_LINE)
    # jobs of projects do not matter to it
    system.load("second", [])
    second = start_backup(COMMAND_LINE)
    system.drain()
    with pytest.raises(
        RetryRefusedError, match=rf"Job {second.pk} \(Backup\) has been run since; start a new one instead\."
    ):
        retry_job(first.pk, COMMAND_LINE)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of two MiB."""
    with mounted_disk(tmp_path / "small", 2) as folder:
        yield folder


@only_root
@pytest.mark.parametrize(
    ("share", "large_bytes", "told"),
    [
        pytest.param(0.1, 0, "could not be written", id="full while the rows are written"),
        pytest.param(0.95, 0, "could not be written", id="full while the files are written"),
        pytest.param(1.0, 500_000, "The files need", id="too small for the files"),
    ],
)
def test_a_disk_that_is_or_becomes_full_is_told_and_nothing_is_left_on_it(
    system: System, small_disk: Path, share: float, large_bytes: int, told: str
) -> None:
    change_setting("Backup.Folder", str(small_disk), COMMAND_LINE)
    # a byte each: they take more room than their sizes say
    for number in range(60):
        (system.config.home / f"small-{number}").write_bytes(b"x")
    room = shutil.disk_usage(small_disk).free
    start_backup(COMMAND_LINE)
    system.drain()
    needed = room - shutil.disk_usage(small_disk).free
    shutil.rmtree(next(small_disk.glob("backup-*")))
    if large_bytes:
        (system.config.home / "large").write_bytes(os.urandom(large_bytes))
    (small_disk / "ballast").write_bytes(bytes(room - int(needed * share)))
    text = failed(system)
    assert told in text
    assert (
        "Free space there, lower Backup.Keep, or name a folder on another disk in Backup.Folder; then retry"
        in text
    )
    assert sorted(path.name for path in small_disk.iterdir()) == ["ballast"]
    (small_disk / "ballast").unlink()
    retry_job(Job.objects.order_by("-pk")[0].pk, COMMAND_LINE)
    system.drain()
    assert len(list_backups(small_disk)) == 1
