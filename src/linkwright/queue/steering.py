"""Pause, resume and clear: what people do to the queue as a whole. Never touches the running job."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from linkwright.errors import LinkwrightError
from linkwright.queue.finish import end_envelopes_cancelled, withdraw_jobs
from linkwright.queue.order import queue_state
from linkwright.store.models import EndReason, Envelope, Job, JobState, QueueState, User


class SteeringError(LinkwrightError):
    """The queue is already in the state asked for, or a reason is missing."""


@dataclass(frozen=True)
class Cleared:
    """What clearing takes out of the queue."""

    jobs_count: int
    envelopes_count: int
    cancelled_envelopes: tuple[Envelope, ...] = ()


def pause(by: User | None, reason: str) -> QueueState:
    """Keep further jobs from starting; survives restarts.

    Raises:
        SteeringError: without a reason, or if the queue is paused already.
    """
    if not reason.strip():
        raise SteeringError("Pausing needs a reason: whoever finds the queue paused must know why.")
    with transaction.atomic():
        state = queue_state(lock=True)
        if state.paused_at is not None:
            raise SteeringError("The queue is paused already. Resume it first to give another reason.")
        state.paused_at, state.paused_by, state.paused_by_job = timezone.now(), by, None
        state.paused_reason = reason.strip()
        state.save()
    return state


def resume() -> None:
    """Let jobs start again.

    Raises:
        SteeringError: if the queue is not paused.
    """
    with transaction.atomic():
        state = queue_state(lock=True)
        if state.paused_at is None:
            raise SteeringError("The queue is not paused.")
        state.paused_at = state.paused_by = state.paused_by_job = None
        state.paused_reason = ""
        state.save()


def count_clearable() -> Cleared:
    """Count what `clear` would take out now."""
    queued = Job.objects.filter(state=JobState.QUEUED)
    envelopes = queued.exclude(envelope=None).values("envelope").distinct().count()
    return Cleared(jobs_count=queued.count(), envelopes_count=envelopes)


def clear() -> Cleared:
    """Take every queued job out of the queue; the running one goes on.

    An Envelope of which a job runs is settled when that job ends (`finish_success`); every other one that lost
    jobs is Cancelled now.

    Returns: what was taken out, with the Envelopes that became Cancelled.
    """
    with transaction.atomic():
        queue_state(lock=True)
        preview = count_clearable()
        queued = Job.objects.filter(state=JobState.QUEUED)
        running = set(Job.objects.filter(state=JobState.RUNNING).values_list("envelope_id", flat=True))
        envelopes = list(Envelope.objects.filter(jobs__in=queued).distinct())
        # the held jobs of an Envelope go with its queued ones
        held = Job.objects.filter(state=JobState.HELD, envelope__in=queued.values("envelope"))
        withdraw_jobs([*queued, *held], EndReason.CLEARED, "the queue was cleared")
        cancelled = [envelope for envelope in envelopes if envelope.pk not in running]
        end_envelopes_cancelled(cancelled)
    return Cleared(preview.jobs_count, preview.envelopes_count, tuple(cancelled))
