"""The one way in which a job's state changes: guarded by the states that it may leave, and written down.

Every function here must run inside a transaction. The check of the row count makes two processes that race
for the same change safe: the database lets exactly one of them through.
"""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from linkwright.errors import LinkwrightError
from linkwright.store.models import Job, JobEvent, JobState


class StaleTransitionError(LinkwrightError):
    """The job is no longer in a state that this change may leave: somebody else was faster."""


def change_state(
    job: Job,
    *,
    leaving: Iterable[JobState],
    entering: JobState,
    reason: str,
    of_attempt: int | None = None,
    **changes: Any,
) -> None:
    """Move one job from one of the states `leaving` to `entering`, with other columns in the same step.

    `of_attempt` fences: a process that was given up for dead cannot end the attempt that followed its own.

    Raises:
        StaleTransitionError: if the job has left those states, or another attempt has begun.
    """
    allowed = tuple(leaving)
    rows = Job.objects.filter(pk=job.pk, state__in=allowed)
    if of_attempt is not None:
        rows = rows.filter(attempt=of_attempt)
    left = rows.values_list("state", flat=True).first()
    if left is None or rows.filter(state=left).update(state=entering, **changes) != 1:
        raise StaleTransitionError(
            f"Job {job.pk} ({job.kind}) cannot become {entering}: it is no longer "
            f"{' or '.join(allowed)}{f' in attempt {of_attempt}' if of_attempt else ''}. Reload to see its state."
        )
    job.refresh_from_db()
    record_event(job, left=left, reason=reason)


def record_event(job: Job, *, left: str, reason: str) -> None:
    """Write down that a job has entered its present state."""
    JobEvent.objects.create(
        job=job, attempt=job.attempt, left=left, entered=job.state, reason=reason[:200], at=timezone.now()
    )
