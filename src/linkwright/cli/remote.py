"""Speaks to another Linkwright server through its API: what `submit` and `status` do with --server.

The API key comes from the environment: arguments are seen by everybody on the machine.
"""

import hashlib
import http.client
import ipaddress
import json
import os
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from linkwright.errors import FaultsError, LinkwrightError
from linkwright.services.envelope_status import EnvelopeLine

KEY_VARIABLE = "LINKWRIGHT_API_KEY"
API_PATH = "/api/v1"
TIMEOUT_S = 60.0
POLL_S = 1.0
PAGE_LIMIT = 500
OFFSET_HEADER = "Upload-Offset"
_BUSY = (408, 423, 429, 503)
# what stands before the server answers for it
_GATEWAY = (502, 503, 504)
_ACTIVE = ("Queued", "SuccessActive", "ErrorsActive")
_LONGEST_ANSWER_BYTES = 64 * 1024 * 1024


class RemoteError(LinkwrightError):
    """The server cannot be reached or does not understand; the text says what to do."""


class RemoteRefusedError(FaultsError):
    """The server has refused; its own words."""


class RemoteCutError(RemoteError):
    """The server could not be reached, or is busy: the same request may succeed in a moment."""


class RemoteOffsetError(RemoteRefusedError):
    """The server expects another part of an upload: that at `offset_bytes`."""

    def __init__(self, summary: str, offset_bytes: int) -> None:
        self.offset_bytes = offset_bytes
        super().__init__(summary, ())


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the key to wherever it leads."""

    def redirect_request(self, *_arguments: Any, **_options: Any) -> None:
        return None


@dataclass(frozen=True)
class RemoteServer:
    """One server, and the key to it."""

    url: str
    key: str
    opener: OpenerDirector

    def get(self, path: str, **query: Any) -> Any:
        """Read a resource."""
        return self._ask("GET", path, query)

    def post(self, path: str, form: dict[str, Any]) -> Any:
        """Act, with a JSON body."""
        return self._ask("POST", path, {}, json.dumps(form).encode(), {"Content-Type": "application/json"})

    def put_slice(self, path: str, content: bytes, offset_bytes: int) -> Any:
        """Send a part of a file, with its checksum."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-SHA256": hashlib.sha256(content).hexdigest(),
            OFFSET_HEADER: str(offset_bytes),
        }
        return self._ask("PUT", path, {}, content, headers)

    def send_envelope(self, file: Path, name: str) -> Any:
        """Send an Envelope, streamed from disk with its checksum; returns it as the server shows it."""
        try:
            with file.open("rb") as stream:
                checksum = hashlib.file_digest(stream, "sha256").hexdigest()
                size_bytes = stream.tell()
                stream.seek(0)
                headers = {
                    "Content-Type": "application/zip",
                    "Content-Length": str(size_bytes),
                    "Content-SHA256": checksum,
                }
                return self._ask("POST", "/envelopes", {"name": name or file.stem}, stream, headers)
        except OSError as error:
            raise RemoteError(
                f"{file} cannot be read: {error.strerror}. Check the name and its rights."
            ) from error

    def _ask(
        self,
        method: str,
        path: str,
        query: dict[str, Any],
        body: IO[bytes] | bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        tail = f"?{urlencode(query, errors='backslashreplace')}" if query else ""
        request = Request(  # noqa: S310 - `find_server` lets http and https alone through
            f"{self.url}{API_PATH}{quote(path)}{tail}",
            data=body,
            method=method,
            headers={"Authorization": f"Bearer {self.key}", "Accept": "application/json", **(headers or {})},
        )
        try:
            with self.opener.open(request, timeout=TIMEOUT_S) as response:
                return self._read(response)
        except HTTPError as error:
            with error:
                raise self._refusal(error) from error
        except (URLError, OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error

    def _read(self, response: Any) -> Any:
        try:
            return json.loads(response.read(_LONGEST_ANSWER_BYTES))
        except ValueError as error:
            raise self._other_program("its answer is no JSON") from error

    def _refusal(self, error: HTTPError) -> LinkwrightError:
        try:
            told = json.loads(error.read(_LONGEST_ANSWER_BYTES))["error"]
            message, faults = str(told["message"]), [str(fault) for fault in told["faults"]]
        except (ValueError, KeyError, TypeError):
            if error.code in _GATEWAY:
                return RemoteCutError(f"{self.url} does not answer: {error.code} {error.reason}.")
            return self._other_program(f"it answered {error.code} {error.reason}")
        return self._refused(error, message, faults)

    def _refused(self, error: HTTPError, message: str, faults: list[str]) -> LinkwrightError:
        offset = error.headers.get(OFFSET_HEADER)
        if error.code == http.HTTPStatus.CONFLICT and offset is not None:
            return RemoteOffsetError(f"{self.url} has refused: {message}", int(offset))
        if error.code in _BUSY or offset is not None:
            return RemoteCutError(f"{self.url} answers: {message}")
        if error.code == http.HTTPStatus.UNAUTHORIZED:
            return RemoteError(f"{self.url} does not accept the API key in {KEY_VARIABLE}: {message}")
        if error.code == http.HTTPStatus.FORBIDDEN:
            return RemoteError(f"{self.url} does not allow this with the API key in {KEY_VARIABLE}: {message}")
        return RemoteRefusedError(f"{self.url} has refused: {message}", faults)

    def _other_program(self, what: str) -> RemoteError:
        return RemoteError(
            f"{self.url} does not speak {API_PATH} of Linkwright: {what}. Check the address; an older version "
            "has no API."
        )

    def _unreachable(self, error: Exception) -> RemoteError:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return RemoteError(
                f"The certificate of {self.url} cannot be verified: {reason.verify_message}. Have it corrected; "
                "for an authority of your own, name its file in SSL_CERT_FILE."
            )
        return RemoteCutError(
            f"{self.url} cannot be reached: {reason or type(error).__name__}. Check the address, and that the "
            "server runs there."
        )


def find_server(url: str, *, plain_http: bool) -> RemoteServer:
    """Return the server at an address, with the key from the environment; speaks to nobody yet.

    Raises:
        RemoteError: if the address is none, would send the key in the clear, or there is no key.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise RemoteError(f"{url!r} is no server's address; give one such as https://linkage.example.org.")
    if parts.scheme == "http" and not plain_http and not _is_here(parts.hostname):
        raise RemoteError(
            f"{url} is not encrypted: the API key could be read on the way. Use https, or say --plain-http on a "
            "network that you trust."
        )
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key or not key.isascii() or not key.isprintable():
        raise RemoteError(
            f"Put an API key of that server into the environment variable {KEY_VARIABLE}. Keys are made there "
            "under 'API keys' in the person menu, or by `linkwright create-api-key`."
        )
    return RemoteServer(url.rstrip("/"), key, build_opener(_NoRedirects))


def remote_envelopes(server: RemoteServer, ids: list[int]) -> list[EnvelopeLine]:
    """Return Envelopes of the server as the command line shows them."""
    return [envelope_line(server.get(f"/envelopes/{envelope_id}")) for envelope_id in ids]


def newest_envelopes(server: RemoteServer, limit: int) -> list[EnvelopeLine]:
    """Return the newest Envelopes of the server, newest first."""
    lines = [envelope_line(item) for _number, item in zip(range(limit), _pages(server, limit), strict=False)]
    return lines[:limit]


def wait_for(server: RemoteServer, ids: list[int]) -> list[EnvelopeLine]:
    """Wait until every Envelope has been processed."""
    lines = remote_envelopes(server, ids)
    while any(line.status in _ACTIVE for line in lines):
        time.sleep(POLL_S)
        lines = remote_envelopes(server, ids)
    return lines


def envelope_line(item: dict[str, Any]) -> EnvelopeLine:
    """Return an Envelope of an answer as the command line shows it."""
    return EnvelopeLine(
        id=item["id"],
        name=item["name"],
        state=item["status"],
        status=item["status"],
        project_code=item["project_code"],
        records_count=item["records_count"],
        received_at=datetime.fromisoformat(item["received_at"]),
        seconds=item["duration_s"],
        job_seconds={},
        first_error=item["last_error"],
    )


def _pages(server: RemoteServer, limit: int) -> Iterator[dict[str, Any]]:
    query: dict[str, Any] = {"limit": min(limit, PAGE_LIMIT)}
    while True:
        page = server.get("/envelopes", **query)
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        query["cursor"] = page["next_cursor"]


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
