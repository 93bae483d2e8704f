"""Every case of the status Corrupt: found, told apart, and said so that the sender knows what to do."""

import hashlib
import os
import stat
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from linkwright.envelopes.content import entry_chunks
from linkwright.envelopes.corruption import CorruptEnvelopeError, CorruptReason, PackageAccessError
from linkwright.envelopes.directory import read_directory
from linkwright.envelopes.package import examine_package, verify_package
from linkwright.envelopes.package_file import PackageFile
from tests.unit.envelopes.crafting import (
    BIRTHS,
    LIMITS,
    MIB,
    Refuse,
    craft_zip,
    deflated,
    envelope_of,
    expect,
    gzipped,
    manifest_of,
    zip_of,
)

MANIFEST = {"name": b"manifest.xml", "content": manifest_of()}


def test_an_empty_file_is_not_a_zip(refused: Refuse) -> None:
    expect(refused(b""), CorruptReason.NOT_A_ZIP, "the file is empty (0 bytes). Copy or send it again.")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            BIRTHS,
            "this is not a zip file. An Envelope is a zip with a manifest.xml and its data files; `linkwright",
        ),
        (gzipped(BIRTHS), "this is not a zip file; it looks like a gzip file."),
        (b"7z\xbc\xaf\x27\x1c rest", "it looks like a 7z archive"),
        (manifest_of(), "it looks like an XML file"),
        (b"x", "this is not a zip file."),
    ],
    ids=["text", "gzip", "7z", "xml", "one byte"],
)
def test_another_file_is_not_a_zip(refused: Refuse, content: bytes, message: str) -> None:
    expect(refused(content), CorruptReason.NOT_A_ZIP, message)


def test_a_zip_that_was_cut_short_is_damaged(refused: Refuse) -> None:
    content = envelope_of({"births.csv": BIRTHS})
    message = "it begins like a zip, but the directory at its end is missing: it was cut short. The zip is damaged"
    expect(refused(content[: len(content) // 2]), CorruptReason.DAMAGED, message, "or copy it again.")


def test_a_zip_with_a_broken_directory_is_damaged(refused: Refuse) -> None:
    content = envelope_of({"births.csv": BIRTHS}).replace(b"PK\1\2", b"PK\1\xff")
    expect(refused(content), CorruptReason.DAMAGED, "the directory of the zip cannot be read (Bad magic number")


def test_a_zip_that_lost_its_beginning_is_damaged(refused: Refuse) -> None:
    content = envelope_of({"births.csv": BIRTHS})
    expect(refused(content[100:]), CorruptReason.DAMAGED, "the directory places 'manifest.xml' outside the zip")


def test_a_header_that_contradicts_the_directory_is_damage(refused: Refuse) -> None:
    entry: dict[str, Any] = {"name": b"births.csv", "content": BIRTHS, "local_name": b"deaths.csv"}
    message = "the directory and the header of 'births.csv' contradict each other."
    expect(refused(craft_zip([MANIFEST, entry])), CorruptReason.DAMAGED, message)
    entry = {"name": b"births.csv", "content": BIRTHS, "local_method": 8}
    expect(refused(craft_zip([MANIFEST, entry])), CorruptReason.DAMAGED, message)


def test_content_that_runs_into_the_directory_is_damage(refused: Refuse) -> None:
    entry = {"name": b"births.csv", "content": BIRTHS, "size_bytes": 99, "packed_bytes": 99}
    message = "the content of 'births.csv' would run past the end of the zip."
    expect(refused(craft_zip([MANIFEST, entry])), CorruptReason.DAMAGED, message)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_changed_byte_of_content_is_damage(refused: Refuse, method: int) -> None:
    packed = bytearray(deflated(BIRTHS) if method else BIRTHS)
    packed[20] ^= 1
    entry = {"name": b"births.csv", "content": BIRTHS, "packed": bytes(packed), "method": method}
    error = refused(craft_zip([MANIFEST, entry]), examined=False)
    expect(error, CorruptReason.DAMAGED, "'births.csv'", "The zip is damaged: pack it again, or copy it again.")


@pytest.mark.parametrize(
    ("packed", "size_bytes", "message"),
    [
        (deflated(BIRTHS), 10, "'births.csv' has over 10 bytes, but the directory says 10."),
        (deflated(BIRTHS), 99, "'births.csv' has 30 bytes, but the directory says 99."),
        (deflated(BIRTHS)[:-9], 30, "'births.csv' ends in the middle of its compressed content."),
        (deflated(BIRTHS) + b"xy", 30, "'births.csv' has more bytes behind the end of its compressed content."),
        (b"\xff" * 20, 30, "'births.csv' cannot be unpacked (Error -3 while decompressing data"),
    ],
    ids=["more", "less", "cut", "longer", "noise"],
)
def test_content_that_is_not_what_the_directory_says_is_damage(
    refused: Refuse, packed: bytes, size_bytes: int, message: str
) -> None:
    entry = {"name": b"births.csv", "content": BIRTHS, "packed": packed, "method": 8, "size_bytes": size_bytes}
    expect(refused(craft_zip([MANIFEST, entry]), examined=False), CorruptReason.DAMAGED, message)


def test_a_size_that_lies_even_with_a_matching_checksum_is_damage(refused: Refuse) -> None:
    lie = {"method": 8, "packed": deflated(BIRTHS), "size_bytes": 10, "crc32": zlib.crc32(BIRTHS[:10])}
    error = refused(craft_zip([MANIFEST, {"name": b"births.csv", "content": BIRTHS, **lie}]), examined=False)
    expect(error, CorruptReason.DAMAGED, "'births.csv' has over 10 bytes, but the directory says 10.")


def test_no_byte_beyond_the_claimed_size_is_given_out(tmp_path: Path) -> None:
    path = tmp_path / "births.zip"
    lie = {"method": 8, "packed": deflated(bytes(MIB)), "size_bytes": 300_000}
    path.write_bytes(craft_zip([MANIFEST, {"name": b"births.csv", "content": bytes(MIB), **lie}]))
    given: list[bytes] = []
    with PackageFile(path) as file:
        entry = read_directory(file, LIMITS)[1]
        with pytest.raises(CorruptEnvelopeError, match="has over 300,000 bytes"):
            given.extend(entry_chunks(file, entry))
    assert 0 < sum(map(len, given)) <= 300_000


def test_an_uncompressed_file_of_two_sizes_is_damage(refused: Refuse) -> None:
    entry = {"name": b"births.csv", "content": BIRTHS, "size_bytes": 5}
    message = "'births.csv' is not compressed, yet has two sizes in the directory, 30 and 5 bytes."
    expect(refused(craft_zip([MANIFEST, entry])), CorruptReason.DAMAGED, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzipped(BIRTHS)[:-10], "(it ends early)"),
        (gzipped(BIRTHS)[:-4] + b"\0\0\0\1", "(Error -3 while decompressing data: incorrect length check)"),
        (gzipped(BIRTHS) + b"garbage", "(Error -3 while decompressing data: incorrect header check)"),
        (b"\x1f\x8b", "(it ends early)"),
    ],
    ids=["cut", "changed", "garbage behind", "two bytes"],
)
def test_a_damaged_gzip_is_damage(refused: Refuse, content: bytes, message: str) -> None:
    error = refused(envelope_of({"births.csv": content}), examined=False)
    expect(error, CorruptReason.DAMAGED, "'births.csv' begins like gzip, but cannot be unpacked " + message)
    assert "Compress the file again, and pack the Envelope again." in str(error)


@pytest.mark.parametrize(
    "lie", [{"flags": 0x1}, {"flags": 0x41}, {"flags": 0x2000}, {"method": 99}, {"flags": 0, "local_flags": 1}]
)
def test_an_encrypted_file_is_refused_with_the_remedy(refused: Refuse, lie: dict[str, int]) -> None:
    error = refused(craft_zip([MANIFEST, {"name": b"births.csv", "content": BIRTHS, **lie}]))
    expect(error, CorruptReason.ENCRYPTED, "'births.csv' is encrypted. Pack the Envelope again without a password")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("births.csv", "Add one that lists the data files; `linkwright build` writes it by itself."),
        ("out/manifest.xml", "It lies in the folder 'out': pack the files, not their folder."),
        ("Manifest.XML", "There is 'Manifest.XML': write its name in lower case."),
    ],
)
def test_a_missing_manifest_is_told_with_a_hint(refused: Refuse, name: str, hint: str) -> None:
    error = refused(zip_of({name: manifest_of()}))
    expect(error, CorruptReason.NO_MANIFEST, "there is no manifest.xml at the top of the zip.", hint)


def test_an_unreadable_manifest_is_told_with_its_place(refused: Refuse) -> None:
    error = refused(zip_of({"manifest.xml": manifest_of()[:-9], "births.csv": BIRTHS}))
    expect(
        error, CorruptReason.UNREADABLE_MANIFEST, "births.zip: manifest.xml is not readable XML (line 12, column"
    )


def test_a_dtd_in_the_manifest_is_refused(refused: Refuse) -> None:
    xml = manifest_of().replace(b"<Manifest", b"<!DOCTYPE x><Manifest")
    expect(
        refused(zip_of({"manifest.xml": xml})), CorruptReason.FORBIDDEN_XML, "births.zip: manifest.xml holds a DTD"
    )


def test_all_listed_files_that_are_absent_are_named(refused: Refuse) -> None:
    names = ["births.csv", "deaths.csv", "more.csv"]
    error = refused(zip_of({"manifest.xml": manifest_of(names), "births.csv": BIRTHS, "Deaths.csv": BIRTHS}))
    expect(error, CorruptReason.FILE_ABSENT, "files that manifest.xml lists are not in the zip. Add them")
    assert error.faults == (
        "'deaths.csv' is not in the zip. The zip holds 'Deaths.csv': names must be equal, letter by letter.",
        "'more.csv' is not in the zip.",
    )


def test_a_folder_does_not_stand_for_a_listed_file(refused: Refuse) -> None:
    error = refused(zip_of({"manifest.xml": manifest_of(), "births.csv/": b""}))
    expect(error, CorruptReason.FILE_ABSENT, "'births.csv' is not in the zip.")


def test_a_folder_with_content_is_read_like_a_file(refused: Refuse) -> None:
    folder = {"name": b"data/", "content": BIRTHS, "crc32": 1}
    error = refused(craft_zip([MANIFEST, {"name": b"births.csv", "content": BIRTHS}, folder]), examined=False)
    expect(error, CorruptReason.DAMAGED, "'data/' has the CRC-32")


def test_a_wrong_count_is_told_with_both_numbers(refused: Refuse) -> None:
    xml = manifest_of().replace(b">1<", b">2<")
    error = refused(zip_of({"manifest.xml": xml, "births.csv": BIRTHS}))
    expect(error, CorruptReason.WRONG_COUNT, "NumberOfDataFiles says 2, but Data lists 1 files.")


def test_all_wrong_checksums_are_named(refused: Refuse) -> None:
    right, wrong = hashlib.sha256(BIRTHS).hexdigest(), "0" * 64
    xml = manifest_of({"a.csv": wrong, "b.csv": right, "c.csv": wrong})
    files = {"manifest.xml": xml, "a.csv": BIRTHS, "b.csv": BIRTHS, "c.csv": BIRTHS}
    error = refused(zip_of(files), examined=False)
    expect(error, CorruptReason.WRONG_CHECKSUM, "Have the Envelope packed and sent again.")
    assert error.faults == (
        f"'a.csv' has the SHA-256 {right}, but the manifest says {wrong}.",
        f"'c.csv' has the SHA-256 {right}, but the manifest says {wrong}.",
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (b"../births.csv", "The file name '../births.csv' leaves the folder by '..'."),
        (b"/births.csv", "The file name '/births.csv' is an absolute path."),
        (b"data\\births.csv", "The file name 'data\\\\births.csv' holds a backslash"),
        (b"C:births.csv", "The file name 'C:births.csv' names a drive."),
        (b"births.csv\0.txt", "The file name 'births.csv\\x00.txt' holds a NUL character."),
        (b"", "The file name '' is empty."),
        (b"../", "The file name '../' leaves the folder by '..'."),
    ],
    ids=["up", "absolute", "backslash", "drive", "nul", "empty", "folder"],
)
def test_a_name_that_leaves_the_folder_is_refused_even_if_it_is_not_listed(
    refused: Refuse, name: bytes, message: str
) -> None:
    good = {"name": b"births.csv", "content": BIRTHS}
    error = refused(craft_zip([MANIFEST, good, {"name": name, "content": b""}]))
    expect(error, CorruptReason.UNSAFE_NAME, message)


def test_a_symbolic_link_is_refused(refused: Refuse) -> None:
    entry = {"name": b"births.csv", "content": b"/etc/passwd", "mode": stat.S_IFLNK | 0o777}
    message = "'births.csv' is a symbolic link. Pack the file itself in its place."
    expect(refused(craft_zip([MANIFEST, entry])), CorruptReason.UNSAFE_NAME, message)


def test_a_name_that_occurs_twice_is_refused(refused: Refuse) -> None:
    entry = {"name": b"births.csv", "content": BIRTHS}
    message = "The file name 'births.csv' occurs twice."
    expect(refused(craft_zip([MANIFEST, entry, entry])), CorruptReason.DUPLICATE_NAME, message)


def test_a_name_that_is_not_utf8_though_marked_so_is_damage(refused: Refuse) -> None:
    entry = {"name": b"\xff\xfe.csv", "content": BIRTHS, "flags": 0x800}
    expect(refused(craft_zip([MANIFEST, entry])), CorruptReason.DAMAGED, "the directory of the zip cannot be read")


@pytest.mark.parametrize(("method", "name"), [(9, "Deflate64"), (12, "BZip2"), (14, "LZMA"), (77, "unknown")])
def test_an_unsupported_compression_is_refused_with_its_name(refused: Refuse, method: int, name: str) -> None:
    error = refused(craft_zip([MANIFEST, {"name": b"births.csv", "content": BIRTHS, "method": method}]))
    expect(error, CorruptReason.UNSUPPORTED_COMPRESSION, f"'births.csv' is compressed by method {method} ({name})")
    assert "Pack it again with Deflate" in str(error)


def test_entries_that_share_bytes_are_refused(refused: Refuse) -> None:
    inner = craft_zip([{"name": b"b.csv", "content": BIRTHS}])[: 30 + 5 + len(BIRTHS)]
    entries: list[dict[str, Any]] = [
        MANIFEST,
        {"name": b"a.csv", "content": inner},
        {"name": b"b.csv", "content": BIRTHS},
    ]
    start = craft_zip(entries).index(inner)
    entries[2] = {**entries[2], "offset": start}
    message = "'a.csv' and 'b.csv' share bytes in the zip, which no zip program makes."
    expect(refused(craft_zip(entries)), CorruptReason.OVERLAPPING_ENTRIES, message)


def test_a_file_that_is_gone_is_not_corrupt(tmp_path: Path) -> None:
    with pytest.raises(
        PackageAccessError, match=r"births\.zip cannot be read \(No such file or directory\)\. Put"
    ):
        examine_package(tmp_path / "births.zip", LIMITS)


def test_a_folder_in_the_place_of_an_envelope_is_not_corrupt(tmp_path: Path) -> None:
    with pytest.raises(PackageAccessError, match=r"is not a plain file\. Give the path of an Envelope"):
        verify_package(tmp_path, LIMITS)


def test_a_pipe_in_the_place_of_an_envelope_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "births.zip")
    with pytest.raises(PackageAccessError, match="is not a plain file"):
        examine_package(tmp_path / "births.zip", LIMITS)
