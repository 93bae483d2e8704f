"""Takes the next job out of the queue. Only the process that holds the worker lock may call this."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from linkwright.queue.order import queue_state, queued_in_order
from linkwright.queue.transitions import change_state
from linkwright.store.models import Envelope, Job, JobState


def claim_next() -> Job | None:
    """Start the next job: it becomes Running, as a new attempt.

    Returns: the job, or None if the queue is empty or paused.
    Raises:
        IntegrityError: if another job runs (the database forbids it).
    """
    # An idle worker asks ten times a second: this read takes no lock, the transaction below the writer's place.
    if not Job.objects.filter(state=JobState.QUEUED).exists():
        return None
    with transaction.atomic():
        # Locked, so that a pause that has been confirmed to a person is never overtaken by a claim.
        state = queue_state(lock=True)
        if state.paused_at is not None:
            return None
        job = queued_in_order(state).first()
        if job is None:
            return None
        now = timezone.now()
        change_state(
            job,
            leaving=[JobState.QUEUED],
            entering=JobState.RUNNING,
            reason="claimed",
            of_attempt=job.attempt,
            attempt=F("attempt") + 1,
            started_at=now,
            ended_at=None,
            progress={},
            statistics={},
            end_reason="",
            error_message="",
            error_with_values="",
            peak_memory_bytes=None,
        )
        if state.active_envelope_id != job.envelope_id:
            state.active_envelope_id = job.envelope_id
            state.save(update_fields=["active_envelope"])
        if job.envelope_id is not None:
            Envelope.objects.filter(pk=job.envelope_id, processing_started_at=None).update(
                processing_started_at=now
            )
        return job
