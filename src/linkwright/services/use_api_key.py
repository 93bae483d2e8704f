"""Finds out whose API key a token is, and keeps when it was last used."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from linkwright.errors import LinkwrightError
from linkwright.services.create_api_key import TOKEN_PREFIX, token_hash
from linkwright.store.audit_log import Actor
from linkwright.store.models import ApiKey

NOTED_EVERY = timedelta(minutes=1)
_LONGEST_TOKEN = 200


class ApiKeyError(LinkwrightError):
    """The token opens nothing; the text says why. Whoever holds an expired one may know that it is."""


@dataclass(frozen=True)
class UsedApiKey:
    """A key that is good now, and who acts with it."""

    key: ApiKey
    actor: Actor


def use_api_key(token: str, address: str) -> UsedApiKey:
    """Return the key of a token.

    Args:
        token: as the caller sent it.
        address: the network address that it came from.

    Raises:
        ApiKeyError: if it is unknown, expired or revoked, or its person is disabled.
    """
    key = _find(token)
    now = timezone.now()
    if key is None:
        raise ApiKeyError("This API key is not known. Check that it was copied whole; a new one can be made.")
    if key.revoked_at is not None:
        raise ApiKeyError(f"The API key {key.name!r} was revoked on {key.revoked_at:%Y-%m-%d}. Make a new one.")
    if key.expires_at <= now:
        raise ApiKeyError(f"The API key {key.name!r} expired on {key.expires_at:%Y-%m-%d}. Make a new one.")
    if not key.user.is_active:
        raise ApiKeyError("The person of this API key is disabled. Ask an Administrator.")
    if key.last_used_at is None or key.last_used_at < now - NOTED_EVERY:
        is_due = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_EVERY)
        ApiKey.objects.filter(is_due, pk=key.pk).update(last_used_at=now, last_used_from=address[:100])
    permissions = None if key.permissions is None else frozenset(key.permissions)
    actor = Actor(user=key.user, origin=f"API key {key.name} from {address}", permissions=permissions)
    return UsedApiKey(key, actor)


def _find(token: str) -> ApiKey | None:
    if not token.startswith(TOKEN_PREFIX) or len(token) > _LONGEST_TOKEN or not token.isascii():
        return None
    return ApiKey.objects.select_related("user").filter(token_sha256=token_hash(token)).first()
