"""Writes the audit log: who did what, when, why and from where. Entries are never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from linkwright.store.models import AuditLogEntry, User

# what people, and a failed job, do to the Job Queue: shown as its history
WHOLE_QUEUE_ACTIONS = ("pause queue", "resume queue", "clear queue")
STEERING_ACTIONS = (
    "submit Envelope",
    "cancel Envelope",
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
    """Add one entry; call it inside the transaction of the action itself."""
    AuditLogEntry.objects.create(
        at=timezone.now(),
        user=actor.user,
        action=action,
        target=target[:300],
        project_code=project_code,
        reason=reason,
        detail=dict(detail or {}),
        origin=actor.origin[:100],
        is_steering=action in STEERING_ACTIONS,
    )
