"""The worker's loop: wait for the lock, recover what the last worker left, claim, run, again.

Exactly one process in the whole system is past `_await_lock`; all others stand by and take over within a second.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from enum import StrEnum
from multiprocessing.context import ForkServerContext

from django.db import DatabaseError, InterfaceError, connections

from linkwright.config import ServerConfig
from linkwright.queue.claim import claim_next
from linkwright.queue.lock import WorkerLock, worker_lock
from linkwright.services.recover_jobs import recover_orphans
from linkwright.store.models import WorkerRole
from linkwright.worker.due_jobs import DueJobs
from linkwright.worker.housekeeping import Housekeeping
from linkwright.worker.inbox import watching_inbox
from linkwright.worker.postman import posting, send_the_rest
from linkwright.worker.presence import announce, leave, take_over
from linkwright.worker.supervise import Ended, fork_server, run_in_child

logger = logging.getLogger(__name__)

IDLE_POLL_S = 0.1
STANDBY_POLL_S = 0.1
ANNOUNCE_EVERY_S = 2.0
DATABASE_RETRY_S = 0.5


class Stopped(StrEnum):
    """Why a worker's loop ended."""

    ASKED = "it was asked to stop"
    IDLE = "nothing was left to do"
    LOST_LOCK = "it lost the lock"


def run_worker(
    config: ServerConfig,
    stop: threading.Event,
    *,
    until_idle: bool = False,
    say: Callable[[str], None] = lambda _text: None,
) -> Stopped:
    """Work until `stop` is set; with `until_idle`, until no job can be claimed.

    A database that goes away is waited for: the lock is given up and taken again.
    """
    context = fork_server()
    # started now, not with the first job: the first job shall not wait for its imports
    _warm(context)
    lock = worker_lock(config.lock_file)
    while not stop.is_set():
        try:
            if not _await_lock(lock, stop, say):
                break
            say("working")
            # what is there when it starts is all that a worker does which ends when it is idle
            with nullcontext() if until_idle else watching_inbox(config), posting():
                ended = _work(config, context, lock, stop, until_idle=until_idle)
            if ended is Stopped.IDLE:
                send_the_rest()
            if ended is not Stopped.LOST_LOCK:
                leave()
                return ended
            logger.error("the worker's lock was lost; waiting for it again")
        except (DatabaseError, InterfaceError) as error:
            logger.error("the database cannot be used: %s; trying again", str(error).strip())  # noqa: TRY400
        finally:
            lock.release()
            connections.close_all()
        stop.wait(DATABASE_RETRY_S)
    return Stopped.ASKED


def _warm(context: ForkServerContext) -> None:
    process = context.Process(target=_nothing)
    process.start()
    process.join()
    process.close()


def _nothing() -> None:
    """Run in the first child, which makes the fork server import everything."""


def _await_lock(lock: WorkerLock, stop: threading.Event, say: Callable[[str], None]) -> bool:
    announced_s = 0.0
    while not stop.is_set():
        if lock.try_acquire():
            return True
        now_s = time.monotonic()
        if now_s - announced_s > ANNOUNCE_EVERY_S:
            if announced_s == 0.0:
                say("another worker holds the lock; standing by")
            announce(WorkerRole.STANDBY)
            announced_s = now_s
        stop.wait(STANDBY_POLL_S)
    return False


def _work(
    config: ServerConfig, context: ForkServerContext, lock: WorkerLock, stop: threading.Event, *, until_idle: bool
) -> Stopped:
    announced_s = 0.0

    def still_ours() -> bool:
        nonlocal announced_s
        if time.monotonic() - announced_s > ANNOUNCE_EVERY_S:
            announce(WorkerRole.ACTIVE)
            announced_s = time.monotonic()
        return lock.is_held()

    take_over()
    recover_orphans()
    housekeeping, due_jobs = Housekeeping(config), DueJobs()
    while not stop.is_set():
        if not still_ours():
            return Stopped.LOST_LOCK
        housekeeping.before_claim()
        due_jobs.before_claim()
        job = claim_next()
        if job is None:
            if until_idle:
                return Stopped.IDLE
            stop.wait(IDLE_POLL_S)
            continue
        ended = run_in_child(context, job, stop, still_ours)
        if ended is Ended.LOST_LOCK:
            return Stopped.LOST_LOCK
        housekeeping.after_job(job, ended)
    return Stopped.ASKED
