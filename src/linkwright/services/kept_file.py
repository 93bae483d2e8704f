"""Brings a file into the folder of received Envelopes: by a copy, or by a rename that costs nothing.

Owns the bytes: whole, synced and with their SHA-256. What is in them, and the database, are the affair of others.
"""

import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from errno import EXDEV
from pathlib import Path

from linkwright.config import ServerConfig
from linkwright.disk import sync
from linkwright.errors import LinkwrightError

PIECE_BYTES = 1024 * 1024


class ReceiveError(LinkwrightError):
    """The file could not be taken in; nothing was queued and nothing was kept."""


@dataclass(frozen=True)
class KeptFile:
    """A file in the folder of received Envelopes, which no row names yet."""

    path: Path
    size_bytes: int
    sha256: str


def _go_on() -> None:
    """Interrupt nothing."""


def new_file_name() -> str:
    """Return a name for a received Envelope that no other has."""
    return f"{secrets.token_hex(16)}.zip"


def keep_copy(
    source: Path, config: ServerConfig, file_name: str = "", *, go_on: Callable[[], None] = _go_on
) -> KeptFile:
    """Copy `source` to the received Envelopes; it is left where it is.

    Args:
        source: a plain file.
        config: of this server.
        file_name: what it is kept as; a new name if empty.
        go_on: called between two pieces of a MiB; what it raises ends the copying, and nothing is left of it.

    Raises:
        ReceiveError: if it cannot be read or kept.
    """
    target = config.incoming_folder / (file_name or new_file_name())
    digest, size_bytes = hashlib.sha256(), 0
    try:
        with source.open("rb") as reading, target.open("xb") as writing:
            while chunk := reading.read(PIECE_BYTES):
                go_on()
                digest.update(chunk)
                size_bytes += len(chunk)
                writing.write(chunk)
            writing.flush()
            os.fsync(writing.fileno())
    except OSError as error:
        target.unlink(missing_ok=True)
        raise _not_taken(source, target, error) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return KeptFile(path=target, size_bytes=size_bytes, sha256=digest.hexdigest())


def keep_moved(
    source: Path, config: ServerConfig, file_name: str = "", *, go_on: Callable[[], None] = _go_on
) -> KeptFile:
    """Move `source` to the received Envelopes: a rename on one filesystem, else a copy; arguments as `keep_copy`.

    Until this returns, `source` is where it was.

    Raises:
        ReceiveError: if it cannot be read or kept.
    """
    target = config.incoming_folder / (file_name or new_file_name())
    try:
        size_bytes, sha256 = digest_of(source, go_on)
        try:
            source.rename(target)
        except OSError as error:
            if error.errno != EXDEV:
                raise
            kept = keep_copy(source, config, target.name, go_on=go_on)
            source.unlink(missing_ok=True)
            return kept
        sync(target.parent)
    except OSError as error:
        raise _not_taken(source, target, error) from error
    return KeptFile(path=target, size_bytes=size_bytes, sha256=sha256)


def give_back(kept: KeptFile, source: Path) -> None:
    """Put a file that was moved back to where it came from; on another filesystem it is gone."""
    with suppress(OSError):
        kept.path.rename(source)
    kept.path.unlink(missing_ok=True)


def digest_of(path: Path, go_on: Callable[[], None] = _go_on) -> tuple[int, str]:
    """Read a file piece by piece; returns its size in bytes and its SHA-256, once its content is on disk.

    Raises:
        OSError: if it cannot be read.
    """
    digest, size_bytes = hashlib.sha256(), 0
    with path.open("rb") as reading:
        while chunk := reading.read(PIECE_BYTES):
            go_on()
            digest.update(chunk)
            size_bytes += len(chunk)
        os.fsync(reading.fileno())
    return size_bytes, digest.hexdigest()


def _not_taken(source: Path, target: Path, error: OSError) -> ReceiveError:
    return ReceiveError(
        f"{source.name} could not be taken in: {error.strerror} ({error.filename or target.parent}). "
        "Check that the file is there and that the data folder has room, then send it again."
    )
