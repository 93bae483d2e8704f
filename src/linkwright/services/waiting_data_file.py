"""Keeps an uploaded data file between its preview and its confirmation, for the person who sent it alone.

Each file has a folder under a random id: `data`, `about.json` (written last: without it there is no waiting
file) and `lock`, held while the file is confirmed. The Envelope is kept under the same id, so that a second try,
also one after a crash, finds the first one's. What nobody confirms is swept after a day: it holds personal data.
"""

import fcntl
import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from errno import EXDEV
from pathlib import Path

from linkwright.config import ServerConfig
from linkwright.envelopes.manifest import RequestType
from linkwright.errors import LinkwrightError
from linkwright.services.submit_data_file import DataFileSubmission, demand_data_file, submit_data_file
from linkwright.store.audit_log import Actor
from linkwright.store.models import Envelope, LinkageProject, User

WAITS_S = 24 * 3600
_ID = re.compile(r"[0-9a-f]{32}")


class DataFileGoneError(LinkwrightError):
    """The file does not wait any more."""

    def __init__(self) -> None:
        super().__init__(
            "This file does not wait any more: it was cancelled, or not confirmed within a day. Upload it again."
        )


@dataclass(frozen=True)
class _About:
    user_id: int
    project_id: int
    project_code: str
    request_type: str
    event_type_code: str
    file_name: str
    size_bytes: int
    # once it was confirmed
    envelope_id: int = 0


@dataclass(frozen=True)
class WaitingDataFile:
    """A file that waits; `envelope_id` is 0 until it was confirmed."""

    id: str
    folder: Path
    submission: DataFileSubmission
    size_bytes: int
    envelope_id: int


def keep_waiting(
    submission: DataFileSubmission, config: ServerConfig, user: User, project: LinkageProject
) -> WaitingDataFile:
    """Move a file that was uploaded into a folder of its own; those that nobody confirmed in a day go.

    Raises:
        DataFileRefusedError: as `submit_data_file`; the file stays where it is.
        OSError: if there is no room for it.
    """
    demand_data_file(submission)
    sweep_waiting(config)
    waiting_id = secrets.token_hex(16)
    folder = config.waiting_folder / waiting_id
    folder.mkdir(mode=0o700, parents=True)
    about = _About(
        user_id=user.pk,
        project_id=project.pk,
        project_code=project.code,
        request_type=submission.request_type.value,
        event_type_code=submission.event_type_code,
        file_name=submission.file_name,
        size_bytes=submission.path.stat().st_size,
    )
    try:
        (folder / "lock").touch(mode=0o600)
        _move(submission.path, folder / "data")
        _write_about(folder, about)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return _waiting(folder, about)


def find_waiting(waiting_id: str, config: ServerConfig, user: User, project: LinkageProject) -> WaitingDataFile:
    """Return the file that a person has uploaded to a project.

    Raises:
        DataFileGoneError: if it is not there, or somebody else's, or another project's.
    """
    if not _ID.fullmatch(waiting_id):
        raise DataFileGoneError
    folder = config.waiting_folder / waiting_id
    about = _read_about(folder)
    if (about.user_id, about.project_id) != (user.pk, project.pk):
        raise DataFileGoneError
    return _waiting(folder, about)


def confirm_waiting(waiting: WaitingDataFile, name: str, actor: Actor) -> Envelope:
    """Make it an Envelope and queue its jobs; asked again, return the same Envelope.

    Raises:
        DataFileGoneError: if it was cancelled or swept meanwhile.
        DataFileRefusedError, BuildError: as `submit_data_file`; the file goes on waiting.
    """
    with _locked(waiting.folder):
        about = _read_about(waiting.folder)
        kept_name = f"{waiting.id}.zip"
        envelope = Envelope.objects.filter(pk=about.envelope_id).first()
        # queued by a process that was killed before it could write so down here
        envelope = envelope or Envelope.objects.filter(file_name=kept_name).first()
        if envelope is None:
            asked = replace(waiting.submission, name=name)
            envelope = submit_data_file(asked, actor, kept_name=kept_name)
        _write_about(waiting.folder, replace(about, envelope_id=envelope.pk))
        waiting.submission.path.unlink(missing_ok=True)
    return envelope


def cancel_waiting(waiting: WaitingDataFile) -> None:
    """Delete it, with everything of it; one that was confirmed stays an Envelope."""
    with suppress(DataFileGoneError), _locked(waiting.folder):
        shutil.rmtree(waiting.folder, ignore_errors=True)


def sweep_waiting(config: ServerConfig) -> int:
    """Delete what has waited for a day, and what a crash left; returns how many there were."""
    if not config.waiting_folder.is_dir():
        return 0
    swept_count = 0
    for folder in config.waiting_folder.iterdir():
        with suppress(FileNotFoundError, DataFileGoneError, BlockingIOError):
            if time.time() - folder.stat().st_mtime < WAITS_S:
                continue
            if (folder / "lock").exists():
                with _locked(folder, waits=False):
                    shutil.rmtree(folder, ignore_errors=True)
            else:
                shutil.rmtree(folder, ignore_errors=True)
            swept_count += 1
    return swept_count


def discard_waiting(config: ServerConfig, project_id: int) -> int:
    """Delete all that waits for a project that is deleted, whoever sent it; returns how many there were."""
    discarded_count = 0
    for folder in config.waiting_folder.iterdir() if config.waiting_folder.is_dir() else ():
        with suppress(FileNotFoundError, DataFileGoneError):
            if _read_about(folder).project_id == project_id:
                shutil.rmtree(folder, ignore_errors=True)
                discarded_count += 1
    return discarded_count


@contextmanager
def _locked(folder: Path, *, waits: bool = True) -> Iterator[None]:
    try:
        stream = (folder / "lock").open("r+b")
    except FileNotFoundError as error:
        raise DataFileGoneError from error
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _move(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != EXDEV:
            raise
        shutil.copyfile(source, target)
        source.unlink(missing_ok=True)


def _waiting(folder: Path, about: _About) -> WaitingDataFile:
    submission = DataFileSubmission(
        path=folder / "data",
        file_name=about.file_name,
        project_code=about.project_code,
        request_type=RequestType(about.request_type),
        event_type_code=about.event_type_code,
    )
    return WaitingDataFile(folder.name, folder, submission, about.size_bytes, about.envelope_id)


def _write_about(folder: Path, about: _About) -> None:
    fresh = folder / "about.new"
    fresh.write_text(json.dumps(asdict(about)))
    fresh.replace(folder / "about.json")


def _read_about(folder: Path) -> _About:
    try:
        return _About(**json.loads((folder / "about.json").read_text()))
    except FileNotFoundError as error:
        raise DataFileGoneError from error
