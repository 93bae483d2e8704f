"""Extraction Projects in project files: what is made, changed and closed, and every fault."""

from pathlib import Path

import pytest

from linkwright.config import load_config
from linkwright.jobs.keyring import KeyringError, keyring_path
from linkwright.store.models import (
    AuditLogEntry,
    DataProvider,
    ExtractionProject,
    Job,
    JobKind,
    LinkageProject,
)
from tests.integration.services.test_project_file import SMALL, apply, faults

pytestmark = pytest.mark.django_db

BIRTHS = "  - {code: BIRTHS, provider: HOSP, import_format: csv}\nprojects:"
TWO_TYPES = SMALL.replace("projects:", BIRTHS).replace("[ADM]", "[ADM, BIRTHS]")
USE = """\
    extraction_projects:
      - code: DIABETES
        name: Diabetes outcomes
        approval_reference: HREC 2026/17
        kind: enduring
        event_types: [BIRTHS, ADM]
        columns: [{column: person_key, name: PERSON}, source_unique_id]
"""
DECLARED = TWO_TYPES.replace("settings:", f"{USE}settings:")
SNAPSHOT = DECLARED.replace("kind: enduring", "kind: snapshot")


def with_key(line: str, text: str = DECLARED) -> str:
    """Return the file with one more key of its Extraction Project."""
    return text.replace("        kind:", f"        {line}\n        kind:")


def told(changes: object) -> list[str]:
    assert isinstance(changes, list)
    return [str(change) for change in changes if change.kind == "Extraction Project"]


def entries(action: str) -> list[AuditLogEntry]:
    return list(AuditLogEntry.objects.filter(action=f"{action} Extraction Project"))


def test_a_file_creates_what_it_declares_as_the_page_does(tmp_path: Path) -> None:
    assert told(apply(tmp_path, DECLARED)) == ["create Extraction Project DIABETES of P1"]
    made = ExtractionProject.objects.get()
    assert (made.project.code, made.name, made.approval_reference, made.kind) == (
        "P1",
        "Diabetes outcomes",
        "HREC 2026/17",
        "enduring",
    )
    assert sorted(one.code for one in made.event_types.all()) == ["ADM", "BIRTHS"]
    assert made.columns == [
        {"column": "person_key", "name": "PERSON"},
        {"column": "source_unique_id", "name": "source_unique_id"},
    ]
    assert (made.file_format, made.keep_results_days, made.closed_at) == ("csv", 90, None)
    assert not Job.objects.exists()
    (entry,) = entries("create")
    assert (entry.target, entry.project_code, entry.detail["approval_reference"]) == (
        "DIABETES",
        "P1",
        "HREC 2026/17",
    )
    assert apply(tmp_path, DECLARED) == []


def test_a_snapshot_is_queued_at_once_and_the_file_says_so(tmp_path: Path) -> None:
    changes = apply(tmp_path, SNAPSHOT)
    assert told(changes) == ["create Extraction Project DIABETES of P1 (with a snapshot of the map as it is now)"]
    made = ExtractionProject.objects.get()
    assert Job.objects.get(kind=JobKind.SNAPSHOT) == made.snapshot_job
    assert apply(tmp_path, SNAPSHOT) == []
    assert Job.objects.count() == 1


def test_only_what_differs_is_changed_and_what_is_left_out_stays(tmp_path: Path) -> None:
    apply(tmp_path, with_key("keep_results_days: 7"))
    key = ExtractionProject.objects.get().uuid
    changed = DECLARED.replace("name: PERSON", "name: KEY").replace("HREC 2026/17", "HREC 2026/18")
    assert told(apply(tmp_path, with_key("file_format: parquet", changed))) == [
        "update Extraction Project DIABETES of P1 (approval_reference, columns, file_format)"
    ]
    made = ExtractionProject.objects.get()
    assert (made.keep_results_days, made.file_format, made.columns[0]["name"]) == (7, "parquet", "KEY")
    assert made.uuid == key
    (entry,) = entries("change")
    assert entry.detail["before"]["approval_reference"] == "HREC 2026/17"
    assert apply(tmp_path, TWO_TYPES) == []
    assert ExtractionProject.objects.exists()


def test_results_are_kept_as_long_as_the_setting_of_the_same_file_says_at_its_creation(tmp_path: Path) -> None:
    apply(tmp_path, f"{DECLARED}  Extract.KeepResultsDays: 12\n")
    assert ExtractionProject.objects.get().keep_results_days == 12
    assert told(apply(tmp_path, f"{DECLARED}  Extract.KeepResultsDays: 13\n")) == []
    assert ExtractionProject.objects.get().keep_results_days == 12


def test_a_file_closes_for_good(tmp_path: Path) -> None:
    apply(tmp_path, DECLARED)
    assert told(apply(tmp_path, with_key("closed: false"))) == []
    closing = with_key("closed: true", DECLARED.replace("Diabetes", "Asthma"))
    assert told(apply(tmp_path, closing)) == [
        "update Extraction Project DIABETES of P1 (name)",
        "close Extraction Project DIABETES of P1",
    ]
    assert entries("close")[0].reason == "The project file says so."
    assert apply(tmp_path, closing) == []
    # a file that says nothing of it leaves it closed
    assert apply(tmp_path, DECLARED.replace("Diabetes", "Asthma")) == []
    refused = faults(tmp_path, with_key("closed: false"))
    assert [fault.split(": ")[1] for fault in refused] == [
        "projects[0].extraction_projects[0].name",
        "projects[0].extraction_projects[0].closed",
    ]
    assert "'Diabetes outcomes', but DIABETES of P1 was closed on" in refused[0]
    assert "and holds 'Asthma outcomes'. Leave it so" in refused[0]
    assert "Write true, or declare another" in refused[1]


def test_one_that_is_declared_closed_is_made_closed_and_keeps_no_map(tmp_path: Path) -> None:
    assert told(apply(tmp_path, with_key("closed: true", SNAPSHOT))) == [
        "create Extraction Project DIABETES of P1",
        "close Extraction Project DIABETES of P1",
    ]
    made = ExtractionProject.objects.get()
    assert made.closed_at is not None
    assert made.snapshot_job is None
    assert not Job.objects.exists()
    assert len(entries("create")) == len(entries("close")) == 1


def test_a_project_that_the_same_file_archives_gets_its_snapshot(tmp_path: Path) -> None:
    archived = SNAPSHOT.replace("    name: One", "    name: One\n    archived: true")
    apply(tmp_path, archived)
    assert LinkageProject.objects.get().archived_at is not None
    assert Job.objects.get().kind == JobKind.SNAPSHOT
    assert apply(tmp_path, archived) == []


def test_a_dry_run_says_what_it_would_do_and_makes_not_even_the_secret(tmp_path: Path) -> None:
    declared = with_key("closed: true")
    would = [str(change) for change in apply(tmp_path, declared, dry_run=True)]
    assert would[-2:] == ["create Extraction Project DIABETES of P1", "close Extraction Project DIABETES of P1"]
    assert not ExtractionProject.objects.exists()
    assert not keyring_path(load_config()).exists()
    assert [str(change) for change in apply(tmp_path, declared)] == would


def test_a_dry_run_changes_and_closes_nothing(tmp_path: Path) -> None:
    apply(tmp_path, DECLARED)
    closing = with_key("closed: true", DECLARED.replace("Diabetes", "Asthma"))
    assert len(apply(tmp_path, closing, dry_run=True)) == 2
    made = ExtractionProject.objects.get()
    assert (made.name, made.closed_at) == ("Diabetes outcomes", None)
    assert not entries("close")


@pytest.mark.parametrize("dry_run", [True, False])
def test_without_the_servers_secret_nothing_of_the_file_is_made(tmp_path: Path, *, dry_run: bool) -> None:
    apply(tmp_path, DECLARED)
    keyring_path(load_config()).unlink()
    another = f"{DECLARED}".replace("code: DIABETES", "code: ASTHMA").replace("A hospital", "Another")
    with pytest.raises(KeyringError, match="is gone"):
        apply(tmp_path, another, dry_run=dry_run)
    assert ExtractionProject.objects.count() == 1
    assert DataProvider.objects.get().organisation == "A hospital"


HERE = "projects[0].extraction_projects[0]"
FIRST_LINE = DECLARED[: DECLARED.index("- code: DIABETES")].count("\n") + 1


def at(below: int) -> str:
    """Return how a fault begins so many lines below the first of the Extraction Project."""
    return f"line {FIRST_LINE + below}: {HERE}"


@pytest.mark.parametrize(
    ("old", "new", "below", "expected"),
    [
        ("code: DIABETES", "code: A B", 0, f"{HERE}.code: 'A B' is no code"),
        ("name: Diabetes outcomes", "name: ' '", 1, f"{HERE}.name: The name is empty. Give one."),
        ("name: Diabetes outcomes", 'name: "a\\0b"', 1, f"{HERE}.name: The name holds the zero character"),
        (
            "approval_reference: HREC 2026/17",
            f"approval_reference: {'x' * 201}",
            2,
            f"{HERE}.approval_reference: The approval reference has 201 characters; at most 200",
        ),
        ("        approval_reference: HREC 2026/17\n", "", 0, f"{HERE}.approval_reference: is missing. Add it."),
        (
            "kind: enduring",
            "kind: endless",
            3,
            ".kind: 'endless' is not allowed. Allowed: snapshot, enduring.",
        ),
        ("kind: enduring", "knd: enduring", 3, f"{HERE}.knd: the key is unknown. Did you mean kind?"),
        (
            "kind: enduring",
            "kind: enduring\n        file_format: xlsx",
            4,
            f"{HERE}.file_format: 'xlsx' is not allowed. Allowed: csv, parquet.",
        ),
        (
            "kind: enduring",
            "kind: enduring\n        keep_results_days: 0",
            4,
            f"{HERE}.keep_results_days: Results are to be kept 0 days; allowed is 1 to",
        ),
        (
            "kind: enduring",
            "kind: enduring\n        keep_results_days: true",
            4,
            f"{HERE}.keep_results_days: True is no whole number",
        ),
        ("[BIRTHS, ADM]", "[]", 4, f"{HERE}.event_types: no Event Type is chosen. Choose at least one."),
        (
            "[BIRTHS, ADM]",
            "[BIRTHS, {code: ADM, detach: true}]",
            4,
            f"{HERE}.event_types[1].detach: the key is unknown. Did you mean detached?",
        ),
        ("[BIRTHS, ADM]", "[DEATHS]", 4, f"{HERE}.event_types[0]: Event Type 'DEATHS' is unknown."),
        ("source_unique_id]\n", "surname]\n", 5, f"{HERE}.columns[1].column: 'surname' is not allowed."),
        (
            "source_unique_id]\n",
            "person_key]\n",
            5,
            f"{HERE}.columns: The column 'person_key' is chosen 2 times.",
        ),
        (
            "name: PERSON",
            "nam: PERSON",
            5,
            f"{HERE}.columns[0].nam: the key is unknown. Did you mean name?",
        ),
        (
            "name: PERSON",
            "name: SOURCE_unique_id",
            5,
            f"{HERE}.columns: The name 'source_unique_id' is given to 2",
        ),
        (
            "columns: [{column: person_key, name: PERSON}, source_unique_id]",
            "columns: []",
            5,
            f"{HERE}.columns: No column is chosen.",
        ),
    ],
)
def test_each_fault_is_named_with_its_line(tmp_path: Path, old: str, new: str, below: int, expected: str) -> None:
    assert DECLARED.count(old) == 1
    found = faults(tmp_path, DECLARED.replace(old, new))
    assert any(fault.startswith(at(below)) and expected in fault for fault in found), found
    assert not LinkageProject.objects.exists()


def test_an_event_type_that_is_not_attached_is_refused_with_those_that_are(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, DECLARED.replace("event_types: [ADM, BIRTHS]", "event_types: [ADM]"))
    assert fault == (
        f"{at(4)}.event_types[0]: Event Type 'BIRTHS' is not attached to P1. Attached are: ADM. "
        "List it under the project's own event_types, or leave it out here."
    )
    # what was attached before counts, too
    apply(tmp_path, TWO_TYPES)
    assert told(apply(tmp_path, DECLARED.replace("event_types: [ADM, BIRTHS]", "event_types: [ADM]")))


def test_a_code_that_occurs_twice_is_refused_in_one_project_and_not_in_two(tmp_path: Path) -> None:
    second = USE.split("\n", 1)[1]
    (fault,) = faults(tmp_path, DECLARED.replace("settings:", f"{second}settings:"))
    assert "projects[0].extraction_projects[1].code: 'DIABETES' occurs twice" in fault
    other = f"  - code: P2\n    name: Two\n    event_types: [ADM, BIRTHS]\n{USE}settings:"
    assert len(told(apply(tmp_path, DECLARED.replace("settings:", other)))) == 2


def test_what_is_never_changed_is_refused(tmp_path: Path) -> None:
    apply(tmp_path, DECLARED)
    kind, event_types = faults(tmp_path, SNAPSHOT.replace("[BIRTHS, ADM]", "[ADM]").replace("A hospital", "Other"))
    assert kind == (
        f"{at(3)}.kind: 'snapshot', but DIABETES of P1 is 'enduring', and that is never changed. "
        "Leave it so, or declare another Extraction Project, with a code and keys of its own."
    )
    assert event_types.startswith(
        f"{at(4)}.event_types: ADM; but DIABETES of P1 shows ADM, BIRTHS, and that is never changed."
    )
    assert DataProvider.objects.get().organisation == "A hospital"
    assert not Job.objects.exists()
