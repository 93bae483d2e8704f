"""The command demo: real data through the whole queue, with its measured quality, and the pages to look at."""

import json
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from linkwright.cli.companions import beside
from linkwright.cli.envelopes import print_envelopes
from linkwright.cli.serving import DEFAULT_PORT, HostOption, PortOption, free_port, serve_beside_worker
from linkwright.config import load_config
from linkwright.errors import LinkwrightError
from linkwright.services.create_administrator import create_administrator
from linkwright.services.envelope_status import EnvelopeLine, read_envelopes
from linkwright.services.prepare_database import prepare_database
from linkwright.services.run_demo import DemoResult, clear_demo_home, measure_demo, submit_demo
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import EnvelopeState, Job, JobState

POLL_S = 0.1
DEMO_USER = "demo"


class DemoFailedError(LinkwrightError):
    """An Envelope of the demo did not end in Success."""


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Link, measure and stop, instead of serving the pages.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object (with --once).")] = False,
    host: HostOption = "127.0.0.1",
    port: PortOption = DEFAULT_PORT,
) -> None:
    """Link FEBRL dataset 4 (10,000 records with a known truth) and show the result in the browser."""
    started_s = time.monotonic()
    console = Console(stderr=as_json)
    config = load_config()
    clear_demo_home(config)
    prepare_database(config)
    # the worker starts while the Envelopes are built: its imports take a while
    with beside("worker", quiet=True):
        ids = submit_demo(config)
        _show_progress(console, ids)
        console.print()
        lines = read_envelopes(ids)
        _require_success(lines)
        result = DemoResult(tuple(lines), measure_demo(config), round(time.monotonic() - started_s, 2))
        if as_json:
            typer.echo(json.dumps(result.as_json(), indent=2))
        else:
            _print_result(console, result)
    if not once:
        _serve(console, host, free_port(host, port))


def _show_progress(console: Console, ids: list[int]) -> None:
    bars = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[stage]}"),
        TimeElapsedColumn(), console=console,
    )  # fmt: skip
    tasks: dict[int, TaskID] = {}
    for line in read_envelopes(ids):
        total = Job.objects.filter(envelope=line.id).count()
        tasks[line.id] = bars.add_task(line.name, total=total, stage="queued")
    with Live(bars, console=console, refresh_per_second=10):
        while True:
            lines = read_envelopes(ids)
            for line in lines:
                done = Job.objects.filter(envelope=line.id, state=JobState.SUCCESS).count()
                bars.update(tasks[line.id], completed=done, stage=_stage(line))
            if all(line.state != EnvelopeState.QUEUED for line in lines):
                return
            time.sleep(POLL_S)


def _stage(line: EnvelopeLine) -> str:
    if line.state != EnvelopeState.QUEUED:
        return line.status
    running = Job.objects.filter(envelope=line.id, state=JobState.RUNNING).first()
    if running is None:
        return line.status
    return f"{running.kind} · {running.progress.get('stage', 'starting')}"


def _require_success(lines: list[EnvelopeLine]) -> None:
    failed = [line for line in lines if line.state != EnvelopeState.SUCCESS]
    if failed:
        details = "; ".join(
            f"{line.name} is {line.status}: {line.first_error or 'see its jobs'}" for line in failed
        )
        raise DemoFailedError(f"The demo did not link everything: {details}. Report this text.")


def _print_result(console: Console, result: DemoResult) -> None:
    print_envelopes(list(result.envelopes), console)
    quality, measure = result.measure.quality, result.measure
    seconds = result.as_json()["seconds_per_job_kind"]
    console.print("Seconds: " + ", ".join(f"{kind} {spent:.2f}" for kind, spent in seconds.items()))
    console.print(f"{measure.records_count:,} records in {measure.groups_count:,} groups")
    console.print(
        f"Against the truth: precision {quality.precision:.4f}, recall {quality.recall:.4f}, F1 {quality.f1:.4f}"
    )
    console.print(f"Everything took {result.seconds:.1f} s.")


def _serve(console: Console, host: str, port: int) -> None:
    password = create_administrator(DEMO_USER, COMMAND_LINE)
    for line in (
        "",
        f"Open:      http://{host}:{port}/",
        f"User name: {DEMO_USER}",
        f"Password:  {password}",
        "Ctrl-C stops the demo.",
    ):
        console.print(line, soft_wrap=True)
    serve_beside_worker(host, port, quiet=True)
