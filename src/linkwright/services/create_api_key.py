"""Makes an API key for a person. The token is returned once and kept as a hash only."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from linkwright.errors import LinkwrightError
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import ApiKey, User
from linkwright.store.models.api_keys import MAX_KEY_NAME_LENGTH
from linkwright.store.permissions import Permission
from linkwright.store.settings import read_setting

TOKEN_PREFIX = "lw_"  # noqa: S105 - what every token begins with, so that scanners find one that was leaked
TOKEN_BYTES = 32
SHOWN_CHARACTERS = 8
DEFAULT_LIFETIME_DAYS = 365
MAX_LIFETIME_SETTING = "ApiKeys.MaxLifetimeDays"


class ApiKeyRefusedError(LinkwrightError):
    """The key cannot be made; the text says why."""


@dataclass(frozen=True)
class NewApiKey:
    """A fresh key, and its token: the only moment at which anybody can read it."""

    key: ApiKey
    token: str


def token_hash(token: str) -> str:
    """Return what is stored of a token.

    SHA-256, unsalted and fast: a token is 256 random bits, so there is no list of likely ones to try, and a slow
    hash would only make every request slow (docs/decisions/0021).
    """
    return hashlib.sha256(token.encode()).hexdigest()


def default_lifetime_days() -> int:
    """Return how long a key lives if nobody says otherwise: a year, or what the Setting allows."""
    return min(DEFAULT_LIFETIME_DAYS, int(read_setting(MAX_LIFETIME_SETTING)))


def create_api_key(
    user: User,
    name: str,
    actor: Actor,
    *,
    lifetime_days: int | None = None,
    permissions: Collection[str] | None = None,
) -> NewApiKey:
    """Make a key.

    Args:
        user: whose permissions it has; an active person.
        name: what it is for, 1 to 40 characters, another than that of the person's other keys.
        actor: who makes it.
        lifetime_days: until it expires; a year if None.
        permissions: what it is narrowed to; None: whatever the person may do.

    Raises:
        ApiKeyRefusedError: if the name, the lifetime or a permission is not allowed, or the person is disabled.
    """
    days = default_lifetime_days() if lifetime_days is None else lifetime_days
    shown_name = _checked_name(name)
    _check_lifetime(days)
    narrowed = None if permissions is None else _checked_permissions(permissions)
    if not user.is_active:
        raise ApiKeyRefusedError(f"{user.username} is disabled; a key of a disabled person opens nothing.")
    token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    now = timezone.now()
    key = ApiKey(
        user=user,
        name=shown_name,
        token_start=token[:SHOWN_CHARACTERS],
        token_sha256=token_hash(token),
        permissions=narrowed,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    try:
        with transaction.atomic():
            key.save()
            detail = {"expires_at": key.expires_at.isoformat(), "permissions": narrowed}
            record_action(actor, "create API key", str(key), detail=detail)
    except IntegrityError as error:
        raise ApiKeyRefusedError(
            f"{user.username} has an API key named {shown_name!r} already. Give another name, or revoke that key."
        ) from error
    return NewApiKey(key, token)


def _checked_name(name: str) -> str:
    stripped = name.strip()
    if not stripped or len(stripped) > MAX_KEY_NAME_LENGTH or not stripped.isprintable():
        raise ApiKeyRefusedError(
            f"{name!r} cannot name an API key; give 1 to {MAX_KEY_NAME_LENGTH} printable characters."
        )
    return stripped


def _check_lifetime(days: int) -> None:
    longest = int(read_setting(MAX_LIFETIME_SETTING))
    if not 1 <= days <= longest:
        raise ApiKeyRefusedError(
            f"An API key cannot live {days} days; allowed are 1 to {longest} (the Setting {MAX_LIFETIME_SETTING})."
        )


def _checked_permissions(permissions: Collection[str]) -> list[str]:
    unknown = sorted(set(permissions) - set(Permission))
    if unknown:
        raise ApiKeyRefusedError(
            f"{', '.join(map(repr, unknown))}: no such permission. There are: {', '.join(Permission)}."
        )
    if not permissions:
        raise ApiKeyRefusedError(
            "The key would be allowed nothing. Choose at least one permission, or do not narrow it."
        )
    return [permission.value for permission in Permission if permission in permissions]
