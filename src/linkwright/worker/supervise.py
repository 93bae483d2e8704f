"""Starts the child process of one job, watches it, stops it when somebody cancels, and settles its death."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess

from linkwright.parent_watch import CREATOR_VARIABLE
from linkwright.queue.transitions import StaleTransitionError
from linkwright.services.end_job import end_job_cancelled
from linkwright.services.recover_jobs import put_back_stopped, recover_job
from linkwright.store.models import Job, JobState
from linkwright.worker.entry import run_child

LOOK_EVERY_S = 0.2
TERMINATE_GRACE_S = 1.0
# what multiprocessing reports for a child whose fork server died before it could tell
FORK_SERVER_GONE = 255
# a service manager sends SIGTERM to worker, fork server and job at once: the job may be the first to go
_STOPPED_FROM_OUTSIDE = (-signal.SIGTERM, FORK_SERVER_GONE)
STOP_ARRIVES_WITHIN_S = 0.2


class Ended(StrEnum):
    """Why the watch over a child ended."""

    BY_ITSELF = "by itself"
    KILLED_AFTER_COMMIT = "killed after its commit"
    CANCELLED = "cancelled"
    CRASHED = "crashed"
    WORKER_STOPPED = "worker stopped"
    LOST_LOCK = "the lock was lost"


def fork_server() -> ForkServerContext:
    """Return the context that starts children from a process with everything imported."""
    # BLAS threads would be copied half-alive by every fork
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ[CREATOR_VARIABLE] = str(os.getpid())
    # Else every child would run the file of the command `linkwright` once more, to have its functions at hand: a
    # tenth of a second for nothing, as a job needs none of them. `python -m linkwright` is spared that anyway.
    vars(sys.modules["__main__"]).pop("__file__", None)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["linkwright.worker.tied", "linkwright.worker.preload"])
    return context


def run_in_child(
    context: ForkServerContext, job: Job, stop: threading.Event, still_ours: Callable[[], bool]
) -> Ended:
    """Run one claimed job in a child process until its row says how it ended.

    Args:
        context: from `fork_server`.
        job: as claimed.
        stop: set when this worker is to stop.
        still_ours: asked five times a second; False when the lock was lost and another worker may be at work.
    """
    attempt = job.attempt
    child = context.Process(target=run_child, args=(job.pk, attempt), name=f"linkwright-job-{job.pk}")
    try:
        child.start()
    except (OSError, EOFError) as error:
        return _settle(job, attempt, Ended.BY_ITSELF, f"Its process could not be started ({error!r})")
    try:
        ended = _watch(child, job, stop, still_ours)
    except BaseException:
        # The database may be gone. Nobody would watch the child any more, and once the database is back, its job
        # would be run again beside it.
        kill_group(child)
        raise
    child.join()
    exit_code = child.exitcode
    child.close()
    if ended is Ended.LOST_LOCK:
        return ended
    if exit_code in _STOPPED_FROM_OUTSIDE and stop.wait(STOP_ARRIVES_WITHIN_S):
        ended = Ended.WORKER_STOPPED
    return _settle(job, attempt, ended, "" if exit_code == 0 else _death_text(exit_code))


def _watch(child: ForkServerProcess, job: Job, stop: threading.Event, still_ours: Callable[[], bool]) -> Ended:
    """Wait for a child's end, and see to it when its job must not go on."""
    while not wait([child.sentinel], timeout=LOOK_EVERY_S):
        if stop.is_set():
            ended = Ended.WORKER_STOPPED
        elif Job.objects.filter(pk=job.pk, cancel_requested_at__isnull=False).exists():
            ended = Ended.CANCELLED
        elif not still_ours():
            ended = Ended.LOST_LOCK
        else:
            continue
        kill_group(child)
        return ended
    return Ended.BY_ITSELF


def kill_group(child: ForkServerProcess) -> None:
    """End a child and all that it started: politely, then surely."""
    if child.pid is None:
        return
    for sign, grace_s in ((signal.SIGTERM, TERMINATE_GRACE_S), (signal.SIGKILL, None)):
        # The group exists once the child has called setsid; until then the child alone must go.
        with suppress(ProcessLookupError, PermissionError):
            os.kill(child.pid, sign)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, sign)
        if wait([child.sentinel], timeout=grace_s):
            return


def _settle(job: Job, attempt: int, ended: Ended, death: str) -> Ended:
    """Bring the row of a job whose process is gone to its end; `death` is '' if the process ended well."""
    job = Job.objects.select_related("envelope").get(pk=job.pk)
    if job.state != JobState.RUNNING or job.attempt != attempt:
        return Ended.KILLED_AFTER_COMMIT if death else Ended.BY_ITSELF
    # It may have ended in the very moment of the look: the guarded transition decides.
    with suppress(StaleTransitionError):
        if ended is Ended.WORKER_STOPPED:
            put_back_stopped(job)
        elif ended is Ended.CANCELLED:
            end_job_cancelled(job, attempt=attempt)
        else:
            recover_job(job, how=death or "Its process ended before its work was committed")
            ended = Ended.CRASHED
    return ended


def _death_text(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"Its process was killed by {signal.Signals(-exit_code).name}"
    if exit_code == FORK_SERVER_GONE:
        return "Its process was lost together with the process that started it"
    return f"Its process ended with exit code {exit_code} before its work was committed"
