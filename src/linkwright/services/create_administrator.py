"""Creates an Administrator, or gives an existing one a new password."""

import secrets

from django.db import transaction

from linkwright.errors import LinkwrightError
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import User

MAX_NAME_LENGTH = 150


class UserNameError(LinkwrightError):
    """The name cannot be a user name."""


def checked_user_name(username: str) -> str:
    """Return the name without blanks around it.

    Raises:
        UserNameError: if the name is empty or longer than 150 characters.
    """
    name = username.strip()
    if not name or len(name) > MAX_NAME_LENGTH:
        raise UserNameError(f"{username!r} cannot be a user name; give 1 to {MAX_NAME_LENGTH} characters.")
    return name


def create_administrator(username: str, actor: Actor) -> str:
    """Make `username` an Administrator with a fresh random password.

    Returns: the password; it is stored as a hash only.
    Raises:
        UserNameError: if the name is empty or longer than 150 characters.
    """
    name = checked_user_name(username)
    password = secrets.token_urlsafe(15)
    with transaction.atomic():
        user, created = User.objects.get_or_create(username=name)
        user.is_superuser = user.is_active = True
        user.set_password(password)
        user.save()
        record_action(actor, "create Administrator" if created else "reset password of", name)
    return password
