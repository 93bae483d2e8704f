"""Commands that stay: serve (web and worker together), web, worker."""

import os
import socket
import threading
from contextlib import suppress
from typing import Annotated

import typer
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from linkwright.cli.companions import beside, wait_for_signal
from linkwright.cli.stop_signals import set_on_signals
from linkwright.config import load_config
from linkwright.errors import LinkwrightError
from linkwright.parent_watch import die_with_pipe
from linkwright.services.prepare_database import prepare_database
from linkwright.services.set_up_token import make_set_up_token
from linkwright.store.models import User
from linkwright.worker.loop import run_worker

DEFAULT_PORT = 8710
# a browser that holds a connection open must not keep the server from ending
STOP_PAGES_WITHIN_S = 3
BLOCKING_THREADS = 4
PORTS_TRIED = 10

HostOption = Annotated[str, typer.Option(help="The address to listen on.")]
ParentPipeOption = Annotated[int, typer.Option(hidden=True)]
PortOption = Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")]


class PortInUseError(LinkwrightError):
    """Another program listens on the port."""


def serve(host: HostOption = "127.0.0.1", port: PortOption = DEFAULT_PORT) -> None:
    """Serve the pages and run the worker, together."""
    prepare_database(load_config())
    check_port(host, port)
    typer.echo(f"Linkwright: http://{host}:{port}/   data folder: {load_config().home}")
    show_set_up(host, port)
    serve_beside_worker(host, port)


def show_set_up(host: str, port: int) -> None:
    """Print the link that makes the first Administrator while there is no account, or how else to get one."""
    token = make_set_up_token(load_config())
    if token is not None:
        # one that listens everywhere is reached from its own machine as well
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not listened on
        typer.echo(
            "There is no account yet. Open this link in a browser to make yours, the Administrator's; it works"
        )
        typer.echo(f"once, so keep it to yourself: http://{shown}:{port}/set-up/{token}/")
    elif not User.objects.filter(is_superuser=True, is_active=True).exists():
        typer.echo("There is no Administrator yet: `linkwright create-administrator NAME` makes one.")


def serve_beside_worker(host: str, port: int, *, quiet: bool = False) -> None:
    """Run the pages and a worker until a signal comes, or until the pages refuse to start."""
    with beside("worker", quiet=quiet), beside("web", "--host", host, "--port", str(port), quiet=True) as pages:
        wait_for_signal(pages)


def web(
    host: HostOption = "127.0.0.1", port: PortOption = DEFAULT_PORT, parent_pipe: ParentPipeOption = -1
) -> None:
    """Serve the pages only; run `linkwright worker` beside it."""
    prepare_database(load_config())
    check_port(host, port)
    typer.echo(f"Linkwright: http://{host}:{port}/   data folder: {load_config().home}")
    if parent_pipe >= 0:
        die_with_pipe(parent_pipe)
    else:
        # one that runs beside `serve` must not replace the link that was printed there
        show_set_up(host, port)
    run_web(host, port)


def worker(
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="Stop when no job is left to run, instead of waiting for more.")
    ] = False,
    parent_pipe: ParentPipeOption = -1,
) -> None:
    """Run jobs. A second worker stands by, and takes over within a second when the first one is gone."""
    config = load_config()
    prepare_database(config)
    if parent_pipe >= 0:
        die_with_pipe(parent_pipe)
    stop = threading.Event()
    set_on_signals(stop)
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
        workers_kill_timeout=STOP_PAGES_WITHIN_S,
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
