"""The preview of a data file: as Load would read it, faults and all; and the file that waits to be confirmed."""

import gzip
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from linkwright.envelopes.manifest import RequestType
from linkwright.errors import LinkwrightError
from linkwright.services import waiting_data_file
from linkwright.services.preview_data_file import preview_submission
from linkwright.services.submit_data_file import DataFileSubmission
from linkwright.services.waiting_data_file import (
    DataFileGoneError,
    WaitingDataFile,
    cancel_waiting,
    confirm_waiting,
    find_waiting,
    keep_waiting,
    sweep_waiting,
)
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, EnvelopeState, LinkageProject, User
from linkwright.warehouse.preview import Preview
from tests.integration.pipeline.conftest import System
from tests.integration.pipeline.conftest import system as system  # noqa: PLC0414 - a fixture

pytestmark = pytest.mark.django_db

HEADER = "id,given,surname,dob,postcode,ward\n"
Look = Callable[..., Preview]


@pytest.fixture
def look(system: System) -> Look:
    """Return a function that previews a file's content."""

    def preview(content: bytes | str, action: RequestType = RequestType.SUBMIT_LINKAGE) -> Preview:
        path = system.folder / "uploaded"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        asked = DataFileSubmission(path, "adm.csv", "P1", action, "ADM")
        return preview_submission(asked, system.config)[0]

    return preview


def test_rows_are_shown_as_the_import_format_reads_them(look: Look) -> None:
    found = look(f"{HEADER}a1,ANNA,O'Neil,1980-01-02,2000,W1\na2,Bob,Ek,31/12/1999,2001,W2\n")
    assert [(column.name, column.source) for column in found.columns] == [
        ("source_unique_id", "id"),
        ("given_name", "given"),
        ("surname", "surname"),
        ("date_of_birth", "dob"),
        ("postcode", "postcode"),
    ]
    first, second = found.rows
    assert (first.line, [cell.raw for cell in first.cells]) == (2, ["a1", "ANNA", "O'Neil", "1980-01-02", "2000"])
    assert [cell.standard for cell in first.cells] == ["", "anna", "oneil", "", ""]
    assert [cell.fault for cell in second.cells] == [
        "",
        "",
        "",
        "This is no date that can be read; it stays empty.",
        "",
    ]
    assert (found.other_columns, found.rows_count, found.is_exact) == (("ward",), 2, True)


def test_rows_that_will_be_rejected_are_marked_at_their_line(look: Look) -> None:
    found = look(f"{HEADER}a1,A,B,,,\n,A,B,,,\na3,A\na4,A,B,,,\n")
    assert [row.line for row in found.rows] == [2, 3, 4, 5]
    assert found.rows[1].cells[0].fault == "The Source Unique ID is missing."
    assert found.rows[2].fault == "The row has 2 columns instead of 6."
    assert (found.rows_count, found.faulty_rows_count) == (4, 1)


def test_a_source_unique_id_that_repeats_is_marked_wherever_it_stands(look: Look) -> None:
    found = look(f"{HEADER}a1,A,B,,,\n a2,A,B,,,\na1 ,C,D,,,\n,A,B,,,\n,A,B,,,\n")
    told = [row.cells[0].fault for row in found.rows]
    repeated, missing = "It occurs more than once in these rows, and Load rejects each of them.", "is missing."
    assert [told[0], told[1], told[2]] == [repeated, "", repeated]
    assert told[3].endswith(missing)
    assert told[4].endswith(missing)


def test_of_many_rows_the_first_ten_are_shown_and_all_are_counted_or_guessed(look: Look) -> None:
    row = "a1,Anna,Berg,1980-01-02,2000,W1\n"
    found = look(HEADER + row * 5000)
    assert (len(found.rows), found.rows_count, found.is_exact) == (10, 5000, True)
    guessed = look(HEADER + row * 1_000_000)
    assert not guessed.is_exact
    assert guessed.rows_count == pytest.approx(1_000_000, rel=0.1)
    packed = look(gzip.compress((HEADER + row * 1_000_000).encode(), 1))
    assert packed.rows_count == pytest.approx(1_000_000, rel=0.4)


def test_parquet_is_shown_and_counted(look: Look, system: System) -> None:
    path = system.folder / "p.parquet"
    names = ("id", "given", "surname", "dob", "postcode")
    pq.write_table(pa.table({name: ["x"] * 300_000 for name in names}), path)
    found = look(path.read_bytes())
    assert (len(found.rows), found.rows_count, found.is_exact, found.place) == (10, 300_000, True, "row")


@pytest.mark.parametrize(
    ("content", "action", "fault"),
    [
        (b"", RequestType.SUBMIT_LINKAGE, "is empty"),
        (b"no,such\n1,2\n", RequestType.SUBMIT_LINKAGE, "source_unique_id is mapped to the column 'id'"),
        (HEADER.encode() + b"a1,\xff\xfe,B,,,\n", RequestType.SUBMIT_LINKAGE, "line 2 holds bytes"),
        (HEADER.encode() + b'a1,"A,B,,,\n', RequestType.SUBMIT_LINKAGE, "starts at line 2 cannot be read"),
        (b"PK\x03\x04....", RequestType.SUBMIT_LINKAGE, "a zip or an Excel workbook"),
        (b"a1\n\xff\n", RequestType.SUBMIT_DELETION, "line 2: no text in UTF-8"),
        (gzip.compress(b"a1\n" * 100)[:-12], RequestType.SUBMIT_DELETION, "gzip packing is damaged"),
        (b"x" * 100_000, RequestType.SUBMIT_DELETION, "line 1 has more than"),
    ],
    ids=("empty", "columns", "bytes", "quotes", "workbook", "no text", "cut gzip", "long line"),
)
def test_a_file_that_cannot_be_read_says_why_and_where(
    look: Look, content: bytes, action: RequestType, fault: str
) -> None:
    with pytest.raises(LinkwrightError, match=fault):
        look(content, action)


def test_lists_of_records_are_shown_as_such(look: Look) -> None:
    deletion = look(gzip.compress(b"\xef\xbb\xbfa1\n\n a2 \n"), RequestType.SUBMIT_DELETION)
    assert [(row.line, row.cells[0].raw) for row in deletion.rows] == [(1, "a1"), (3, "a2")]
    review = look("P1,a1,ADM,x\nP2,a2,ADM,x\nP1,a3\n", RequestType.SUBMIT_QUALITY_REVIEW)
    assert [column.name for column in review.columns][-1] == "target group"
    assert review.rows[1].cells[0].fault == "This is not P1, the project at hand."
    assert review.rows[2].fault.startswith("The row must hold 4 values")
    assert (deletion.rows_count, review.rows_count) == (2, 3)
    assert look("a1\n" * 4_000_000, RequestType.SUBMIT_DELETION).rows_count == pytest.approx(4_000_000, rel=0.01)


@pytest.fixture
def user(system: System) -> User:
    return User.objects.create(username="olga")


@pytest.fixture
def waiting(system: System, user: User) -> WaitingDataFile:
    path = system.folder / "upload.tmp"
    path.write_text(f"{HEADER}a1,Anna,Berg,1980-01-02,2000,W1\n")
    asked = DataFileSubmission(path, "adm.csv", "P1", RequestType.SUBMIT_LINKAGE, "ADM")
    return keep_waiting(asked, system.config, user, LinkageProject.objects.get(code="P1"))


def find(system: System, waiting: WaitingDataFile, user: User) -> WaitingDataFile:
    return find_waiting(waiting.id, system.config, user, LinkageProject.objects.get(code="P1"))


def test_a_file_that_is_confirmed_twice_becomes_one_envelope(
    system: System, waiting: WaitingDataFile, user: User
) -> None:
    assert not (system.folder / "upload.tmp").exists()
    first = confirm_waiting(waiting, "MARCH", COMMAND_LINE)
    assert confirm_waiting(find(system, waiting, user), "APRIL", COMMAND_LINE) == first
    assert (Envelope.objects.get().name, Envelope.objects.get().jobs.count()) == ("MARCH", 5)
    assert not waiting.submission.path.exists()
    system.drain()
    assert Envelope.objects.get().state == EnvelopeState.SUCCESS


def test_nor_is_it_doubled_if_the_process_died_right_after_it_was_queued(
    system: System, waiting: WaitingDataFile, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_arguments: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(waiting_data_file, "_write_about", die)
        with pytest.raises(SystemExit):
            confirm_waiting(waiting, "MARCH", COMMAND_LINE)
    envelope = confirm_waiting(find(system, waiting, user), "", COMMAND_LINE)
    assert Envelope.objects.get() == envelope


def test_it_is_nobody_elses_and_no_other_projects(system: System, waiting: WaitingDataFile, user: User) -> None:
    other = LinkageProject.objects.create(code="P2", name="Other")
    for who, where, name in (
        (User.objects.create(username="eve"), LinkageProject.objects.get(code="P1"), waiting.id),
        (user, other, waiting.id),
        (user, LinkageProject.objects.get(code="P1"), "../waiting"),
    ):
        with pytest.raises(DataFileGoneError):
            find_waiting(name, system.config, who, where)


def test_what_was_cancelled_or_has_waited_for_a_day_is_gone_without_a_trace(
    system: System, waiting: WaitingDataFile, user: User
) -> None:
    assert sweep_waiting(system.config) == 0
    yesterday = time.time() - 25 * 3600
    os.utime(waiting.folder, (yesterday, yesterday))
    assert sweep_waiting(system.config) == 1
    for act in (lambda: find(system, waiting, user), lambda: confirm_waiting(waiting, "", COMMAND_LINE)):
        with pytest.raises(DataFileGoneError, match="does not wait any more"):
            act()
    # nothing is left to cancel, and nothing is said
    cancel_waiting(waiting)
    assert list(system.config.waiting_folder.iterdir()) == []
    assert not Envelope.objects.exists()


def test_a_file_is_not_swept_while_it_is_confirmed_and_a_half_made_folder_is(
    system: System, waiting: WaitingDataFile
) -> None:
    half = system.config.waiting_folder / ("0" * 32)
    half.mkdir()
    yesterday = time.time() - 25 * 3600
    for folder in (half, waiting.folder):
        os.utime(folder, (yesterday, yesterday))
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with waiting_data_file._locked(waiting.folder):
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait(10)
    try:
        assert sweep_waiting(system.config) == 1
    finally:
        leave.set()
        thread.join()
    assert [path.name for path in system.config.waiting_folder.iterdir()] == [waiting.id]


def test_a_file_that_cannot_be_submitted_is_never_kept(system: System, user: User) -> None:
    path = system.folder / "upload.tmp"
    path.write_bytes(b"")
    asked = DataFileSubmission(path, "adm.csv", "P1", RequestType.SUBMIT_LINKAGE, "ADM")
    with pytest.raises(LinkwrightError, match="is empty"):
        keep_waiting(asked, system.config, user, LinkageProject.objects.get(code="P1"))
    path.write_bytes(b"x")
    with pytest.raises(LinkwrightError, match="is not attached"):
        keep_waiting(
            replace(asked, event_type_code="BIRTH"),
            system.config,
            user,
            LinkageProject.objects.get(code="P1"),
        )
    assert not Path(system.config.waiting_folder).exists()
