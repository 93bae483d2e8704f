"""Runs the jobs of a step in the test's own process, one of them into a fault, and mends what can be mended."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from functools import partial
from typing import NoReturn, TypeAlias

import pytest

from linkwright.jobs.context import JobContext, JobResult
from linkwright.jobs.kinds import RUN
from linkwright.queue.claim import claim_next
from linkwright.services.cancel_envelope import cancel_envelope
from linkwright.services.recover_jobs import recover_orphans
from linkwright.services.retry_job import retry_job
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Job, JobState
from linkwright.worker import child
from tests.integration.pipeline import faults
from tests.integration.pipeline.conftest import System


class Fault(Enum):
    """What is put in the way of one job of a step."""

    KILLED = auto()
    COMMIT_REFUSED = auto()
    DISK_FULL = auto()
    GIVEN_UP = auto()
    """As DISK_FULL, and nobody retries."""
    CANCELLED = auto()


Disturbance: TypeAlias = tuple[Fault, int] | None
"""The fault, and which of the step's jobs meets it."""


def run_disturbed(system: System, fault: Disturbance) -> Fault | None:
    """Run what is queued; one of the jobs meets the fault, and what can go on after it does.

    Returns:
        The fault, if a job met it. After GIVEN_UP and CANCELLED, nothing of the step may be left.
    """
    if fault is None:
        system.drain()
        return None
    kind, number = fault
    queued = Job.objects.filter(state=JobState.QUEUED)
    system.drain(limit=number % queued.count())
    envelope = queued.order_by("queue_rank", "chain_position", "pk")[0].envelope
    if kind is Fault.CANCELLED and envelope is not None:
        cancel_envelope(envelope.pk, COMMAND_LINE)
    elif kind is Fault.KILLED:
        _kill_next()
    else:
        with faults.refused_commit() if kind is Fault.COMMIT_REFUSED else _full_disk():
            (job,) = system.drain(limit=1)
        assert job.state == JobState.ERRORS
        if kind is not Fault.GIVEN_UP:
            retry_job(job.pk, COMMAND_LINE)
    system.drain()
    return kind


def _kill_next() -> None:
    job = claim_next()
    assert job is not None
    job = Job.objects.select_related("envelope__project", "project").get(pk=job.pk)
    with pytest.raises(faults.KilledError), faults.killed():
        child.run_attempt(job, job.attempt)
    assert recover_orphans() == [job]


@contextmanager
def _full_disk() -> Iterator[None]:
    """Let the work of a job fail when all but its last bytes are written."""

    def fail_after(context: JobContext, *, run: Callable[[JobContext], JobResult]) -> NoReturn:
        run(context)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "RUN", {kind: partial(fail_after, run=run) for kind, run in RUN.items()})
        yield
