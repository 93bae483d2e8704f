"""What Linkwright asks of an OpenID Connect provider, and what it gets; speaks to none itself.

The packages that do are optional: services/oidc_protocol.py imports them, and is imported here only where somebody
signs in and a provider is configured. Source: OpenID Connect Core 1.0, docs/decisions/0031.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from linkwright.config import OidcConfig
from linkwright.errors import LinkwrightError

_PACKAGES = ("authlib", "requests")


class OidcError(LinkwrightError):
    """Somebody cannot be signed in by the provider; the text says why and what to do."""


class OidcSetUpError(OidcError):
    """The provider, or what Linkwright knows of it, is set up wrongly."""


class ProviderDownError(OidcError):
    """The provider cannot be reached, or answers with what is no answer."""


class ProviderRefusedError(OidcError):
    """The provider says no."""


class TokenRefusedError(OidcError):
    """The provider's ID token is not one for this sign-in."""


@dataclass(frozen=True)
class PendingSignIn:
    """One sign-in that was begun in one browser; its values are secrets of that browser's session."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


@dataclass(frozen=True)
class Identity:
    """Who somebody is at the provider; checked in full."""

    issuer: str
    subject: str
    claims: Mapping[str, Any]
    id_token: str
    # '' if the provider cannot be signed out of
    end_session_url: str

    @property
    def verified_email(self) -> str:
        """The e-mail address, if the provider vouches for it; else ''."""
        # one large provider writes its truth as a text
        verified = self.claims.get("email_verified")
        return self.text("email") if verified is True or verified == "true" else ""

    def text(self, claim: str) -> str:
        """Return a claim without blanks around it; '' if it is absent or no text."""
        value = self.claims.get(claim)
        return value.strip() if isinstance(value, str) else ""

    def listed(self, claim: str) -> frozenset[str]:
        """Return a claim that lists texts; a text alone is a list of one."""
        value = self.claims.get(claim)
        many = value if isinstance(value, list) else [value]
        return frozenset(one for one in many if isinstance(one, str))


class OidcClient(Protocol):
    """One provider, spoken to as one client of it."""

    def authorization_url(self, pending: PendingSignIn, *, anew: bool) -> str:
        """Return where to send the browser; `anew`: the provider asks who it is, though it may know.

        Raises:
            OidcError: if the provider cannot be used.
        """

    def identity(self, pending: PendingSignIn, code: str) -> Identity:
        """Turn the code that a browser brought back into who it is.

        Raises:
            OidcError: if the provider cannot be used, refuses, or its token is not good.
        """

    def look(self) -> str:
        """Ask for the provider's description and keys anew; returns in words what was found.

        Raises:
            OidcError: if the provider cannot be used.
        """


def open_client(config: OidcConfig) -> OidcClient:
    """Return a client for the provider; asks it nothing yet.

    Raises:
        OidcSetUpError: if the optional packages are not installed.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise OidcSetUpError(
            f"Single sign-on needs the package {' and '.join(missing)}, which is not installed. Install it with "
            "`pip install 'linkwright[oidc]'`."
        )
    client: OidcClient = import_module("linkwright.services.oidc_protocol").ProtocolClient(config)
    return client
