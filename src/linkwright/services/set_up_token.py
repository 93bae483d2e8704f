"""The one-time link that makes the first Administrator: only while there is no account, and only for who holds it.

Its token is shown on the terminal that starts the server, and kept as a hash in the data folder: whoever can only
reach the pages over the network cannot take the server.
"""

import hashlib
import hmac
import os
import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from linkwright.config import ServerConfig
from linkwright.errors import FaultsError, LinkwrightError
from linkwright.queue.order import queue_state
from linkwright.services.create_administrator import UserNameError, checked_user_name
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import User


class SetUpOverError(LinkwrightError):
    """The link is wrong, was replaced by a newer one, or has been used."""

    def __init__(self) -> None:
        super().__init__(
            "This link does not open anything: it was used, a newer one was made when the server was started "
            "again, or it is not complete. While there is no account, `linkwright serve` prints a new one on its "
            "terminal."
        )


class SetUpRefusedError(FaultsError):
    """The name or the password cannot be taken; every fault is named."""


def make_set_up_token(config: ServerConfig) -> str | None:
    """Return a new token, and forget any other; None if there is an account already."""
    if User.objects.exists():
        config.set_up_file.unlink(missing_ok=True)
        return None
    token = secrets.token_urlsafe(32)
    fresh = config.set_up_file.with_suffix(f".{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(_digest(token))
    fresh.replace(config.set_up_file)
    return token


def demand_set_up_token(config: ServerConfig, token: str) -> None:
    """Refuse a token that opens nothing.

    Raises:
        SetUpOverError: if it is not the newest one, or there is an account.
    """
    try:
        kept = config.set_up_file.read_text()
    except FileNotFoundError as error:
        raise SetUpOverError from error
    if not hmac.compare_digest(kept, _digest(token)) or User.objects.exists():
        raise SetUpOverError


def create_first_administrator(
    config: ServerConfig, token: str, *, username: str, password: str, origin: str
) -> User:
    """Make the first account an Administrator; of two who ask at once, one gets it.

    Args:
        config: of this server.
        token: of the link.
        username: the name to sign in with.
        password: chosen by the person.
        origin: the network address that it came from.

    Raises:
        SetUpOverError: if the link opens nothing any more.
        SetUpRefusedError: if the name or the password cannot be taken.
    """
    demand_set_up_token(config, token)
    faults = []
    try:
        name = checked_user_name(username)
    except UserNameError as error:
        name, faults = "", [str(error)]
    try:
        validate_password(password, User(username=name))
    except ValidationError as error:
        faults += error.messages
    if faults:
        raise SetUpRefusedError("No account was made.", faults)
    with transaction.atomic():
        # the second of two waits here, and then sees the account of the first
        queue_state(lock=True)
        demand_set_up_token(config, token)
        user = User(username=name, is_superuser=True)
        user.set_password(password)
        user.save()
        record_action(Actor(user, origin), "create Administrator", name, detail={"by": "the set-up link"})
    config.set_up_file.unlink(missing_ok=True)
    return user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
