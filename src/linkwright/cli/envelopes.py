"""Commands about Envelopes: build one, submit it, see how it and the queue stand."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from linkwright.cli.remote_commands import PlainHttpOption, ServerOption, show_status_of, submit_to
from linkwright.cli.tables import cell, data_console
from linkwright.config import load_config
from linkwright.envelopes.builder import MetadataSource, SourceFile, build_package
from linkwright.envelopes.manifest import FileFormat, RequestType
from linkwright.services.envelope_status import EnvelopeLine, list_envelopes, read_envelopes
from linkwright.services.prepare_database import prepare_database
from linkwright.services.queue_status import read_queue_status
from linkwright.services.receive_envelope import receive_envelope
from linkwright.services.submit_data_file import DataFileSubmission, submit_data_file
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import EnvelopeState, Notification

EXIT_NOT_SUCCESS = 1
POLL_S = 0.3


def submit(
    files: Annotated[list[Path], typer.Argument(help="One or more Envelopes (zip).")],
    name: Annotated[str, typer.Option(help="The Envelope's name (default: the file's name).")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every Envelope has been processed.")] = False,
    server: ServerOption = "",
    plain_http: PlainHttpOption = False,
) -> None:
    """Take Envelopes into the queue; exit code 1 if one is Corrupt or (with --wait) does not end in Success."""
    if name and len(files) > 1:
        raise typer.BadParameter("one name cannot serve several Envelopes", param_hint="--name")
    if server:
        _end_submit(submit_to(server, files, name, wait=wait, plain_http=plain_http), wait=wait)
        return
    prepare_database(load_config())
    received = []
    for file in files:
        envelope = receive_envelope(file, name=name, actor=COMMAND_LINE)
        received.append(envelope.pk)
        typer.echo(f"Envelope {envelope.pk} ({envelope.name}): {envelope.get_state_display()}")
        for notification in Notification.objects.filter(envelope=envelope):
            typer.echo(f"  {notification.severity}: {notification.with_values or notification.text}")
    lines = read_envelopes(received)
    while wait and any(line.state == EnvelopeState.QUEUED for line in lines):
        time.sleep(POLL_S)
        lines = read_envelopes(received)
    _end_submit(lines, wait=wait)


def _end_submit(lines: list[EnvelopeLine], *, wait: bool) -> None:
    if wait:
        print_envelopes(lines)
    expected = {EnvelopeState.SUCCESS} if wait else {EnvelopeState.SUCCESS, EnvelopeState.QUEUED}
    if any(line.state not in expected for line in lines):
        raise typer.Exit(EXIT_NOT_SUCCESS)


def submit_file(
    file: Annotated[Path, typer.Argument(help="A data file: plain, gzip or Parquet.")],
    project: Annotated[str, typer.Option(help="Linkage Project code.")],
    event_type: Annotated[str, typer.Option(help="Event Type code; not needed for a quality review.")] = "",
    action: Annotated[RequestType, typer.Option(help="What is asked for.")] = RequestType.SUBMIT_LINKAGE,
    name: Annotated[str, typer.Option(help="The Envelope's name (default: the file's name).")] = "",
) -> None:
    """Take a single data file into the queue: it becomes an Envelope."""
    prepare_database(load_config())
    submission = DataFileSubmission(file, file.name, project, action, event_type, name)
    envelope = submit_data_file(submission, COMMAND_LINE)
    typer.echo(f"Envelope {envelope.pk} ({envelope.name}): {envelope.get_state_display()}")


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many Envelopes to list, newest first.")] = 20,
    server: ServerOption = "",
    plain_http: PlainHttpOption = False,
) -> None:
    """Show the queue and the newest Envelopes."""
    if server:
        shown = show_status_of(server, limit, as_json=as_json, plain_http=plain_http)
        if shown is not None:
            print_envelopes(shown)
        return
    prepare_database(load_config())
    queue, lines = read_queue_status(), list_envelopes(limit)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "paused": queue.paused_at is not None,
                    "paused_by": queue.paused_by if queue.paused_at else None,
                    "paused_reason": queue.paused_reason or None,
                    "worker_alive": queue.worker_alive,
                    "running_job": queue.running.pk if queue.running else None,
                    "queued_jobs": queue.queued_count,
                    "envelopes": [line.as_json() for line in lines],
                },
                indent=2,
            )
        )
        return
    if queue.paused_at is not None:
        typer.echo(
            f"Queue: paused {queue.paused_at:%Y-%m-%d %H:%M:%S} by {queue.paused_by}: {queue.paused_reason}"
        )
    else:
        running = f"running {queue.running}" if queue.running else "idle"
        typer.echo(f"Queue: {running}, {queue.queued_count} queued")
    typer.echo(f"Worker: {'there' if queue.worker_alive else 'none; start one with `linkwright worker`'}")
    print_envelopes(lines)


def build(  # noqa: PLR0917 - typer calls it by name
    target: Annotated[Path, typer.Argument(help="The Envelope to write (zip).")],
    project: Annotated[str, typer.Option(help="Linkage Project code.")],
    sender: Annotated[str, typer.Option(help="Data Provider code.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="EVENT_TYPE=FILE, once for each data file; .parquet is read as Parquet. An extraction of all "
            "records has none."
        ),
    ] = None,
    metadata: Annotated[list[Path] | None, typer.Option(help="A file that goes along unread.")] = None,
    request: Annotated[RequestType, typer.Option(help="What is asked for.")] = RequestType.SUBMIT_LINKAGE,
    extraction_project: Annotated[
        str | None, typer.Option(help="Code of the Extraction Project, for SubmitExtraction.")
    ] = None,
) -> None:
    """Make an Envelope from data files: manifest, checksums, zip."""
    sources = []
    for item in data or []:
        code, separator, path = item.partition("=")
        if not separator or not code or not path:
            raise typer.BadParameter(f"{item!r} is not EVENT_TYPE=FILE", param_hint="--data")
        file_format = FileFormat.PARQUET if path.lower().endswith(".parquet") else FileFormat.FLAT_FILE
        sources.append(SourceFile(path=Path(path), event_type_code=code, file_format=file_format))
    built = build_package(
        target,
        linkage_project=project,
        sender=sender,
        request_type=request,
        data=sources,
        metadata=[MetadataSource(path=path) for path in metadata or []],
        extraction_project=extraction_project,
    )
    typer.echo(f"{built}: {built.stat().st_size:,} bytes, {len(sources)} data file(s)")


def print_envelopes(lines: list[EnvelopeLine], console: Console | None = None) -> None:
    """Print Envelopes as a table."""
    table = Table("id", "name", "status", "project", "records", "received", "seconds", "notes", box=None)
    for line in lines:
        table.add_row(
            str(line.id),
            cell(line.name),
            line.status,
            cell(line.project_code),
            "" if line.records_count is None else f"{line.records_count:,}",
            f"{line.received_at:%Y-%m-%d %H:%M:%S}",
            "" if line.seconds is None else f"{line.seconds:.2f}",
            cell(line.first_error),
        )
    (console or data_console()).print(table)
