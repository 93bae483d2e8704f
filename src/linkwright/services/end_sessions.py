"""Ends sessions: whoever goes on with one has to sign in."""

from django.contrib.sessions.models import Session
from django.db import transaction

from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import SignIn, User


def end_sessions(user: User, actor: Actor, sign_in_id: int | None = None) -> int:
    """End one session of a person, or all; returns how many."""
    with transaction.atomic():
        count = close_sessions(user, only=sign_in_id)
        if count:
            record_action(actor, "end sessions", user.username, detail={"sessions_count": count})
    return count


def close_sessions(user: User, *, only: int | None = None, but: str = "") -> int:
    """Delete sessions of a person, inside the caller's transaction; returns how many."""
    own = SignIn.objects.filter(user=user).exclude(session_key=but)
    if only is not None:
        own = own.filter(pk=only)
    count, _ = Session.objects.filter(session_key__in=list(own.values_list("session_key", flat=True))).delete()
    return count
