"""The pages' server takes a large Envelope in slices without taking memory for it.

CI sends 64 MiB; LINKWRIGHT_BENCH=full sends 2 GiB, which is the requirement.
"""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from linkwright.cli.remote import find_server
from linkwright.cli.remote_upload import send_file
from tests.integration.web.test_upload import make_package

MIB = 1024 * 1024
SIZE_MIB = 2048 if os.environ.get("LINKWRIGHT_BENCH") == "full" else 64
MOST_MORE_MIB = 60
STARTS_WITHIN_S = 60


@dataclass(frozen=True)
class Served:
    """A server that has answered a first upload, so that all it ever loads is in memory."""

    url: str
    process: psutil.Process


def _run(home: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "linkwright", *arguments]
    environment = {**os.environ, "LINKWRIGHT_HOME": str(home)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def _package(path: Path, size_mib: int) -> Path:
    """Write an Envelope with a file of so many MiB that cannot be compressed."""
    path.write_bytes(make_package())
    block = os.urandom(MIB)
    with zipfile.ZipFile(path, "a") as package, package.open("padding", "w", force_zip64=True) as stream:
        for _ in range(size_mib):
            stream.write(block)
    return path


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Start the pages on a fresh data folder."""
    home = tmp_path / "home"
    _run(home, "create-administrator", "olga")
    key = _run(home, "create-api-key", "olga", "--name", "bench").split()[-1]
    monkeypatch.setenv("LINKWRIGHT_API_KEY", key)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "linkwright", "web", "--port", str(port)],
        env={**os.environ, "LINKWRIGHT_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(url)
        for number in range(4):
            send_file(find_server(url, plain_http=False), _package(tmp_path / f"{number}.zip", 9), "", say=print)
        yield Served(url, psutil.Process(server.pid))
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(url: str) -> None:
    deadline_s = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            urllib.request.urlopen(f"{url}/health", timeout=2).close()  # noqa: S310 - this test's own server
        except OSError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.1)
        else:
            return


def _memory_mib(process: psutil.Process, which: str) -> float:
    """Return the memory of a process and its children: VmRSS now, or VmHWM at its highest."""
    total = 0
    for each in [process, *process.children(recursive=True)]:
        found = re.search(rf"{which}:\s+(\d+) kB", Path(f"/proc/{each.pid}/status").read_text())
        total += int(found[1]) if found else 0
    return total / 1024


def _forget_peaks(process: psutil.Process) -> None:
    for each in [process, *process.children(recursive=True)]:
        Path(f"/proc/{each.pid}/clear_refs").write_text("5")


@pytest.mark.benchmark
def test_a_large_envelope_takes_little_memory_of_the_server(served: Served, tmp_path: Path) -> None:
    package = _package(tmp_path / "large.zip", SIZE_MIB)
    _forget_peaks(served.process)
    before_mib = _memory_mib(served.process, "VmRSS")
    started_s = time.perf_counter()
    envelope = send_file(find_server(served.url, plain_http=False), package, "large", say=print)
    took_s = time.perf_counter() - started_s
    more_mib = _memory_mib(served.process, "VmHWM") - before_mib
    print(  # noqa: T201 - shown by pytest -s, to be written into docs/benchmarks.md
        {"size_mib": SIZE_MIB, "took_s": took_s, "before_mib": before_mib, "more_mib": more_mib}
    )
    assert (envelope["status"], envelope["size_bytes"]) == ("Queued", package.stat().st_size)
    assert more_mib < MOST_MORE_MIB
