"""`submit` and `status` against another server: what they print and refuse, and that the key stays secret."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from linkwright.cli import app, remote_upload
from linkwright.cli.remote import RemoteCutError, RemoteError, RemoteServer, find_server
from linkwright.config import load_config, prepare_home
from linkwright.errors import LinkwrightError
from linkwright.services.create_api_key import create_api_key
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, LinkageProject, Membership, Role, User
from tests.integration.web.test_upload import make_package


class _Answers(BaseHTTPRequestHandler):
    """A server that is no Linkwright: says what its path asks for."""

    def do_GET(self) -> None:
        if "/moved" in self.path:
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/stolen")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>a router's page</html>")

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def other_program() -> Iterator[str]:
    """Return the address of a server that is no Linkwright."""
    server = HTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server(live_server: object, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a Linkwright, with the key of an Operator of P1 in the environment."""
    prepare_home(load_config())
    user = User.objects.create(username="robot")
    project = LinkageProject.objects.create(code="P1", name="A project")
    Membership.objects.create(user=user, project=project, role=Role.OPERATOR)
    monkeypatch.setenv("LINKWRIGHT_API_KEY", create_api_key(user, "cli", COMMAND_LINE).token)
    return str(live_server)


def _run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, LinkwrightError):
        raise result.exception
    return f"{result.exit_code} {result.output}"


def test_an_envelope_goes_to_the_other_server(server: str, tmp_path: Path) -> None:
    path = tmp_path / "births.zip"
    path.write_bytes(make_package("P1"))
    printed = _run("submit", path, "--server", server)
    envelope = Envelope.objects.get()
    assert printed == f"0 Envelope {envelope.pk} (births): Queued\n"
    assert (envelope.received_by.username if envelope.received_by else "", envelope.project_code) == (
        "robot",
        "P1",
    )
    status = _run("status", "--server", server)
    assert "Queue: idle, 5 queued" in status
    assert "births" in status


def test_a_corrupt_envelope_ends_with_its_reason_and_exit_code_1(server: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.zip"
    path.write_bytes(b"no zip")
    printed = _run("submit", path, "--server", server, "--wait")
    assert printed.startswith("1 ")
    assert "error: broken: this is not a zip file" in printed
    assert '"status": "Corrupt"' in _run("status", "--json", "--server", server)


def test_a_large_envelope_goes_in_slices_and_outlives_a_cut(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "births.zip"
    path.write_bytes(make_package("P1", padding=os.urandom(300_000)))
    monkeypatch.setattr(remote_upload, "SLICE_BYTES", 100_000)
    monkeypatch.setattr(remote_upload, "WAITS_S", (0, 0))
    sent: list[int] = []
    put = RemoteServer.put_slice
    # of the first slice the answer is lost; then the server stays away
    fates = iter(["answer lost", "", "cut", "cut", "cut"])

    def unsteady(self: RemoteServer, target: str, content: bytes, offset_bytes: int) -> Any:
        fate = next(fates, "")
        sent.append(offset_bytes)
        answer = None if fate == "cut" else put(self, target, content, offset_bytes)
        if fate:
            raise RemoteCutError("The cable is out.")
        return answer

    monkeypatch.setattr(RemoteServer, "put_slice", unsteady)
    with pytest.raises(RemoteError, match="run the same command again"):
        _run("submit", path, "--server", server)
    assert sent == [0, 0, 100_000, 100_000, 100_000]
    assert not Envelope.objects.exists()


def test_the_same_command_goes_on_where_it_was(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "births.zip"
    path.write_bytes(make_package("P1", padding=os.urandom(300_000)))
    monkeypatch.setattr(remote_upload, "SLICE_BYTES", 100_000)
    monkeypatch.setattr(remote_upload, "WAITS_S", ())
    put, sent = RemoteServer.put_slice, list[int]()

    def counted(self: RemoteServer, target: str, content: bytes, offset_bytes: int) -> Any:
        if len(sent) == 2:
            sent.append(-1)
            raise RemoteCutError("The cable is out.")
        sent.append(offset_bytes)
        return put(self, target, content, offset_bytes)

    monkeypatch.setattr(RemoteServer, "put_slice", counted)
    with pytest.raises(RemoteError, match="kept there for a day"):
        _run("submit", path, "--server", server)
    printed = _run("submit", path, "--server", server, "--name", "BIRTHS-2026-03")
    assert "births.zip: 200,000 of" in printed
    envelope = Envelope.objects.get()
    assert f"Envelope {envelope.pk} (BIRTHS-2026-03): Queued" in printed
    assert sent == [0, 100_000, -1, 200_000, 300_000]
    assert (load_config().incoming_folder / envelope.file_name).read_bytes() == path.read_bytes()


def test_a_refused_key_is_told_before_the_file_is_sent(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINKWRIGHT_API_KEY", "lw_wrong")
    with pytest.raises(RemoteError, match="does not accept the API key in LINKWRIGHT_API_KEY") as caught:
        _run("submit", tmp_path / "not there", "--server", server)
    assert "lw_wrong" not in str(caught.value)


def test_what_the_key_may_not_do_is_told(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = create_api_key(User.objects.get(username="robot"), "reader", COMMAND_LINE, permissions=["see jobs"])
    monkeypatch.setenv("LINKWRIGHT_API_KEY", reader.token)
    path = tmp_path / "births.zip"
    path.write_bytes(make_package("P1"))
    with pytest.raises(RemoteError, match=r"does not allow this with the API key.*'submit'"):
        _run("submit", path, "--server", server)


def test_a_server_that_is_not_there_or_no_linkwright_is_told(
    other_program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINKWRIGHT_API_KEY", "lw_x")
    with pytest.raises(RemoteError, match=r"cannot be reached: .*refused"):
        _run("status", "--server", "http://127.0.0.1:1")
    with pytest.raises(RemoteError, match="does not speak /api/v1"):
        _run("status", "--server", other_program)
    with pytest.raises(RemoteError, match="it answered 302"):
        _run("status", "--server", f"{other_program}/moved")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://127.0.0.1/", "no server's address"),
        ("file:///etc/passwd", "no server's address"),
        ("linkage.example.org", "no server's address"),
        ("https://x/?a=b", "no server's address"),
        ("http://linkage.example.org", "is not encrypted"),
        ("http://localhost.example.org", "is not encrypted"),
    ],
)
def test_an_address_that_would_give_the_key_away_is_refused(
    url: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINKWRIGHT_API_KEY", "lw_x")
    with pytest.raises(RemoteError, match=reason):
        find_server(url, plain_http=False)


def test_without_a_key_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINKWRIGHT_API_KEY", raising=False)
    with pytest.raises(RemoteError, match="LINKWRIGHT_API_KEY"):
        find_server("https://x", plain_http=False)
    monkeypatch.setenv("LINKWRIGHT_API_KEY", "lw_x")
    assert find_server("http://x", plain_http=True).url == "http://x"


def test_keys_are_made_listed_and_revoked_by_command(db: None) -> None:
    User.objects.create(username="robot")
    made = _run("create-api-key", "robot", "--name", "cli", "--permission", "submit")
    token = made.splitlines()[-1]
    assert token.startswith("lw_")
    listed = _run("list-api-keys")
    assert token not in listed
    assert token[:8] in listed
    key_id = made.split()[3]
    assert _run("revoke-api-key", key_id, "--reason", "test").startswith("0 API key cli of robot is revoked.")
    assert "revoked" in _run("list-api-keys")
    with pytest.raises(LinkwrightError, match="There is no person 'nobody'"):
        _run("create-api-key", "nobody", "--name", "x")
