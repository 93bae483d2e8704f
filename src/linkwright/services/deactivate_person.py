"""Shuts a person out, or lets them in again. Nobody is deleted: the audit log names people for ever."""

from django.db import transaction
from django.utils import timezone

from linkwright.services.end_sessions import close_sessions
from linkwright.services.person_rules import demand_administrator_left, demand_another
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Invitation, User


def deactivate_person(user: User, actor: Actor, reason: str = "") -> bool:
    """End a person's sessions and links, and refuse their password and API keys from now on.

    Returns: whether anything changed.

    Raises:
        PersonRefusedError: if it is oneself, or the last Administrator.
    """
    with transaction.atomic():
        demand_another(user, actor, "deactivate")
        demand_administrator_left(user)
        changed = bool(User.objects.filter(pk=user.pk, is_active=True).update(is_active=False))
        if changed:
            close_sessions(user)
            Invitation.objects.filter(user=user, ended_at=None).update(ended_at=timezone.now())
            record_action(actor, "deactivate person", user.username, reason=reason.strip())
    return changed


def reactivate_person(user: User, actor: Actor) -> bool:
    """Let a person in again, with the password, roles and API keys that they had; returns whether that is new."""
    with transaction.atomic():
        changed = bool(User.objects.filter(pk=user.pk, is_active=False).update(is_active=True))
        if changed:
            record_action(actor, "reactivate person", user.username)
    return changed
