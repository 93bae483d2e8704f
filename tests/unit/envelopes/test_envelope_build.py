"""Building Envelopes: what is built is accepted, the same twice over, whole or not there; bad input is named."""

import gzip
import hashlib
import os
import resource
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkwright.engine.progress import Progress
from linkwright.envelopes.builder import MetadataSource, SourceFile, build_package
from linkwright.envelopes.corruption import BuildError
from linkwright.envelopes.limits import PackageLimits
from linkwright.envelopes.manifest import DataFile, FileFormat, Manifest, MetadataFile, RequestType
from linkwright.envelopes.package import verify_package
from linkwright.envelopes.reader import open_data_file
from tests.unit.envelopes.crafting import BIRTHS, LIMITS, MIB, gzipped


@pytest.fixture
def births(tmp_path: Path) -> Path:
    path = tmp_path / "births.csv"
    path.write_bytes(BIRTHS)
    return path


def build(target: Path, *sources: SourceFile, **changes: Any) -> Path:
    given_values: dict[str, Any] = {
        "linkage_project": "DEMO",
        "sender": "HOSPITAL",
        "request_type": RequestType.SUBMIT_LINKAGE,
        "data": sources,
    }
    return build_package(target, **{**given_values, **changes})


def refusal(action: Callable[[], object]) -> BuildError:
    with pytest.raises(BuildError) as caught:
        action()
    return caught.value


def test_a_built_envelope_holds_what_it_was_given(tmp_path: Path, births: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "d.parquet").write_bytes(b"PAR1" + bytes(1000) + b"PAR1")
    target = build(
        tmp_path / "out.zip",
        SourceFile(births, "BIRTHS", name="2026/b.csv"),
        SourceFile(tmp_path / "d.parquet", "DEATHS", FileFormat.PARQUET),
        metadata=[MetadataSource(tmp_path / "notes.txt", "About <the> data")],
    )
    verification = verify_package(target, LIMITS)
    parquet_sha256 = hashlib.sha256((tmp_path / "d.parquet").read_bytes()).hexdigest()
    assert verification.examination.manifest == Manifest(
        linkage_project="DEMO",
        sender="HOSPITAL",
        request_type=RequestType.SUBMIT_LINKAGE,
        number_of_data_files=2,
        data_files=(
            DataFile("2026/b.csv", FileFormat.FLAT_FILE, "BIRTHS", hashlib.sha256(BIRTHS).hexdigest()),
            DataFile("d.parquet", FileFormat.PARQUET, "DEATHS", parquet_sha256),
        ),
        metadata_files=(MetadataFile("notes.txt", "About <the> data"),),
    )
    assert verification.examination.unlisted_files == ()


def test_other_programs_read_what_is_built(tmp_path: Path, births: Path) -> None:
    target = build(tmp_path / "out.zip", SourceFile(births, "BIRTHS"))
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.read("births.csv") == BIRTHS
        assert archive.namelist() == ["births.csv", "manifest.xml"]


def test_an_envelope_of_zip64_form_is_built_and_read(
    tmp_path: Path, births: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # zipfile takes to the form for files over 4 GiB when a file exceeds this
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    target = build(tmp_path / "out.zip", SourceFile(births, "BIRTHS"))
    assert b"PK\6\6" in target.read_bytes()
    assert verify_package(target, LIMITS).data_files[0].sha256 == hashlib.sha256(BIRTHS).hexdigest()


def test_files_that_are_compressed_already_are_stored(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzipped(BIRTHS))
    (tmp_path / "b.parquet").write_bytes(b"PAR1" + bytes(1000))
    (tmp_path / "c.csv").write_bytes(BIRTHS)
    sources = [SourceFile(tmp_path / name, "BIRTHS") for name in ("a.csv.gz", "b.parquet", "c.csv")]
    with zipfile.ZipFile(build(tmp_path / "out.zip", *sources)) as archive:
        methods = [info.compress_type for info in archive.infolist()]
    assert methods == [zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED]


def test_the_same_input_gives_the_same_bytes_whatever_the_files_times(tmp_path: Path, births: Path) -> None:
    first = build(tmp_path / "first.zip", SourceFile(births, "BIRTHS"))
    os.utime(births, (1, 1))
    births.chmod(0o600)
    second = build(tmp_path / "second.zip", SourceFile(births, "BIRTHS"))
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_checksums_can_be_left_out(tmp_path: Path, births: Path) -> None:
    target = build(tmp_path / "out.zip", SourceFile(births, "BIRTHS"), with_sha256=False)
    assert verify_package(target, LIMITS).examination.manifest.data_files[0].sha256 is None


def test_an_extraction_may_be_built_without_files(tmp_path: Path) -> None:
    changes = {"request_type": RequestType.SUBMIT_EXTRACTION, "extraction_project": "STUDY"}
    manifest = verify_package(build(tmp_path / "out.zip", **changes), LIMITS).examination.manifest
    assert (manifest.extraction_project, manifest.number_of_data_files) == ("STUDY", 0)


def test_an_earlier_envelope_is_replaced_and_nothing_else_is_left(tmp_path: Path, births: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "out.zip").write_text("earlier")
    build(folder / "out.zip", SourceFile(births, "BIRTHS"))
    assert [path.name for path in folder.iterdir()] == ["out.zip"]
    assert zipfile.is_zipfile(folder / "out.zip")


def test_progress_is_told_in_bytes(tmp_path: Path, births: Path) -> None:
    reports: list[Progress] = []
    build(tmp_path / "out.zip", SourceFile(births, "BIRTHS"), report=reports.append)
    assert reports == [Progress("Packing births.csv", 30, 30, "bytes")]


def test_everything_that_is_wrong_beforehand_is_named_at_once(tmp_path: Path, births: Path) -> None:
    sources = [
        SourceFile(births, "BIRTHS"),
        SourceFile(births, "BIRTHS"),
        SourceFile(births, "", name="empty-code.csv"),
        SourceFile(births, "BIRTHS", name=""),
        SourceFile(births, "BIRTHS", name="../b.csv"),
        SourceFile(tmp_path / "absent.csv", "BIRTHS"),
        SourceFile(tmp_path, "BIRTHS", name="folder"),
    ]
    error = refusal(lambda: build(tmp_path / "out.zip", *sources, sender=""))
    assert error.summary.endswith("/out.zip cannot be built. Correct what follows, and build it again.")
    assert error.faults[:-2] == (
        "Sender is ''; it must be a code, with no space around it.",
        "The datasource of 'empty-code.csv' is ''; it must be a code, with no space around it.",
        "The file name 'births.csv' occurs twice. Give each file its own name, and pack the Envelope again.",
        "The file name '' is empty. Rename the file, and pack the Envelope again.",
        "The file name '../b.csv' leaves the folder by '..'. Rename the file, and pack the Envelope again.",
    )
    absent = f"The file {tmp_path}/absent.csv cannot be read (No such file or directory)."
    assert error.faults[-2] == f"{absent} Correct the path, or put the file there."
    assert error.faults[-1] == f"{tmp_path} is not a plain file. Give the path of a file."
    assert not (tmp_path / "out.zip").exists()


def test_a_source_is_not_overwritten_by_its_envelope(tmp_path: Path, births: Path) -> None:
    error = refusal(lambda: build(births, SourceFile(births, "BIRTHS")))
    assert f"The file {births} would be overwritten by the Envelope. Choose another name" in str(error)
    assert births.read_bytes() == BIRTHS


@pytest.mark.parametrize("later", [b"short", bytes(3 * MIB)], ids=["shorter", "longer"])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, births: Path, later: bytes) -> None:
    births.write_bytes(os.urandom(MIB))

    reports: list[Progress] = []

    def change(progress: Progress, /) -> None:
        reports.append(progress)
        births.write_bytes(later)

    error = refusal(lambda: build(tmp_path / "out.zip", SourceFile(births, "BIRTHS"), report=change))
    assert "births.csv changed while it was read: it had 1.0 MiB" in str(error)
    assert reports[-1].done < 2 * MIB
    assert [path.name for path in tmp_path.iterdir()] == ["births.csv"]


def test_broken_gzip_is_refused(tmp_path: Path, births: Path) -> None:
    births.write_bytes(gzipped(BIRTHS)[:-3])
    error = refusal(lambda: build(tmp_path / "out.zip", SourceFile(births, "BIRTHS")))
    assert "births.csv begins like gzip, but cannot be unpacked (it ends early). Compress it again." in str(error)
    assert [path.name for path in tmp_path.iterdir()] == ["births.csv"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, births: Path) -> None:
    error = refusal(lambda: build(tmp_path / "absent" / "out.zip", SourceFile(births, "BIRTHS")))
    assert str(error) == (
        f"The Envelope {tmp_path}/absent/out.zip cannot be written (No such file or directory). Free space on "
        "that disk, or choose a folder that exists and where you may write, and build it again."
    )


def test_a_disk_that_fills_up_leaves_the_earlier_envelope_and_nothing_else(tmp_path: Path, births: Path) -> None:
    births.write_bytes(os.urandom(3 * MIB))
    (tmp_path / "out.zip").write_text("earlier")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, hard))
    try:
        error = refusal(lambda: build(tmp_path / "out.zip", SourceFile(births, "BIRTHS")))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "out.zip cannot be written (File too large)" in str(error)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["births.csv", "out.zip"]
    assert (tmp_path / "out.zip").read_text() == "earlier"


def test_a_file_that_cannot_be_read_to_its_end_is_named(tmp_path: Path) -> None:
    # a plain file for which read() fails: reading another process's memory from address 0
    memory = Path("/proc/self/mem")
    error = refusal(lambda: build(tmp_path / "out.zip", SourceFile(memory, "BIRTHS")))
    assert "The file /proc/self/mem cannot be read (Input/output error)." in str(error)
    assert list(tmp_path.iterdir()) == []


def test_building_from_a_large_file_needs_little_memory(tmp_path: Path, births: Path) -> None:
    block = os.urandom(MIB)
    with births.open("wb") as file:
        for _ in range(16):
            file.write(block)
    tracemalloc.start()
    try:
        build(tmp_path / "out.zip", SourceFile(births, "BIRTHS"))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 4 * MIB


plain_contents = st.binary(max_size=2_000).filter(lambda content: not content.startswith(b"\x1f\x8b"))
contents = plain_contents | st.text(max_size=500).map(str.encode) | st.binary(max_size=300).map(gzipped)
names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="/\\:"), min_size=1)


@settings(max_examples=60, deadline=None)
@given(files=st.dictionaries(names.map("n".__add__), contents, min_size=1, max_size=4), with_sha256=st.booleans())
def test_whatever_is_built_is_accepted_and_read_back(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], *, with_sha256: bool
) -> None:
    folder = tmp_path_factory.mktemp("built")
    sources = []
    for number, (name, content) in enumerate(files.items()):
        (folder / str(number)).write_bytes(content)
        sources.append(SourceFile(folder / str(number), "BIRTHS", name=name))
    try:
        target = build(folder / "out.zip", *sources, with_sha256=with_sha256)
    except BuildError as error:
        refused = error.faults
    else:
        refused = ()
        verification = verify_package(target, PackageLimits(MIB, 50))
        for found in verification.data_files:
            content = files[found.data_file.file_name]
            assert (found.size_bytes, found.sha256) == (len(content), hashlib.sha256(content).hexdigest())
            with open_data_file(target, found.data_file.file_name, LIMITS) as stream:
                assert stream.read() == (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
    # only names that Unicode's rules or the length make unfit are refused
    assert all("differ only in case" in fault or "is longer than" in fault for fault in refused)
