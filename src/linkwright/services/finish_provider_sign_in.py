"""Ends a sign-in at the provider: checks who it is, says which account is theirs, writes the audit log.

Opens no session: the pages do. Whoever is refused, though the provider knows them, is in the audit log as well.
"""

from collections.abc import Mapping

from django.db import IntegrityError, transaction

from linkwright.config import OidcConfig
from linkwright.services.find_provider_person import PersonNotTakenError, find_provider_person
from linkwright.services.oidc_client import (
    Identity,
    PendingSignIn,
    ProviderRefusedError,
    TokenRefusedError,
    open_client,
)
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import User

LONGEST_CODE = 4096
_SHOWN = 200


def finish_provider_sign_in(
    config: OidcConfig,
    pending: PendingSignIn,
    answer: Mapping[str, str],
    *,
    address: str,
    invitation_sha256: str = "",
) -> tuple[User, Identity]:
    """Return who signed in.

    Args:
        config: the provider.
        pending: what this browser's session kept of the beginning.
        answer: the parameters with which the browser came back; the state was compared already.
        address: the network address that asks.
        invitation_sha256: the hash of the token of the link that was followed, '' for none.

    Raises:
        OidcError: if the provider cannot be used, or refuses.
        PersonNotTakenError: if the provider knows them, and they may not come in.
    """
    if answer.get("iss", config.issuer) != config.issuer:
        raise TokenRefusedError("The answer came from another provider than the one that was asked. Begin again.")
    if error := answer.get("error"):
        raise ProviderRefusedError(_refusal_text(config, error, answer.get("error_description", "")))
    code = answer.get("code", "")
    if not 0 < len(code) <= LONGEST_CODE:
        raise ProviderRefusedError(f"{config.label} sent you back without a code. Begin again.")
    nobody = Actor(None, address)
    try:
        identity = open_client(config).identity(pending, code)
    except TokenRefusedError as refused:
        record_action(nobody, "refuse sign-in by provider", detail={"issuer": config.issuer, "why": str(refused)})
        raise
    try:
        user = _person(identity, config, address, invitation_sha256)
    except PersonNotTakenError as refused:
        record_action(
            nobody,
            "refuse sign-in by provider",
            refused.username,
            detail={"issuer": identity.issuer, "subject": identity.subject[:_SHOWN], "why": refused.why},
        )
        raise
    return user, identity


def _person(identity: Identity, config: OidcConfig, address: str, invitation_sha256: str) -> User:
    try:
        return _person_once(identity, config, address, invitation_sha256)
    except IntegrityError:
        # two browsers of one person come for the first time at once: the second finds what the first has bound
        return _person_once(identity, config, address, invitation_sha256)


def _person_once(identity: Identity, config: OidcConfig, address: str, invitation_sha256: str) -> User:
    with transaction.atomic():
        user = find_provider_person(identity, config, address, invitation_sha256)
        record_action(
            Actor(user, address), "sign in by provider", user.username, detail={"issuer": identity.issuer}
        )
    return user


def _refusal_text(config: OidcConfig, error: str, description: str) -> str:
    told = " ".join(part for part in (error, description) if part)
    plain = "".join(character for character in told if character.isprintable())[:_SHOWN].rstrip(". ")
    if error == "access_denied":
        return f"{config.label} did not let you in, or you cancelled there ({plain}). Nothing was changed."
    return f"{config.label} refused: {plain}. Begin again; if it stays, tell an Administrator."
