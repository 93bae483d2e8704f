"""What happens to a job whose process is gone: run again, or failed with a clear message, or cancelled.

Only the holder of the worker lock may call this.
"""

from contextlib import suppress

from django.db import transaction
from django.utils import timezone

from linkwright.queue.order import queue_state
from linkwright.queue.recovery import may_run_again, requeue_after_crash, requeue_after_stop, running_jobs
from linkwright.queue.transitions import StaleTransitionError
from linkwright.services.end_job import end_job_cancelled, fail_job
from linkwright.store.models import AuditMessage, EndReason, Job
from linkwright.store.settings import read_setting


def recover_orphans() -> list[Job]:
    """Settle every job that still says Running although nobody runs it; returns them."""
    orphans = running_jobs()
    for job in orphans:
        # Its process may outlive its worker by a moment, or its commit its process: then the job has ended by
        # itself, and nothing is left to settle.
        with suppress(StaleTransitionError):
            recover_job(job, how="The process that ran it was gone when this worker took over")
    return orphans


def recover_job(job: Job, *, how: str) -> None:
    """Settle one job whose process died.

    Args:
        job: the row, which says Running.
        how: what is known of the death, as the beginning of a sentence.

    Raises:
        StaleTransitionError: if the job had ended after all.
    """
    attempt = job.attempt
    limit = int(read_setting("Worker.Jobs.MaxAttemptsAfterCrash"))
    with transaction.atomic():
        _look_again(job)
        if job.cancel_requested_at is not None:
            end_job_cancelled(job, attempt=attempt)
        elif may_run_again(job, limit):
            requeue_after_crash(job, attempt=attempt)
            AuditMessage.objects.create(
                job=job,
                attempt=attempt,
                at=timezone.now(),
                text=f"{how}. The job is run again.",
            )
        else:
            message = (
                f"{job.kind} was given up after {attempt} attempt{'s' if attempt > 1 else ''}. {how}. "
                "The usual cause is too little memory: lower Worker.Memory.LimitMiB or free memory, then retry."
            )
            fail_job(job, attempt=attempt, message=message, end_reason=EndReason.CRASHED)


def put_back_stopped(job: Job) -> None:
    """Queue a job again whose worker was stopped in good order; one that was cancelled as well ends here.

    Raises:
        StaleTransitionError: if the job had ended after all.
    """
    attempt = job.attempt
    with transaction.atomic():
        _look_again(job)
        if job.cancel_requested_at is not None:
            end_job_cancelled(job, attempt=attempt)
        else:
            requeue_after_stop(job, attempt=attempt)


def _look_again(job: Job) -> None:
    """Read the row under the queue's lock: a cancel came before this look, or waits until all is settled."""
    queue_state(lock=True)
    job.refresh_from_db()
