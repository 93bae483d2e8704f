"""Clear the Job Queue: every queued job leaves it, the running one goes on."""

from django.db import transaction

from linkwright.queue import steering
from linkwright.queue.order import queue_state, queued_in_order
from linkwright.store import batch_catalog
from linkwright.store.audit_log import Actor, record_action


def preview_clear() -> steering.Cleared:
    """Count what clearing would take out now."""
    return steering.count_clearable()


def clear_queue(actor: Actor, reason: str = "") -> steering.Cleared:
    """Take every queued job out of the queue; what was cleared stays in the audit log."""
    with transaction.atomic():
        state = queue_state(lock=True)
        jobs = [{"job": job.pk, "kind": job.kind, "envelope": job.envelope_id} for job in queued_in_order(state)]
        cleared = steering.clear()
        # most have never begun, and have nothing to be given up
        for envelope in batch_catalog.with_files(cleared.cancelled_envelopes):
            batch_catalog.remove(envelope)
        record_action(actor, "clear queue", "Job Queue", reason=reason, detail={"jobs": jobs})
    return cleared
