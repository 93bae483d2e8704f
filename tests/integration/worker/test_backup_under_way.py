"""A Backup in a process of its own is cancelled, killed and scheduled as any other job, and leaves no half."""

import os
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from linkwright.services.cancel_job import cancel_job
from linkwright.services.start_backup import start_backup
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.backup.folder import list_backups
from linkwright.store.models import EndReason, Job, JobKind, JobState, ScheduleState
from linkwright.store.settings import change_setting
from tests.integration.worker.conftest import job_process
from tests.live_system import LiveSystem, machine_slowdown, wait_until

# copied in a second or more
LARGE_BYTES = 1_500_000_000
CANCELLED_WITHIN_S = 3.0


def start_large(live: LiveSystem) -> Job:
    """Start a backup of a system with one large file."""
    with (live.home / "large").open("wb") as stream:
        # zeros that take no room until they are copied
        stream.truncate(LARGE_BYTES)
    return start_backup(COMMAND_LINE)


def wait_for_copying(job: Job) -> None:
    def copies() -> bool:
        running = Job.objects.filter(pk=job.pk, state=JobState.RUNNING, progress__stage="Copying files")
        return running.exists() and bool(unfinished())

    def unfinished() -> list[Path]:
        folder = Path(os.environ["LINKWRIGHT_HOME"]) / "backups"
        return list(folder.glob("unfinished-*")) if folder.is_dir() else []

    wait_until(copies, "the backup to copy files")


def wait_for_end(job: Job) -> float:
    def ended() -> bool:
        job.refresh_from_db()
        return job.state in (JobState.SUCCESS, JobState.ERRORS)

    return wait_until(ended, "the backup to end")


def test_a_running_backup_stops_within_seconds_and_leaves_nothing(live: LiveSystem) -> None:
    job = start_large(live)
    live.start_worker().wait_for("Worker: working")
    wait_for_copying(job)
    cancel_job(job.pk, COMMAND_LINE, "wrong disk")
    spent_s = wait_for_end(job)
    assert (job.state, job.end_reason) == (JobState.ERRORS, EndReason.CANCELLED)
    assert job.error_message == "Cancelled by the command line."
    assert spent_s < CANCELLED_WITHIN_S * machine_slowdown()
    folder = live.config.backups_folder
    wait_until(lambda: list(folder.iterdir()) == [], "the worker to delete what was copied")


def test_a_backup_whose_worker_is_killed_is_made_again_and_only_whole_ones_stay(live: LiveSystem) -> None:
    job = start_large(live)
    worker = live.start_worker()
    wait_for_copying(job)
    process = job_process(worker)
    worker.kill()
    wait_until(lambda: not process.is_running(), "the job to end with its worker")
    (live.home / "large").unlink()
    live.start_worker()
    wait_for_end(job)
    assert (job.state, job.attempt, job.crash_count) == (JobState.SUCCESS, 2, 1)
    (found,) = list_backups(live.config.backups_folder)
    assert found.fault == ""
    assert [path.name for path in live.config.backups_folder.iterdir()] == [found.name]


def test_the_worker_makes_a_backup_when_it_is_due(live: LiveSystem) -> None:
    change_setting("Schedule.Backup.EveryHours", 1, COMMAND_LINE)
    live.start_worker("--until-idle").wait_for("ended")
    assert not Job.objects.exists()
    ScheduleState.objects.update(seen_to=timezone.now() - timedelta(hours=2))
    live.start_worker("--until-idle").wait_for("ended")
    job = Job.objects.get(kind=JobKind.BACKUP)
    assert job.state == JobState.SUCCESS, job.error_message
