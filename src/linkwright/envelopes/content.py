"""Reads the content of the files in an Envelope piece by piece, and holds it to what the zip's directory claims.

Owns unpacking (Deflate, gzip) with bounded memory: at most two pieces of CHUNK_BYTES at a time, whatever a stream
unpacks to. It writes nothing. zipfile's own reader is not used: it cuts content off at the claimed size without a
word, so that two programs could read different content from one Envelope.
"""

import io
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from linkwright.envelopes.corruption import CorruptReason, shown
from linkwright.envelopes.directory import Entry, too_compressed, too_large
from linkwright.envelopes.gunzip import GZIP_MAGIC, BrokenGzipError, gunzip
from linkwright.envelopes.limits import CHUNK_BYTES, PackageLimits
from linkwright.envelopes.package_file import PackageFile

_RAW_DEFLATE = -zlib.MAX_WBITS


def entry_chunks(file: PackageFile, entry: Entry) -> Iterator[bytes]:
    """Yield the content of a file as it was put into the zip, in pieces of up to CHUNK_BYTES.

    Never yields more than the directory claims. The last checks come after the last piece: who stops early has
    not verified the content.

    Raises:
        CorruptEnvelopeError: DAMAGED, if the content is not what the directory claims: size, CRC, compression.
    """
    crc32 = 0
    size_bytes = 0
    for chunk in _inflated(file, entry) if entry.is_deflated else _stored(file, entry):
        size_bytes += len(chunk)
        if size_bytes > entry.size_bytes:
            break
        crc32 = zlib.crc32(chunk, crc32)
        yield chunk
    if size_bytes != entry.size_bytes:
        found = f"over {entry.size_bytes:,}" if size_bytes > entry.size_bytes else f"{size_bytes:,}"
        raise file.damaged(f"{shown(entry.name)} has {found} bytes, but the directory says {entry.size_bytes:,}.")
    if crc32 != entry.crc32:
        raise file.damaged(
            f"{shown(entry.name)} has the CRC-32 {crc32:08x}, but the directory says {entry.crc32:08x}."
        )


def unpacked_chunks(
    file: PackageFile, entry: Entry, chunks: Iterable[bytes], limits: PackageLimits, used_bytes: int = 0
) -> Iterator[bytes]:
    """Yield a data file's content with gzip taken off, if the first bytes say that it is gzip; else as it is.

    `chunks` are the entry's content as `entry_chunks` yields it, wrapped or not; they are read to their end.
    `used_bytes` of the size limit are taken by the Envelope's other files.

    Raises:
        CorruptEnvelopeError: DAMAGED, if the gzip is; TOO_COMPRESSED or TOO_LARGE, if it unpacks to too much.
    """
    pieces = iter(chunks)
    head = b""
    for chunk in pieces:
        head += chunk
        if len(head) >= len(GZIP_MAGIC):
            break
    whole = chain([head] if head else [], pieces)
    if not head.startswith(GZIP_MAGIC):
        yield from whole
        return
    size_bytes = 0
    allowed_bytes = limits.unpacked_bytes_allowed(entry.packed_bytes)
    try:
        for chunk in gunzip(whole):
            size_bytes += len(chunk)
            if size_bytes > allowed_bytes:
                raise too_compressed(file, entry.name, size_bytes, entry.packed_bytes, limits)
            if used_bytes + size_bytes > limits.max_size_bytes:
                what = f"with {shown(entry.name)} unpacked, its files have"
                raise too_large(file, what, used_bytes + size_bytes, limits)
            yield chunk
    except BrokenGzipError as error:
        raise file.corrupt(
            CorruptReason.DAMAGED,
            f"{shown(entry.name)} begins like gzip, but cannot be unpacked ({error}). Compress the file again, "
            "and pack the Envelope again.",
        ) from error


class ChunkStream(io.RawIOBase):
    """A readable binary stream over pieces of bytes. An error of the pieces comes again at each later read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = memoryview(b"")
        self._failure: Exception | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if self._failure is not None:
            # the generator behind is finished by its error, and would look like a regular end
            raise self._failure
        try:
            while not self._rest:
                self._rest = memoryview(next(self._chunks))
        except StopIteration:
            return 0
        except Exception as error:
            self._failure = error
            raise
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _stored(file: PackageFile, entry: Entry) -> Iterator[bytes]:
    offset = entry.data_offset
    end = offset + entry.packed_bytes
    while offset < end:
        chunk = file.read_at(offset, min(CHUNK_BYTES, end - offset))
        if not chunk:
            raise file.damaged(f"{shown(entry.name)} ends early: the file has become shorter.")
        offset += len(chunk)
        yield chunk


def _inflated(file: PackageFile, entry: Entry) -> Iterator[bytes]:
    if entry.packed_bytes == 0:
        # some writers mark an empty file as compressed and write nothing for it
        return
    inflate = zlib.decompressobj(_RAW_DEFLATE)
    packed = _stored(file, entry)
    pending = b""
    while not inflate.eof:
        pending = pending or next(packed, b"")
        try:
            chunk = inflate.decompress(pending, CHUNK_BYTES)
        except zlib.error as error:
            raise file.damaged(f"{shown(entry.name)} cannot be unpacked ({error}).") from error
        if not pending and not chunk and not inflate.eof:
            raise file.damaged(f"{shown(entry.name)} ends in the middle of its compressed content.")
        pending = inflate.unconsumed_tail
        if chunk:
            yield chunk
    if inflate.unused_data or next(packed, b""):
        raise file.damaged(f"{shown(entry.name)} has more bytes behind the end of its compressed content.")
