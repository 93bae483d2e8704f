"""The manifest of a backup: what it holds, by which version it was made, and whether all of it is there."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from linkwright.errors import FaultsError, LinkwrightError

# 2: with the head of the audit log
FORMAT = 2
MANIFEST_NAME = "manifest.json"
FILES_NAME = "files.jsonl.gz"
DATABASE_FOLDER = "database"
FILES_FOLDER = "files"


class BackupError(LinkwrightError):
    """A backup cannot be made or used; the text says why."""


class DamagedBackupError(FaultsError):
    """A backup is not as it was written; every fault is named, up to a limit."""


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WrittenPart(_Form):
    """One file of a backup as it was written."""

    name: str
    bytes_count: int
    sha256: str


class TablePart(_Form):
    """The rows of one table; `columns` in the order in which every line holds them."""

    table: str
    columns: tuple[str, ...]
    rows_count: int
    part: WrittenPart


class AuditLogMark(_Form):
    """The head of the audit log's chain at the moment of the backup."""

    entries_count: int
    sha256: str


class Manifest(_Form):
    """What a backup says of itself.

    Args:
        format: of the folder; this program knows `FORMAT`.
        version: of the Linkwright that made it.
        migration: the newest migration of its tables.
        job: id of the Backup job, which stands as Running among the rows.
        attempt: of that job.
        snapshot_at: the moment that all rows show.
        ended_at: when the manifest was written.
        tables: one entry a table.
        files: the list of the files, itself a part.
        files_count: lines in that list.
        files_bytes: the sum of their sizes.
        audit_log: the head of its chain; None in backups of format 1.
    """

    format: int
    version: str
    migration: str
    job: int
    attempt: int
    snapshot_at: datetime
    ended_at: datetime
    tables: tuple[TablePart, ...]
    files: WrittenPart
    files_count: int
    files_bytes: int
    audit_log: AuditLogMark | None = None

    @property
    def rows_count(self) -> int:
        """Rows of all tables."""
        return sum(table.rows_count for table in self.tables)

    @property
    def bytes_count(self) -> int:
        """What the backup takes on disk, but for the manifest."""
        parts = [self.files, *(table.part for table in self.tables)]
        return self.files_bytes + sum(part.bytes_count for part in parts)


def manifest_text(manifest: Manifest) -> str:
    """Return the manifest as it is stored: with a checksum of itself."""
    values = manifest.model_dump(mode="json")
    return json.dumps({**values, "sha256": _digest(values)}, indent=1)


def read_manifest(backup: Path) -> Manifest:
    """Read a backup's manifest.

    Raises:
        BackupError: if there is no such folder, it was never finished, or a newer version made it.
        DamagedBackupError: if the manifest is not as it was written.
    """
    if not backup.is_dir():
        raise BackupError(
            f"{backup} is no folder. Name the folder of one backup, for instance backup-20260131T020000Z."
        )
    path = backup / MANIFEST_NAME
    if not path.is_file():
        raise BackupError(
            f"{backup} has no {MANIFEST_NAME}: it is no backup, or one that was never finished. Use another one."
        )
    try:
        values = json.loads(path.read_bytes())
        told = values.pop("sha256")
        form = int(values["format"])
    except (ValueError, TypeError, AttributeError, KeyError, OSError) as error:
        raise _damaged(backup) from error
    if form > FORMAT:
        raise BackupError(
            f"{backup.name} was made by a newer version of Linkwright ({values.get('version')}): its form is "
            f"{form}, and this version reads {FORMAT}. Install that version or a newer one."
        )
    if told != _digest(values):
        raise _damaged(backup)
    try:
        return Manifest.model_validate(values)
    except ValidationError as error:
        raise _damaged(backup) from error


def _damaged(backup: Path) -> DamagedBackupError:
    return DamagedBackupError(
        f"{backup.name} is damaged, and nothing was restored. Use another backup.",
        [f"{MANIFEST_NAME} is not as it was written."],
    )


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
