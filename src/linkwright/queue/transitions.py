"""The one way in which a job's state changes: guarded by the states that it may leave, and written down.

Every function here must run inside a transaction. The check of the row count makes two processes that race
for the same change safe: the database lets exactly one of them through.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils import timezone

from linkwright.errors import LinkwrightError
from linkwright.store.models import Envelope, Job, JobEvent, JobState

_AT_ONCE = 500


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


def change_states(jobs: Sequence[Job], *, entering: JobState, reason: str, **changes: Any) -> None:
    """Move many jobs at once, each from the state in which it was read in this transaction.

    A handful of statements for hundreds of jobs: one by one, thousands of them would hold SQLite's writer's place
    for longer than a worker waits for it.

    Raises:
        StaleTransitionError: if one of them has left that state meanwhile.
    """
    for left in dict.fromkeys(job.state for job in jobs):
        those = [job for job in jobs if job.state == left]
        for start in range(0, len(those), _AT_ONCE):
            chunk = those[start : start + _AT_ONCE]
            rows = Job.objects.filter(pk__in=[job.pk for job in chunk], state=left)
            if rows.update(state=entering, **changes) != len(chunk):
                raise StaleTransitionError(
                    f"{len(chunk)} jobs cannot become {entering}: some of them are no longer {left}. Try again."
                )
            at = timezone.now()
            for job in chunk:
                _count_processing(job, left=left, entered=entering, at=at)
            JobEvent.objects.bulk_create(
                JobEvent(job=job, attempt=job.attempt, left=left, entered=entering, reason=reason[:200], at=at)
                for job in chunk
            )


def record_event(job: Job, *, left: str, reason: str) -> None:
    """Write down that a job has entered its present state."""
    at = timezone.now()
    JobEvent.objects.create(job=job, attempt=job.attempt, left=left, entered=job.state, reason=reason[:200], at=at)
    _count_processing(job, left=left, entered=job.state, at=at)


def _count_processing(job: Job, *, left: str, entered: str, at: datetime) -> None:
    """Keep on the Envelope for how long its jobs ran; one of them runs at a time."""
    if job.envelope_id is None or left == entered:
        return
    envelope = Envelope.objects.filter(pk=job.envelope_id)
    if entered == JobState.RUNNING:
        envelope.update(running_since=at)
    elif left == JobState.RUNNING:
        since = envelope.values_list("running_since", flat=True).first()
        if since is not None:
            envelope.update(ran_s=F("ran_s") + max((at - since).total_seconds(), 0.0), running_since=None)
