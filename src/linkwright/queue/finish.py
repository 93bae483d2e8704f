"""Ends a running job, and draws the consequences for its chain and its Envelope.

Every function runs inside the caller's transaction, so that files, statistics and the job's end are one commit.
What becomes of the Envelope's data is not the queue's affair: the functions return how the Envelope stands.
The queue's row is locked first, here as everywhere: one order of locks, no deadlock with a cancel or a clear.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from linkwright.engine.identifying import take_apart
from linkwright.queue.order import queue_state
from linkwright.queue.transitions import change_state, change_states
from linkwright.store.models import EndReason, Envelope, EnvelopeState, Job, JobState, Notification, Severity

_OPEN = (JobState.QUEUED, JobState.HELD)
_AT_ONCE = 500


def finish_success(
    job: Job, *, attempt: int, statistics: Mapping[str, Any], peak_memory_bytes: int
) -> EnvelopeState | None:
    """End a job well.

    Returns: the Envelope's state: Queued while its chain goes on, Success after the last job, Cancelled if it was
        cancelled or the rest of its chain was cleared meanwhile; None for a job without an Envelope.
    Raises:
        StaleTransitionError: if this attempt was given up.
    """
    queue_state(lock=True)
    change_state(
        job,
        leaving=[JobState.RUNNING],
        entering=JobState.SUCCESS,
        reason="finished",
        of_attempt=attempt,
        ended_at=timezone.now(),
        statistics=dict(statistics),
        peak_memory_bytes=peak_memory_bytes,
    )
    envelope = job.envelope
    if envelope is None:
        return None
    chain = Job.objects.filter(envelope=envelope)
    withdrawn = chain.filter(
        state=JobState.ERRORS, end_reason__in=[EndReason.CANCELLED, EndReason.CLEARED]
    ).exists()
    if withdrawn or job.cancel_requested_at is not None:
        return _end_envelope(envelope, EnvelopeState.CANCELLED)
    if chain.filter(state__in=_OPEN).exists():
        return EnvelopeState.QUEUED
    return _end_envelope(envelope, EnvelopeState.SUCCESS)


def finish_failure(
    job: Job,
    *,
    attempt: int,
    message: str,
    end_reason: EndReason = EndReason.FAILED,
    corrupt: bool = False,
    pause_on_failure: bool = False,
    peak_memory_bytes: int | None = None,
) -> EnvelopeState | None:
    """End a job in Errors: its later jobs are held, the Envelope shows Errors, the queue goes on or pauses.

    With `corrupt` the Envelope can never be used: nothing is held for a retry.

    Raises:
        StaleTransitionError: if this attempt was given up.
    """
    told = take_apart(message)
    queue_state(lock=True)
    change_state(
        job,
        leaving=[JobState.RUNNING],
        entering=JobState.ERRORS,
        reason=end_reason.value,
        of_attempt=attempt,
        ended_at=timezone.now(),
        end_reason=end_reason,
        errors_occurred=True,
        error_message=told.text,
        error_with_values=told.with_values,
        # else it stays as the job has told it last
        **({} if peak_memory_bytes is None else {"peak_memory_bytes": peak_memory_bytes}),
    )
    if pause_on_failure:
        _pause_because_of(job)
    envelope = job.envelope
    if envelope is None:
        return None
    _notify_of_error(job, envelope)
    if corrupt:
        withdraw_open_jobs(envelope, EndReason.CANCELLED, "the Envelope is corrupt")
        return _end_envelope(envelope, EnvelopeState.CORRUPT, errors_occurred=True)
    _hold_later_jobs(job)
    return _end_envelope(envelope, EnvelopeState.ERRORS, errors_occurred=True)


def _notify_of_error(job: Job, envelope: Envelope) -> None:
    Notification.objects.create(
        envelope=envelope,
        job=job,
        severity=Severity.ERROR,
        text=job.error_message,
        with_values=job.error_with_values,
        raised_at=timezone.now(),
    )


def _hold_later_jobs(job: Job) -> None:
    for later in Job.objects.filter(envelope=job.envelope_id, state=JobState.QUEUED):
        change_state(later, leaving=[JobState.QUEUED], entering=JobState.HELD, reason=f"job {job.pk} failed")


def _pause_because_of(job: Job) -> None:
    state = queue_state(lock=True)
    if state.paused_at is None:
        state.paused_at, state.paused_by, state.paused_by_job = timezone.now(), None, job
        state.paused_reason = job.error_message
        state.save()


def finish_cancelled(job: Job, *, attempt: int) -> EnvelopeState | None:
    """End a running job that was cancelled, with the rest of its chain.

    Raises:
        StaleTransitionError: if this attempt was given up.
    """
    by = job.cancel_requested_by
    queue_state(lock=True)
    change_state(
        job,
        leaving=[JobState.RUNNING],
        entering=JobState.ERRORS,
        reason=EndReason.CANCELLED.value,
        of_attempt=attempt,
        ended_at=timezone.now(),
        end_reason=EndReason.CANCELLED,
        error_message=f"Cancelled by {by.username if by else 'the command line'}.",
    )
    if job.envelope is None:
        return None
    withdraw_open_jobs(job.envelope, EndReason.CANCELLED, "the Envelope was cancelled")
    return _end_envelope(job.envelope, EnvelopeState.CANCELLED)


def withdraw_open_jobs(envelope: Envelope, end_reason: EndReason, reason: str) -> int:
    """Take an Envelope's queued and held jobs out of the queue for good; returns how many."""
    jobs = list(Job.objects.filter(envelope=envelope, state__in=_OPEN))
    withdraw_jobs(jobs, end_reason, reason)
    return len(jobs)


def withdraw_job(job: Job, end_reason: EndReason, reason: str) -> None:
    """Take one queued or held job out of the queue for good."""
    change_state(
        job,
        leaving=_OPEN,
        entering=JobState.ERRORS,
        reason=reason,
        ended_at=timezone.now(),
        end_reason=end_reason,
        error_message=_never_started(job, reason),
    )


def withdraw_jobs(jobs: Sequence[Job], end_reason: EndReason, reason: str) -> None:
    """Take queued and held jobs, as read in this transaction, out of the queue for good."""
    messages = [_never_started(job, reason) for job in jobs]
    for message in dict.fromkeys(messages):
        change_states(
            [job for job, its in zip(jobs, messages, strict=True) if its == message],
            entering=JobState.ERRORS,
            reason=reason,
            ended_at=timezone.now(),
            end_reason=end_reason,
            error_message=message,
        )


def _never_started(job: Job, reason: str) -> str:
    return f"{'Never started' if job.attempt == 0 else 'Not started again'}: {reason}."


def _end_envelope(envelope: Envelope, state: EnvelopeState, **changes: Any) -> EnvelopeState:
    Envelope.objects.filter(pk=envelope.pk).update(state=state, processed_at=timezone.now(), **changes)
    queue = queue_state(lock=True)
    if queue.active_envelope_id == envelope.pk:
        queue.active_envelope = None
        queue.save(update_fields=["active_envelope"])
    return state


def end_envelope_cancelled(envelope: Envelope) -> None:
    """Mark an Envelope of which no job runs as Cancelled."""
    _end_envelope(envelope, EnvelopeState.CANCELLED)


def end_envelopes_cancelled(envelopes: Sequence[Envelope]) -> None:
    """Mark Envelopes of which no job runs as Cancelled, many at once."""
    for start in range(0, len(envelopes), _AT_ONCE):
        keys = [envelope.pk for envelope in envelopes[start : start + _AT_ONCE]]
        Envelope.objects.filter(pk__in=keys).update(state=EnvelopeState.CANCELLED, processed_at=timezone.now())
    queue = queue_state(lock=True)
    if queue.active_envelope_id in {envelope.pk for envelope in envelopes}:
        queue.active_envelope = None
        queue.save(update_fields=["active_envelope"])
