"""Senders that crawl or stall do not keep a real server from answering others."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from linkwright.cli.serving import BLOCKING_THREADS

STARTS_WITHIN_S = 60
ANSWERS_WITHIN_S = 5


def _run(home: Path, *arguments: str) -> str:
    environment = {**os.environ, "LINKWRIGHT_HOME": str(home)}
    command = [sys.executable, "-m", "linkwright", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """Start the pages on a fresh data folder; gives the port and the API key of an Administrator."""
    home = tmp_path / "home"
    _run(home, "create-administrator", "olga")
    token = _run(home, "create-api-key", "olga", "--name", "slow").split()[-1]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {**os.environ, "LINKWRIGHT_HOME": str(home)}
    command = [sys.executable, "-m", "linkwright", "web", "--port", str(port)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port, token
    finally:
        server.terminate()
        server.wait(timeout=30)


def _health_s(port: int, within_s: float) -> float:
    """Return how long an answer took."""
    started_s = time.monotonic()
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=within_s):
                return time.monotonic() - started_s
        except OSError:
            if time.monotonic() - started_s > within_s:
                raise
            time.sleep(0.1)


def _begin(port: int, token: str) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/uploads",
        data=json.dumps({"file_name": "births.zip", "size_bytes": 1_000_000}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - this test's own server
        return str(json.load(response)["id"])


def test_pages_are_answered_while_more_senders_stall_than_there_are_threads(served: tuple[int, str]) -> None:
    port, token = served
    _health_s(port, STARTS_WITHIN_S)
    with ExitStack() as stack:
        for _ in range(BLOCKING_THREADS * 2):
            sender = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            head = (
                f"PUT /api/v1/uploads/{_begin(port, token)} HTTP/1.1\r\nHost: localhost\r\nUpload-Offset: 0\r\n"
                f"Authorization: Bearer {token}\r\nContent-Length: 1000000\r\n\r\n"
            )
            sender.sendall(head.encode() + b"x" * 1000)
        time.sleep(0.5)
        assert _health_s(port, ANSWERS_WITHIN_S) < ANSWERS_WITHIN_S
        assert _begin(port, token)
