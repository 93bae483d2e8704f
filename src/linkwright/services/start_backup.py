"""Starts a Backup job: a copy of the whole system, which the Administrator alone may ask for."""

from django.db import transaction

from linkwright.errors import LinkwrightError
from linkwright.queue.enqueue import Step, enqueue_job
from linkwright.queue.order import queue_state
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Job, JobKind
from linkwright.store.queries.open_jobs import open_system_job


class BackupRefusedError(LinkwrightError):
    """A Backup job cannot be started; the text says why."""


def start_backup(actor: Actor) -> Job:
    """Queue a backup.

    Raises:
        BackupRefusedError: if one is queued or runs already.
    """
    with transaction.atomic():
        # two people who ask at once: the second sees the job of the first
        queue_state(lock=True)
        waiting = open_system_job(JobKind.BACKUP)
        if waiting is not None:
            raise BackupRefusedError(
                f"{waiting} is {waiting.get_state_display().lower()} already. Wait until it has ended."
            )
        job = enqueue_job(Step(JobKind.BACKUP))
        record_action(actor, "back up", str(job))
    return job
