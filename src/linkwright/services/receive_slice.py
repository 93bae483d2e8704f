"""Takes one slice of a file that is on its way in: whole, at the offset that is expected, within a bounded time.

The server has few threads, and a sender may crawl or stall for ever. So the body is read by a thread of its own,
which a sender that is too slow may keep; the server's thread goes back to other people's pages. And only some of
the server's threads take slices at the same time. Source: docs/decisions/0027.
"""

import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from linkwright.config import ServerConfig
from linkwright.services.kept_file import ReceiveError
from linkwright.services.upload_errors import (
    SliceBrokenError,
    SliceTooLargeError,
    SliceTooSlowError,
    UploadCrowdedError,
    UploadOffsetError,
    UploadUnfitError,
)
from linkwright.services.upload_folder import Upload, find_upload, locked, write_about
from linkwright.store.audit_log import Actor

SLICE_LIMIT_BYTES = 16 * 1024 * 1024
SLICE_WITHIN_S = 30.0
# of the four threads that the server has (cli/serving.py): the others answer pages
SLICES_AT_ONCE = 2
# threads that wait for senders who were given up; each ends with its connection
_READERS_AT_MOST = 64
# small, so that a slow sender's bytes are seen as they come
_PIECE_BYTES = 16 * 1024
_PIECES_WAITING = 64
_slots = threading.BoundedSemaphore(SLICES_AT_ONCE)
_readers = threading.BoundedSemaphore(_READERS_AT_MOST)


@dataclass(frozen=True)
class Slice:
    """A part of a file, as a request brings it.

    Args:
        offset_bytes: where in the file it begins.
        size_bytes: as announced.
        read: gives the next bytes, at most so many, and b'' at the end.
        sha256: of the slice in hexadecimal digits; if given, it must be right.
    """

    offset_bytes: int
    size_bytes: int
    read: Callable[[int], bytes]
    sha256: str = ""


def receive_slice(upload_id: str, piece: Slice, actor: Actor, config: ServerConfig) -> Upload:
    """Add a slice to an upload; it is on disk when this returns. If this raises, nothing of it is kept.

    Raises:
        SubmitRefusedError, UploadGoneError: as `find_upload`.
        UploadOffsetError: if another offset is expected; it says which.
        UploadUnfitError, SliceTooLargeError: if it is empty, ends behind the file, or is too large for a slice.
        UploadBusyError, UploadCrowdedError: if it may be sent again in a moment.
        SliceBrokenError, SliceTooSlowError: if it came short, too slowly, or changed on the way.
        ReceiveError: if the disk is full.
    """
    upload = find_upload(upload_id, actor, config)
    with _slot(upload), locked(upload) as current:
        _demand_fit(current, piece)
        _append(current, piece)
        about = replace(current.about, offset_bytes=current.about.offset_bytes + piece.size_bytes)
        write_about(current.folder, about)
        return replace(current, about=about)


def _demand_fit(upload: Upload, piece: Slice) -> None:
    expected, size_bytes = upload.about.offset_bytes, upload.about.size_bytes
    if piece.offset_bytes != expected:
        raise UploadOffsetError(
            f"The slice begins at byte {piece.offset_bytes:,}, but byte {expected:,} is expected. Go on "
            "from there.",
            expected,
        )
    if piece.size_bytes < 1:
        raise UploadUnfitError("The slice is empty (0 bytes). Send the bytes from the offset on.", expected)
    if piece.size_bytes > size_bytes - expected:
        raise UploadUnfitError(
            f"The slice ends at byte {expected + piece.size_bytes:,}, but the file was announced with "
            f"{size_bytes:,}. Begin a new upload with the right size.",
            expected,
        )
    if piece.size_bytes > SLICE_LIMIT_BYTES:
        raise SliceTooLargeError(
            f"The slice has {piece.size_bytes:,} bytes; at most {SLICE_LIMIT_BYTES:,} are allowed. Send smaller "
            "ones.",
            expected,
        )


def _append(upload: Upload, piece: Slice) -> None:
    start, digest, came_bytes = upload.about.offset_bytes, hashlib.sha256(), 0
    try:
        with upload.data.open("r+b") as stream:
            # what a request that was killed has left behind the part that counts
            stream.truncate(start)
            stream.seek(start)
            try:
                for part in _parts(piece, start):
                    stream.write(part)
                    digest.update(part)
                    came_bytes += len(part)
                _demand_whole(piece, came_bytes, digest.hexdigest(), start)
                stream.flush()
                os.fsync(stream.fileno())
            except BaseException:
                with suppress(OSError):
                    stream.truncate(start)
                raise
    except OSError as error:
        raise ReceiveError(
            f"The slice could not be stored: {error.strerror}. Have room made in the data folder, and send it "
            "again."
        ) from error


def _demand_whole(piece: Slice, came_bytes: int, sha256: str, start: int) -> None:
    if came_bytes != piece.size_bytes:
        raise SliceBrokenError(
            f"The slice broke off: {piece.size_bytes:,} bytes were announced, {came_bytes:,} came. Send it again.",
            start,
        )
    if piece.sha256 and piece.sha256.lower() != sha256:
        raise SliceBrokenError(
            f"The slice has the SHA-256 {sha256}, but {piece.sha256.lower()} was announced. Send it again.", start
        )


def _parts(piece: Slice, start: int) -> Iterator[bytes]:
    """Give the slice in small parts, until it is whole, ends early, or takes too long."""
    arrived: queue.Queue[bytes] = queue.Queue(_PIECES_WAITING)
    given_up = threading.Event()
    if not _readers.acquire(blocking=False):
        raise _crowded(start)
    # a daemon: a sender that stalls must not keep the server from ending
    threading.Thread(target=_pull, args=(piece, arrived, given_up), daemon=True).start()
    deadline_s = time.monotonic() + SLICE_WITHIN_S
    try:
        while part := arrived.get(timeout=max(0.0, deadline_s - time.monotonic())):
            yield part
    except queue.Empty as error:
        raise SliceTooSlowError(
            f"The slice of {piece.size_bytes:,} bytes did not come within {SLICE_WITHIN_S:.0f} seconds. Send a "
            "smaller one.",
            start,
        ) from error
    finally:
        given_up.set()


def _pull(piece: Slice, arrived: "queue.Queue[bytes]", given_up: threading.Event) -> None:
    """Read the body, and end it with b''; a connection that breaks is an early end."""
    left_bytes, part = piece.size_bytes, b"-"
    try:
        while part and not given_up.is_set():
            part = b""
            with suppress(OSError, ValueError):
                part = piece.read(min(left_bytes, _PIECE_BYTES)) if left_bytes else b""
            left_bytes -= len(part)
            _put(part, arrived, given_up)
    finally:
        _readers.release()


def _put(part: bytes, arrived: "queue.Queue[bytes]", given_up: threading.Event) -> None:
    while not given_up.is_set():
        with suppress(queue.Full):
            arrived.put(part, timeout=1.0)
            return


@contextmanager
def _slot(upload: Upload) -> Iterator[None]:
    if not _slots.acquire(blocking=False):
        raise _crowded(upload.about.offset_bytes)
    try:
        yield
    finally:
        _slots.release()


def _crowded(offset_bytes: int) -> UploadCrowdedError:
    return UploadCrowdedError(
        "Too many uploads arrive at this moment. Send the slice again in a second.", offset_bytes
    )
