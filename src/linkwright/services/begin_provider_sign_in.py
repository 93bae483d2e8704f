"""Begins a sign-in at the provider: fresh secrets for one browser, and where to send it."""

import secrets

from linkwright.config import OidcConfig
from linkwright.services.oidc_client import PendingSignIn, open_client

SECRET_BYTES = 32
# RFC 7636 asks for 43 to 128 characters
VERIFIER_BYTES = 48


def begin_provider_sign_in(
    config: OidcConfig, redirect_uri: str, *, anew: bool = False
) -> tuple[PendingSignIn, str]:
    """Return what to keep in the browser's session, and the address at the provider.

    `anew`: the provider is to ask who it is, though it may know: for those who were there as somebody else.

    Raises:
        OidcError: if the provider cannot be used.
    """
    pending = PendingSignIn(
        state=secrets.token_urlsafe(SECRET_BYTES),
        nonce=secrets.token_urlsafe(SECRET_BYTES),
        verifier=secrets.token_urlsafe(VERIFIER_BYTES),
        redirect_uri=config.redirect_uri or redirect_uri,
    )
    return pending, open_client(config).authorization_url(pending, anew=anew)
