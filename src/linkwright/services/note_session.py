"""Writes down which session a person has opened, and when it was last used."""

from dataclasses import dataclass

from django.utils import timezone

from linkwright.store.models import SignIn, User
from linkwright.store.settings import read_settings


@dataclass(frozen=True)
class SessionLimits:
    """How long a session may be idle, and how long it may last; in seconds."""

    idle_s: int
    max_s: int


def note_session(user: User, session_key: str, origin: str, browser: str) -> tuple[int, SessionLimits]:
    """Write a new session down; returns its number, and the limits that hold for it to its end."""
    now, settings = timezone.now(), read_settings("Sessions.")
    limits = SessionLimits(int(settings["Sessions.IdleMinutes"]) * 60, int(settings["Sessions.MaxHours"]) * 3600)
    made = SignIn.objects.create(
        user=user, session_key=session_key, at=now, seen_at=now, origin=origin[:100], browser=browser[:200]
    )
    return made.pk, limits


def move_session(sign_in_id: int, session_key: str) -> None:
    """Follow a session that has got another key."""
    SignIn.objects.filter(pk=sign_in_id).update(session_key=session_key)


def see_session(sign_in_id: int) -> None:
    """Write down that a session is used now."""
    SignIn.objects.filter(pk=sign_in_id).update(seen_at=timezone.now())
