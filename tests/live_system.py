"""A Linkwright of its own for a test: a data folder, a database, and real `linkwright` processes on both.

The test's process reads that database through the models, and calls the services: `LiveSystem.entered` makes it
Django's default database for a while. No product code knows of any of this.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import dj_database_url
import psutil
from django.db import connections

from linkwright.config import ServerConfig, load_config, prepare_home
from linkwright.django_settings import POSTGRES_OPTIONS, SQLITE_OPTIONS
from linkwright.services.apply_project_file import apply_project_file
from linkwright.services.prepare_database import prepare_database
from linkwright.services.project_file import read_project_file
from linkwright.store.audit_log import COMMAND_LINE
from tests.command_server import CommandServer
from tests.servers import new_postgres_database

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = CommandServer()
atexit.register(COMMANDS.stop)
POLL_S = 0.01
LONGEST_LOOK_S = 0.5
# only so that a test that hangs ends: no requirement
PATIENCE_S = 120.0
STOPS_WITHIN_S = 20.0
GONE_WITHIN_S = 2.0
SPIN_CPU_S = 0.1


def wait_until(condition: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> float:
    """Wait for a condition; returns the seconds it took.

    Between two looks, half a second counts at most: when this process did not run for longer, neither did what it
    waits for.
    """
    started_s = looked_s = time.monotonic()
    patience_s = within_s
    while not condition():
        if patience_s < 0:
            raise AssertionError(f"waited {within_s} s in vain: {what}")
        time.sleep(POLL_S)
        now_s = time.monotonic()
        patience_s -= min(now_s - looked_s, LONGEST_LOOK_S)
        looked_s = now_s
    return time.monotonic() - started_s


def machine_slowdown() -> float:
    """Return how much longer a computation takes now than the processor time that it needs.

    1 on a machine that has a processor to spare, 4 where four programs want each of them. Requirements in seconds
    hold for a machine that is ours; a test multiplies them by this.
    """
    started_s, cpu_s = time.perf_counter(), time.process_time()
    while time.process_time() - cpu_s < SPIN_CPU_S:
        pass
    return max(1.0, (time.perf_counter() - started_s) / SPIN_CPU_S)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def outliving(processes: Iterable[psutil.Process], within_s: float) -> list[psutil.Process]:
    """Wait for processes to end; returns those that did not. A zombie has ended: whoever adopted it is slow."""
    watched = list(processes)
    deadline_s = time.monotonic() + within_s
    while True:
        alive = [one for one in watched if _is_alive(one)]
        if not alive or time.monotonic() > deadline_s:
            return alive
        time.sleep(0.02)


def new_sqlite_database(home: Path) -> str:
    """Return the DATABASE_URL of the embedded default in a data folder; the file appears on first use."""
    return f"sqlite:///{home / 'linkwright.sqlite3'}"


@lru_cache(maxsize=1)
def _migrated_sqlite() -> Path:
    """Return an SQLite database with all tables and no rows: making them takes longer than most tests."""
    folder = Path(tempfile.mkdtemp(prefix="linkwright-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    live = LiveSystem(folder, new_sqlite_database(folder))
    live.command("status")
    return live.config.database_file


@lru_cache(maxsize=1)
def _migrated_postgres() -> str:
    with tempfile.TemporaryDirectory(prefix="linkwright-tables-") as folder:
        live = LiveSystem(Path(folder), new_postgres_database())
        live.command("status")
    return live.database_url


def migrated_postgres_database() -> str:
    """Make a PostgreSQL database with all tables and no rows; returns its DATABASE_URL."""
    return new_postgres_database(copy_of=_migrated_postgres())


def lay_tables(config: ServerConfig) -> None:
    """Give a data folder that has no database yet an SQLite one with all tables."""
    if not config.database_file.exists():
        prepare_home(config)
        shutil.copyfile(_migrated_sqlite(), config.database_file)


class WorkerProcess:
    """One `python -m linkwright worker` with its fork server and its job."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.pid = process.pid
        self._log = log

    def output(self) -> str:
        """Return what it has printed so far."""
        return self._log.read_text(errors="replace")

    def is_alive(self) -> bool:
        """Tell whether it still runs."""
        return self.process.poll() is None

    def has_said(self, text: str) -> bool:
        """Tell whether it has printed something."""
        return text in self.output()

    def wait_for(self, text: str, within_s: float = PATIENCE_S) -> float:
        """Wait until it has printed something; returns the seconds it took."""

        def said_or_ended() -> bool:
            return self.has_said(text) or not self.is_alive()

        waited_s = wait_until(said_or_ended, f"worker {self.pid} to say {text!r}", within_s)
        assert self.has_said(text), f"worker {self.pid} ended without saying {text!r}:\n{self.output()}"
        return waited_s

    def fork_server(self) -> psutil.Process | None:
        """Return the process that its jobs are forked from."""
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            for child in psutil.Process(self.pid).children():
                with suppress(psutil.NoSuchProcess):
                    if "forkserver" in " ".join(child.cmdline()):
                        return child
        return None

    def job(self) -> psutil.Process | None:
        """Return the process of the job that runs now."""
        server = self.fork_server()
        with suppress(psutil.NoSuchProcess):
            children = server.children() if server else []
            return children[0] if children else None
        return None

    def tree(self) -> list[psutil.Process]:
        """Return every process that it has started, those that these have started too, and itself."""
        with suppress(psutil.NoSuchProcess):
            own = psutil.Process(self.pid)
            return [*own.children(recursive=True), own]
        return []

    def kill(self) -> None:
        """Kill it as the kernel does when memory is short: it cannot clean up."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Ask it to stop, and wait until it has."""
        self.process.terminate()
        self.process.wait(timeout=PATIENCE_S)


@dataclass
class LiveSystem:
    """A data folder, its database, and the workers that a test has started."""

    home: Path
    database_url: str
    workers: list[WorkerProcess] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process of this system."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "LINKWRIGHT"))
        }
        return {**kept, "LINKWRIGHT_HOME": str(self.home), "DATABASE_URL": self.database_url}

    @property
    def config(self) -> ServerConfig:
        """Its configuration, as its own processes read it."""
        return load_config(self.environment)

    def command(self, *arguments: str | Path) -> str:
        """Run a `linkwright` command that must succeed; returns what it printed."""
        done = COMMANDS.run([*map(str, arguments)], environment=self.environment, folder=ROOT)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def start_worker(self, *options: str) -> WorkerProcess:
        """Start a worker; does not wait for it."""
        self.home.mkdir(parents=True, exist_ok=True)
        log = self.home.parent / f"{self.home.name}-worker-{len(self.workers)}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "linkwright", "worker", *options],
                env=self.environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        worker = WorkerProcess(process, log)
        self.workers.append(worker)
        return worker

    def live_workers(self) -> list[WorkerProcess]:
        """Return the workers that still run."""
        return [worker for worker in self.workers if worker.is_alive()]

    def processes(self) -> list[psutil.Process]:
        """Return every process on this machine that works on this data folder, the test's own excepted."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                if process.pid != os.getpid() and process.environ().get("LINKWRIGHT_HOME") == str(self.home):
                    found.append(process)
        return found

    def stop(self) -> list[str]:
        """Ask all workers to stop; returns what would not go, or was left behind, and is now killed."""
        for worker in self.live_workers():
            worker.process.terminate()
        left = []
        for worker in self.workers:
            try:
                worker.process.wait(timeout=STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                left.append(f"worker {worker.pid}: {worker.output()}")
                worker.kill()
        with suppress(AssertionError):
            within_s = GONE_WITHIN_S * machine_slowdown()
            wait_until(lambda: not self.processes(), "the workers' processes to end", within_s)
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                left.append(f"{process.pid}: {' '.join(process.cmdline())}")
                process.kill()
        return left

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let this process, in all its threads, work on this system while the block runs: models and services."""
        others = connections["default"]
        others_settings = connections.settings["default"]
        others_environment = dict(os.environ)
        own_settings = {**others_settings, "OPTIONS": {}, **dj_database_url.parse(self.database_url)}
        is_sqlite = own_settings["ENGINE"].endswith("sqlite3")
        own_settings["OPTIONS"] = {
            **(SQLITE_OPTIONS if is_sqlite else POSTGRES_OPTIONS),
            **own_settings["OPTIONS"],
        }
        # as the server has it: a request does not end its session
        own_settings["CONN_MAX_AGE"] = None
        os.environ.update(self.environment)
        connections.settings["default"] = own_settings
        connections["default"] = connections.create_connection("default")
        try:
            yield
        finally:
            connections["default"].close()
            connections.settings["default"] = others_settings
            connections["default"] = others
            os.environ.clear()
            os.environ.update(others_environment)

    def set_up(self, project_file: Path) -> None:
        """Make the tables and apply a project file; inside `entered`."""
        if self.database_url.startswith("sqlite"):
            lay_tables(self.config)
        prepare_database(self.config)
        apply_project_file(read_project_file(project_file), COMMAND_LINE)
