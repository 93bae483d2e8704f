"""Runs one attempt of one job, in a process of its own, and commits its end.

Memory goes back with the process; a job that dies takes nothing with it; cancelling is a signal to this
process's group. Whatever happens, exactly one transaction ends the attempt, or the worker finds it unfinished.
"""

import logging
import os
import shutil

from django.db import connections

from linkwright.config import load_config
from linkwright.jobs.context import JobContext, attempt_scratch_folder, attempts_folder
from linkwright.jobs.kinds import RUN
from linkwright.parent_watch import die_with_parent
from linkwright.queue.transitions import StaleTransitionError
from linkwright.services.end_job import complete_job, fail_job
from linkwright.store.models import Job, JobKind, JobState
from linkwright.worker.explain import explain
from linkwright.worker.reporting import JobReporter, peak_memory_bytes

logger = logging.getLogger(__name__)


def run_child(job_id: int, attempt: int) -> None:
    """Run one attempt in this process, which must be fresh.

    Ends without a trace in the job table if the attempt was given up meanwhile.
    """
    # A group of its own: a cancel reaches whatever the job started, and nothing else.
    os.setsid()
    die_with_parent()
    connections.close_all()
    job = Job.objects.select_related("envelope__project", "project").get(pk=job_id)
    if job.attempt != attempt or job.state != JobState.RUNNING:
        return
    try:
        run_attempt(job, attempt)
    except StaleTransitionError as error:
        logger.warning("%s", error)
    finally:
        connections.close_all()


def run_attempt(job: Job, attempt: int) -> None:
    """Run a job's work and commit its end.

    Raises:
        StaleTransitionError: if this attempt was given up.
    """
    config = load_config()
    reporter = JobReporter(job, attempt)
    context = JobContext(
        job=job, config=config, report=reporter.report, audit=reporter.audit, notify=reporter.notify
    )
    scratch = attempt_scratch_folder(config, job)
    try:
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        result = RUN[JobKind(job.kind)](context)
        complete_job(
            job,
            attempt=attempt,
            result=result,
            raised=reporter.raised,
            peak_memory_bytes=peak_memory_bytes(),
        )
        shutil.rmtree(attempts_folder(config, job), ignore_errors=True)
    except StaleTransitionError:
        raise
    except Exception as error:  # noqa: BLE001 - every error of a job is the job's end, told in words
        told = explain(error, job)
        reporter.audit(told.text)
        fail_job(
            job,
            attempt=attempt,
            message=told.text,
            corrupt=told.corrupt,
            raised=reporter.raised,
            peak_memory_bytes=peak_memory_bytes(),
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
