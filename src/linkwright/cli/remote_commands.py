"""`submit` and `status` against another server: the same words and exit codes as on the machine itself."""

import json
from pathlib import Path
from typing import Annotated

import typer

from linkwright.cli.remote import (
    KEY_VARIABLE,
    RemoteServer,
    envelope_line,
    find_server,
    newest_envelopes,
    wait_for,
)
from linkwright.cli.remote_upload import send_file
from linkwright.services.envelope_status import EnvelopeLine

ServerOption = Annotated[
    str,
    typer.Option(help=f"Another server, as https://linkage.example.org; its API key stands in {KEY_VARIABLE}."),
]
PlainHttpOption = Annotated[
    bool, typer.Option("--plain-http", help="With --server: send the API key unencrypted to another machine.")
]


def submit_to(url: str, files: list[Path], name: str, *, wait: bool, plain_http: bool) -> list[EnvelopeLine]:
    """Send Envelopes, and say what became of each; returns them as they stand at the end."""
    server = find_server(url, plain_http=plain_http)
    # a key that is refused is told at once, and not while a large file is on its way
    server.get("/me")
    lines = []
    for file in files:
        sent = send_file(server, file, name, say=lambda text: typer.echo(text, err=True))
        lines.append(envelope_line(sent))
        typer.echo(f"Envelope {sent['id']} ({sent['name']}): {sent['status']}")
        for fault in sent["faults"]:
            typer.echo(f"  error: {fault}")
    return wait_for(server, [line.id for line in lines]) if wait else lines


def show_status_of(url: str, limit: int, *, as_json: bool, plain_http: bool) -> list[EnvelopeLine] | None:
    """Show the queue of a server; returns the Envelopes to list, or None if all has been printed."""
    server = find_server(url, plain_http=plain_http)
    queue, lines = server.get("/queue"), newest_envelopes(server, limit)
    running = queue["running"]
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "server": server.url,
                    "version": _version(server),
                    "paused": queue["is_paused"],
                    "paused_by": queue["paused_by"] or None,
                    "paused_reason": queue["paused_reason"] or None,
                    "worker_alive": queue["worker_is_alive"],
                    "running_job": running["id"] if running else None,
                    "queued_jobs": len(queue["queued"]),
                    "envelopes": [line.as_json() for line in lines],
                },
                indent=2,
            )
        )
        return None
    typer.echo(f"Server: {server.url}, version {_version(server)}")
    if queue["is_paused"]:
        typer.echo(f"Queue: paused {queue['paused_at']} by {queue['paused_by']}: {queue['paused_reason']}")
    else:
        what = f"running Job {running['id']} ({running['kind']})" if running else "idle"
        typer.echo(f"Queue: {what}, {len(queue['queued'])} queued")
    typer.echo(f"Worker: {'there' if queue['worker_is_alive'] else 'none'}")
    return lines


def _version(server: RemoteServer) -> str:
    return str(server.get("/me")["version"])
