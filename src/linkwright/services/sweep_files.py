"""Deletes files that nothing names: leftovers of a crash, of a cancel, of what was given up.

They hold personal data, so they go soon; worker/housekeeping.py says when. Safe at any time, even if a worker that
has lost its lock without knowing it sweeps beside the next one: the files of the running attempt stay.
"""

import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from linkwright.config import ServerConfig
from linkwright.envelopes.manifest import RequestType
from linkwright.jobs.context import attempt_scratch_folder, attempts_folder, project_folder
from linkwright.queue.retry import why_not_retry
from linkwright.store import batch_catalog
from linkwright.store.backup.folder import backup_folder, remove_unfinished, unfinished_name
from linkwright.store.batch_catalog import counted_file_names
from linkwright.store.extraction_catalog import give_up_expired, kept_result_names
from linkwright.store.models import (
    Batch,
    Envelope,
    EnvelopeState,
    Job,
    JobState,
    LinkageProject,
    RemovedPath,
)

_LEFT_OVER_AFTER_S = 24 * 3600


@dataclass(frozen=True)
class Swept:
    """How many files were deleted."""

    files_count: int


def sweep_files(config: ServerConfig, project: LinkageProject | None = None) -> Swept:
    """Delete the files of one project, or of all, that no staged or live batch names, and the scratch of jobs.

    The files and the scratch of the attempt that runs stay, and what a killed one left to the next. Of estimations
    that are over, the received Envelopes go as well, and results of extractions that are no longer kept.
    """
    files_count = _sweep_estimations(config, project) + sweep_removed(config)
    for each in LinkageProject.objects.all() if project is None else [project]:
        files_count += _sweep_project(project_folder(config, each), each)
    files_count += _sweep_received(config) + sweep_results(config)
    scratch_folders = [
        path for pattern in ("job-*", "parts-job-*") for path in config.scratch_folder.glob(pattern)
    ]
    running = _running_job()
    kept = {attempt_scratch_folder(config, running)} if running else set()
    if scratch_folders:
        # a job that was killed is queued again, and takes up what its last attempt had finished
        for state in (JobState.RUNNING, JobState.QUEUED):
            # one by one: each has an index of its own, a list of both has none
            waiting = Job.objects.filter(state=state, attempt__gt=0)
            kept |= {attempts_folder(config, job) for job in waiting.only("pk")}
    for pattern in ("estimate-*", "explain-*", "upload-*"):
        scratch_folders += [path for path in config.scratch_folder.glob(pattern) if _is_left_over(path)]
    for scratch in scratch_folders:
        if scratch not in kept:
            files_count += _delete_scratch(scratch)
    files_count += _sweep_forms(config)
    # a folder of backups that cannot be reached must stop nobody but the next Backup
    with suppress(OSError):
        files_count += remove_unfinished(backup_folder(config), but=unfinished_name(running) if running else "")
    return Swept(files_count=files_count)


def sweep_results(config: ServerConfig) -> int:
    """Give up results whose time is over, and delete the files of all that are not kept; returns how many."""
    give_up_expired()
    # in this order, as in _sweep_project
    files = list(config.results_folder.iterdir()) if config.results_folder.is_dir() else []
    running = _running_job()
    kept = kept_result_names()
    unnamed = [path for path in files if path.name not in kept and not _is_of_attempt(path.name, running)]
    for path in unnamed:
        path.unlink(missing_ok=True)
    return len(unnamed)


def sweep_removed(config: ServerConfig) -> int:
    """Delete the files and folders of what was deleted as a whole; returns how many files."""
    files_count = 0
    for removed in RemovedPath.objects.order_by("pk"):
        path = config.home / removed.path
        if path.is_dir():
            files_count += _delete_scratch(path)
        else:
            files_count += path.is_file()
            path.unlink(missing_ok=True)
        # the row goes last, and only once nothing is left: a crash before it means that it is looked for once more
        if not path.exists():
            removed.delete()
    return files_count


def empty_write_ahead_log() -> None:
    """Let SQLite write its log into the database and cut it: earlier versions of blanked rows stand in it."""
    # inside a transaction there is nothing that could be moved yet
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _sweep_estimations(config: ServerConfig, project: LinkageProject | None) -> int:
    """Delete the received files of estimations that are over: nothing of their data is kept."""
    estimations = Envelope.objects.filter(request_type=RequestType.ESTIMATE_PROBABILITIES)
    # in the order of their index: so SQLite reads no other Envelope
    estimations = estimations.exclude(file_name="").exclude(state=EnvelopeState.QUEUED).order_by("project", "pk")
    files_count = 0
    for envelope in estimations if project is None else estimations.filter(project=project):
        if envelope.state == EnvelopeState.ERRORS:
            if _may_be_retried(envelope):
                continue
            batch_catalog.remove(envelope)
        # in this order: a name that is still there after a crash is swept again
        (config.incoming_folder / envelope.file_name).unlink(missing_ok=True)
        Envelope.objects.filter(pk=envelope.pk).update(file_name="")
        files_count += 1
    return files_count


def _may_be_retried(envelope: Envelope) -> bool:
    failed = envelope.jobs.select_related("envelope").filter(state=JobState.ERRORS)
    return any(not why_not_retry(job) for job in failed)


def _sweep_project(folder: Path, project: LinkageProject) -> int:
    # In this order: what is listed and then neither runs nor counts never will. A file of an attempt that starts
    # after the listing is not in it; one of an attempt that ends after the look at it counts by then, or never.
    files = _files_of(folder)
    running = _running_job()
    counted = counted_file_names(project)
    files_count = 0
    for name in files:
        if name in counted or _is_of_attempt(name, running):
            continue
        (folder / name).unlink(missing_ok=True)
        files_count += 1
    return files_count


def _is_of_attempt(name: str, job: Job | None) -> bool:
    return job is not None and f"-j{job.pk}-a{job.attempt}-" in name


def _files_of(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    # unlike a path, an entry knows whether it is a file: with thousands of them that is most of the work
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_file()]


def _sweep_received(config: ServerConfig) -> int:
    """Delete the received files of Envelopes that were rolled back, or whose records or lists were purged."""
    files_count = 0
    kept = Envelope.objects.exclude(file_name="")
    purged = Batch.objects.filter(purged_at__isnull=False, envelope__isnull=False).order_by()
    rolled_back = kept.filter(state=EnvelopeState.ROLLED_BACK)
    for envelope in [*rolled_back, *kept.filter(pk__in=purged.values("envelope"))]:
        path = config.incoming_folder / envelope.file_name
        files_count += path.is_file()
        path.unlink(missing_ok=True)
        # the name goes last: a crash before it only means that the file is looked for once more
        Envelope.objects.filter(pk=envelope.pk).update(file_name="")
    return files_count


def _sweep_forms(config: ServerConfig) -> int:
    """Delete what a web server that was killed left of uploads by form; Django names these files."""
    left = [path for path in config.scratch_folder.glob("*.upload*") if path.is_file() and _is_left_over(path)]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def _running_job() -> Job | None:
    return Job.objects.filter(state=JobState.RUNNING).first()


def _is_left_over(folder: Path) -> bool:
    # a command works there, in another process, for minutes at most
    with suppress(FileNotFoundError):
        return time.time() - folder.stat().st_mtime > _LEFT_OVER_AFTER_S
    return False


def _delete_scratch(folder: Path) -> int:
    # walk takes it calmly if the folder goes meanwhile
    files_count = sum(len(files) for _folder, _folders, files in os.walk(folder))
    shutil.rmtree(folder, ignore_errors=True)
    return files_count
