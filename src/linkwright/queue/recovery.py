"""Puts jobs back whose process is gone.

Exact, not guessed: whoever holds the lock knows that none of its own children runs, so every row that says
Running is an orphan. Every function that changes a row runs inside the caller's transaction, and locks the queue's
row first, as everywhere: a cancel sees the job running or queued, never in between.
"""

from django.db.models import F

from linkwright.queue.order import queue_state
from linkwright.queue.transitions import change_state
from linkwright.store.models import Job, JobState


def running_jobs() -> list[Job]:
    """Return the rows that say Running: none or one."""
    return list(Job.objects.filter(state=JobState.RUNNING).select_related("envelope"))


def may_run_again(job: Job, max_attempts_after_crash: int) -> bool:
    """Tell whether a job whose process died is run once more."""
    return job.crash_count < max_attempts_after_crash


def requeue_after_crash(job: Job, *, attempt: int) -> None:
    """Queue an orphan again, at its old place: its chain is still the one under way.

    Raises:
        StaleTransitionError: if the attempt ended after all.
    """
    queue_state(lock=True)
    change_state(
        job,
        leaving=[JobState.RUNNING],
        entering=JobState.QUEUED,
        reason="its process died",
        of_attempt=attempt,
        crash_count=F("crash_count") + 1,
        errors_occurred=True,
        progress={},
    )


def requeue_after_stop(job: Job, *, attempt: int) -> None:
    """Queue a job again that its worker stopped in good order; this does not count as a crash.

    Raises:
        StaleTransitionError: if the attempt ended after all.
    """
    queue_state(lock=True)
    change_state(
        job,
        leaving=[JobState.RUNNING],
        entering=JobState.QUEUED,
        reason="the worker was stopped",
        of_attempt=attempt,
        progress={},
    )
