"""Takes one file out of the inbox and makes it an Envelope, exactly once, whatever dies between two steps.

Each file on its way has a folder of its own, `taking/TOKEN/`, and will be kept as `envelopes/TOKEN.zip`:

1. `origin.json` is written: where the file comes from.
2. The file is moved to `taking/TOKEN/content`: one rename; or, from another filesystem, it is first renamed inside
   the inbox to `.linkwright-TOKEN`, copied, and then deleted there. From now on the inbox does not show it.
3. It is moved to `envelopes/TOKEN.zip`.
4. One transaction makes the Envelope that names TOKEN.zip, its jobs and the entry in the audit log.
5. `taking/TOKEN` is deleted.

`finish_taking` goes on from whichever step was the last: what is done is seen from the files, and from whether a
row names TOKEN.zip. Source: docs/decisions/0022.
"""

import json
import os
import secrets
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from errno import ENOENT, EXDEV
from pathlib import Path

from linkwright.config import ServerConfig
from linkwright.disk import sync
from linkwright.errors import LinkwrightError
from linkwright.services.kept_file import PIECE_BYTES, KeptFile, digest_of
from linkwright.services.receive_envelope import register_envelope, shown_name
from linkwright.store.audit_log import INBOX
from linkwright.store.models import Envelope

GoOn = Callable[[], None]
_ORIGIN, _CONTENT, _COPYING = "origin.json", "content", "copying"
# left on the data folder's disk when a file is copied there: jobs need room too
_SPARE_BYTES = 256 * 1024 * 1024


class TakeError(LinkwrightError):
    """The file cannot be taken now; it stays, or goes on its way later."""


@dataclass(frozen=True)
class _Origin:
    """Where a file came from; `crosses`: from another filesystem, by way of a name inside the inbox."""

    path: Path
    crosses: bool

    def claimed(self, token: str) -> Path:
        return self.path.parent / f".linkwright-{token}"


def take(source: Path, config: ServerConfig, go_on: GoOn) -> Envelope:
    """Take a plain file that is an Envelope.

    Args:
        source: in the inbox.
        config: of this server.
        go_on: called between any two steps and pieces; what it raises ends the work, to be finished later.

    Raises:
        TakeError: if the data folder's disk has no room for it, or it vanished.
        OSError: if the inbox does not let it go; it is where it was.
    """
    token = secrets.token_hex(16)
    folder = config.taking_folder / token
    status = source.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise TakeError(f"{shown_name(source.name)} is not a plain file any more.")
    crosses = status.st_dev != config.home.stat().st_dev
    if crosses:
        _demand_room(source, config)
    folder.mkdir(mode=0o700, parents=True)
    go_on()
    try:
        _write_origin(folder, _Origin(source, crosses))
        go_on()
        _move_out(source, folder, _Origin(source, crosses))
    except OSError:
        shutil.rmtree(folder)
        raise
    go_on()
    envelope = finish_taking(folder, config, go_on)
    if envelope is None:
        raise TakeError(f"{shown_name(source.name)} vanished while it was taken. Put it into the inbox again.")
    return envelope


def leftovers(config: ServerConfig) -> list[Path]:
    """Return the folders of files whose taking was broken off, oldest first."""
    if not config.taking_folder.is_dir():
        return []
    return sorted(config.taking_folder.iterdir(), key=lambda folder: folder.stat().st_mtime_ns)


def finish_taking(folder: Path, config: ServerConfig, go_on: GoOn) -> Envelope | None:
    """Go on with what was broken off; returns the Envelope, or None if the file is still, or again, in the inbox.

    Raises:
        TakeError: if it cannot go on now: the inbox is not there, or the disk is full.
        DatabaseError: if the database cannot be used.
    """
    kept_path = config.incoming_folder / f"{folder.name}.zip"
    envelope = Envelope.objects.filter(file_name=kept_path.name).first()
    if envelope is None:
        origin = _read_origin(folder)
        # the file is moved only once its origin is written
        if origin is None or not _bring_in(folder, kept_path, origin, config=config, go_on=go_on):
            shutil.rmtree(folder)
            return None
        go_on()
        envelope = _register(kept_path, origin, go_on)
    go_on()
    shutil.rmtree(folder)
    return envelope


def _register(kept_path: Path, origin: _Origin, go_on: GoOn) -> Envelope:
    size_bytes, sha256 = digest_of(kept_path, go_on)
    return register_envelope(
        KeptFile(kept_path, size_bytes, sha256),
        name=origin.path.stem,
        actor=INBOX,
        detail={"file": shown_name(origin.path.name), "folder": str(origin.path.parent)},
    )


def _bring_in(folder: Path, kept_path: Path, origin: _Origin, *, config: ServerConfig, go_on: GoOn) -> bool:
    """Bring the file to its last place; tells whether it is there, or (False) was never taken out of the inbox."""
    content, claimed = folder / _CONTENT, origin.claimed(folder.name)
    if kept_path.exists():
        return True
    if origin.crosses and not content.exists():
        if not claimed.exists():
            if origin.path.exists():
                return False
            raise TakeError(
                f"{shown_name(origin.path.name)} was on its way out of {origin.path.parent}, which does not show "
                "it now. Bring that folder back, and it goes on by itself."
            )
        _demand_room(claimed, config)
        _copy(claimed, folder / _COPYING, go_on)
        go_on()
        (folder / _COPYING).rename(content)
        sync(folder)
        go_on()
    if not content.exists():
        return False
    if origin.crosses:
        claimed.unlink(missing_ok=True)
        # from here on it is as if it had been renamed
        _write_origin(folder, _Origin(origin.path, crosses=False))
    go_on()
    content.rename(kept_path)
    sync(kept_path.parent)
    return True


def _move_out(source: Path, folder: Path, origin: _Origin) -> None:
    """Take the file out of the inbox, or into its claimed name there if filesystems are crossed."""
    if not origin.crosses:
        try:
            source.rename(folder / _CONTENT)
        except OSError as error:
            if error.errno != EXDEV:
                raise
            # two mounts of one device: the kernel alone knows
            origin = _Origin(source, crosses=True)
            _write_origin(folder, origin)
    if origin.crosses:
        source.rename(origin.claimed(folder.name))


def _copy(source: Path, target: Path, go_on: GoOn) -> None:
    with source.open("rb") as reading, target.open("wb") as writing:
        while piece := reading.read(PIECE_BYTES):
            go_on()
            writing.write(piece)
        writing.flush()
        os.fsync(writing.fileno())


def _demand_room(source: Path, config: ServerConfig) -> None:
    size_bytes, free_bytes = source.stat().st_size, shutil.disk_usage(config.home).free
    if free_bytes < size_bytes + _SPARE_BYTES:
        raise TakeError(
            f"{shown_name(source.name)} ({size_bytes:,} bytes) does not fit onto the disk of {config.home}, with "
            "some room left for jobs. Free space; it is then taken by itself."
        )


def _write_origin(folder: Path, origin: _Origin) -> None:
    # a path can be any bytes
    text = json.dumps({"path": os.fsencode(origin.path).hex(), "crosses": origin.crosses})
    fresh = folder / f"{_ORIGIN}.new"
    with fresh.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.rename(folder / _ORIGIN)
    sync(folder)
    sync(folder.parent)


def _read_origin(folder: Path) -> _Origin | None:
    try:
        read = json.loads((folder / _ORIGIN).read_text())
    except OSError as error:
        if error.errno != ENOENT:
            raise
        return None
    return _Origin(Path(os.fsdecode(bytes.fromhex(read["path"]))), crosses=bool(read["crosses"]))
