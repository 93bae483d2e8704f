"""Reading good Envelopes: examining, verifying, streaming and spooling, in bounded memory."""

import hashlib
import os
import resource
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkwright.engine.progress import Progress
from linkwright.envelopes import content, gunzip
from linkwright.envelopes.corruption import CorruptEnvelopeError, CorruptReason, SpoolError
from linkwright.envelopes.limits import PackageLimits
from linkwright.envelopes.manifest import DataFile, FileFormat
from linkwright.envelopes.package import examine_package, verify_package
from linkwright.envelopes.reader import open_data_file, spool_data_file, spooled_name
from tests.cpu_deadline import computes_briefly
from tests.unit.envelopes.crafting import BIRTHS, LIMITS, MIB, craft_zip, envelope_of, gzipped, manifest_of, zip_of

DATA_FILE = DataFile("births.csv", FileFormat.FLAT_FILE, "BIRTHS", hashlib.sha256(BIRTHS).hexdigest())


@pytest.fixture
def births_zip(tmp_path: Path) -> Path:
    path = tmp_path / "births.zip"
    path.write_bytes(envelope_of({"births.csv": BIRTHS}))
    return path


@pytest.fixture(scope="module")
def large_zip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """Yield an Envelope of 300 MiB of zeros (and their count), put together from one compressed MiB."""
    packer = zlib.compressobj(wbits=-15)
    mib = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    crc32 = 0
    for _ in range(300):
        crc32 = zlib.crc32(bytes(MIB), crc32)
    size_bytes = 300 * MIB
    entry = {"name": b"births.csv", "content": b"", "method": 8, "packed": mib * 300 + b"\3\0"}
    path = tmp_path_factory.mktemp("large") / "births.zip"
    manifest = {"name": b"manifest.xml", "content": manifest_of()}
    path.write_bytes(craft_zip([manifest, {**entry, "crc32": crc32, "size_bytes": size_bytes}]))
    yield path, size_bytes
    path.unlink()


@contextmanager
def memory_below(limit_bytes: int) -> Iterator[None]:
    """Fail if Python's own memory grows by more at any time. zlib's buffers are bytes objects, so they count."""
    tracemalloc.start()
    try:
        yield
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < limit_bytes


LARGE_LIMITS = PackageLimits(max_size_bytes=400 * MIB, max_compression_ratio=1_100)


def test_an_examination_tells_what_the_envelope_holds(tmp_path: Path) -> None:
    path = tmp_path / "births.zip"
    files = {
        "manifest.xml": manifest_of(["data/births.csv"]),
        "data/": b"",
        "data/births.csv": BIRTHS,
        "x.txt": b"x",
    }
    path.write_bytes(zip_of(files))
    examination = examine_package(path, LIMITS)
    assert examination.manifest.data_files[0].file_name == "data/births.csv"
    assert examination.package_bytes == path.stat().st_size
    assert examination.file_sizes_bytes["data/births.csv"] == len(BIRTHS)
    assert examination.unlisted_files == ("x.txt",)


def test_a_zip_with_a_comment_or_something_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "births.zip"
    path.write_bytes(b"#!/bin/sh\n" + envelope_of({"births.csv": BIRTHS}))
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"sent by the hospital"
    assert verify_package(path, LIMITS).data_files[0].sha256 == DATA_FILE.sha256


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_verification_gives_sizes_and_checksums_in_the_manifests_order(tmp_path: Path, method: int) -> None:
    path = tmp_path / "births.zip"
    packed = gzipped(BIRTHS)
    files = {"b.csv.gz": packed, "a.csv": BIRTHS, "empty.csv": b""}
    path.write_bytes(zip_of({"manifest.xml": manifest_of(["a.csv", "empty.csv", "b.csv.gz"]), **files}, method))
    found = [
        (file.data_file.file_name, file.size_bytes, file.sha256, file.content_bytes)
        for file in verify_package(path, LIMITS).data_files
    ]
    assert found == [
        ("a.csv", 30, hashlib.sha256(BIRTHS).hexdigest(), 30),
        ("empty.csv", 0, hashlib.sha256(b"").hexdigest(), 0),
        ("b.csv.gz", len(packed), hashlib.sha256(packed).hexdigest(), 30),
    ]


def test_verifying_reports_every_byte(births_zip: Path) -> None:
    reports: list[Progress] = []
    verify_package(births_zip, LIMITS, reports.append)
    total_bytes = len(BIRTHS) + len(manifest_of())
    assert reports[-1] == Progress("Verifying manifest.xml", total_bytes, total_bytes, "bytes")
    assert reports[0] == Progress("Verifying births.csv", len(BIRTHS), total_bytes, "bytes")


def test_a_data_file_is_read_as_a_stream(births_zip: Path) -> None:
    with open_data_file(births_zip, "births.csv", LIMITS) as stream:
        assert stream.readline() == b"id,surname\n"
        assert stream.read() == b"B1,Nguyen\nB2,Smith\n"
        assert stream.read() == b""


@given(
    st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(0, 9), st.integers(0, 3), st.booleans()
)
@computes_briefly
def test_gzip_of_any_number_of_members_is_taken_off(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], level: int, padding: int, stored: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "members.zip"
    packed = b"".join(gzipped(part, level) for part in parts) + b"\0" * padding
    path.write_bytes(envelope_of({"births.csv": packed}, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED))
    with open_data_file(path, "births.csv", LIMITS) as stream:
        assert stream.read() == b"".join(parts)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_content_that_comes_in_pieces_of_one_byte_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: int
) -> None:
    monkeypatch.setattr(content, "CHUNK_BYTES", 1)
    monkeypatch.setattr(gunzip, "CHUNK_BYTES", 1)
    path = tmp_path / "births.zip"
    files = {"plain.csv": BIRTHS * 5, "packed.csv": gzipped(BIRTHS * 5) * 2, "one.csv": b"1"}
    path.write_bytes(envelope_of(files, method))
    assert [found.content_bytes for found in verify_package(path, LIMITS).data_files] == [150, 300, 1]
    with open_data_file(path, "packed.csv", LIMITS) as stream:
        assert stream.read() == BIRTHS * 10


def test_gzip_of_too_many_members_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gunzip, "MAX_MEMBERS_COUNT", 3)
    path = tmp_path / "births.zip"
    path.write_bytes(envelope_of({"three.csv": gzipped(BIRTHS) * 3, "four.csv": gzipped(BIRTHS) * 4}))
    with open_data_file(path, "three.csv", LIMITS) as stream:
        assert stream.read() == BIRTHS * 3
    with pytest.raises(CorruptEnvelopeError, match=r"'four\.csv' begins like gzip, .* \(it has over 3 members\)"):
        verify_package(path, LIMITS)


def test_a_stream_of_damaged_content_never_looks_complete(tmp_path: Path) -> None:
    path = tmp_path / "births.zip"
    manifest = {"name": b"manifest.xml", "content": manifest_of()}
    path.write_bytes(craft_zip([manifest, {"name": b"births.csv", "content": BIRTHS, "crc32": 1}]))
    with open_data_file(path, "births.csv", LIMITS) as stream:
        for _ in range(2):
            with pytest.raises(CorruptEnvelopeError, match="but the directory says 00000001"):
                stream.read()


def test_a_data_file_that_is_not_there_is_refused_by_name(births_zip: Path) -> None:
    with pytest.raises(CorruptEnvelopeError, match=r"births\.zip: 'x\.csv' is not in the zip\. Add it") as caught:
        open_data_file(births_zip, "x.csv", LIMITS).__enter__()
    assert caught.value.reason is CorruptReason.FILE_ABSENT


def test_an_error_of_the_reader_is_not_taken_for_one_of_the_envelope(births_zip: Path) -> None:
    with pytest.raises(OSError, match="of the caller"), open_data_file(births_zip, "births.csv", LIMITS):
        raise OSError("of the caller")


@pytest.mark.parametrize("packed", [BIRTHS, gzipped(BIRTHS)], ids=["plain", "gzip"])
def test_a_data_file_is_spooled_whole(tmp_path: Path, packed: bytes) -> None:
    path = tmp_path / "births.zip"
    path.write_bytes(envelope_of({"births.csv.gz": packed}))
    data_file = DataFile("births.csv.gz", FileFormat.FLAT_FILE, "BIRTHS", hashlib.sha256(packed).hexdigest())
    reports: list[Progress] = []
    spooled = spool_data_file(path, data_file, tmp_path / "scratch" / "job", LIMITS, reports.append)
    assert spooled.read_bytes() == BIRTHS
    assert spooled == tmp_path / "scratch" / "job" / spooled_name(data_file)
    assert reports == [Progress("Unpacking births.csv.gz", len(packed), len(packed), "bytes")]


def test_spooled_names_come_from_no_sender_and_say_what_the_file_is() -> None:
    flat = spooled_name(DataFile("a/births.csv.gz", FileFormat.FLAT_FILE, "BIRTHS"))
    other = spooled_name(DataFile("b/births.csv.gz", FileFormat.FLAT_FILE, "BIRTHS"))
    parquet = spooled_name(DataFile("a/births", FileFormat.PARQUET, "BIRTHS"))
    assert flat != other
    assert (Path(flat).suffix, Path(parquet).suffix) == (".txt", ".parquet")
    assert len(flat) < 40
    assert "/" not in flat


def test_spooling_with_a_wrong_checksum_leaves_nothing(births_zip: Path, tmp_path: Path) -> None:
    data_file = DataFile("births.csv", FileFormat.FLAT_FILE, "BIRTHS", "0" * 64)
    with pytest.raises(
        CorruptEnvelopeError, match=r"'births\.csv' has the SHA-256 .* but the manifest says 0{64}\."
    ):
        spool_data_file(births_zip, data_file, tmp_path / "scratch", LIMITS)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_full_disk_while_spooling_names_folder_and_remedy_and_leaves_nothing(
    births_zip: Path, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    # every write to this device fails as on a full disk
    (scratch / spooled_name(DATA_FILE)).with_suffix(".partial").symlink_to("/dev/full")
    with pytest.raises(SpoolError) as caught:
        spool_data_file(births_zip, DATA_FILE, scratch, LIMITS)
    assert str(caught.value) == (
        f"'births.csv' cannot be unpacked to the folder {scratch} (No space left on device). It needs 30 bytes, "
        "more if it is gzip: free space, or give Linkwright the right to write to the folder, then retry the job."
    )
    assert list(scratch.iterdir()) == []


def test_a_quota_while_spooling_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "births.zip"
    path.write_bytes(envelope_of({"births.csv": os.urandom(3 * MIB)}))
    data_file = DataFile("births.csv", FileFormat.FLAT_FILE, "BIRTHS")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, hard))
    try:
        with pytest.raises(SpoolError, match=r"\(File too large\)"):
            spool_data_file(path, data_file, tmp_path / "scratch", LIMITS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_scratch_folder_that_is_a_file_is_told(births_zip: Path, tmp_path: Path) -> None:
    (tmp_path / "scratch").write_text("")
    with pytest.raises(SpoolError, match=r"to the folder .*scratch \(File exists\)"):
        spool_data_file(births_zip, DATA_FILE, tmp_path / "scratch", LIMITS)


def test_verifying_and_spooling_a_large_file_need_little_memory(
    large_zip: tuple[Path, int], tmp_path: Path
) -> None:
    path, size_bytes = large_zip
    data_file = DataFile("births.csv", FileFormat.FLAT_FILE, "BIRTHS")
    with memory_below(4 * MIB):
        assert verify_package(path, LARGE_LIMITS).data_files[0].content_bytes == size_bytes
        spooled = spool_data_file(path, data_file, tmp_path, LARGE_LIMITS)
    assert spooled.stat().st_size == size_bytes
    spooled.unlink()


def test_a_large_file_is_examined_in_milliseconds(tmp_path: Path) -> None:
    path = tmp_path / "births.zip"
    size_bytes = 3 * 1024 * MIB
    manifest = {"name": b"manifest.xml", "content": manifest_of(), "offset": 40 + size_bytes}
    births = {"name": b"births.csv", "content": b"", "size_bytes": size_bytes, "packed_bytes": size_bytes}
    around = craft_zip([births, manifest], hole_bytes=size_bytes)
    with path.open("wb") as file:
        file.write(around[:40])
        file.seek(size_bytes, os.SEEK_CUR)
        file.write(around[40:])
    started = time.perf_counter()
    examination = examine_package(path, PackageLimits(2 * size_bytes, 200))
    assert time.perf_counter() - started < 0.1
    assert examination.file_sizes_bytes["births.csv"] == size_bytes
