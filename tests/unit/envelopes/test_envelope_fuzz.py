"""Hostile bytes: whatever comes in, an Envelope is read or clearly refused; nothing else, and never for long."""

import random
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkwright.envelopes.corruption import CorruptEnvelopeError, CorruptReason
from linkwright.envelopes.limits import PackageLimits
from linkwright.envelopes.package import examine_package, verify_package
from linkwright.envelopes.reader import open_data_file, spool_data_file
from tests.cpu_deadline import computes_briefly
from tests.unit.envelopes.crafting import BIRTHS, MIB, craft_zip, gzipped, manifest_of, zip_of

LIMITS = PackageLimits(max_size_bytes=4 * MIB, max_compression_ratio=100)
FILES = {"data/": b"", "births.csv": BIRTHS * 20, "deaths.csv.gz": gzipped(BIRTHS * 9), "empty.csv": b""}
MANIFEST = manifest_of([name for name in FILES if not name.endswith("/")])
BASES = (
    zip_of({"manifest.xml": MANIFEST, **FILES}),
    zip_of({"manifest.xml": MANIFEST, **FILES}, zipfile.ZIP_STORED),
    zip_of({**FILES, "manifest.xml": MANIFEST}, zipfile.ZIP_DEFLATED),
)
EDGE_VALUES = (0, 1, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
EDGE_BYTES = [struct.pack("<I", value)[:size] for value in EDGE_VALUES for size in (2, 4)]
ZIP64_END = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 4, 4, 2**63, 2**62) + struct.pack(
    "<4sLQL", b"PK\6\7", 0, 0, 1
)
TOKENS = [b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\7\x08", ZIP64_END, b"\x01\x00\x08\x00" + b"\xff" * 8, b"\0" * 8]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def outcome(folder: Path, content: bytes) -> CorruptReason | None:
    """Do all that can be done with an Envelope; return why it was refused, or None if it was not."""
    path = folder / "births.zip"
    path.write_bytes(content)
    try:
        read_all(path, folder / "scratch")
    except CorruptEnvelopeError as error:
        refusal = error
    else:
        return None
    assert refusal.summary.startswith("births.zip: ")
    assert len(str(refusal)) < 20_000
    assert str(refusal).replace("\n", "").isprintable()
    return refusal.reason


def read_all(path: Path, scratch: Path) -> None:
    examine_package(path, LIMITS)
    for found in verify_package(path, LIMITS).data_files:
        with open_data_file(path, found.data_file.file_name, LIMITS) as stream:
            assert len(stream.read()) == found.content_bytes
        spooled = spool_data_file(path, found.data_file, scratch, LIMITS)
        assert spooled.stat().st_size == found.content_bytes


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """Return a good Envelope with bytes flipped, replaced, inserted, cut or repeated, mostly at its end."""
    content = bytearray(draw(st.sampled_from(BASES)))
    directory = content.index(b"PK\1\2")
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(content)) | st.integers(min(directory, len(content)), len(content)))
        kind = draw(st.sampled_from(["flip", "replace", "insert", "cut", "repeat"]))
        if kind == "flip" and start < len(content):
            content[start] ^= 1 << draw(st.integers(0, 7))
        elif kind == "replace":
            value = draw(st.sampled_from(EDGE_BYTES) | st.binary(min_size=1, max_size=4))
            content[start : start + len(value)] = value
        elif kind == "insert":
            content[start:start] = draw(st.sampled_from(TOKENS) | st.binary(max_size=20))
        elif kind == "cut":
            del content[start : start + draw(st.integers(1, 200))]
        elif kind == "repeat":
            content[start:start] = content[start : start + draw(st.integers(1, 300))]
    return bytes(content)


def test_the_good_envelopes_are_read(folder: Path) -> None:
    assert [outcome(folder, base) for base in BASES] == [None, None, None]


@given(content=st.binary(max_size=300) | st.binary(max_size=100).map(lambda rest: b"PK\5\6" + rest))
@computes_briefly
def test_random_bytes_are_clearly_refused(folder: Path, content: bytes) -> None:
    assert outcome(folder, content) is not None


@settings(max_examples=400)
@given(content=mutations())
@computes_briefly
def test_a_mutated_envelope_is_read_or_clearly_refused(folder: Path, content: bytes) -> None:
    assert outcome(folder, content) in {*CorruptReason, None}


@given(base=st.sampled_from(BASES), data=st.data())
@computes_briefly
def test_an_envelope_cut_short_anywhere_is_refused(folder: Path, base: bytes, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(base) - 1))
    assert outcome(folder, base[:end]) in {CorruptReason.NOT_A_ZIP, CorruptReason.DAMAGED}


field_lies = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from([0, 8, 9, 12, 99]),
        "flags": st.integers(0, 0xFFFF),
        "crc32": st.integers(0, 0xFFFFFFFF),
        "size_bytes": st.integers(0, 0xFFFFFFFF) | st.integers(0, 100),
        "packed_bytes": st.integers(0, 0xFFFFFFFF) | st.integers(0, 100),
        "offset": st.integers(0, 0xFFFFFFFF) | st.integers(0, 600),
        "mode": st.integers(0, 0xFFFF),
        "local_flags": st.integers(0, 0xFFFF),
        "local_method": st.integers(0, 20),
        "local_name": st.binary(max_size=20),
    },
)


@settings(max_examples=200)
@given(
    entries=st.lists(
        st.tuples(
            st.sampled_from([b"births.csv", b"manifest.xml", b"x", b"../x"]) | st.binary(max_size=10),
            st.binary(max_size=60) | st.just(MANIFEST),
            field_lies,
        ),
        max_size=4,
    )
)
@computes_briefly
def test_a_zip_whose_fields_lie_is_read_or_clearly_refused(
    folder: Path, entries: list[tuple[bytes, bytes, dict[str, object]]]
) -> None:
    content = craft_zip([{"name": name, "content": body, **lies} for name, body, lies in entries])
    assert outcome(folder, content) in {*CorruptReason, None}


def test_hostile_envelopes_cost_little_memory(folder: Path) -> None:
    random_ = random.Random(20)
    reasons = set()
    tracemalloc.start()
    try:
        for _ in range(150):
            content = bytearray(random_.choice(BASES))
            for _ in range(3):
                start = random_.randrange(content.index(b"PK\1"), len(content) - 4)
                content[start : start + 4] = random_.choice(EDGE_BYTES)
            reasons.add(outcome(folder, bytes(content)))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 16 * MIB
    assert len(reasons) > 3
