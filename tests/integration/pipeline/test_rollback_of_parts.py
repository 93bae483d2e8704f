"""Rolling back what snapshots and ledgers hold in parts: only the parts at the borders are written anew."""

import errno
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from linkwright.services.retry_job import retry_job
from linkwright.services.roll_back_envelope import RollbackScope, roll_back_envelope
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Batch, BatchState, Envelope, ExtractionProject, Job, JobState, KeptPart
from linkwright.warehouse import kept_parts
from linkwright.warehouse.kept_parts import file_sha256
from linkwright.worker import child
from tests.integration.pipeline.acting import person, roll_back
from tests.integration.pipeline.conftest import Row, System
from tests.integration.pipeline.extracting import changes, create, extract, keys, package

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_drawing")]

PLANTED = "quixwater"
MOST = 4


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_parts, "PART_ROWS", MOST)


def people(name: str, count: int) -> list[Row]:
    """Return records, each of a person of its own."""
    births = (f"19{20 + len(name)}-{number // 28 + 1:02}-{number % 28 + 1:02}" for number in range(count))
    return [person(f"{name}-{number}", f"G{name}{number}", "Zed", birth) for number, birth in enumerate(births)]


def names(name: str, count: int) -> set[str]:
    return {f"{name}-{number}" for number in range(count)}


def make_both(system: System) -> dict[str, dict[str, str]]:
    """Make a snapshot S and a ledger of X1; returns the keys of each."""
    create("S", "snapshot")
    create("X1")
    system.drain()
    return {code: keys(system, code) for code in ("S", "X1")}


def part_paths(system: System, code: str) -> list[Path]:
    """Return the files with records of a snapshot or ledger, ascending by record id."""
    rows = KeptPart.objects.filter(extraction_project__code=code).exclude(records=None)
    batches = sorted((row.records for row in rows if row.records), key=lambda batch: batch.first_id or 0)
    return [system.project_folder / batch.file_name for batch in batches]


def ids_of(path: Path) -> list[int]:
    found: list[int] = pq.read_table(path)["record_id"].to_pylist()
    return found


def ids_in(system: System, code: str) -> list[int]:
    return [one for path in part_paths(system, code) for one in ids_of(path)]


def planted_files(system: System) -> list[Path]:
    files = (path for path in system.config.home.rglob("*") if path.is_file())
    return [path for path in files if PLANTED.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("held", "latest", "anew"),
    [
        pytest.param(8, 4, 0, id="exactly the last part"),
        pytest.param(8, 2, 0, id="all of a part that is not full"),
        pytest.param(9, 2, 1, id="inside one part"),
        pytest.param(3, 9, 1, id="several parts and a piece of one"),
        pytest.param(4, 8, 0, id="several parts"),
        pytest.param(0, 6, 0, id="everything"),
    ],
)
def test_the_latest_envelope_goes_and_parts_without_its_records_are_not_even_read(
    system: System, held: int, latest: int, anew: int
) -> None:
    if held:
        system.load("first", people("held", held))
    envelope = system.load("second", people(PLANTED, latest))
    before = make_both(system)
    files = {code: part_paths(system, code) for code in before}
    assert [ids_of(path) for path in files["S"]] == [ids_of(path) for path in files["X1"]]
    assert ids_in(system, "S") == list(range(1, held + latest + 1))
    assert max(len(ids_of(path)) for path in files["S"]) == MOST
    others = [path for own in files.values() for path in own if max(ids_of(path)) <= held]
    insides = [path for own in files.values() for path in own if min(ids_of(path)) > held]
    assert len(others) + len(insides) == len(files["S"]) + len(files["X1"]) - 2 * anew
    sound = {path: path.read_bytes() for path in others}
    for path in (*others, *insides):
        path.write_bytes(b"nobody can read this")
    done = roll_back(system, envelope)
    assert done.state == JobState.SUCCESS, done.error_message
    sweep_files(system.config)
    for path, content in sound.items():
        path.write_bytes(content)
    assert planted_files(system) == []
    assert not any(path.exists() for path in insides)
    assert done.statistics["mended_snapshots_count"] == 1
    written = Batch.objects.filter(job=done, state=BatchState.LIVE)
    # of a snapshot and a ledger, what stays; and which groups of the ledger went
    assert written.count() == 3 * anew
    for code in before:
        assert ids_in(system, code) == list(range(1, held + 1))
    gone = {(before["X1"][one], "", "rolled back") for one in names(PLANTED, latest)}
    assert set(changes(system)) == gone
    left = {
        code: {one: key for one, key in own.items() if one in names("held", held)} for code, own in before.items()
    }
    assert {code: keys(system, code) for code in before} == left


def test_one_after_another_goes_back_to_the_first(system: System) -> None:
    sizes = [3, 2, 6, 1, 5]
    envelopes = [system.load(f"e{number}", people("n" * number, size)) for number, size in enumerate(sizes, 1)]
    before = make_both(system)
    stand = [names("n" * number, size) for number, size in enumerate(sizes, 1)]
    while envelopes:
        assert roll_back(system, envelopes.pop()).state == JobState.SUCCESS
        gone = stand.pop()
        sweep_files(system.config)
        for code in before:
            left = ids_in(system, code)
            assert left == list(range(1, sum(map(len, stand)) + 1))
        assert keys(system, "S") == {one: before["S"][one] for own in stand for one in own}
        assert gone.isdisjoint(keys(system, "S"))
    assert not part_paths(system, "S")
    assert not part_paths(system, "X1")
    # the ledger was not made anew in between: all that it showed has gone, and none of it is forgotten
    assert set(changes(system)) == {(key, "", "rolled back") for key in before["X1"].values()}
    sweep_files(system.config)
    assert list(system.project_folder.glob("*ledger*")) == []


@pytest.mark.parametrize("scope", RollbackScope)
def test_an_earlier_envelope_leaves_what_lies_on_both_sides(system: System, scope: RollbackScope) -> None:
    system.load("first", people("held", 6))
    envelope = system.load("second", people(PLANTED, 7))
    system.load("third", people("later", 5))
    before = make_both(system)
    roll_back(system, envelope, scope)
    sweep_files(system.config)
    assert planted_files(system) == []
    stay = names("held", 6) | (names("later", 5) if scope is RollbackScope.ALONE else set())
    assert keys(system, "S") == {one: before["S"][one] for one in stay}
    assert keys(system, "X1") == {one: before["X1"][one] for one in stay}


def test_a_damaged_part_at_the_border_is_named_and_nothing_is_changed(system: System) -> None:
    system.load("first", people("held", 5))
    envelope = system.load("second", people(PLANTED, 2))
    make_both(system)
    for code, what in (("S", "snapshot"), ("X1", "ledger")):
        path = part_paths(system, code)[-1]
        sound = path.read_bytes()
        path.write_bytes(sound[:-20] + bytes([sound[-20] ^ 1]) + sound[-19:])
        job = roll_back_job(system, envelope)
        assert job.state == JobState.ERRORS
        assert f"The {what} " in job.error_message
        assert path.name in job.error_message
        assert "Restore the file from a backup" in job.error_message
        path.write_bytes(sound)
    sweep_files(system.config)
    assert [ids_of(path) for path in part_paths(system, "S")] == [[1, 2, 3, 4], [5, 6, 7]]
    retry_job(job.pk, COMMAND_LINE)
    system.drain()
    assert [ids_of(path) for path in part_paths(system, "S")] == [[1, 2, 3, 4], [5]]
    assert keys(system, "S").keys() == names("held", 5)


def roll_back_job(system: System, envelope: Envelope) -> Job:
    job = roll_back_envelope(envelope.pk, COMMAND_LINE, reason="a test", scope=RollbackScope.ALONE)
    system.drain()
    job.refresh_from_db()
    return job


def test_each_part_of_a_snapshot_is_compared_with_its_checksum(system: System) -> None:
    system.load("first", people("held", 10))
    make_both(system)
    path = part_paths(system, "S")[1]
    path.write_bytes(path.read_bytes()[:-20] + bytes(20))
    job = extract(system, "S")
    assert job.state == JobState.ERRORS
    assert path.name in job.error_message


def test_a_crash_before_the_commit_leaves_parts_that_are_swept(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.load("first", people("held", 5))
    envelope = system.load("second", people(PLANTED, 2))
    before = make_both(system)
    files = set(system.project_folder.iterdir())

    def no_space(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(child, "complete_job", no_space)
        assert roll_back_job(system, envelope).state == JobState.ERRORS
    assert len(set(system.project_folder.iterdir()) - files) == 3
    sweep_files(system.config)
    assert set(system.project_folder.iterdir()) == files
    assert keys(system, "S") == before["S"]


@pytest.fixture
def as_before_parts(system: System) -> dict[str, dict[str, str]]:
    """A snapshot and a ledger in one file each, as they were written before there were parts."""
    system.load("first", people("held", 9))
    system.load("second", people(PLANTED, 2))
    before = make_both(system)
    for code in before:
        paths = part_paths(system, code)
        whole = pa.concat_tables([pq.read_table(path) for path in paths])
        first, *others = KeptPart.objects.filter(extraction_project__code=code).order_by("pk")
        for part in others:
            part.delete()
        pq.write_table(whole, paths[0])
        assert first.records is not None
        Batch.objects.filter(pk=first.records.pk).update(
            first_id=None, last_id=None, rows_count=11, bytes_count=paths[0].stat().st_size
        )
        sha256 = file_sha256(paths[0]) if code == "S" else ""
        KeptPart.objects.filter(pk=first.pk).update(groups=None, sha256=sha256)
    return before


def test_what_was_written_in_one_file_is_extracted_as_before_and_split_by_a_rollback(
    system: System, as_before_parts: dict[str, dict[str, str]]
) -> None:
    before = as_before_parts
    assert keys(system, "S") == before["S"]
    roll_back(system, Envelope.objects.get(name="second"))
    for code in before:
        assert [ids_of(path) for path in part_paths(system, code)] == [[1, 2, 3, 4], [5, 6, 7, 8], [9]]
    assert set(changes(system)) == {(before["X1"][one], "", "rolled back") for one in names(PLANTED, 2)}
    assert keys(system, "S") == {one: before["S"][one] for one in names("held", 9)}
    # and what is in parts now goes as everything that is
    roll_back(system, Envelope.objects.get(name="first"))
    assert keys(system, "S") == {}


def test_the_same_snapshot_gives_the_same_bytes_in_one_part_and_in_many(system: System) -> None:
    system.load("first", people("held", 10))
    make_both(system)
    in_parts = package(system, extract(system, "S"))
    paths = part_paths(system, "S")
    assert len(paths) == 3
    pq.write_table(pa.concat_tables([pq.read_table(path) for path in paths]), paths[0])
    first, *others = ExtractionProject.objects.get(code="S").parts.all()
    KeptPart.objects.filter(pk__in=[part.pk for part in others]).delete()
    KeptPart.objects.filter(pk=first.pk).update(sha256=file_sha256(paths[0]))
    assert package(system, extract(system, "S")) == in_parts
