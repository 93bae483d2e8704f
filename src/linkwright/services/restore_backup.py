"""Restores a backup into an empty data folder and an empty database, of either kind.

Everything is checked before anything is written. The rows come in one transaction; if anything fails, the folder
is empty again.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model

from linkwright.config import ServerConfig, prepare_home
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.queue.finish import finish_success
from linkwright.services.prepare_database import database_name
from linkwright.services.sweep_files import empty_write_ahead_log
from linkwright.services.verify_backup import listed_parts, verify_backup
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.backup.manifest import (
    FILES_FOLDER,
    BackupError,
    DamagedBackupError,
    Manifest,
    read_manifest,
)
from linkwright.store.backup.parts import copy_file, make_folder
from linkwright.store.backup.rows import APP, backed_up_models, load_table
from linkwright.store.backup.snapshot import all_rows, table_name
from linkwright.store.models import Job, JobState

MIB = 1024 * 1024


@dataclass(frozen=True)
class Restored:
    """What a backup has become."""

    manifest: Manifest
    home: Path
    database: str


def restore_backup(backup: Path, config: ServerConfig, actor: Actor, report: ReportProgress) -> Restored:
    """Restore a backup into the data folder and the database of `config`.

    Raises:
        BackupError: if the backup, the folder or the database cannot be used.
        DamagedBackupError: naming what is wrong with the backup.
    """
    manifest = read_manifest(backup)
    _demand_empty_folder(config.home)
    models = verify_backup(backup, manifest, config, report)
    _demand_room(config.home, manifest)
    _demand_empty_database(manifest)
    try:
        prepare_home(config)
        _copy_files(backup, manifest, config, report)
        _load_rows(backup, manifest, models, report)
        _settle(backup, manifest, actor)
    except BaseException as error:
        connection.close()
        _empty(config.home)
        raise _explained(error, config) from error
    return Restored(manifest, config.home, database_name())


def _demand_empty_folder(home: Path) -> None:
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise BackupError(
            f"{home} is not an empty folder. A backup is restored into an empty one only, so that nothing is "
            "lost: name another with --home, or empty it yourself."
        )


def _demand_room(home: Path, manifest: Manifest) -> None:
    there = home
    while not there.exists():
        there = there.parent
    free_bytes = shutil.disk_usage(there).free
    if free_bytes < manifest.bytes_count:
        raise BackupError(
            f"The backup needs at least {manifest.bytes_count / MIB:,.0f} MiB, and {there} has "
            f"{free_bytes / MIB:,.0f} MiB left. Free space there or name another folder with --home."
        )


def _demand_empty_database(manifest: Manifest) -> None:
    """Refuse a database that holds rows, or tables that the backup's version does not have."""
    if connection.vendor == "sqlite" and not Path(str(connection.settings_dict["NAME"])).exists():
        # to look into it would make it
        return
    try:
        loader = MigrationLoader(connection)
        applied = {node for node in loader.applied_migrations if node[0] == APP}
        tables = set(connection.introspection.table_names())
        filled = [
            table_name(model)
            for model in backed_up_models()
            if table_name(model) in tables and all_rows(model).exists()
        ]
    except DatabaseError as error:
        raise BackupError(
            f"The database {database_name()} cannot be used: {str(error).strip()}. Check DATABASE_URL, and that "
            "the server runs."
        ) from error
    of_backup = set(loader.graph.forwards_plan((APP, manifest.migration)))
    if filled or applied - of_backup:
        found = (
            f"rows in {', '.join(sorted(filled)[:3])}" if filled else "tables of a newer version than the backup"
        )
        raise BackupError(
            f"The database {database_name()} is not empty: it holds {found}. Name a new database in DATABASE_URL, "
            "or unset it for the built-in SQLite. Nothing was restored."
        )


def _copy_files(backup: Path, manifest: Manifest, config: ServerConfig, report: ReportProgress) -> None:
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        report(Progress("Copying files", done, manifest.files_bytes, "bytes"))

    for listed in listed_parts(backup):
        name = PurePosixPath(listed.name)
        target = config.home / name
        make_folder(target.parent)
        # read once more, and once more compared: a disk that fails may have begun to
        if copy_file(backup / FILES_FOLDER / name, target, listed.name, advance) != listed:
            raise DamagedBackupError(
                f"{backup.name} cannot be read reliably. Nothing was left of it; use another backup or disk.",
                [f"{listed.name} was right when it was checked, and is not now."],
            )


def _load_rows(backup: Path, manifest: Manifest, models: dict[str, type[Model]], report: ReportProgress) -> None:
    """Make the tables as they were, fill them, and only then bring them to this version."""
    call_command("migrate", APP, manifest.migration, verbosity=0, interactive=False)
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        report(Progress("Filling the database", done, manifest.rows_count, "rows"))

    with transaction.atomic():
        for table in manifest.tables:
            rows_count = load_table(models[table.table], table, backup, advance)
            if rows_count != table.rows_count:
                raise DamagedBackupError(
                    f"{backup.name} contradicts itself, and nothing was restored. Use another backup.",
                    [f"{table.table} has {rows_count:,} rows, and should have {table.rows_count:,}."],
                )
    call_command("migrate", verbosity=0, interactive=False)
    # rows that come with their ids move no sequence of PostgreSQL
    statements = connection.ops.sequence_reset_sql(no_style(), backed_up_models())
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _settle(backup: Path, manifest: Manifest, actor: Actor) -> None:
    """End the Backup job, which runs in its own copy; every other job stands as it did, and waits for a worker."""
    with transaction.atomic():
        job = Job.objects.filter(pk=manifest.job, attempt=manifest.attempt, state=JobState.RUNNING).first()
        if job is not None:
            statistics = {
                "name": backup.name,
                "files_count": manifest.files_count,
                "rows_count": manifest.rows_count,
                "size_bytes": manifest.bytes_count,
            }
            finish_success(job, attempt=manifest.attempt, statistics=statistics, peak_memory_bytes=0)
            Job.objects.filter(pk=job.pk).update(ended_at=manifest.ended_at, peak_memory_bytes=None)
        detail = {"made_at": manifest.ended_at.isoformat(), "version": manifest.version}
        record_action(actor, "restore backup", backup.name, detail=detail)
    empty_write_ahead_log()


def _empty(home: Path) -> None:
    """Delete what was written into a folder that was empty before."""
    for path in home.iterdir() if home.is_dir() else []:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _explained(error: BaseException, config: ServerConfig) -> BaseException:
    if isinstance(error, OSError):
        return BackupError(
            f"The backup could not be written to {config.home} ({error.strerror or error}). Free space there or "
            "name another folder with --home, then restore again. The folder is empty again."
        )
    if isinstance(error, DatabaseError | ValueError | ValidationError):
        return BackupError(
            f"The database {database_name()} does not take the rows of the backup: {str(error).strip()}. Name an "
            "empty database, or use another backup. The folder is empty again."
        )
    return error
