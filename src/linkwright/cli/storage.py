"""Commands about what a project's data takes on disk: compact many small files, purge ended records."""

from typing import Annotated

import typer

from linkwright.config import load_config
from linkwright.services.live_project import find_project
from linkwright.services.prepare_database import prepare_database
from linkwright.services.start_compact import CompactRefusedError, start_compact, why_not_compact
from linkwright.services.start_purge import PurgeRefusedError, preview_purge, start_purge
from linkwright.store.audit_log import COMMAND_LINE

ProjectArgument = Annotated[str, typer.Argument(help="Linkage Project code.")]


def compact(project: ProjectArgument) -> None:
    """Queue a job that makes few files of many small ones; nothing visible changes."""
    prepare_database(load_config())
    found = find_project(project, COMMAND_LINE)
    job = start_compact(found, COMMAND_LINE)
    if job is None:
        raise CompactRefusedError(why_not_compact(found))
    typer.echo(f"{job} is queued")


def purge(
    project: ProjectArgument,
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")] = "",
    older_than_days: Annotated[
        int, typer.Option(help="Only records that ended at least so many days ago; 0 = all that ended until now.")
    ] = 0,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would be blanked.")] = False,
) -> None:
    """Queue a job that blanks the identifying values of ended records on disk; it cannot be undone."""
    prepare_database(load_config())
    found = find_project(project, COMMAND_LINE)
    would = preview_purge(found, older_than_days)
    if would.refusal:
        raise PurgeRefusedError(would.refusal)
    typer.echo(
        f"{would.records_count:,} ended records of {project}; {would.younger_count:,} ended later and stay."
    )
    for envelope in would.fixed:
        typer.echo(f"Cannot be rolled back afterwards: {envelope}")
    if preview:
        return
    job = start_purge(found, COMMAND_LINE, reason=reason, older_than_days=older_than_days)
    if job is None:
        raise PurgeRefusedError(preview_purge(found, older_than_days).refusal)
    typer.echo(f"{job} is queued")
