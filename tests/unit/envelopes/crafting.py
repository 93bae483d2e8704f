"""Makes Envelopes for the tests of this room: good ones through zipfile, and crafted ones byte by byte."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from linkwright.envelopes.corruption import CorruptEnvelopeError, CorruptReason
from linkwright.envelopes.limits import PackageLimits
from linkwright.envelopes.manifest import DataFile, FileFormat, Manifest, RequestType, write_manifest

MIB = 1024 * 1024
LIMITS = PackageLimits(max_size_bytes=64 * MIB, max_compression_ratio=200)
BIRTHS = b"id,surname\nB1,Nguyen\nB2,Smith\n"

Refuse = Callable[..., CorruptEnvelopeError]

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")


def manifest_of(names: Sequence[str] | Mapping[str, str] = ("births.csv",)) -> bytes:
    """Return the XML of a linkage manifest for data files: names, or name → SHA-256."""
    checksums: dict[str, str | None] = dict(names) if isinstance(names, Mapping) else dict.fromkeys(names)
    files = tuple(DataFile(name, FileFormat.FLAT_FILE, "BIRTHS", checksum) for name, checksum in checksums.items())
    return write_manifest(Manifest("DEMO", "HOSPITAL", RequestType.SUBMIT_LINKAGE, len(files), files))


def zip_of(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of name → content, the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, method)
    return buffer.getvalue()


def envelope_of(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an Envelope of data files: name → content."""
    return zip_of({"manifest.xml": manifest_of(list(files)), **files}, method)


def craft_zip(entries: Sequence[Mapping[str, Any]], hole_bytes: int = 0) -> bytes:
    """Return a zip whose every field can lie, for a hole to be put in somewhere before its directory.

    An entry needs `name` (bytes) and `content`; it may set packed, method, flags, crc32, size_bytes, packed_bytes,
    mode, offset, and for the header before its content local_name, local_flags, local_method.
    """
    body = bytearray()
    directory = bytearray()
    for entry in entries:
        _append(body, directory, entry)
    end = _END.pack(b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), len(body) + hole_bytes, 0)
    return bytes(body + directory + end)


def _append(body: bytearray, directory: bytearray, entry: Mapping[str, Any]) -> None:
    name, content = entry["name"], entry["content"]
    packed = entry.get("packed", content)
    crc32 = entry.get("crc32", zlib.crc32(content))
    size_bytes, packed_bytes = entry.get("size_bytes", len(content)), entry.get("packed_bytes", len(packed))
    method, flags = entry.get("method", 0), entry.get("flags", 0)
    local_name = entry.get("local_name", name)
    local_flags, local_method = entry.get("local_flags", flags), entry.get("local_method", method)
    offset = entry.get("offset", len(body))
    sizes = (crc32, packed_bytes, size_bytes)
    body += _LOCAL.pack(b"PK\3\4", 20, local_flags, local_method, 0, 33, *sizes, len(local_name), 0)
    body += local_name + packed
    mode = entry.get("mode", 0o100644) << 16
    directory += _CENTRAL.pack(
        b"PK\1\2", 0x314, 20, flags, method, 0, 33, *sizes, len(name), 0, 0, 0, 0, mode, offset
    )
    directory += name


def gzipped(content: bytes, level: int = 9) -> bytes:
    """Return content as gzip, the same bytes each time."""
    return gzip.compress(content, level, mtime=0)


def deflated(content: bytes) -> bytes:
    """Return content compressed as in a zip."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


def expect(error: CorruptEnvelopeError, reason: CorruptReason, *messages: str) -> None:
    """Assert that an error has the reason, and holds every one of the messages."""
    assert error.reason is reason, str(error)
    for message in messages:
        assert message in str(error)
