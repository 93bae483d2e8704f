"""Speaks OpenID Connect with the provider: discovery, keys, code for token, the checks of the ID token.

The only file that imports Authlib, joserfc and requests, which are optional; load it by oidc_client.open_client.
Decides nothing about accounts. Secrets and tokens are never logged nor put into a message.
Source: OpenID Connect Core 1.0 section 3.1, Discovery 1.0, RFC 7636 (PKCE).
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, ClaimError, ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, Key

from linkwright.config import OidcConfig, is_safe_address, read_oidc_client_secret
from linkwright.services.oidc_client import (
    Identity,
    OidcSetUpError,
    PendingSignIn,
    ProviderDownError,
    ProviderRefusedError,
    TokenRefusedError,
)

CONNECT_S, READ_S, WHOLE_S = 5.0, 5.0, 10.0
LONGEST_ANSWER_BYTES = 1024 * 1024
# clocks of two machines may differ by so much
LEEWAY_S = 60
_KNOWN_FOR_S = 600.0
_WELL_KNOWN = "/.well-known/openid-configuration"
# never 'none', and none with a shared secret
_SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_KEY_TYPES = {"RSA", "EC", "OKP"}
_NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
_CLOCK_CLAIMS = {"iat", "nbf"}
_SHOWN = 200


@dataclass(frozen=True)
class _Known:
    """What a provider told of itself, and when."""

    at_s: float
    metadata: Mapping[str, Any]
    keys: tuple[Key, ...]


# by issuer, in each process
_known: dict[str, _Known] = {}


class ProtocolClient:
    """One provider, spoken to as one client of it."""

    def __init__(self, config: OidcConfig) -> None:
        self._config = config

    def authorization_url(self, pending: PendingSignIn, *, anew: bool) -> str:
        """Return where to send the browser."""
        metadata = self._known().metadata
        with self._session(metadata, pending) as session:
            url, _state = session.create_authorization_url(
                metadata["authorization_endpoint"],
                state=pending.state,
                nonce=pending.nonce,
                code_verifier=pending.verifier,
                **({"prompt": "login"} if anew else {}),
            )
        return str(url)

    def identity(self, pending: PendingSignIn, code: str) -> Identity:
        """Turn a code into who somebody is."""
        metadata = self._known().metadata
        with self._session(metadata, pending) as session:
            token = self._ask(
                lambda: session.fetch_token(
                    metadata["token_endpoint"],
                    code=code,
                    grant_type="authorization_code",
                    redirect_uri=pending.redirect_uri,
                    code_verifier=pending.verifier,
                    timeout=(CONNECT_S, READ_S),
                    allow_redirects=False,
                )
            )
        id_token, access_token = token.get("id_token"), token.get("access_token")
        if not isinstance(id_token, str):
            raise TokenRefusedError(
                f"{self._name} answered without an ID token. Is the scope openid allowed there?"
            )
        claims = self._claims(id_token, pending.nonce, access_token)
        if isinstance(access_token, str):
            claims = {**self._more(metadata, claims, access_token), **claims}
        end_session = metadata.get("end_session_endpoint")
        return Identity(
            issuer=str(claims["iss"]),
            subject=str(claims["sub"]),
            claims=claims,
            id_token=id_token,
            end_session_url=end_session if isinstance(end_session, str) and is_safe_address(end_session) else "",
        )

    def look(self) -> str:
        """Ask for the provider's description and keys anew."""
        found = self._learn()
        return f"{self._config.issuer} answers, with {len(found.keys)} key(s)."

    @property
    def _name(self) -> str:
        return self._config.label

    def _session(self, metadata: Mapping[str, Any], pending: PendingSignIn) -> OAuth2Session:
        secret = read_oidc_client_secret()
        allowed = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in allowed else "client_secret_post"
        return OAuth2Session(
            self._config.client_id,
            secret or None,
            token_endpoint_auth_method=method if secret else "none",
            scope=" ".join(self._config.scopes),
            redirect_uri=pending.redirect_uri,
            code_challenge_method="S256",
        )

    def _known(self) -> _Known:
        held = _known.get(self._config.issuer)
        if held is None or time.monotonic() - held.at_s > _KNOWN_FOR_S:
            return self._learn()
        return held

    def _learn(self) -> _Known:
        issuer = self._config.issuer
        metadata = self._get(get_well_known_url(issuer, external=True))
        missing = [name for name in _NEEDED if not isinstance(metadata.get(name), str)]
        unsafe = [name for name in _NEEDED[1:] if name not in missing and not is_safe_address(metadata[name])]
        if metadata.get("issuer") != issuer:
            raise OidcSetUpError(
                f"The provider calls itself {str(metadata.get('issuer'))[:_SHOWN]!r}, and LINKWRIGHT_OIDC_ISSUER "
                f"is {issuer!r}. They must be the same, character by character."
            )
        if missing or unsafe:
            raise OidcSetUpError(
                f"{issuer}{_WELL_KNOWN} names no safe address for {', '.join(missing + unsafe)}. Is it a provider "
                "of OpenID Connect?"
            )
        listed = self._get(metadata["jwks_uri"]).get("keys")
        found = _Known(time.monotonic(), metadata, _keys(listed if isinstance(listed, list) else []))
        _known[issuer] = found
        return found

    def _claims(self, id_token: str, nonce: str, access_token: object) -> dict[str, Any]:
        try:
            try:
                token = self._verified(id_token, self._known())
            except (InvalidKeyIdError, BadSignatureError):
                # keys are changed from time to time
                token = self._verified(id_token, self._learn())
            claims = CodeIDToken(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "value": self._config.issuer},
                    "aud": {"essential": True, "value": self._config.client_id},
                    "sub": {"essential": True},
                },
                {"nonce": nonce, "client_id": self._config.client_id, "access_token": access_token},
            )
            claims.validate(leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError) as error:
            if isinstance(error, ClaimError) and (
                isinstance(error, ExpiredTokenError) or error.claim in _CLOCK_CLAIMS
            ):
                raise TokenRefusedError(self._clock_text(token.claims)) from error
            raise TokenRefusedError(
                f"The ID token of {self._name} was refused: {str(error)[:_SHOWN]}. Try once more; if it stays, an "
                "Administrator should compare LINKWRIGHT_OIDC_ISSUER and LINKWRIGHT_OIDC_CLIENT_ID with it."
            ) from error
        if not isinstance(claims["sub"], str):
            raise TokenRefusedError(f"The ID token of {self._name} was refused: its subject is no text.")
        return dict(claims)

    def _verified(self, id_token: str, known: _Known) -> jwt.Token:
        header = jws.extract_compact(id_token.encode()).headers()
        offered = known.metadata.get("id_token_signing_alg_values_supported")
        allowed = [name for name in _SIGNATURES if not isinstance(offered, list) or name in offered]
        wanted = header.get("kid")
        fitting = [key for key in known.keys if wanted is None or key.kid == wanted]
        refusal: JoseError = InvalidKeyIdError("no key of the provider fits")
        for key in fitting:
            try:
                return jwt.decode(id_token, key, algorithms=allowed)
            except JoseError as error:
                refusal = error
        raise refusal

    def _more(self, metadata: Mapping[str, Any], claims: Mapping[str, Any], access_token: str) -> dict[str, Any]:
        """Ask for what the ID token leaves out; the subject of the answer must be the same."""
        config, endpoint = self._config, metadata.get("userinfo_endpoint")
        wanted = {config.user_name_claim, "email"} | ({config.groups_claim} if config.allowed_groups else set())
        if wanted <= set(claims) or not isinstance(endpoint, str) or not is_safe_address(endpoint):
            return {}
        told = self._get(endpoint, {"Authorization": f"Bearer {access_token}"})
        if told.get("sub") != claims["sub"]:
            raise TokenRefusedError(
                f"{self._name} told of another person than the one who signed in. Try once more."
            )
        return told

    def _clock_text(self, claims: Mapping[str, Any]) -> str:
        def moment(name: str) -> str:
            value = claims.get(name)
            try:
                return f"{datetime.fromtimestamp(float(str(value)), UTC):%Y-%m-%d %H:%M:%S}"
            except (ValueError, OverflowError, OSError):
                return "an unknown time"

        return (
            f"{self._name} gave a token made at {moment('iat')} UTC, good until {moment('exp')} UTC, and this "
            f"server's clock says {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC. Try once more; if it stays, an "
            "Administrator should set both clocks by the network's time."
        )

    def _get(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        def read() -> object:
            end_s, text = time.monotonic() + WHOLE_S, b""
            with requests.get(
                url, headers=headers, timeout=(CONNECT_S, READ_S), stream=True, allow_redirects=False
            ) as answer:
                answer.raise_for_status()
                for piece in answer.iter_content(8192):
                    text += piece
                    if time.monotonic() > end_s or len(text) > LONGEST_ANSWER_BYTES:
                        raise requests.Timeout(f"{url} answers too slowly or too much")
            return json.loads(text)

        found = self._ask(read)
        if not isinstance(found, dict):
            raise ProviderDownError(f"{self._name} answers with something else than a JSON object at {url}.")
        return found

    def _ask(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except AuthlibBaseError as error:
            raise ProviderRefusedError(
                f"{self._name} refused: {_plain(error.error or '')} {_plain(error.description or '')}".rstrip()
                + ". Begin again; if it stays, an Administrator should compare the client id, its secret and the "
                "redirect address with the provider."
            ) from error
        except (requests.RequestException, ValueError) as error:
            raise ProviderDownError(
                f"{self._name} ({self._config.issuer}) cannot be reached, or does not answer rightly: "
                f"{_cause(error)}. Try again in a while, or use a password, if you have one."
            ) from error


def _keys(listed: list[Any]) -> tuple[Key, ...]:
    """Return the keys that may verify; others, and of kinds unknown, may stand beside them."""
    found: list[Key] = []
    for one in listed:
        if isinstance(one, dict) and one.get("kty") in _KEY_TYPES and one.get("use", "sig") == "sig":
            try:
                found.append(JWKRegistry.import_key(one))
            except (JoseError, ValueError, TypeError, KeyError):
                continue
    return tuple(found)


def _plain(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:_SHOWN].strip().rstrip(".")


def _cause(error: Exception) -> str:
    """Name a failure; the text of the error itself may be long and technical."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"it answered with status {error.response.status_code}"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted here"
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "there was no connection"
    return "its answer is not JSON"
