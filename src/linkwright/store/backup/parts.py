"""Writes and checks the single files of a backup: counted and hashed as they pass, synced when they are whole."""

import gzip
import hashlib
import io
import json
import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, time
from pathlib import Path, PurePosixPath
from typing import IO, Any

from linkwright.errors import LinkwrightError
from linkwright.store.backup.manifest import WrittenPart

COPY_BYTES = 1024 * 1024
# the quickest one: rows shrink to a seventh by it, and to an eighth by the strongest
_COMPRESS_LEVEL = 1


class SourceFileError(LinkwrightError):
    """A file that is to be copied cannot be read to its end."""


def _plain(value: object) -> str:
    """Return the text of a value that JSON does not know; every field of the models reads it back."""
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return b64encode(value).decode()
    return str(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain)


class _Hashed(io.RawIOBase):
    """A new file, readable by its owner alone, that counts and hashes what is written to it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._stream = os.fdopen(descriptor, "wb")
        self.digest, self.bytes_count = hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._stream.write(data)
        self.digest.update(data)
        self.bytes_count += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            with self._stream:
                self._stream.flush()
                os.fsync(self._stream.fileno())
        super().close()

    def as_part(self, name: str) -> WrittenPart:
        return WrittenPart(name=name, bytes_count=self.bytes_count, sha256=self.digest.hexdigest())


class LinesFile:
    """A file of JSON lines that is being written. Use `write_lines`."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self.lines_count = 0
        self.part: WrittenPart | None = None

    def add(self, value: Any) -> None:
        """Write one line; times become ISO 8601, bytes Base64, other values their text."""
        self._stream.write(_ENCODER.encode(value).encode() + b"\n")
        self.lines_count += 1

    @property
    def written(self) -> WrittenPart:
        """The whole file, once it is closed."""
        if self.part is None:
            raise ValueError("the file is still being written")
        return self.part


@contextmanager
def write_lines(folder: Path, name: str) -> Iterator[LinesFile]:
    """Write a compressed file of JSON lines; its `written` is there afterwards.

    Raises:
        OSError: if the disk is full or the folder cannot be written.
    """
    raw = _Hashed(folder / name)
    try:
        with gzip.GzipFile(filename="", mode="wb", compresslevel=_COMPRESS_LEVEL, fileobj=raw, mtime=0) as packed:
            lines = LinesFile(packed)
            yield lines
    finally:
        raw.close()
    lines.part = raw.as_part(name)


def read_raw_lines(path: Path) -> Iterator[bytes]:
    """Return the lines of a compressed file of JSON lines, as they are written."""
    with gzip.open(path, "rb") as stream:
        yield from stream


def read_lines(path: Path) -> Iterator[Any]:
    """Return the values of a compressed file of JSON lines."""
    return map(json.loads, read_raw_lines(path))


def copy_file(source: Path, target: Path, name: str, advance: Callable[[int], None]) -> WrittenPart:
    """Copy a file, synced to disk; `name` is what the part is called.

    `advance` is called with the bytes since its last call.

    Raises:
        FileNotFoundError: if the source is not there; nothing is written then.
        SourceFileError: if it cannot be read to its end.
        OSError: if the target cannot be written.
    """
    reading = source.open("rb")
    raw = _Hashed(target)
    try:
        while chunk := _read(reading):
            raw.write(chunk)
            advance(len(chunk))
    finally:
        reading.close()
        raw.close()
    return raw.as_part(name)


def _read(stream: IO[bytes]) -> bytes:
    try:
        return stream.read(COPY_BYTES)
    except OSError as error:
        raise SourceFileError(
            f"{stream.name} cannot be read to its end ({error.strerror}). Check the disk that it lies on."
        ) from error


def make_folder(folder: Path) -> None:
    """Make a folder with all above it that are not there, readable by their owner alone."""
    for one in reversed([folder, *folder.parents]):
        # `parents=True` would make those above readable by everybody
        if not one.is_dir():
            one.mkdir(mode=0o700, exist_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a small file, synced to disk."""
    raw = _Hashed(path)
    try:
        raw.write(text.encode())
    finally:
        raw.close()


def fault_of(backup: Path, part: WrittenPart) -> str:
    """Say what is wrong with one file of a backup, or ''. Follows no link out of the backup."""
    path = backup / PurePosixPath(part.name)
    if not path.is_file() or not path.resolve().is_relative_to(backup.resolve()):
        return f"{part.name} is not there."
    size = path.stat().st_size
    if size != part.bytes_count:
        return f"{part.name} has {size:,} bytes, but had {part.bytes_count:,} when it was written."
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(COPY_BYTES):
                digest.update(chunk)
    except OSError as error:
        return f"{part.name} cannot be read ({error.strerror})."
    return "" if digest.hexdigest() == part.sha256 else f"{part.name} has another content than was written."
