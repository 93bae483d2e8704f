"""Makes guessing passwords slow: wrong ones are counted per user name and per network address, in the database.

An attempt is counted before the password is looked at, so a hundred at once are no way round. Names are counted
whether or not there is such a person, as a keyed hash: people type passwords into the wrong field. While one has
to wait, no password is looked at, and nothing is counted.
"""

import math
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from linkwright.errors import LinkwrightError
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import SignInThrottle, User
from linkwright.store.settings import read_setting

FIRST_WAIT_S = 15
FORGOTTEN_AFTER = timedelta(days=1)


class WaitError(LinkwrightError):
    """Too many wrong passwords; `wait_s` is how long to wait."""

    def __init__(self, wait_s: int) -> None:
        self.wait_s = wait_s
        minutes = math.ceil(wait_s / 60)
        how_long = f"{wait_s} seconds" if wait_s < 120 else f"{minutes} minutes"  # noqa: PLR2004 - two minutes
        super().__init__(
            f"Too many wrong passwords. Wait {how_long}, then try again; an Administrator can end the wait."
        )


def begin_attempt(username: str, address: str) -> None:
    """Count an attempt to sign in.

    Raises:
        WaitError: if it has to wait; then it is not counted.
    """
    now = timezone.now()
    with transaction.atomic():
        wait_s = 0.0
        found = []
        # always in one order: two attempts cannot wait for each other
        for subject, allowed in sorted(_subjects(username, address).items()):
            SignInThrottle.objects.get_or_create(subject=subject, defaults={"last_at": now})
            row = SignInThrottle.objects.select_for_update().get(subject=subject)
            found.append((row, allowed))
            wait_s = max(wait_s, (row.wait_until - now).total_seconds() if row.wait_until else 0.0)
        if wait_s > 0:
            raise WaitError(math.ceil(wait_s))
        for row, allowed in found:
            _count(row, allowed, now)


def attempt_failed(username: str, address: str) -> None:
    """Say in the audit log that a wait begins, if one does.

    Raises:
        WaitError: then.
    """
    now = timezone.now()
    waits = SignInThrottle.objects.filter(subject__in=_subjects(username, address), wait_until__gt=now)
    until = max((row.wait_until for row in waits if row.wait_until), default=None)
    if until is None:
        return
    wait_s = math.ceil((until - now).total_seconds())
    is_known = User.objects.filter(username=username).exists()
    record_action(
        Actor(None, address),
        "hold up sign-in",
        username if is_known else "a user name that there is not",
        detail={"wait_s": wait_s},
    )
    raise WaitError(wait_s)


def attempt_succeeded(username: str, address: str) -> None:
    """Forget the wrong passwords of a user name, and take the attempt itself off its address."""
    with transaction.atomic():
        SignInThrottle.objects.filter(subject=name_subject(username)).delete()
        row = SignInThrottle.objects.select_for_update().filter(subject=_address_subject(address)).first()
        if row is not None:
            row.failures, row.wait_until = max(0, row.failures - 1), None
            row.save()


def wait_of(username: str) -> datetime | None:
    """Return until when a user name has to wait; None if it has not."""
    row = SignInThrottle.objects.filter(subject=name_subject(username), wait_until__gt=timezone.now()).first()
    return row.wait_until if row else None


def name_subject(username: str) -> str:
    """Return under what a user name is counted."""
    return _hashed(f"name {username.strip().casefold()}")


def _address_subject(address: str) -> str:
    return _hashed(f"address {address}")


def _hashed(text: str) -> str:
    return salted_hmac("linkwright.sign-in", text, algorithm="sha256").hexdigest()


def _subjects(username: str, address: str) -> dict[str, int]:
    return {
        name_subject(username): int(read_setting("SignIn.Failures")),
        _address_subject(address): int(read_setting("SignIn.FailuresPerAddress")),
    }


def _count(row: SignInThrottle, allowed: int, now: datetime) -> None:
    row.failures = 1 if row.last_at < now - FORGOTTEN_AFTER else row.failures + 1
    row.last_at, row.wait_until = now, None
    if row.failures >= allowed:
        longest_s = int(read_setting("SignIn.LongestWaitSeconds"))
        wait_s = min(longest_s, FIRST_WAIT_S * 2 ** min(row.failures - allowed, 20))
        row.wait_until = now + timedelta(seconds=wait_s)
    row.save()
