"""Writes the audit log: who did what, when, why and from where. Entries are never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from linkwright.store.audit_chain import add_linked, storable
from linkwright.store.models import AuditLogEntry, User

# what people, and a failed job, do to the Job Queue: shown as its history
WHOLE_QUEUE_ACTIONS = ("pause queue", "resume queue", "clear queue")
STEERING_ACTIONS = (
    "submit Envelope",
    "cancel Envelope",
    "cancel job",
    "retry job",
    "roll back Envelope",
    *WHOLE_QUEUE_ACTIONS,
)


@dataclass(frozen=True)
class Actor:
    """Who acts: a signed-in person, or None for the system or the machine's command line; and from where.

    `permissions` are those that an API key is narrowed to; None: the person acts with all that they hold.
    """

    user: User | None
    origin: str
    permissions: frozenset[str] | None = None

    @property
    def name(self) -> str:
        """The person's user name, else the origin in words."""
        return self.user.username if self.user else self.origin


SYSTEM = Actor(user=None, origin="system")
COMMAND_LINE = Actor(user=None, origin="command line")
INBOX = Actor(user=None, origin="inbox")


def record_action(
    actor: Actor,
    action: str,
    target: str = "",
    *,
    project_code: str = "",
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add one entry and link it to the one before; call it inside the transaction of the action itself.

    Nothing that it says may identify people in the data: entries are never changed or deleted, so neither a Purge
    nor a rollback could take it away. Name records by their number in the project.
    """
    entry = AuditLogEntry(
        at=timezone.now(),
        user=actor.user,
        action=action,
        target=storable(target[:300]),
        project_code=storable(project_code),
        reason=storable(reason),
        detail=storable(dict(detail or {})),
        origin=storable(actor.origin[:100]),
        is_steering=action in STEERING_ACTIONS,
    )
    with transaction.atomic(savepoint=False):
        add_linked(entry)
