"""Envelopes that would cost too much: refused before, or while, they cost it."""

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from linkwright.envelopes.corruption import CorruptEnvelopeError, CorruptReason
from linkwright.envelopes.limits import MAX_FILES_COUNT, MAX_MANIFEST_BYTES, PackageLimits
from linkwright.envelopes.package import examine_package, verify_package
from tests.unit.envelopes.crafting import (
    LIMITS,
    MIB,
    Refuse,
    craft_zip,
    deflated,
    envelope_of,
    expect,
    gzipped,
)


def test_a_manifest_over_its_bound_is_refused_unread(refused: Refuse) -> None:
    content = os.urandom(MAX_MANIFEST_BYTES + 1)
    error = refused(craft_zip([{"name": b"manifest.xml", "content": content, "crc32": zlib.crc32(content) ^ 1}]))
    expect(error, CorruptReason.TOO_LARGE, "manifest.xml has 4.0 MiB (4,194,305 bytes); at most 4.0 MiB")


def test_a_zip_over_the_size_limit_is_refused(refused: Refuse) -> None:
    content = envelope_of({"births.csv": os.urandom(5_000)})
    error = refused(content, limits=PackageLimits(5_000, 200))
    expect(error, CorruptReason.TOO_LARGE, "the zip has 5.", "at most 4.9 KiB (5,000 bytes) are allowed")
    assert "(setting Envelope.MaxSizeMiB). Split the data over several Envelopes, or ask" in str(error)


def test_files_that_unpack_to_more_than_the_size_limit_are_refused(refused: Refuse) -> None:
    error = refused(
        envelope_of({"a.csv": b"a" * 900_000, "b.csv": b"b" * 900_000}), limits=PackageLimits(MIB, 200)
    )
    expect(error, CorruptReason.TOO_LARGE, "its files have, unpacked, 1.7 MiB", "at most 1.0 MiB")


def test_a_gzip_that_unpacks_to_more_than_the_size_limit_is_refused(refused: Refuse) -> None:
    content = envelope_of({"a.csv": b"a" * 600_000, "b.csv": gzipped(b"b" * 600_000)})
    error = refused(content, limits=PackageLimits(MIB, 2000), examined=False)
    expect(
        error, CorruptReason.TOO_LARGE, "with 'b.csv' unpacked, its files have 1.1 MiB", "or more; at most 1.0 MiB"
    )


def test_several_gzips_that_unpack_to_more_than_the_size_limit_together_are_refused(refused: Refuse) -> None:
    packed = gzipped(b"b" * 600_000)
    error = refused(
        envelope_of({"a.csv": packed, "b.csv": packed}), limits=PackageLimits(MIB, 2000), examined=False
    )
    expect(error, CorruptReason.TOO_LARGE, "with 'b.csv' unpacked, its files have")


def test_a_file_over_the_compression_ratio_is_refused(refused: Refuse) -> None:
    error = refused(envelope_of({"births.csv": b"0" * (8 * MIB)}))
    expect(
        error, CorruptReason.TOO_COMPRESSED, "'births.csv' unpacks from 8.", "to 8.0 MiB (8,388,608 bytes) or more"
    )
    assert "at most 200 times is allowed (setting Envelope.MaxCompressionRatio)" in str(error)


def test_a_gzip_bomb_is_refused_and_not_unpacked_to_its_end(refused: Refuse) -> None:
    bomb = gzipped(b"0" * (40 * MIB))
    error = refused(envelope_of({"births.csv": bomb}, zipfile.ZIP_STORED), examined=False)
    expect(error, CorruptReason.TOO_COMPRESSED, "'births.csv' unpacks from 39.8 KiB", "to 8.0 MiB")


def test_a_gzip_bomb_inside_a_compressed_entry_is_measured_by_its_bytes_in_the_zip(refused: Refuse) -> None:
    bomb = gzipped(b"0" * (40 * MIB))
    error = refused(envelope_of({"births.csv": bomb}), examined=False)
    packed_bytes = len(deflated(bomb))
    assert packed_bytes < len(bomb) // 2
    expect(error, CorruptReason.TOO_COMPRESSED, f"unpacks from {packed_bytes:,} bytes to 1.")


def test_little_content_may_be_highly_compressed(tmp_path: Path) -> None:
    path = tmp_path / "births.zip"
    path.write_bytes(envelope_of({"births.csv": b"0" * MIB}))
    assert verify_package(path, LIMITS).data_files[0].size_bytes == MIB


def test_too_many_files_are_refused(refused: Refuse) -> None:
    error = refused(craft_zip([{"name": b"%d" % number, "content": b""} for number in range(MAX_FILES_COUNT + 2)]))
    expect(error, CorruptReason.TOO_LARGE, "it holds 2,002 files; at most 2,001 are allowed")


def test_a_directory_that_claims_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "births.zip"
    directory_bytes = 3 * 1024 * MIB
    with path.open("wb") as file:
        file.truncate(directory_bytes)
        file.seek(0, io.SEEK_END)
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, directory_bytes, 0, 0))
    with pytest.raises(CorruptEnvelopeError) as caught:
        examine_package(path, PackageLimits(2**40, 200))
    expect(caught.value, CorruptReason.TOO_LARGE, "the directory of the zip has 3.0 GiB", "at most 4.0 MiB")
