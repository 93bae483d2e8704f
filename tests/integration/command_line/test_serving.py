"""`linkwright serve` as a whole: it ends when asked, and nothing of it outlives it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.live_system import outliving

END_WITHIN_S = 15


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A `linkwright serve` in a process group of its own, as a terminal starts it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "linkwright", "serve", "--port", str(self.port)],
            env={**environment, "LINKWRIGHT_HOME": str(folder / "home")},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def wait_until_it_works(self) -> list[psutil.Process]:
        """Wait for pages, worker and fork server; returns the whole tree."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            tree = self.tree()
            # serve, web, its server process, worker, its fork server and resource tracker
            if len(tree) >= 6 and self.answers():
                return tree
            time.sleep(0.1)
        raise AssertionError(f"the server did not come up: {self.tree()}")

    def tree(self) -> list[psutil.Process]:
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    tree: list[psutil.Process] = []
    try:
        tree = server.wait_until_it_works()
        yield server
    finally:
        for process in tree:
            if process.is_running():
                process.kill()
        server.process.kill()
        server.process.wait()


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_ends_everything(server: Server, times: int) -> None:
    tree = server.tree()
    for _time in range(times):
        os.killpg(server.process.pid, signal.SIGINT)
        time.sleep(0.05)
    assert server.process.wait(timeout=END_WITHIN_S) == 0
    assert outliving(tree, END_WITHIN_S) == []


def test_a_stop_from_outside_ends_everything(server: Server) -> None:
    tree = server.tree()
    server.process.terminate()
    assert server.process.wait(timeout=END_WITHIN_S) == 0
    assert outliving(tree, END_WITHIN_S) == []


def test_a_killed_server_leaves_no_process_behind(server: Server) -> None:
    tree = server.tree()
    server.process.kill()
    server.process.wait()
    assert outliving(tree, END_WITHIN_S) == []


def is_worker(process: psutil.Process) -> bool:
    try:
        return "worker" in process.cmdline()
    except psutil.NoSuchProcess:
        # it ends while we look: a zombie has no command line any more
        return False


def test_a_killed_worker_is_started_again(server: Server) -> None:
    worker = next(one for one in server.tree() if is_worker(one))
    worker.kill()
    deadline = time.monotonic() + END_WITHIN_S
    while time.monotonic() < deadline:
        others = [one for one in server.tree() if one.pid != worker.pid and is_worker(one)]
        if others:
            break
        time.sleep(0.1)
    assert others
    assert server.answers()
