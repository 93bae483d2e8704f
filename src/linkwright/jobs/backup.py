"""Backup: a consistent copy of database and files, made while the system goes on.

The rows are those of one moment, read beside the writers; the files are those that these rows name, and never
change. They are copied, not linked: a backup must outlive a damaged block, and a file whose personal data is
deleted must not live on under a second name. A backup has its name only when it is whole, so that half of one is
never taken for it.
"""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from linkwright import __version__
from linkwright.config import ServerConfig
from linkwright.disk import sync
from linkwright.engine.progress import Progress
from linkwright.jobs.backup_files import Copied, GivenUpMeanwhileError, copy_files, list_files
from linkwright.jobs.context import JobContext, JobError, JobResult
from linkwright.store.audit_chain import snapshot_head
from linkwright.store.backup import folder as backups
from linkwright.store.backup.manifest import (
    DATABASE_FOLDER,
    FILES_NAME,
    FORMAT,
    MANIFEST_NAME,
    AuditLogMark,
    Manifest,
    TablePart,
    manifest_text,
)
from linkwright.store.backup.parts import make_folder, read_lines, write_text
from linkwright.store.backup.rows import backed_up_models, newest_migration, write_table
from linkwright.store.backup.snapshot import count_rows, open_snapshot
from linkwright.store.models import Job, JobKind, JobState
from linkwright.store.settings import read_setting

SNAPSHOTS_TRIED = 3
MIB = 1024 * 1024


def run_backup(context: JobContext) -> JobResult:
    """Make a backup, then delete the oldest ones beyond `Backup.Keep`.

    Raises:
        JobError: if the folder cannot be used, the disk is too small, or a file is gone or damaged.
    """
    config = context.config
    folder = demand_folder(config)
    backups.remove_unfinished(folder)
    making = _Making(context, folder, folder / backups.unfinished_name(context.job))
    try:
        copied, manifest = making.make()
        name = _finish(making.target, folder)
    except BaseException as error:
        shutil.rmtree(making.target, ignore_errors=True)
        if isinstance(error, OSError):
            raise _unwritable(folder, error) from error
        raise
    if copied.absent_count:
        context.audit(
            f"Not in the backup: the received files of {copied.absent_count:,} Envelopes that are over; they are "
            "gone or damaged"
        )
    removed = _remove_old(context, folder)
    return JobResult(statistics=_statistics(name, manifest, making.seconds, removed))


def demand_folder(config: ServerConfig) -> Path:
    """Return the folder of the backups, made if it is the data folder's own.

    Raises:
        JobError: if it cannot be used.
    """
    folder = backups.backup_folder(config)
    taken = (config.warehouse_folder, config.incoming_folder, config.scratch_folder)
    if folder == config.home or any(folder.is_relative_to(one) for one in taken):
        raise JobError(
            f"Backup.Folder is {folder}, where Linkwright keeps its own files. Name a folder outside the data "
            "folder, or set it to nothing for the folder backups in it."
        )
    try:
        if folder == config.backups_folder:
            folder.mkdir(mode=0o700, exist_ok=True)
        probe = folder / f".write-probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise JobError(
            f"Backups cannot be written to {folder} ({error.strerror}). Make or mount that folder and let the "
            "user that runs Linkwright write there, or name another one in Backup.Folder; then retry."
        ) from error
    return folder


@dataclass
class _Making:
    """One backup on its way."""

    context: JobContext
    folder: Path
    target: Path
    seconds: dict[str, float] = field(default_factory=dict)

    def make(self) -> tuple[Copied, Manifest]:
        """Write everything into the target; a snapshot that was overtaken is taken anew."""
        for left in range(SNAPSHOTS_TRIED - 1, -1, -1):
            shutil.rmtree(self.target, ignore_errors=True)
            try:
                return self._make_once()
            except GivenUpMeanwhileError as error:
                if not left:
                    raise
                self.context.audit(f"{error} It is taken anew.")
        raise AssertionError("the last try returns or raises")

    def _make_once(self) -> tuple[Copied, Manifest]:
        context, began_s = self.context, time.monotonic()
        make_folder(self.target / DATABASE_FOLDER)
        with open_snapshot() as snapshot:
            snapshot_at = timezone.now()
            migration = newest_migration(snapshot)
            tables = self._write_tables(snapshot)
            head = snapshot_head(snapshot)
            bytes_count = list_files(context.config, snapshot, context.scratch_folder, self.folder)
        self.seconds["database"] = time.monotonic() - began_s
        _demand_room(self.folder, bytes_count)
        began_s = time.monotonic()
        copied = copy_files(
            context.config,
            context.scratch_folder,
            self.target,
            known=_known_files(self.folder),
            advance=_counting(context, "Copying files", bytes_count, "bytes"),
        )
        manifest = Manifest(
            format=FORMAT,
            version=__version__,
            migration=migration,
            job=context.job.pk,
            attempt=context.job.attempt,
            snapshot_at=snapshot_at,
            ended_at=timezone.now(),
            tables=tuple(tables),
            files=copied.part,
            files_count=copied.files_count,
            files_bytes=copied.bytes_count,
            audit_log=AuditLogMark(entries_count=head.entries_count, sha256=head.sha256),
        )
        write_text(self.target / MANIFEST_NAME, manifest_text(manifest))
        self.seconds["files"] = time.monotonic() - began_s
        return copied, manifest

    def _write_tables(self, snapshot: BaseDatabaseWrapper) -> list[TablePart]:
        models = backed_up_models()
        total = sum(count_rows(model, snapshot) for model in models)
        advance = _counting(self.context, "Copying the database", total, "rows")
        return [write_table(model, snapshot, self.target, advance) for model in models]


def _counting(context: JobContext, stage: str, total: int, unit: str) -> Callable[[int], None]:
    """Return what adds to a stage's progress."""
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        context.report(Progress(stage, min(done, total), total, unit))

    advance(0)
    return advance


def _known_files(folder: Path) -> dict[str, str]:
    """Return SHA-256 by name of the files of the warehouse, as this system's last backup holds them.

    Another system may share the folder, or this one may have been restored from one of its backups: then the same
    names stand for other files. So only a backup counts that this database knows as made.
    """
    made = Job.objects.filter(kind=JobKind.BACKUP, state=JobState.SUCCESS).order_by("-pk")
    last = made.values_list("statistics", flat=True).first() or {}
    path = folder / str(last.get("name", "")) / FILES_NAME
    try:
        return {name: sha256 for name, _bytes, sha256 in read_lines(path) if name.startswith("warehouse/")}
    except (OSError, EOFError, ValueError):
        # deleted, moved or damaged: the new backup does not depend on it
        return {}


def _demand_room(folder: Path, bytes_count: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < bytes_count:
        raise JobError(
            f"The files need {bytes_count / MIB:,.0f} MiB, and {folder} has {free_bytes / MIB:,.0f} MiB left. "
            f"{_ROOM}"
        )


_ROOM = "Free space there, lower Backup.Keep, or name a folder on another disk in Backup.Folder; then retry."


def _unwritable(folder: Path, error: OSError) -> JobError:
    return JobError(
        f"The backup could not be written to {folder} ({error.strerror or error}); nothing of it was left. {_ROOM}"
    )


def _finish(target: Path, folder: Path) -> str:
    """Let a backup appear under its name, which no other has."""
    for path in sorted(target.rglob("*")):
        if path.is_dir():
            sync(path)
    sync(target)
    name = backups.next_name(folder, timezone.now())
    target.rename(folder / name)
    sync(folder)
    return name


def _remove_old(context: JobContext, folder: Path) -> list[str]:
    try:
        return backups.remove_old(folder, keep=int(read_setting("Backup.Keep")))
    except OSError as error:
        # the new backup is whole: that an old one stays is no reason to call it failed
        context.audit(f"An old backup could not be deleted from {folder} ({error.strerror}). Delete it by hand.")
        return []


def _statistics(name: str, manifest: Manifest, seconds: dict[str, float], removed: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "files_count": manifest.files_count,
        "rows_count": manifest.rows_count,
        "size_bytes": manifest.bytes_count,
        "deleted_backups_count": len(removed),
        "tables": [
            {"table": one.table, "rows_count": one.rows_count, "size_bytes": one.part.bytes_count}
            for one in manifest.tables
        ],
        "stages": [{"stage": stage, "seconds": round(spent, 4)} for stage, spent in seconds.items()],
    }
