"""The folder that holds the backups: where it is, which whole ones it has, what was never finished."""

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from linkwright.config import ServerConfig
from linkwright.errors import LinkwrightError
from linkwright.store.backup.manifest import MANIFEST_NAME, Manifest, read_manifest
from linkwright.store.models import Job
from linkwright.store.settings import read_setting

_WHOLE = re.compile(r"backup-\d{8}T\d{6}Z")
_NAME_FORM = "backup-%Y%m%dT%H%M%SZ"
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


def next_name(folder: Path, moment: datetime) -> str:
    """Return the name of the backup that is finished at a moment.

    Names only count up, even if two backups end in the same second or the clock is put back: by its name a backup
    is older than another, and goes first.
    """
    newest = whole_names(folder)[-1:]
    if newest:
        moment = max(moment, _moment_of(newest[0]) + timedelta(seconds=1))
    return moment.astimezone(UTC).strftime(_NAME_FORM)


def unfinished_name(job: Job) -> str:
    """Return the name of the folder in which an attempt makes a backup."""
    return f"{_UNFINISHED}job-{job.pk}-attempt-{job.attempt}"


def whole_names(folder: Path) -> list[str]:
    """Return the names of the finished backups, oldest first; none if the folder is not there."""
    found = folder.iterdir() if folder.is_dir() else []
    return sorted(path.name for path in found if _is_moment(path.name) and path.is_dir())


def list_backups(folder: Path, *, before: str = "", limit: int | None = None) -> list[FoundBackup]:
    """Return the finished backups, newest first, with what their manifests say; no checksum is looked at.

    Args:
        folder: that holds them.
        before: the name of a backup: only older ones are returned.
        limit: how many at most; None is all.
    """
    names = [name for name in reversed(whole_names(folder)) if not before or name < before]
    return [_found(folder / name) for name in names[:limit]]


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


def _is_moment(name: str) -> bool:
    if not _WHOLE.fullmatch(name):
        return False
    try:
        return bool(_moment_of(name))
    except ValueError:
        return False


def _found(path: Path) -> FoundBackup:
    try:
        manifest = read_manifest(path)
        return FoundBackup(path.name, manifest.ended_at, manifest, fault="")
    except (LinkwrightError, OSError) as error:
        fault = str(error) if isinstance(error, LinkwrightError) else f"{MANIFEST_NAME}: {error.strerror}"
        return FoundBackup(path.name, _moment_of(path.name), None, fault)


def _moment_of(name: str) -> datetime:
    return datetime.strptime(name, _NAME_FORM).replace(tzinfo=UTC)
