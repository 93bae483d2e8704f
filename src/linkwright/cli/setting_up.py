"""Commands that set a system up and look after it: apply, export, create-administrator, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from linkwright.config import load_config
from linkwright.errors import LinkwrightError
from linkwright.services.add_member import add_member
from linkwright.services.apply_project_file import apply_project_file
from linkwright.services.check_system import check_system
from linkwright.services.create_administrator import create_administrator
from linkwright.services.export_project_file import export_project_file
from linkwright.services.match_versions import find_project
from linkwright.services.prepare_database import prepare_database
from linkwright.services.project_file import read_project_file
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Role

EXIT_UNHEALTHY = 1


def apply(
    file: Annotated[Path, typer.Argument(help="The project file (YAML).")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
) -> None:
    """Create or update providers, Event Types, Import Formats, projects and settings from one file."""
    read = read_project_file(file)
    prepare_database(load_config())
    changes = apply_project_file(read, COMMAND_LINE, dry_run=dry_run)
    for change in changes:
        typer.echo(f"would {change}" if dry_run else str(change))
    if not changes:
        typer.echo("Nothing differs; nothing was changed.")


def export(
    file: Annotated[Path | None, typer.Argument(help="The file to write; printed if left out.")] = None,
    *,
    project: Annotated[
        str | None, typer.Option(help="Only this Linkage Project, with the catalog entries that it needs.")
    ] = None,
) -> None:
    """Write providers, Event Types, Import Formats, projects and settings as one file, which `apply` takes."""
    prepare_database(load_config())
    text = export_project_file(COMMAND_LINE, None if project is None else find_project(project))
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LinkwrightError(f"{file} cannot be written: {error.strerror}. Name another file.") from error
    typer.echo(f"wrote {file}")


def create_administrator_command(
    username: Annotated[str, typer.Argument(help="The name to sign in with.")],
) -> None:
    """Create an Administrator, or give an existing one a new password; prints the password once."""
    prepare_database(load_config())
    password = create_administrator(username, COMMAND_LINE)
    typer.echo(f"user name: {username.strip()}\npassword:  {password}")


def add_member_command(
    username: Annotated[str, typer.Argument(help="The name to sign in with.")],
    project: Annotated[str, typer.Option(help="Linkage Project code.")],
    role: Annotated[Role, typer.Option(help="What the person may do there.")],
) -> None:
    """Give a person a role in a project; prints the password of a new account once."""
    prepare_database(load_config())
    password = add_member(username, project, role.value, COMMAND_LINE)
    typer.echo(f"{username.strip()} is {role.value} of {project}.")
    if password is not None:
        typer.echo(f"password:  {password}")


def doctor(
    audit_log_head: Annotated[
        str,
        typer.Option(help="A head of the audit log that was kept outside, as COUNT:HASH; is it still in the log?"),
    ] = "",
) -> None:
    """Check the data folder, the database, the worker, the catalog, its files, the audit log; say what to do."""
    findings = check_system(load_config(), audit_log_head)
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.subject}: {finding.text}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(EXIT_UNHEALTHY)
