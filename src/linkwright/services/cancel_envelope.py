"""Cancel a queued or running Envelope; it leaves nothing behind."""

from django.db import transaction
from django.utils import timezone

from linkwright.errors import LinkwrightError
from linkwright.queue.finish import end_envelope_cancelled, withdraw_open_jobs
from linkwright.queue.order import queue_state
from linkwright.store import batch_catalog
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import EndReason, Envelope, EnvelopeState, Job, JobState


class CancelRefusedError(LinkwrightError):
    """The Envelope is neither queued nor running."""


def may_cancel(envelope: Envelope) -> bool:
    """Tell whether an Envelope is queued or running."""
    return envelope.state == EnvelopeState.QUEUED


def cancel_envelope(envelope_id: int, actor: Actor, reason: str = "") -> None:
    """Take an Envelope's jobs out of the queue; a running one is stopped by the worker within seconds.

    Raises:
        CancelRefusedError: if the Envelope is neither queued nor running.
    """
    with transaction.atomic():
        queue_state(lock=True)
        envelope = Envelope.objects.filter(pk=envelope_id).first()
        if envelope is None:
            raise CancelRefusedError(f"There is no Envelope {envelope_id}.")
        if not may_cancel(envelope):
            raise CancelRefusedError(
                f"Envelope {envelope.name} is {envelope.get_state_display()}; only a queued or running one "
                "can be cancelled."
            )
        withdraw_open_jobs(envelope, EndReason.CANCELLED, "the Envelope was cancelled")
        running = Job.objects.filter(envelope=envelope, state=JobState.RUNNING)
        if running.exists():
            running.filter(cancel_requested_at=None).update(
                cancel_requested_at=timezone.now(), cancel_requested_by=actor.user
            )
        else:
            end_envelope_cancelled(envelope)
            batch_catalog.remove(envelope)
        record_action(actor, "cancel Envelope", str(envelope), project_code=envelope.project_code, reason=reason)
