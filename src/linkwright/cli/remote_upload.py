"""Sends an Envelope to another server: small ones by one request, others in slices that outlive a cut.

What the server has of a file is found again by its size and SHA-256: who runs the same command once more after a
cut goes on where it was, and nothing is kept on this side.
"""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from linkwright.cli.remote import RemoteCutError, RemoteError, RemoteOffsetError, RemoteServer

SLICE_BYTES = 8 * 1024 * 1024
# some three minutes in all
WAITS_S = (1, 2, 4, 8, 16, 30, 30, 30, 30, 30)

Say = Callable[[str], None]


def send_file(server: RemoteServer, file: Path, name: str, *, say: Say) -> Any:
    """Send an Envelope; returns it as the server shows it.

    Args:
        server: where to.
        file: the Envelope.
        name: what it is to be called; as the file if empty.
        say: is told of cuts and of what is resumed.

    Raises:
        RemoteError: if the file cannot be read, or the server stays away for minutes; what has come is kept there
            for a day.
        RemoteRefusedError: if the server refuses.
    """
    try:
        if file.stat().st_size <= SLICE_BYTES:
            return server.send_envelope(file, name)
        return _send_in_slices(server, file, name, say)
    except OSError as error:
        raise RemoteError(f"{file} cannot be read: {error.strerror}. Check the name and its rights.") from error


def _send_in_slices(server: RemoteServer, file: Path, name: str, say: Say) -> Any:
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        size_bytes = stream.tell()
        upload = _persistently(lambda: _open(server, file, name or file.stem, (size_bytes, sha256)), say)
        path, offset = f"/uploads/{upload['id']}", int(upload["offset_bytes"])
        if offset:
            say(f"{file.name}: {offset:,} of {size_bytes:,} bytes are there already. Going on from there.")
        while offset < size_bytes:
            stream.seek(offset)
            offset = _send_slice(server, path, stream.read(SLICE_BYTES), offset, say=say)
    return _persistently(lambda: server.post(f"{path}/finish", {"name": name}), say)


def _open(server: RemoteServer, file: Path, name: str, identity: tuple[int, str]) -> Any:
    """Return the upload of this very file that was broken off, or a new one."""
    for upload in server.get("/uploads")["items"]:
        if (upload["size_bytes"], upload["sha256"]) == identity:
            return upload
    size_bytes, sha256 = identity
    form = {"file_name": file.name, "name": name, "size_bytes": size_bytes, "sha256": sha256}
    return server.post("/uploads", form)


def _send_slice(server: RemoteServer, path: str, content: bytes, offset: int, *, say: Say) -> int:
    """Send the part at an offset; returns the next offset."""
    try:
        return int(_persistently(lambda: server.put_slice(path, content, offset), say)["offset_bytes"])
    except RemoteOffsetError as error:
        # the slice had come, and only its answer was lost
        if error.offset_bytes == offset:
            raise
        return error.offset_bytes


def _persistently(act: Callable[[], Any], say: Say) -> Any:
    for wait_s in WAITS_S:
        try:
            return act()
        except RemoteCutError as error:
            say(f"{error} Trying again in {wait_s} s.")
            time.sleep(wait_s)
    try:
        return act()
    except RemoteCutError as error:
        raise RemoteError(
            f"{error} What has come is kept there for a day: run the same command again, and it goes on from "
            "there."
        ) from error
