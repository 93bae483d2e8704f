"""Reads and checks the directory of an Envelope's zip: what lies in it, where, and how large.

Reads the directory and the entries' headers only, never content: that is content.py's. Everything that a hostile
directory can say is refused here, so that the files above may trust an Entry. Source: SPEC section 2; the zip
format as in PKWARE's APPNOTE 6.3.10.
"""

import stat
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from linkwright.envelopes.corruption import (
    CorruptEnvelopeError,
    CorruptReason,
    Fault,
    bytes_text,
    shown,
)
from linkwright.envelopes.limits import MAX_FILES_COUNT, PackageLimits
from linkwright.envelopes.names import names_faults
from linkwright.envelopes.package_file import PackageFile

# signature, version, flags, method, time and sizes (the directory has them), length of name, of extra field
_LOCAL_HEADER = struct.Struct("<4s2xHH16xHH")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_END_SIGNATURE = b"PK\x05\x06"
_ZIP_STARTS = (_LOCAL_SIGNATURE, _END_SIGNATURE, b"PK\x07\x08")
# the end record and the longest comment behind it
_TAIL_BYTES = 22 + 65_535
# encrypted, strongly encrypted, directory encrypted
_ENCRYPTED_FLAGS = 0x0001 | 0x0040 | 0x2000
_UTF8_FLAG = 0x0800
_AES_METHOD = 99
_METHOD_NAMES = {1: "Shrink", 6: "Implode", 9: "Deflate64", 12: "BZip2", 14: "LZMA", 93: "Zstandard", 95: "XZ"}
_OTHER_STARTS = (
    (b"\x1f\x8b", "a gzip file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"PAR1", "a Parquet file"),
    (b"<?xml", "an XML file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
)
# What zipfile raises on hostile bytes. OSError is a seek to nowhere: a failed read is a PackageAccessError.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    struct.error,
    RuntimeError,
    EOFError,
    ValueError,
    OverflowError,
    OSError,
    Warning,
)


@dataclass(frozen=True)
class Entry:
    """One file in the zip, its place and sizes checked against the zip's real length and the limits.

    `packed_bytes` lie from `data_offset` on, shared with no other entry; they should unpack to `size_bytes`.
    """

    name: str
    header_offset: int
    data_offset: int
    packed_bytes: int
    size_bytes: int
    crc32: int
    is_deflated: bool


def read_directory(file: PackageFile, limits: PackageLimits) -> tuple[Entry, ...]:
    """Return the files in the zip in its order; folders are left out (but not if they claim to have content).

    Costs milliseconds whatever the Envelope's size.

    Raises:
        CorruptEnvelopeError: not a zip, damaged, encrypted, too large, too many files, too compressed, a name
            that is not allowed or occurs twice, a link, an unsupported compression, overlapping entries.
    """
    if file.package_bytes > limits.max_size_bytes:
        raise too_large(file, "the zip has", file.package_bytes, limits)
    infos, directory_offset = _read_infos(file)
    # one more for the manifest
    if len(infos) > MAX_FILES_COUNT + 1:
        raise file.corrupt(
            CorruptReason.TOO_LARGE,
            f"it holds {len(infos):,} files; at most {MAX_FILES_COUNT + 1:,} are allowed, the manifest included. "
            "Split the data over several Envelopes.",
        )
    _check_encryption(file, infos)
    _check_names(file, infos)
    _check_methods(file, infos)
    _check_sizes(file, infos, limits)
    entries = [_locate(file, info, directory_offset) for info in infos]
    _check_overlap(file, entries)
    return tuple(entry for entry in entries if entry.size_bytes > 0 or not entry.name.endswith("/"))


def read_names(file: PackageFile) -> frozenset[str]:
    """Return the names in the zip as they stand, unchecked.

    Raises:
        CorruptEnvelopeError: not a zip, or one whose directory is absent or cannot be read.
    """
    return frozenset(info.orig_filename for info in _read_infos(file)[0])


def _read_infos(file: PackageFile) -> tuple[list[zipfile.ZipInfo], int]:
    """Return the directory's entries as zipfile reads them, and the offset where the directory begins."""
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.infolist(), archive.start_dir
    except _ZIP_ERRORS as error:
        raise _not_read(file, str(error)) from error


def _not_read(file: PackageFile, detail: str) -> CorruptEnvelopeError:
    """Return why zipfile did not take the file: something else than a zip, or a damaged one."""
    head = file.read_at(0, 8)
    if not head:
        return file.corrupt(CorruptReason.NOT_A_ZIP, "the file is empty (0 bytes). Copy or send it again.")
    tail = file.read_at(max(0, file.package_bytes - _TAIL_BYTES), _TAIL_BYTES)
    if head.startswith(_ZIP_STARTS) and _END_SIGNATURE not in tail:
        return file.damaged("it begins like a zip, but the directory at its end is missing: it was cut short.")
    if _END_SIGNATURE in tail:
        return file.damaged(f"the directory of the zip cannot be read ({detail}).")
    looks = next((f"; it looks like {name}" for start, name in _OTHER_STARTS if head.startswith(start)), "")
    return file.corrupt(
        CorruptReason.NOT_A_ZIP,
        f"this is not a zip file{looks}. An Envelope is a zip with a manifest.xml and its data files; "
        "`linkwright build` makes one.",
    )


def _check_encryption(file: PackageFile, infos: Sequence[zipfile.ZipInfo]) -> None:
    for info in infos:
        if info.flag_bits & _ENCRYPTED_FLAGS or info.compress_type == _AES_METHOD:
            raise _encrypted(file, info.orig_filename)


def _encrypted(file: PackageFile, name: str) -> CorruptEnvelopeError:
    return file.corrupt(
        CorruptReason.ENCRYPTED,
        f"{shown(name)} is encrypted. Pack the Envelope again without a password; protect it on its way by an "
        "encrypted connection.",
    )


def _check_names(file: PackageFile, infos: Sequence[zipfile.ZipInfo]) -> None:
    names = [info.orig_filename for info in infos]
    folders = [name for name in names if name.endswith("/")]
    faults = names_faults([name for name in names if not name.endswith("/")], folders)
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            what = "a symbolic link" if kind == stat.S_IFLNK else "a device or another special file"
            text = f"{shown(info.orig_filename)} is {what}. Pack the file itself in its place."
            faults.append(Fault(CorruptReason.UNSAFE_NAME, text))
    if faults:
        summary = "the zip holds files that cannot be accepted."
        raise CorruptEnvelopeError.of_faults(summary, faults, CorruptReason.UNSAFE_NAME).inside(file.package_name)


def _check_methods(file: PackageFile, infos: Sequence[zipfile.ZipInfo]) -> None:
    for info in infos:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            name = _METHOD_NAMES.get(info.compress_type, "unknown")
            raise file.corrupt(
                CorruptReason.UNSUPPORTED_COMPRESSION,
                f"{shown(info.orig_filename)} is compressed by method {info.compress_type} ({name}); allowed are "
                "0 (none) and 8 (Deflate). Pack it again with Deflate, for instance by `linkwright build`; some "
                "programs choose Deflate64 by themselves for files over 2 GiB.",
            )


def _check_sizes(file: PackageFile, infos: Sequence[zipfile.ZipInfo], limits: PackageLimits) -> None:
    """Refuse by the sizes that the directory claims; content.py holds the content to these claims."""
    for info in infos:
        if info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size:
            raise file.damaged(
                f"{shown(info.orig_filename)} is not compressed, yet has two sizes in the directory, "
                f"{info.compress_size:,} and {info.file_size:,} bytes."
            )
        if info.file_size > limits.unpacked_bytes_allowed(info.compress_size):
            raise too_compressed(file, info.orig_filename, info.file_size, info.compress_size, limits)
    total_bytes = sum(info.file_size for info in infos)
    if total_bytes > limits.max_size_bytes:
        raise too_large(file, "its files have, unpacked,", total_bytes, limits)


def too_large(file: PackageFile, what: str, size_bytes: int, limits: PackageLimits) -> CorruptEnvelopeError:
    """Return the error that the zip or its files have `size_bytes` or more, over the limit."""
    return file.corrupt(
        CorruptReason.TOO_LARGE,
        f"{what} {bytes_text(size_bytes)} or more; at most {bytes_text(limits.max_size_bytes)} are allowed "
        "(setting Envelope.MaxSizeMiB). Split the data over several Envelopes, or ask an administrator to "
        "raise the setting.",
    )


def too_compressed(
    file: PackageFile, name: str, size_bytes: int, packed_bytes: int, limits: PackageLimits
) -> CorruptEnvelopeError:
    """Return the error that a file unpacks to `size_bytes` or more from too few `packed_bytes`."""
    ratio = size_bytes / max(1, packed_bytes)
    return file.corrupt(
        CorruptReason.TOO_COMPRESSED,
        f"{shown(name)} unpacks from {bytes_text(packed_bytes)} to {bytes_text(size_bytes)} or more, "
        f"{ratio:,.0f} times its size; at most {limits.max_compression_ratio:,.0f} times is allowed (setting "
        "Envelope.MaxCompressionRatio), because such files are made to fill a server's disk. If the data is "
        "genuine, ask an administrator to raise the setting.",
    )


def _locate(file: PackageFile, info: zipfile.ZipInfo, directory_offset: int) -> Entry:
    """Return the entry of a directory record, after comparing it with the header before its content."""
    name = shown(info.orig_filename)
    if not 0 <= info.header_offset <= directory_offset - _LOCAL_HEADER.size:
        raise file.damaged(f"the directory places {name} outside the zip.")
    header = file.read_at(info.header_offset, _LOCAL_HEADER.size)
    if len(header) != _LOCAL_HEADER.size:
        raise file.damaged(f"{name} is cut off.")
    signature, flags, method, name_bytes_count, extra_bytes_count = _LOCAL_HEADER.unpack(header)
    name_bytes = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8_FLAG else "cp437")
    found_name_bytes = file.read_at(info.header_offset + _LOCAL_HEADER.size, name_bytes_count)
    if signature != _LOCAL_SIGNATURE or found_name_bytes != name_bytes or method != info.compress_type:
        raise file.damaged(f"the directory and the header of {name} contradict each other.")
    if flags & _ENCRYPTED_FLAGS:
        raise _encrypted(file, info.orig_filename)
    data_offset = info.header_offset + _LOCAL_HEADER.size + name_bytes_count + extra_bytes_count
    if data_offset + info.compress_size > directory_offset:
        raise file.damaged(f"the content of {name} would run past the end of the zip.")
    return Entry(
        name=info.orig_filename,
        header_offset=info.header_offset,
        data_offset=data_offset,
        packed_bytes=info.compress_size,
        size_bytes=info.file_size,
        crc32=info.CRC,
        is_deflated=info.compress_type == zipfile.ZIP_DEFLATED,
    )


def _check_overlap(file: PackageFile, entries: Sequence[Entry]) -> None:
    """Refuse entries that share bytes: a small zip can claim petabytes by listing one content many times."""
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    for entry, following in pairwise(ordered):
        if entry.data_offset + entry.packed_bytes > following.header_offset:
            raise file.corrupt(
                CorruptReason.OVERLAPPING_ENTRIES,
                f"{shown(entry.name)} and {shown(following.name)} share bytes in the zip, which no zip program "
                "makes. Pack the Envelope again.",
            )
