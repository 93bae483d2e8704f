"""Revokes API keys: one's own, or, as an Administrator, anybody's. A revoked key never works again."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from linkwright.errors import LinkwrightError
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import ApiKey


class UnknownApiKeyError(LinkwrightError):
    """There is no such key, or none for whoever asks."""


def visible_api_keys(actor: Actor) -> QuerySet[ApiKey]:
    """Return the keys that exist for a person, newest first: one's own; for Administrators and the machine all."""
    keys = ApiKey.objects.select_related("user", "revoked_by")
    if actor.user is None or actor.user.is_superuser:
        return keys
    return keys.filter(user=actor.user)


def find_api_key(key_id: int, actor: Actor) -> ApiKey:
    """Return a key that exists for whoever asks.

    Raises:
        UnknownApiKeyError: if there is none.
    """
    key = visible_api_keys(actor).filter(pk=key_id).first()
    if key is None:
        raise UnknownApiKeyError(
            f"There is no API key {key_id}. `linkwright list-api-keys` shows which there are."
        )
    return key


def revoke_api_key(key_id: int, actor: Actor, reason: str = "") -> ApiKey:
    """Make a key useless at once. A second time changes nothing.

    Raises:
        UnknownApiKeyError: if there is no such key, or none for whoever asks.
    """
    with transaction.atomic():
        key = find_api_key(key_id, actor)
        revoked = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(
            revoked_at=timezone.now(), revoked_by=actor.user
        )
        if revoked:
            record_action(actor, "revoke API key", str(key), reason=reason.strip())
    key.refresh_from_db()
    return key
