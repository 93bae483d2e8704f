"""Keeps a file that arrives in slices, for the person who sends it alone, until it is whole or given up.

Each upload has a folder under a random id: `data`, the slices that have come; `about.json`, which says how much of
`data` counts, and is written last; `lock`, held while a request works on it. The Envelope is kept under the same
id: a second try to finish, also one after a crash, finds the first one's (services/finish_upload.py). What nobody
touches for a day is swept: it holds personal data. Source: docs/decisions/0027.
"""

import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from linkwright.config import ServerConfig
from linkwright.disk import sync
from linkwright.services.submit_rights import demand_submit
from linkwright.services.upload_errors import UploadBusyError, UploadGoneError
from linkwright.store.audit_log import Actor
from linkwright.store.models import Envelope

KEPT_S = 24 * 3600
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class About:
    """What is written down of an upload.

    Args:
        user_id: who sends it.
        name: what its Envelope is to be called.
        file_name: what the sender calls the file.
        size_bytes: of the whole file.
        sha256: of the whole file, as announced; or ''.
        offset_bytes: how much has come.
        envelope_id: once it was finished, else 0.
    """

    user_id: int
    name: str
    file_name: str
    size_bytes: int
    sha256: str = ""
    offset_bytes: int = 0
    envelope_id: int = 0


@dataclass(frozen=True)
class Upload:
    """A file on its way in."""

    id: str
    folder: Path
    about: About
    expires_at: datetime

    @property
    def data(self) -> Path:
        """What has come; not there once it was finished."""
        return self.folder / "data"

    @property
    def kept_name(self) -> str:
        """The name under which its Envelope is kept."""
        return f"{self.id}.zip"

    @property
    def is_whole(self) -> bool:
        """Whether every byte has come."""
        return self.about.offset_bytes == self.about.size_bytes


def make_upload(about: About, config: ServerConfig) -> Upload:
    """Make an upload of which nothing has come yet.

    Raises:
        OSError: if there is no room for it.
    """
    upload_id = secrets.token_hex(16)
    folder = config.uploads_folder / upload_id
    folder.mkdir(mode=0o700, parents=True)
    try:
        (folder / "lock").touch(mode=0o600)
        (folder / "data").touch(mode=0o600)
        write_about(folder, about)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return _upload(folder)


def find_upload(upload_id: str, actor: Actor, config: ServerConfig) -> Upload:
    """Return an upload of whoever asks.

    Raises:
        SubmitRefusedError: if they may not submit, or not any more.
        UploadGoneError: if it is not there, or somebody else's.
    """
    demand_submit(actor)
    if actor.user is None or not _ID.fullmatch(upload_id):
        raise UploadGoneError
    upload = _upload(config.uploads_folder / upload_id)
    if upload.about.user_id != actor.user.pk:
        raise UploadGoneError
    return upload


def open_uploads(config: ServerConfig) -> list[Upload]:
    """Return everybody's uploads that are not finished, the one touched last first."""
    found: list[Upload] = []
    if not config.uploads_folder.is_dir():
        return found
    for folder in config.uploads_folder.iterdir():
        # a finished one has no data any more; of those a day may have left thousands
        if (folder / "data").exists():
            with suppress(UploadGoneError):
                found.append(_upload(folder))
    return sorted(found, key=lambda upload: upload.expires_at, reverse=True)


def uploads_of(actor: Actor, config: ServerConfig) -> list[Upload]:
    """Return the uploads of whoever asks that are not finished, the one touched last first.

    Raises:
        SubmitRefusedError: if they may not submit.
    """
    demand_submit(actor)
    return [each for each in open_uploads(config) if actor.user and each.about.user_id == actor.user.pk]


@contextmanager
def locked(upload: Upload) -> Iterator[Upload]:
    """Work on an upload as the only one; gives it as it stands now.

    Raises:
        UploadBusyError: if another request works on it.
        UploadGoneError: if it went meanwhile.
    """
    with _lock(upload.folder):
        # whoever held the lock before may have removed the folder
        yield _upload(upload.folder)


def write_about(folder: Path, about: About) -> None:
    """Write down how an upload stands, whole or not at all."""
    fresh = folder / "about.new"
    with fresh.open("w") as stream:
        json.dump(asdict(about), stream)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(folder / "about.json")
    sync(folder)


def abandon_upload(upload_id: str, actor: Actor, config: ServerConfig) -> None:
    """Delete an upload with all that has come; one that was finished stays the Envelope that it is.

    Raises:
        UploadGoneError, SubmitRefusedError: as `find_upload`.
        UploadBusyError: if another request works on it.
    """
    upload = find_upload(upload_id, actor, config)
    with locked(upload) as current:
        if current.about.envelope_id:
            return
        remove_upload(current, config)


def sweep_uploads(config: ServerConfig) -> int:
    """Delete what nobody has touched for a day, and what a crash left; returns how many there were."""
    if not config.uploads_folder.is_dir():
        return 0
    swept_count = 0
    for folder in config.uploads_folder.iterdir():
        with suppress(FileNotFoundError, UploadGoneError, UploadBusyError):
            if time.time() - folder.stat().st_mtime < KEPT_S:
                continue
            if (folder / "lock").exists():
                with _lock(folder):
                    _remove(folder, config)
            else:
                shutil.rmtree(folder, ignore_errors=True)
            swept_count += 1
    return swept_count


def remove_upload(upload: Upload, config: ServerConfig) -> None:
    """Delete an upload that is locked, with what a finish that died has left of it."""
    _remove(upload.folder, config)


def _remove(folder: Path, config: ServerConfig) -> None:
    kept = config.incoming_folder / f"{folder.name}.zip"
    # moved there by a finish that died before its row: then nothing else will ever name it
    if kept.exists() and not Envelope.objects.filter(file_name=kept.name).exists():
        kept.unlink()
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    try:
        stream = (folder / "lock").open("r+b")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UploadGoneError from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            offset_bytes = _read_about(folder).offset_bytes
            raise UploadBusyError(
                "Another request works on this upload. Ask for its offset in a moment, and go on from there.",
                offset_bytes,
            ) from error
        yield


def _upload(folder: Path) -> Upload:
    about = _read_about(folder)
    try:
        touched = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    except FileNotFoundError as error:
        raise UploadGoneError from error
    return Upload(folder.name, folder, about, touched + timedelta(seconds=KEPT_S))


def _read_about(folder: Path) -> About:
    try:
        return About(**json.loads((folder / "about.json").read_text()))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UploadGoneError from error
