"""Pause and resume the Job Queue, with who, when and why."""

from django.db import transaction

from linkwright.queue import steering
from linkwright.store.audit_log import Actor, record_action


def pause_queue(actor: Actor, reason: str) -> None:
    """Keep further jobs from starting; the running one goes on.

    Raises:
        SteeringError: without a reason, or if the queue is paused already.
    """
    with transaction.atomic():
        steering.pause(actor.user, reason)
        record_action(actor, "pause queue", "Job Queue", reason=reason)


def resume_queue(actor: Actor) -> None:
    """Let jobs start again.

    Raises:
        SteeringError: if the queue is not paused.
    """
    with transaction.atomic():
        steering.resume()
        record_action(actor, "resume queue", "Job Queue")
