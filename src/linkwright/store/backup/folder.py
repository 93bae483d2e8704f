"""The folder that holds the backups: where it is, which whole ones it has, what was never finished."""

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from linkwright.config import ServerConfig
from linkwright.errors import LinkwrightError
from linkwright.store.backup.manifest import MANIFEST_NAME, Manifest, read_manifest
from linkwright.store.models import Job
from linkwright.store.settings import read_setting

_WHOLE = re.compile(r"backup-\d{8}T\d{6}Z")
_UNFINISHED = "unfinished-"


@dataclass(frozen=True)
class FoundBackup:
    """A backup on disk; `fault` says why it cannot be used, and then there is no manifest."""

    name: str
    made_at: datetime
    manifest: Manifest | None
    fault: str


def backup_folder(config: ServerConfig) -> Path:
    """Return where backups are made: as the Setting says, else in the data folder."""
    wanted = str(read_setting("Backup.Folder"))
    return Path(wanted) if wanted else config.backups_folder


def backup_name(moment: datetime) -> str:
    """Return the name of the backup that is finished at a moment."""
    return f"backup-{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def unfinished_name(job: Job) -> str:
    """Return the name of the folder in which an attempt makes a backup."""
    return f"{_UNFINISHED}job-{job.pk}-attempt-{job.attempt}"


def whole_names(folder: Path) -> list[str]:
    """Return the names of the finished backups, oldest first; none if the folder is not there."""
    found = folder.iterdir() if folder.is_dir() else []
    return sorted(path.name for path in found if _WHOLE.fullmatch(path.name) and path.is_dir())


def list_backups(folder: Path) -> list[FoundBackup]:
    """Return the finished backups, newest first, with what their manifests say; no checksum is looked at."""
    return [_found(folder / name) for name in reversed(whole_names(folder))]


def remove_unfinished(folder: Path, *, but: str = "") -> int:
    """Delete what interrupted attempts left, one excepted; returns how many files went."""
    files_count = 0
    for path in folder.glob(f"{_UNFINISHED}*") if folder.is_dir() else []:
        if path.name != but:
            files_count += sum(one.is_file() for one in path.rglob("*"))
            shutil.rmtree(path, ignore_errors=True)
    return files_count


def remove_old(folder: Path, *, keep: int) -> list[str]:
    """Delete all but the newest finished backups; returns the names of those that went.

    A backup loses its name before its files: half of one is never taken for a whole.

    Raises:
        OSError: if one cannot be deleted.
    """
    gone = whole_names(folder)[:-keep]
    for name in gone:
        leaving = folder / f"{_UNFINISHED}{name}"
        (folder / name).rename(leaving)
        shutil.rmtree(leaving)
    return gone


def _found(path: Path) -> FoundBackup:
    made_at = datetime.strptime(path.name, "backup-%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    try:
        return FoundBackup(path.name, made_at, read_manifest(path), fault="")
    except (LinkwrightError, OSError) as error:
        fault = str(error) if isinstance(error, LinkwrightError) else f"{MANIFEST_NAME}: {error.strerror}"
        return FoundBackup(path.name, made_at, None, fault)
