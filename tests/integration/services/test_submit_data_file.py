"""A data file becomes an Envelope: what the manifest says, what is refused, and that nothing is left behind."""

import gzip
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from linkwright.envelopes.corruption import BuildError
from linkwright.envelopes.manifest import FileFormat, Manifest, RequestType
from linkwright.envelopes.package import examine_package
from linkwright.jobs.context import package_limits
from linkwright.services.receive_envelope import receive_envelope
from linkwright.services.submit_data_file import (
    DataFileRefusedError,
    DataFileSubmission,
    default_name,
    safe_file_name,
    submit_data_file,
)
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, Envelope, EnvelopeState
from linkwright.store.settings import change_setting
from tests.integration.pipeline.conftest import System
from tests.integration.pipeline.conftest import system as system  # noqa: PLC0414 - a fixture

pytestmark = pytest.mark.django_db

CSV = b"id,given,surname,dob,postcode\na1,Anna,Berg,1980-01-02,2000\n"


@pytest.fixture
def submission(system: System) -> DataFileSubmission:
    """Return a linkage of one admission."""
    path = system.folder / "waiting"
    path.write_bytes(CSV)
    return DataFileSubmission(path, "admissions.csv", "P1", RequestType.SUBMIT_LINKAGE, "ADM")


def manifest_of(system: System, envelope: Envelope) -> Manifest:
    return examine_package(system.config.incoming_folder / envelope.file_name, package_limits()).manifest


def test_a_file_is_linked_as_if_it_had_come_in_an_envelope(system: System, submission: DataFileSubmission) -> None:
    envelope = submit_data_file(submission, COMMAND_LINE)
    manifest = manifest_of(system, envelope)
    (file,) = manifest.data_files
    assert (manifest.sender, file.file_name, file.event_type_code) == ("HOSP", "admissions.csv", "ADM")
    system.drain()
    envelope.refresh_from_db()
    assert (envelope.state, envelope.name, envelope.records_count) == (EnvelopeState.SUCCESS, "admissions", 1)
    assert AuditLogEntry.objects.get(action="submit Envelope").detail["data_file"] == "admissions.csv"
    assert submission.path.read_bytes() == CSV


def test_gzip_and_parquet_are_told_by_their_content(system: System, submission: DataFileSubmission) -> None:
    submission.path.write_bytes(gzip.compress(CSV))
    assert submit_data_file(submission, COMMAND_LINE).state == EnvelopeState.QUEUED
    columns = {name: ["b1"] for name in ("id", "given", "surname", "dob", "postcode")}
    pq.write_table(pa.table(columns), submission.path)
    envelope = submit_data_file(replace(submission, name=" of my own "), COMMAND_LINE)
    assert manifest_of(system, envelope).data_files[0].file_format is FileFormat.PARQUET
    assert envelope.name == "of my own"


def test_a_review_needs_no_event_type(system: System, submission: DataFileSubmission) -> None:
    submission.path.write_bytes(b"P1,a1,ADM,x\n")
    asked = replace(submission, request_type=RequestType.SUBMIT_QUALITY_REVIEW, event_type_code="")
    envelope = submit_data_file(asked, COMMAND_LINE)
    assert manifest_of(system, envelope).data_files[0].event_type_code == "ADM"
    assert [job.kind for job in envelope.jobs.order_by("chain_position")][1] == "Review"


def test_a_file_that_compresses_well_is_not_taken_for_an_attack(
    system: System, submission: DataFileSubmission
) -> None:
    submission.path.write_bytes(CSV + b"," * 3_000_000)
    assert submit_data_file(submission, COMMAND_LINE).state == EnvelopeState.QUEUED


@pytest.mark.parametrize(
    ("changes", "content", "fault"),
    [
        ({"event_type_code": "BIRTH"}, CSV, "'BIRTH' is not attached to P1; attached: ADM"),
        ({"project_code": "P9"}, CSV, "Linkage Project 'P9' is unknown"),
        ({"request_type": RequestType.SUBMIT_EXTRACTION}, CSV, "cannot ask for SubmitExtraction"),
        ({}, b"", "is empty"),
        ({"request_type": RequestType.SUBMIT_DELETION}, b"PAR1", "this is Parquet"),
        ({}, b"x" * 1_100_000, "at most 1.0 MiB"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    system: System, submission: DataFileSubmission, changes: dict[str, str], content: bytes, fault: str
) -> None:
    change_setting("Envelope.MaxSizeMiB", 1, COMMAND_LINE)
    submission.path.write_bytes(content)
    with pytest.raises(DataFileRefusedError, match=fault.replace("(", r"\(")):
        submit_data_file(replace(submission, **changes), COMMAND_LINE)  # type: ignore[arg-type]
    assert list(system.config.incoming_folder.iterdir()) == []
    assert not Envelope.objects.exists()


def test_broken_gzip_and_a_file_that_vanished_are_refused_with_the_reason(
    system: System, submission: DataFileSubmission
) -> None:
    submission.path.write_bytes(gzip.compress(CSV)[:-9])
    with pytest.raises(BuildError, match="begins like gzip"):
        submit_data_file(submission, COMMAND_LINE)
    submission.path.unlink()
    with pytest.raises(DataFileRefusedError, match="No such file"):
        submit_data_file(submission, COMMAND_LINE)
    assert list(system.config.incoming_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "name", "held"),
    [
        ("births.csv.gz", "births", "births.csv.gz"),
        ("C:\\data\\births.CSV", "C:\\data\\births", "births.CSV"),
        ("../../etc/passwd", "../../etc/passwd", "passwd"),
        ("a\nb.txt", "a\\nb", "a_nb.txt"),
        ("..", "..", "data"),
        ("manifest.xml", "manifest.xml", "data"),
        ("é" * 200, "é" * 200, "é" * 127),
        (".csv", ".csv", ".csv"),
    ],
)
def test_any_file_name_gives_a_name_for_people_and_one_that_every_system_can_hold(
    given: str, name: str, held: str
) -> None:
    assert (default_name(given), safe_file_name(given)) == (name, held)


@pytest.mark.parametrize("moves", [False, True])
def test_an_envelope_is_copied_or_moved_in(system: System, moves: bool) -> None:
    source = system.build("a", [])
    inode = source.stat().st_ino
    envelope = receive_envelope(source, name="", actor=COMMAND_LINE, moves=moves)
    kept = system.config.incoming_folder / envelope.file_name
    assert source.exists() is not moves
    assert (kept.stat().st_ino == inode) is moves
    assert envelope.size_bytes == kept.stat().st_size


def test_an_envelope_that_could_not_be_registered_is_back_in_its_place(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = system.build("a", [])

    def fail(*_arguments: object) -> None:
        raise RuntimeError("the database is gone")

    monkeypatch.setattr("linkwright.services.receive_envelope.enqueue_chain", fail)
    with pytest.raises(RuntimeError):
        receive_envelope(source, name="", actor=COMMAND_LINE, moves=True)
    assert source.exists()
    assert list(Path(system.config.incoming_folder).iterdir()) == []
