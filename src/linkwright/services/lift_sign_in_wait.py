"""Ends the wait of a person after wrong passwords."""

from django.db import transaction

from linkwright.services.throttle_sign_in import name_subject
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import SignInThrottle, User


def lift_sign_in_wait(user: User, actor: Actor) -> bool:
    """Forget the wrong passwords for a person's name; returns whether there were any."""
    with transaction.atomic():
        count, _ = SignInThrottle.objects.filter(subject=name_subject(user.username)).delete()
        if count:
            record_action(actor, "lift sign-in wait", user.username)
    return bool(count)
