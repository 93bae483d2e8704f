"""Commands about the whole system's data: back it up, restore it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar

from linkwright.cli.waiting import await_success, say_queued
from linkwright.config import load_config
from linkwright.engine.progress import Progress
from linkwright.services.prepare_database import prepare_database
from linkwright.services.restore_backup import restore_backup
from linkwright.services.start_backup import start_backup
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.backup.folder import backup_folder


def backup(
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is finished, and say where it is.")] = False,
) -> None:
    """Queue a backup of everything: database, files and secrets; the system goes on meanwhile."""
    config = load_config()
    prepare_database(config)
    job = start_backup(COMMAND_LINE)
    say_queued(job)
    if wait:
        await_success(job)
        told, folder = job.statistics, backup_folder(config)
        typer.echo(
            f"{folder / told['name']}: {told['files_count']:,} file(s), {told['rows_count']:,} row(s), "
            f"{told['size_bytes']:,} bytes"
        )


def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="The folder of one backup.")],
    home: Annotated[
        Path | None,
        typer.Option(help="The data folder to make: it must be empty (default: as for every command)."),
    ] = None,
) -> None:
    """Restore a backup into an empty data folder, and into an empty database if DATABASE_URL names one."""
    # dealt with before: in bootstrap
    del home
    config = load_config()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Checking", total=None)

        def report(progress: Progress) -> None:
            bar.update(task, description=progress.stage, completed=progress.done, total=progress.total)

        restored = restore_backup(source.resolve(), config, COMMAND_LINE, report)
    manifest = restored.manifest
    typer.echo(
        f"Restored {source.resolve().name}: {manifest.files_count:,} files and {manifest.rows_count:,} rows, as "
        f"they were at {manifest.snapshot_at:%Y-%m-%d %H:%M:%S} UTC."
    )
    typer.echo(f"Data folder: {restored.home}   database: {restored.database}")
    typer.echo(f"To go on with it: linkwright --home {restored.home} serve. Everybody signs in anew.")
