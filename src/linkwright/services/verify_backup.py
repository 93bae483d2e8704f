"""Checks a backup from end to end, and writes nothing: versions, tables, names, sizes, checksums."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.db.migrations.loader import MigrationLoader
from django.db.models import Model

from linkwright.config import ServerConfig
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.store.backup.manifest import (
    DATABASE_FOLDER,
    FILES_FOLDER,
    FILES_NAME,
    BackupError,
    DamagedBackupError,
    Manifest,
    TablePart,
    WrittenPart,
)
from linkwright.store.backup.parts import fault_of, read_lines
from linkwright.store.backup.rows import APP, backed_up_models, columns_of
from linkwright.store.backup.snapshot import table_name

FAULTS_NAMED = 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def verify_backup(
    backup: Path, manifest: Manifest, config: ServerConfig, report: ReportProgress
) -> dict[str, type[Model]]:
    """Check everything that a backup holds.

    Args:
        backup: its folder.
        manifest: of it.
        config: of the server that it is to become: its own files are not to be overwritten.
        report: told the bytes that were read.

    Returns: the models that take the rows, by table: those of the version that made the backup.

    Raises:
        BackupError: if a newer version made it.
        DamagedBackupError: naming what is wrong.
    """
    models = _models_of(manifest)
    faults: list[str] = []
    done = 0
    for fault, bytes_count in _checked(backup, manifest, config, models):
        done += bytes_count
        report(Progress("Checking", min(done, manifest.bytes_count), manifest.bytes_count, "bytes"))
        if fault:
            faults.append(fault)
        if len(faults) > FAULTS_NAMED:
            faults[-1] = "And more."
            break
    if faults:
        raise DamagedBackupError(
            f"{backup.name} is damaged, and nothing was restored. Use another backup.", faults
        )
    return models


def listed_parts(backup: Path) -> Iterator[WrittenPart]:
    """Return the files of the data folder that a backup lists; their names are those in the data folder."""
    for name, bytes_count, sha256 in read_lines(backup / FILES_NAME):
        yield WrittenPart(name=name, bytes_count=bytes_count, sha256=sha256)


def _models_of(manifest: Manifest) -> dict[str, type[Model]]:
    loader = MigrationLoader(None)
    node = (APP, manifest.migration)
    if node not in loader.disk_migrations:
        raise BackupError(
            f"The backup was made by a newer version of Linkwright ({manifest.version}): its tables are of "
            f"{manifest.migration}, which this version does not know. Install that version or a newer one. "
            "Nothing was restored."
        )
    return {table_name(model): model for model in backed_up_models(loader.project_state(node).apps)}


def _checked(
    backup: Path, manifest: Manifest, config: ServerConfig, models: dict[str, type[Model]]
) -> Iterator[tuple[str, int]]:
    """Look at one part after the other; each gives what is wrong with it, or '', and its bytes."""
    missing = sorted(set(models) - {table.table for table in manifest.tables})
    if missing:
        yield f"The tables {', '.join(missing)} are not in it.", 0
    for table in manifest.tables:
        yield _table_fault(table, models) or fault_of(backup, table.part), table.part.bytes_count
    if manifest.files.name != FILES_NAME:
        yield f"Its list of files is called {manifest.files.name!r}.", 0
        return
    fault = fault_of(backup, manifest.files)
    yield fault, manifest.files.bytes_count
    if fault:
        return
    files_count = 0
    for part in listed_parts(backup):
        files_count += 1
        where = WrittenPart(name=f"{FILES_FOLDER}/{part.name}", bytes_count=part.bytes_count, sha256=part.sha256)
        yield _name_fault(part.name, config) or fault_of(backup, where), part.bytes_count
    if files_count != manifest.files_count:
        yield f"It lists {files_count:,} files, and should list {manifest.files_count:,}.", 0


def _table_fault(table: TablePart, models: dict[str, type[Model]]) -> str:
    model = models.get(table.table)
    if model is None:
        return f"There is no table {table.table!r}."
    if sorted(table.columns) != sorted(str(field.column) for field in columns_of(model)):
        return f"The columns of {table.table} are not those of its version."
    if table.part.name != f"{DATABASE_FOLDER}/{table.table}.jsonl.gz":
        return f"The rows of {table.table} are said to lie in {table.part.name!r}."
    return ""


def _name_fault(name: str, config: ServerConfig) -> str:
    """Say why a name must not be written below a data folder, or ''."""
    parts = name.split("/")
    leaves = any(part in {"", ".", ".."} or _CONTROL.search(part) for part in parts)
    own = {config.scratch_folder.name, config.backups_folder.name, config.lock_file.name}
    if leaves or parts[0] in own or parts[0].startswith(config.database_file.name):
        return f"{name!r} is no name of a file that belongs into a data folder."
    return ""
