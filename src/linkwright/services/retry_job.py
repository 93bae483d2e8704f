"""Retry a failed job, with the held jobs of its Envelope behind it."""

from collections.abc import Collection

from django.db import transaction

from linkwright.errors import LinkwrightError
from linkwright.queue import retry
from linkwright.queue.order import queue_state
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Job


class RetryRefusedError(LinkwrightError):
    """The job cannot be retried; the text says why."""


def why_not_retry(job: Job) -> str:
    """Return the sentence that says why a job cannot be retried, or '' if it can."""
    return retry.why_not_retry(job)


def why_not_retry_each(keys: Collection[int]) -> dict[int, str]:
    """Return the same for many jobs at once, by their keys."""
    return retry.why_not_retry_each(keys)


def retry_job(job_id: int, actor: Actor) -> Job:
    """Queue a failed job at the front as a new attempt.

    Raises:
        RetryRefusedError: with the reason.
    """
    with transaction.atomic():
        queue_state(lock=True)
        job = Job.objects.select_related("envelope").filter(pk=job_id).first()
        if job is None:
            raise RetryRefusedError(f"There is no job {job_id}.")
        refusal = why_not_retry(job)
        if refusal:
            raise RetryRefusedError(refusal)
        retry.requeue_for_retry(job)
        record_action(actor, "retry job", str(job), project_code=job.project_code)
    return job
