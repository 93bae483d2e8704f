"""An OpenID Connect provider on 127.0.0.1 that signs everybody in at once, and can be told to lie.

It speaks over HTTP and holds what it is sent against the rules: client secret, redirect address, PKCE, codes that
work once. The packages that are such a provider can neither check PKCE nor lie.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID, CLIENT_SECRET = "linkwright", "a secret of the test's client"
# making a key is slow
_KEY = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})

Tweak = Callable[[dict[str, Any]], object]


@dataclass
class Provider:
    """What it says and has been told; a test changes it as it likes."""

    issuer: str = ""
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "subject-1"})
    # changes a part of what it tells before that is signed or sent
    metadata: Tweak = lambda _told: None
    claims: Tweak = lambda _told: None
    userinfo: dict[str, Any] | None = None
    key: RSAKey = field(default_factory=lambda: _KEY)
    published: RSAKey = field(default_factory=lambda: _KEY)
    algorithm: str = "RS256"
    refusal: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def authorise(self, given: dict[str, str]) -> str:
        """Return where to send the browser."""
        assert given["response_type"] == "code"
        assert given["client_id"] == CLIENT_ID
        assert given["code_challenge_method"] == "S256"
        assert "openid" in given["scope"].split()
        back = {"state": given["state"], "iss": self.issuer}
        if self.refusal:
            back |= {"error": self.refusal, "error_description": "told <b>so</b>"}
        else:
            code = secrets.token_urlsafe(8)
            self.codes[code] = given
            back["code"] = code
        return f"{given['redirect_uri']}?{urlencode(back)}"

    def redeem(self, given: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Return what the token endpoint answers."""
        sent = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        if sent != f"{CLIENT_ID}:{CLIENT_SECRET}":
            return 401, {"error": "invalid_client"}
        begun = self.codes.pop(given["code"], None)
        if begun is None or begun["redirect_uri"] != given["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(given["code_verifier"].encode()).digest()
        if _base64(digest) != begun["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": self.id_token(begun["nonce"])}

    def id_token(self, nonce: str) -> str:
        """Return a signed token for the person."""
        now = int(time.time())
        told = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce, **self.person}
        self.claims(told)
        if self.algorithm in {"none", "HS256"}:
            signed = ".".join(_base64(json.dumps(one)) for one in ({"alg": self.algorithm, "kid": "first"}, told))
            # the secret is what everybody knows: the public key
            digest = hmac.digest(_KEY.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{_base64(digest) if self.algorithm == 'HS256' else ''}"
        return jwt.encode({"alg": self.algorithm, "kid": str(self.key.kid)}, told, self.key, [self.algorithm])

    def description(self) -> dict[str, Any]:
        """Return what discovery tells."""
        told: dict[str, Any] = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
        for name in ("authorization", "token", "userinfo", "end_session"):
            told[f"{name}_endpoint"] = f"{self.issuer}/{name}"
        self.metadata(told)
        return told


def _base64(value: bytes | str) -> str:
    raw = value.encode() if isinstance(value, str) else value
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.provider.asked.append(parts.path)
        if parts.path == "/authorization":
            self._go(self.provider.authorise(given))
        elif parts.path == "/end_session":
            self._go(given["post_logout_redirect_uri"])
        elif parts.path == "/keys":
            self._tell(200, KeySet([self.provider.published]).as_dict(private=False))
        elif parts.path == "/userinfo" and self.headers["Authorization"] == "Bearer access":
            self._tell(200, self.provider.userinfo or {"sub": self.provider.person["sub"]})
        elif parts.path == "/.well-known/openid-configuration":
            self._tell(200, self.provider.description())
        else:
            self._tell(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        self._tell(*self.provider.redeem(given, self.headers["Authorization"]))

    def _go(self, url: str) -> None:
        self.send_response(302)
        self.send_header("Location", url)
        self.end_headers()

    def _tell(self, status: int, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Run a provider on a free port."""
    provider = Provider()
    handler = type("Handler", (_Handler,), {"provider": provider})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
