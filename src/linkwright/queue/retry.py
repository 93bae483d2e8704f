"""The retry rule: a failed job may be retried while no other job has been run against its project since.

Jobs that change nothing of what others build upon (Compact, Purge) do not count.
"""

from django.db.models import Q
from django.utils import timezone

from linkwright.queue.order import front_rank, queue_state
from linkwright.queue.transitions import change_state
from linkwright.store.models import INVISIBLE_KINDS, EndReason, Envelope, EnvelopeState, Job, JobState
from linkwright.store.permissions import project_for_sender

_RETRIABLE = (EndReason.FAILED, EndReason.CRASHED)


def why_not_retry(job: Job) -> str:
    """Return the sentence that says why a job cannot be retried, or '' if it can."""
    if job.state != JobState.ERRORS:
        return "Only a failed job can be retried."
    if job.end_reason not in _RETRIABLE:
        return f"This job was {job.end_reason}; {_instead(job)}."
    if job.envelope is not None and job.envelope.state != EnvelopeState.ERRORS:
        return f"The Envelope is {job.envelope.get_state_display()}; submit a new one instead."
    since = _run_since(job)
    if since is not None:
        of = f" of {since.envelope.name}" if since.envelope else ""
        against = f" against {job.project_code}" if job.project_code else ""
        return f"Job {since.pk} ({since.kind}{of}) has been run{against} since; {_instead(job)}."
    return ""


def _instead(job: Job) -> str:
    return "submit the Envelope again instead" if job.envelope else "start a new one instead"


def _run_since(job: Job) -> Job | None:
    if job.project_id is None and job.envelope is not None:
        # it touched nothing; and to whoever may not submit to a project its jobs are not to be told
        sender = job.envelope.received_by
        if project_for_sender(job.project_code, sender) is None:
            return None
    others = Job.objects.filter(project_code=job.project_code, started_at__gt=job.ended_at)
    if job.project_id is None and job.envelope_id is None:
        # of the whole system, such as a Backup
        others = others.filter(envelope=None)
    else:
        # a job whose project is not known has not been run against it: it named a code, and failed
        others = others.filter(project__isnull=False)
    others = others.exclude(kind__in=INVISIBLE_KINDS)
    if job.envelope_id is not None:
        # NULL <> x is not true in SQL: system jobs must be named
        others = others.filter(~Q(envelope_id=job.envelope_id) | Q(envelope_id=None))
    else:
        others = others.exclude(pk=job.pk)
    return others.select_related("envelope").order_by("started_at").first()


def requeue_for_retry(job: Job) -> list[Job]:
    """Queue a failed job at the front, with the held jobs of its chain behind it.

    Check `why_not_retry` first, inside the same transaction.

    Returns: the jobs queued, first to run first.
    Raises:
        StaleTransitionError: if somebody else retried it meanwhile.
    """
    queue_state(lock=True)
    rank, now = front_rank(), timezone.now()
    change_state(
        job,
        leaving=[JobState.ERRORS],
        entering=JobState.QUEUED,
        reason="retried",
        of_attempt=job.attempt,
        crash_count=0,
        cancel_requested_at=None,
        cancel_requested_by=None,
        ended_at=None,
        progress={},
        queue_rank=rank,
        queued_at=now,
    )
    held = list(
        Job.objects.filter(envelope=job.envelope, state=JobState.HELD).order_by("chain_position")
        if job.envelope
        else []
    )
    for later in held:
        change_state(
            later,
            leaving=[JobState.HELD],
            entering=JobState.QUEUED,
            reason=f"job {job.pk} is retried",
            queue_rank=rank,
            queued_at=now,
        )
    if job.envelope_id is not None:
        Envelope.objects.filter(pk=job.envelope_id).update(state=EnvelopeState.QUEUED, processed_at=None)
    return [job, *held]
