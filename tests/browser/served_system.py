"""The real `linkwright serve`, pages and worker together, on a data folder of a test's own."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STARTS_WITHIN_S = 60
STOPS_WITHIN_S = 30
POLL_S = 0.1


@dataclass(frozen=True)
class ServedSystem:
    """A running system: where it is, and the file with what it has printed."""

    url: str
    log: Path

    def printed(self, pattern: str) -> str:
        """Return the first match of a pattern in what it printed when it started."""
        found = re.search(pattern, self.log.read_text())
        assert found, f"{pattern!r} is not in what was printed:\n{self.log.read_text()}"
        return found[0]


@contextmanager
def served(home: Path) -> Iterator[ServedSystem]:
    """Serve a data folder, new or not, while the block runs."""
    home.parent.mkdir(parents=True, exist_ok=True)
    log = home.parent / f"{home.name}-serve.log"
    port = _free_port()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "linkwright", "serve", "--port", str(port)],
            env={**os.environ, "LINKWRIGHT_HOME": str(home)},
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            system = ServedSystem(f"http://127.0.0.1:{port}", log)
            _wait_for_worker(system, process)
            yield system
        finally:
            process.terminate()
            process.wait(timeout=STOPS_WITHIN_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _health(url: str) -> dict[str, str]:
    with urllib.request.urlopen(f"{url}/health", timeout=2) as response:  # noqa: S310 - this test's own server
        found: dict[str, str] = json.load(response)
        return found


def _wait_for_worker(system: ServedSystem, process: "subprocess.Popen[bytes]") -> None:
    deadline_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, f"the server ended before it answered:\n{system.log.read_text()}"
        try:
            if _health(system.url) == {"database": "ok", "worker": "active"}:
                return
        except OSError:
            pass
        time.sleep(POLL_S)
    raise AssertionError(f"no server with a worker at {system.url} within {STARTS_WITHIN_S} s")
