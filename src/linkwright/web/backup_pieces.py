"""The live list of the finished backups, with the Backup job that runs or waits, or the last if that failed."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from linkwright.config import load_config
from linkwright.services.schedule_jobs import read_plan
from linkwright.store.backup.folder import FoundBackup, backup_folder, list_backups
from linkwright.store.models import Job, JobKind, JobState
from linkwright.store.queries.open_jobs import last_system_job
from linkwright.store.settings import read_setting
from linkwright.web.live import Piece, make_piece
from linkwright.web.progress_view import view_progress

LISTED_BACKUPS = 50


@dataclass(frozen=True)
class BackupPlan:
    """Where backups go, how many stay, and when the next one is due by itself; None if none is."""

    folder: Path
    keep: int
    every_hours: int
    next_due_at: datetime | None


@dataclass(frozen=True)
class BackupRow:
    """One line of the list; `fault` says why it cannot be used."""

    name: str
    made_at: datetime
    version: str
    files_count: int | None
    rows_count: int | None
    size_bytes: int | None
    fault: str


def read_backup_plan() -> BackupPlan:
    """Return what the Settings say."""
    plan = read_plan("Backup")
    return BackupPlan(
        folder=backup_folder(load_config()),
        keep=int(read_setting("Backup.Keep")),
        every_hours=plan.every_hours if plan else 0,
        next_due_at=plan.latest_due(timezone.now()) + plan.step if plan else None,
    )


def backups_piece() -> Piece:
    """Return the list, newest first."""
    folder = backup_folder(load_config())
    unreadable, found = "", list[FoundBackup]()
    try:
        found = list_backups(folder)
    except OSError as error:
        unreadable = error.strerror or str(error)
    last = last_system_job(JobKind.BACKUP)
    job = last if last and last.state in (JobState.QUEUED, JobState.RUNNING) else None
    failed = last if last and last.state == JobState.ERRORS else None
    progress = view_progress(job.progress) if job and job.state == JobState.RUNNING else None
    rows = [_row(one) for one in found[:LISTED_BACKUPS]]
    context = {
        "rows": rows,
        "left_out_count": len(found) - len(rows),
        "folder": folder,
        "unreadable": unreadable,
        "job": job,
        "failed": failed,
        "progress": progress,
    }
    state = (rows, unreadable, _state_of(job), progress, _state_of(failed))
    return make_piece("backups", "web/partials/backups.html", context, *state)


def _row(one: FoundBackup) -> BackupRow:
    manifest = one.manifest
    return BackupRow(
        name=one.name,
        made_at=one.made_at,
        version=manifest.version if manifest else "",
        files_count=manifest.files_count if manifest else None,
        rows_count=manifest.rows_count if manifest else None,
        size_bytes=manifest.bytes_count if manifest else None,
        fault=one.fault,
    )


def _state_of(job: Job | None) -> tuple[int, str, int] | None:
    return (job.pk, job.state, job.attempt) if job else None
