"""Commands that put a Linkage Project away: archive it, take it out of the archive, delete it for good."""

from typing import Annotated

import typer

from linkwright.config import load_config
from linkwright.services.archive_project import archive_project, unarchive_project
from linkwright.services.delete_project import DeletePreview, delete_project, preview_delete
from linkwright.services.live_project import find_project
from linkwright.services.prepare_database import prepare_database
from linkwright.store.audit_log import COMMAND_LINE

ProjectArgument = Annotated[str, typer.Argument(help="Linkage Project code.")]


def archive_project_command(
    project: ProjectArgument,
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")],
) -> None:
    """Archive a project: it takes no Envelopes until it is taken out again; nothing of it is lost."""
    prepare_database(load_config())
    archive_project(find_project(project, COMMAND_LINE).pk, COMMAND_LINE, reason=reason)
    typer.echo(f"{project} is archived.")


def unarchive_project_command(project: ProjectArgument) -> None:
    """Take a project out of the archive: it takes Envelopes again."""
    prepare_database(load_config())
    unarchive_project(find_project(project, COMMAND_LINE).pk, COMMAND_LINE)
    typer.echo(f"{project} takes Envelopes again.")


def delete_project_command(
    project: ProjectArgument,
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")] = "",
    code: Annotated[str, typer.Option(help="The project's code, once more, to confirm.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would go.")] = False,
) -> None:
    """Delete an archived project with all its records, files and results, for good."""
    config = load_config()
    prepare_database(config)
    found = find_project(project, COMMAND_LINE)
    if preview:
        print_preview(project, preview_delete(found))
        return
    files_count = delete_project(config, found.pk, COMMAND_LINE, typed=code, reason=reason)
    typer.echo(f"{project} is deleted; {files_count:,} files went with it.")


def print_preview(project: str, preview: DeletePreview) -> None:
    """Print what deleting would take away."""
    if preview.refusal:
        typer.echo(f"It cannot be deleted now: {preview.refusal}")
    typer.echo(
        f"{project}: {preview.envelopes_count:,} Envelopes, {preview.files_count:,} data files of "
        f"{preview.size_bytes:,} bytes, {preview.extraction_projects_count:,} Extraction Projects, "
        f"{preview.members_count:,} members"
    )
