"""Cancel a queued or running job that belongs to no Envelope; it leaves nothing behind.

The jobs of an Envelope are cancelled together (services/cancel_envelope.py): an Envelope is done whole, or not.
"""

from django.db import transaction
from django.utils import timezone

from linkwright.errors import LinkwrightError
from linkwright.queue.finish import withdraw_job
from linkwright.queue.order import queue_state
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import EndReason, Job, JobState


class CancelJobRefusedError(LinkwrightError):
    """The job is over, or is one of an Envelope."""


def why_not_cancel(job: Job) -> str:
    """Return the sentence that says why a job cannot be cancelled by itself, or '' if it can."""
    if job.envelope is not None:
        return f"{job} is a part of {job.envelope}, which is processed whole or not at all. Cancel the Envelope."
    if job.state not in (JobState.QUEUED, JobState.RUNNING):
        return f"{job} is {job.get_state_display()}; only a queued or running job can be cancelled."
    return ""


def cancel_job(job_id: int, actor: Actor, reason: str = "") -> None:
    """Take a job out of the queue; a running one is stopped by the worker within seconds.

    Raises:
        CancelJobRefusedError: with the reason.
    """
    with transaction.atomic():
        queue_state(lock=True)
        job = Job.objects.select_related("envelope").filter(pk=job_id).first()
        if job is None:
            raise CancelJobRefusedError(f"There is no job {job_id}. The list of all jobs shows their numbers.")
        refusal = why_not_cancel(job)
        if refusal:
            raise CancelJobRefusedError(refusal)
        if job.state == JobState.QUEUED:
            withdraw_job(job, EndReason.CANCELLED, f"it was cancelled by {actor.name}")
        else:
            Job.objects.filter(pk=job_id, cancel_requested_at=None).update(
                cancel_requested_at=timezone.now(), cancel_requested_by=actor.user
            )
        record_action(actor, "cancel job", str(job), project_code=job.project_code, reason=reason)
