"""Deletes sessions that are over, what was noted of them long ago, and wrong passwords that are forgotten."""

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.utils import timezone

from linkwright.config import ServerConfig
from linkwright.services.throttle_sign_in import FORGOTTEN_AFTER
from linkwright.store.models import SignIn, SignInThrottle

KEPT_FOR = timedelta(days=90)


def sweep_sign_ins(_config: ServerConfig) -> None:
    """Sweep once."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    SignIn.objects.filter(seen_at__lt=now - KEPT_FOR).exclude(
        session_key__in=Session.objects.values("session_key")
    ).delete()
    SignInThrottle.objects.filter(last_at__lt=now - FORGOTTEN_AFTER).delete()
