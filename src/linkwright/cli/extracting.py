"""Commands about Extraction Projects: create one, extract from it, make a new secret for Person Keys."""

import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from linkwright.cli.tables import data_console
from linkwright.cli.waiting import await_success, say_queued
from linkwright.config import load_config
from linkwright.engine.extraction import ExtractionColumn
from linkwright.services.create_extraction_project import NewExtractionProject, create_extraction_project
from linkwright.services.download_extraction_result import take_result
from linkwright.services.extraction_faults import KEEP_RESULTS_SETTING, ExtractionForm
from linkwright.services.live_project import find_project
from linkwright.services.prepare_database import prepare_database
from linkwright.services.rotate_key_secret import rotate_key_secret
from linkwright.services.start_extraction import start_extraction
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    ExtractionFormat,
    ExtractionKind,
    ExtractionProject,
    Job,
    LinkageProject,
)
from linkwright.store.queries.extractions import results_of_job
from linkwright.store.settings import read_setting

DEFAULT_COLUMNS = (ExtractionColumn.PERSON_KEY, ExtractionColumn.SOURCE_UNIQUE_ID)

ProjectArgument = Annotated[str, typer.Argument(help="Linkage Project code.")]
CodeArgument = Annotated[str, typer.Argument(help="Extraction Project code.")]


def create_extraction_project_command(  # noqa: PLR0917 - typer calls it by name
    project: ProjectArgument,
    code: CodeArgument,
    name: Annotated[str, typer.Option(help="What it is called.")],
    approval: Annotated[str, typer.Option(help="Reference of the approval that it rests on.")],
    kind: Annotated[
        ExtractionKind,
        typer.Option(help="snapshot: the map as it is now, for ever. enduring: the current map, keys persist."),
    ],
    event_type: Annotated[list[str], typer.Option(help="Event Type code, once for each that is shown.")],
    column: Annotated[
        list[str] | None,
        typer.Option(help=f"COLUMN or COLUMN=NAME, in order; columns: {', '.join(ExtractionColumn)}."),
    ] = None,
    file_format: Annotated[ExtractionFormat, typer.Option("--format")] = ExtractionFormat.CSV,
    keep_days: Annotated[
        int | None, typer.Option(help=f"How long results are kept (default: {KEEP_RESULTS_SETTING}).")
    ] = None,
) -> None:
    """Create an Extraction Project: an approved use of the linkage map, with Person Keys of its own."""
    prepare_database(load_config())
    form = ExtractionForm(
        name=name,
        approval_reference=approval,
        columns=[_column(item) for item in column or DEFAULT_COLUMNS],
        file_format=file_format.value,
        keep_results_days=int(read_setting(KEEP_RESULTS_SETTING)) if keep_days is None else keep_days,
    )
    new = NewExtractionProject(code, kind.value, event_type, form)
    made = create_extraction_project(find_project(project, COMMAND_LINE), new, COMMAND_LINE)
    typer.echo(f"{project} has the Extraction Project {made.code} ({made.get_kind_display()}).")
    if made.snapshot_job is not None:
        typer.echo(f"Job {made.snapshot_job.pk} (Snapshot): Queued")


def extract(
    project: ProjectArgument,
    extraction_project: CodeArgument,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until the job has ended, and show its results.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Wait, and copy the results into this folder; each is a download.")
    ] = None,
    changes: Annotated[
        bool,
        typer.Option(help="With the list of keys that changed since the latest extraction, if it is enduring."),
    ] = True,
) -> None:
    """Extract all records that an Extraction Project shows, one result Envelope per Event Type."""
    prepare_database(load_config())
    if output is not None and not output.is_dir():
        raise typer.BadParameter(f"{output} is no folder; make it first", param_hint="--output")
    found = _find(find_project(project, COMMAND_LINE), extraction_project)
    job = start_extraction(found, COMMAND_LINE, with_changes=changes)
    say_queued(job)
    if wait or output is not None:
        await_success(job)
        _show_results(job, output)


def rotate_key_secret_command() -> None:
    """Make a new version of the server's secret for Person Keys; Extraction Projects that exist keep theirs."""
    prepare_database(load_config())
    secret = rotate_key_secret(COMMAND_LINE)
    typer.echo(
        f"Version {secret.version} is there; Extraction Projects created from now on use it. Make a backup."
    )


def _column(item: str) -> tuple[str, str]:
    column, separator, name = item.partition("=")
    return column, name if separator else column


def _find(project: LinkageProject, code: str) -> ExtractionProject:
    found = ExtractionProject.objects.select_related("project").filter(project=project, code=code).first()
    if found is None:
        codes = ExtractionProject.objects.filter(project=project).order_by("code").values_list("code", flat=True)
        there_are = ", ".join(codes) or "none yet"
        raise typer.BadParameter(
            f"{project.code} has no Extraction Project {code!r}; there are: {there_are}",
            param_hint="EXTRACTION_PROJECT",
        )
    return found


def _show_results(job: Job, output: Path | None) -> None:
    results = results_of_job(job)
    table = Table("event type", "records", "persons", "changed keys", "bytes", box=None)
    for result in results:
        table.add_row(
            result.event_type.code,
            f"{result.records_count:,}",
            f"{result.persons_count:,}",
            "" if result.changes_count is None else f"{result.changes_count:,}",
            f"{result.bytes_count:,}",
        )
    data_console().print(table)
    if output is None:
        return
    for result in results:
        taken = take_result(result, COMMAND_LINE)
        # a table would cut the path
        typer.echo(shutil.copyfile(taken.path, output / taken.name))
