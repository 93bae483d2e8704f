"""Commands that stay: serve (web and worker together), web, worker."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

import typer
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from linkwright.config import load_config
from linkwright.errors import LinkwrightError
from linkwright.services.prepare_database import prepare_database
from linkwright.store.models import User
from linkwright.worker.loop import run_worker
from linkwright.worker.parent_watch import die_with_pipe

DEFAULT_PORT = 8710
WORKER_RESTART_S = 1.0
WORKER_STOP_S = 10.0
BLOCKING_THREADS = 4
PORTS_TRIED = 10

HostOption = Annotated[str, typer.Option(help="The address to listen on.")]
PortOption = Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")]


class PortInUseError(LinkwrightError):
    """Another program listens on the port."""


def serve(host: HostOption = "127.0.0.1", port: PortOption = DEFAULT_PORT) -> None:
    """Serve the pages and run the worker, together."""
    prepare_database(load_config())
    check_port(host, port)
    typer.echo(f"Linkwright: http://{host}:{port}/   data folder: {load_config().home}")
    if not User.objects.filter(is_superuser=True, is_active=True).exists():
        typer.echo("There is no Administrator yet: `linkwright create-administrator NAME` makes one.")
    with worker_beside():
        run_web(host, port)


def web(host: HostOption = "127.0.0.1", port: PortOption = DEFAULT_PORT) -> None:
    """Serve the pages only; run `linkwright worker` beside it."""
    prepare_database(load_config())
    check_port(host, port)
    typer.echo(f"Linkwright: http://{host}:{port}/   data folder: {load_config().home}")
    run_web(host, port)


def worker(
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="Stop when no job is left to run, instead of waiting for more.")
    ] = False,
    parent_pipe: Annotated[int, typer.Option(hidden=True)] = -1,
) -> None:
    """Run jobs. A second worker stands by, and takes over within a second when the first one is gone."""
    config = load_config()
    prepare_database(config)
    if parent_pipe >= 0:
        die_with_pipe(parent_pipe)
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda _sign, _frame: stop.set())
    typer.echo(f"Worker {os.getpid()}: data folder {config.home}")
    stopped = run_worker(config, stop, until_idle=until_idle, say=lambda text: typer.echo(f"Worker: {text}"))
    typer.echo(f"Worker {os.getpid()} ended: {stopped.value}.")


def run_web(host: str, port: int) -> None:
    """Serve the pages until a signal comes."""
    Granian(
        "linkwright.web.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=BLOCKING_THREADS,
        log_level=LogLevels.warning,
        websockets=False,
    ).serve()


def check_port(host: str, port: int) -> None:
    """Make sure that the port is free.

    Raises:
        PortInUseError: if it is not, or the address is not this machine's.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUseError(
                f"Linkwright cannot listen on {host}:{port} ({error.strerror}). "
                "Stop what uses the port, or choose another with --port."
            ) from error


def free_port(host: str, wished: int) -> int:
    """Return the wished port, or the next free one of the ten behind it.

    Raises:
        PortInUseError: if none of them is free.
    """
    for port in range(wished, wished + PORTS_TRIED):
        with suppress(PortInUseError):
            check_port(host, port)
            return port
    raise PortInUseError(
        f"None of the ports {wished} to {wished + PORTS_TRIED - 1} is free on {host}. Choose another with --port."
    )


@contextmanager
def worker_beside(*, quiet: bool = False) -> Iterator[None]:
    """Run `linkwright worker` as a child process while the block runs; start it again when it dies.

    Args:
        quiet: drop what the worker says; its errors are still shown.
    """
    stop = threading.Event()
    keeper = threading.Thread(target=_keep_worker, args=(stop, quiet), name="worker-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join(timeout=WORKER_STOP_S)


def _keep_worker(stop: threading.Event, quiet: bool) -> None:
    # The worker holds the reading end: when this process dies, however it dies, the pipe closes.
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "linkwright", "worker", "--parent-pipe", str(reading)]
    while not stop.is_set():
        process = subprocess.Popen(
            command,
            pass_fds=[reading],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else None,
        )
        while process.poll() is None and not stop.wait(0.2):
            pass
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=WORKER_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        elif not stop.is_set():
            typer.echo(f"The worker ended with exit code {process.returncode}; starting it again.", err=True)
            stop.wait(WORKER_RESTART_S)
    os.close(writing)
    os.close(reading)
