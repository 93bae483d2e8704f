"""Puts the list of first steps away, for one Administrator."""

from django.utils import timezone

from linkwright.store.models import User


def close_first_steps(user: User) -> None:
    """Put it away; what it says changes nothing of the server, so it is no matter of the audit log."""
    User.objects.filter(pk=user.pk, first_steps_closed_at=None).update(first_steps_closed_at=timezone.now())
