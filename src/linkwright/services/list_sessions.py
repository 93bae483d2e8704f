"""Which sessions of a person are open: from where, with what, since when."""

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.utils import timezone

from linkwright.store.models import SignIn, User
from linkwright.store.settings import read_setting


def list_sessions(user: User) -> list[SignIn]:
    """Return the open sessions, newest first; one that idles for too long is over, though nobody has ended it."""
    now = timezone.now()
    open_keys = Session.objects.filter(expire_date__gt=now).values("session_key")
    idle = timedelta(minutes=int(read_setting("Sessions.IdleMinutes")))
    return list(SignIn.objects.filter(user=user, session_key__in=open_keys, seen_at__gt=now - idle))
