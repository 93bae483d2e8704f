"""Extraction by Envelope and by job: what is shown under which keys, what is refused, snapshots and growth."""

import io
import re
import zipfile
from pathlib import Path

import pytest

from linkwright.engine.extraction import ExtractionColumn
from linkwright.envelopes.limits import PackageLimits
from linkwright.envelopes.manifest import RequestType
from linkwright.envelopes.package import verify_package
from linkwright.services.change_extraction_project import change_extraction_project, close_extraction_project
from linkwright.services.extraction_faults import ExtractionRefusedError
from linkwright.services.start_extraction import start_extraction
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AuditLogEntry,
    EnvelopeState,
    ExtractionProject,
    ExtractionResult,
    Job,
    JobKind,
    JobState,
    Notification,
)
from tests.integration.pipeline.acting import A, B, C, delete, person, review, roll_back
from tests.integration.pipeline.conftest import PROJECT_YAML, System
from tests.integration.pipeline.extracting import (
    IDENTIFIER,
    KEY,
    D,
    ask,
    create,
    extract,
    form,
    keys,
    package,
    rows,
)

pytestmark = pytest.mark.django_db

LIMITS = PackageLimits(max_size_bytes=10**9, max_compression_ratio=1000)


def test_records_are_shown_under_one_key_per_person_in_an_envelope_that_our_reader_accepts(
    system: System, tmp_path: Path
) -> None:
    system.load("first", [A, B, C, D])
    create()
    job = extract(system)
    header, *found = rows(system, job)
    assert header == ["key", "id"]
    assert found == sorted(found)
    by_identifier = {identifier: key for key, identifier in found}
    assert by_identifier["a"] == by_identifier["b"] == by_identifier["c"] != by_identifier["d"]
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in by_identifier.values())
    path = tmp_path / "result.zip"
    path.write_bytes(package(system, job))
    verified = verify_package(path, LIMITS)
    manifest = verified.examination.manifest
    assert (manifest.linkage_project, manifest.request_type) == ("P1", RequestType.SUBMIT_EXTRACTION)
    assert (manifest.extraction_project, manifest.data_files[0].event_type_code) == ("X1", "ADM")
    result = ExtractionResult.objects.get(job=job)
    assert (result.records_count, result.persons_count, result.changes_count) == (4, 2, None)
    assert job.statistics["new_keys_count"] == 2


def test_all_columns_can_be_chosen_renamed_and_ordered(system: System) -> None:
    text = PROJECT_YAML.replace(
        "source_unique_id: id, given", "source_unique_id: id, source_person_id: urn, given"
    )
    system.apply(text)
    columns = ("id", "given", "surname", "dob", "postcode", "urn")
    system.submit(system.build("first", [(*A, 'u"1'), (*D, "")], columns=columns))
    system.drain()
    names = {column: f"My {column.value}, renamed" for column in ExtractionColumn}
    create(columns=tuple(names.items()))
    header, *found = rows(system, extract(system))
    assert header == list(names.values())
    by_identifier = {row[1]: row for row in found}
    key = by_identifier["a"][0]
    assert by_identifier["a"] == [key, "a", "ADM", "P1", 'u"1', "X1"]
    assert by_identifier["d"][4] == ""


def test_parquet_holds_what_csv_holds(system: System) -> None:
    system.load("first", [A, D])
    create("X1")
    create("X2", file_format="parquet")
    job = extract(system, "X2")
    assert job.state == JobState.SUCCESS, job.error_message
    with zipfile.ZipFile(io.BytesIO(package(system, job))) as archive:
        assert archive.read("data-extract.parquet")[:4] == b"PAR1"
        assert b'format="Parquet"' in archive.read("manifest.xml")


def test_keys_of_two_extraction_projects_share_nothing_and_do_not_follow_the_order_of_groups(
    system: System,
) -> None:
    system.load("first", [person(f"p{number:02}", f"Given{number}", f"Name{number}") for number in range(40)])
    create("X1")
    create("X2")
    one, other = keys(system, "X1"), keys(system, "X2")
    assert one.keys() == other.keys()
    assert not set(one.values()) & set(other.values())
    groups = system.group_ids()
    for found in (one, other):
        assert sorted(found, key=lambda name: found[name]) != sorted(found, key=lambda name: groups[name])


def test_a_key_stays_while_its_group_grows_and_the_bytes_stay_if_nothing_changes(system: System) -> None:
    system.load("first", [A, D])
    create()
    before = keys(system)
    assert package(system, extract(system, with_changes=False)) == package(
        system, extract(system, with_changes=False)
    )
    system.load("second", [B, person("e", "Eve", "Eck", "1955-05-05")])
    after = keys(system)
    assert (after["a"], after["d"]) == (before["a"], before["d"])
    assert after["b"] == before["a"]
    assert after["e"] not in before.values()


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_snapshot_gives_the_same_bytes_after_any_later_load_deletion_or_review(
    system: System, file_format: str
) -> None:
    system.load("first", [A, B, D])
    create("S", "snapshot", file_format=file_format)
    system.drain()
    before = package(system, extract(system, "S"))
    system.load("second", [C, person("d2", "Dora", "Dunn", "1990-09-10")])
    review(system, "b>somebody else")
    delete(system, "a", "d")
    assert package(system, extract(system, "S")) == before
    last = roll_back(system, system.load("third", [person("f", "Fay", "Fox", "1950-01-01")]))
    assert "mended_snapshots_count" not in last.statistics
    assert package(system, extract(system, "S")) == before


def test_a_snapshot_holds_no_linkage_field_and_shows_deleted_records_under_their_keys(system: System) -> None:
    system.load("first", [person("z1", "Zebulon", "Quixwater"), person("z2", "Zebulon", "Quixwater")])
    create("S", "snapshot")
    system.drain()
    delete(system, "z1")
    assert sorted(keys(system, "S")) == ["z1", "z2"]
    (part,) = ExtractionProject.objects.get().parts.all()
    assert part.records is not None
    content = (system.project_folder / part.records.file_name).read_bytes().lower()
    assert b"z1" in content
    assert b"quixwater" not in content
    assert b"zebulon" not in content


def test_a_snapshot_is_of_the_moment_of_its_creation_though_an_envelope_is_under_way(system: System) -> None:
    system.load("first", [A, D])
    deletion = system.submit(system.build_raw("gone", {"ADM": b"d\n"}, request_type=RequestType.SUBMIT_DELETION))
    later = system.submit(system.build("second", [B]))
    system.drain(limit=2)
    create("S", "snapshot")
    done = system.drain()
    kinds = [(job.envelope, job.kind) for job in done]
    # not between the jobs of the Envelope that had begun, and before those of the next
    assert kinds.index((None, JobKind.SNAPSHOT)) == 2
    deletion.refresh_from_db()
    later.refresh_from_db()
    assert (deletion.state, later.state) == (EnvelopeState.SUCCESS, EnvelopeState.SUCCESS)
    assert sorted(keys(system, "S")) == ["a", "d"]


def test_a_snapshot_that_a_project_file_declares_is_of_the_moment_when_it_is_applied(system: System) -> None:
    system.load("first", [A, B])
    columns = "[person_key, source_unique_id]"
    declared = (
        "{code: S, name: A study, approval_reference: HREC 1, kind: snapshot, event_types: [ADM], "
        f"columns: {columns}}}"
    )
    text = f"{PROJECT_YAML}    extraction_projects: [{declared}]\n"
    system.apply(text)
    late = system.load("second", [D])
    assert late.state == EnvelopeState.SUCCESS
    before = package(system, extract(system, "S"))
    assert set(keys(system, "S")) == {"a", "b"}
    # what was extracted from is as the file says: nothing differs, and the keys stay
    system.apply(text)
    assert package(system, extract(system, "S")) == before
    assert Job.objects.filter(kind=JobKind.SNAPSHOT).count() == 1


def test_nothing_is_extracted_from_a_snapshot_that_is_not_made(system: System) -> None:
    system.load("first", [A])
    project = create("S", "snapshot")
    with pytest.raises(ExtractionRefusedError, match=r"is not made yet: wait until job \d+ has ended"):
        start_extraction(project, COMMAND_LINE)
    Job.objects.filter(kind=JobKind.SNAPSHOT).update(state=JobState.ERRORS)
    with pytest.raises(ExtractionRefusedError, match=r"was not made: job \d+ ended in Errors. Retry that job"):
        start_extraction(project, COMMAND_LINE)


def test_an_envelope_extracts_what_it_lists_and_names_what_is_not_there(system: System) -> None:
    system.load("first", [A, B, D])
    create()
    envelope = ask(system, "some", lists={"ADM": ["d", "a", "nobody", "a"]})
    assert envelope.state == EnvelopeState.SUCCESS
    chain = list(Job.objects.filter(envelope=envelope).order_by("chain_position"))
    assert [job.kind for job in chain] == ["Validate", "Extract"]
    assert sorted(row[1] for row in rows(system, chain[1])[1:]) == ["a", "d"]
    assert (chain[1].statistics["unknown_count"], envelope.records_count) == (1, 2)
    assert "ADM:nobody" in Notification.objects.get(envelope=envelope).text
    everything = ask(system, "all")
    assert sorted(row[1] for row in rows(system, everything.jobs.get(kind="Extract"))[1:]) == ["a", "b", "d"]


def test_each_event_type_has_its_own_result_and_persons_the_same_key_in_both(system: System) -> None:
    system.apply(PROJECT_YAML.replace("event_types: [ADM]", "event_types: [ADM, BIRTH]"))
    system.load("first", [A, D])
    system.submit(system.build("births", [person("b1")], sender="REG", event_type="BIRTH"))
    system.drain()
    create(event_types=("ADM", "BIRTH"))
    job = extract(system)
    (_header, (key, _identifier)) = rows(system, job, event_type="BIRTH")
    assert [key, "a"] in rows(system, job)
    envelope = ask(system, "admissions only", lists={"ADM": ["a"]})
    assert ExtractionResult.objects.get(envelope=envelope).event_type.code == "ADM"


def test_all_that_is_wrong_with_an_extraction_envelope_is_named_at_once(system: System) -> None:
    system.apply(PROJECT_YAML.replace("event_types: [ADM]", "event_types: [ADM, BIRTH]"))
    system.load("first", [A])
    unknown = ask(system, "unknown", code="NONE", lists={"NOTHING": ["a"]})
    assert unknown.state == EnvelopeState.ERRORS
    text = Notification.objects.get(envelope=unknown).text
    assert "Event Type 'NOTHING' is unknown" in text
    assert "Extraction Project 'NONE' is unknown in P1" in text
    create("S", "snapshot", event_types=("BIRTH",))
    Job.objects.filter(kind=JobKind.SNAPSHOT).update(state=JobState.ERRORS)
    text = Notification.objects.get(envelope=ask(system, "early", code="S", lists={"ADM": ["a"]})).text
    assert "Event Type 'ADM' is not part of Extraction Project 'S', which shows BIRTH" in text
    assert "was not made" in text
    close_extraction_project(ExtractionProject.objects.get().pk, COMMAND_LINE, reason="over")
    text = Notification.objects.get(envelope=ask(system, "late", code="S")).text
    assert "was closed on" in text


def test_a_retry_succeeds_once_the_extraction_project_is_there(system: System) -> None:
    system.load("first", [A])
    refused = ask(system, "early")
    create()
    again = ask(system, "again")
    assert (refused.state, again.state) == (EnvelopeState.ERRORS, EnvelopeState.SUCCESS)


def test_everything_that_is_wrong_with_a_new_extraction_project_is_named_at_once(system: System) -> None:
    columns = (("person_key", "id"), ("group_id", "ID"), ("person_key", " x"))
    with pytest.raises(ExtractionRefusedError) as refused:
        create(
            "no code",
            "forever",
            ("ADM", "NONE"),
            name=" ",
            columns=columns,
            file_format="xls",
            keep_results_days=0,
        )
    for part in (
        "'no code' is no code",
        "no kind 'forever'",
        "Event Type 'NONE' is not attached to P1",
        "The name is empty",
        "no column 'group_id'",
        "'person_key' is chosen 2 times",
        "is named ' x'",
        "'id' is given to 2 columns",
        "no format 'xls'",
        "kept 0 days",
    ):
        assert any(part in fault for fault in refused.value.faults), part
    assert not ExtractionProject.objects.exists()
    create("X1")
    with pytest.raises(ExtractionRefusedError) as refused:
        create("X1", event_types=())
    assert [fault.split(".")[0] for fault in refused.value.faults] == [
        "P1 has an Extraction Project 'X1' already",
        "No Event Type is chosen",
    ]


def test_columns_can_be_changed_and_closing_ends_it_and_both_are_in_the_audit_log(system: System) -> None:
    system.load("first", [A])
    project = create()
    changed = form(columns=((IDENTIFIER, "source"),), name="A study")
    assert change_extraction_project(project.pk, changed, COMMAND_LINE)
    assert not change_extraction_project(project.pk, changed, COMMAND_LINE)
    assert rows(system, extract(system)) == [["source"], ["a"]]
    with pytest.raises(ExtractionRefusedError, match="needs a reason"):
        close_extraction_project(project.pk, COMMAND_LINE, reason=" ")
    close_extraction_project(project.pk, COMMAND_LINE, reason="the approval ended")
    with pytest.raises(ExtractionRefusedError, match="was closed on"):
        start_extraction(project, COMMAND_LINE)
    with pytest.raises(ExtractionRefusedError, match="is closed"):
        change_extraction_project(project.pk, form(), COMMAND_LINE)
    actions = list(AuditLogEntry.objects.filter(target="X1").order_by("pk").values_list("action", flat=True))
    assert actions == [
        "create Extraction Project",
        "change Extraction Project",
        "extract",
        "close Extraction Project",
    ]
    entry = AuditLogEntry.objects.get(action="change Extraction Project")
    assert entry.detail["after"] == {"columns": [{"column": "source_unique_id", "name": "source"}]}


def test_without_keys_the_order_does_not_tell_who_belongs_together(system: System) -> None:
    system.load("first", [person("a3"), person("b1", "Ben", "Cole", "1975-05-06"), person("a1")])
    create(columns=((ExtractionColumn.EVENT_TYPE_CODE, "type"), (IDENTIFIER, "id")))
    assert rows(system, extract(system))[1:] == [["ADM", "a1"], ["ADM", "a3"], ["ADM", "b1"]]
    assert "changes" not in " ".join(zipfile.ZipFile(io.BytesIO(package(system, extract(system)))).namelist())


def test_a_second_extraction_of_the_same_project_is_refused_while_one_waits(system: System) -> None:
    system.load("first", [A])
    project = create()
    start_extraction(project, COMMAND_LINE)
    with pytest.raises(ExtractionRefusedError, match=r"Job \d+ \(Extract\) of X1 is queued or runs already"):
        start_extraction(project, COMMAND_LINE)


def test_a_project_without_records_gives_an_empty_result(system: System) -> None:
    create(columns=((KEY, "key"),))
    assert rows(system, extract(system)) == [["key"]]
