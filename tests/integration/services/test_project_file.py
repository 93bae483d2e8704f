"""The declarative project file: what it creates, what it changes, and how its faults are told."""

from pathlib import Path
from typing import Any

import pytest

from linkwright.engine.default_configuration import DEFAULT_PRIOR, default_match_definition
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.errors import ConfigurationError
from linkwright.services.apply_project_file import Change, apply_project_file
from linkwright.services.demo_data import PROJECT_FILE
from linkwright.services.project_file import read_project_file
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AuditLogEntry,
    DataProvider,
    EventType,
    LinkageProject,
    MatchConfigurationVersion,
)
from linkwright.store.settings import read_setting

pytestmark = pytest.mark.django_db

EXAMPLES = Path(__file__).parents[3] / "examples"
SMALL = """\
providers:
  - code: HOSP
    organisation: A hospital
import_formats:
  - code: csv
    kind: delimited
    columns: {source_unique_id: id, surname: name}
event_types:
  - code: ADM
    provider: HOSP
    import_format: csv
projects:
  - code: P1
    name: One
    event_types: [ADM]
settings:
  Worker.Load.MaxRejectedRows: 5
"""


def apply(folder: Path, text: str, *, dry_run: bool = False) -> list[Change]:
    path = folder / "file.yaml"
    path.write_text(text)
    return apply_project_file(read_project_file(path), COMMAND_LINE, dry_run=dry_run)


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        apply(folder, text)
    return list(caught.value.faults)


def test_a_file_creates_what_it_declares(tmp_path: Path) -> None:
    changes = [str(change) for change in apply(tmp_path, SMALL)]
    assert changes == [
        "create Data Provider HOSP",
        "create Import Format csv",
        "create Event Type ADM",
        "create project P1",
        "attach Event Types to project P1 (ADM)",
        "create match configuration P1 version 1",
        "change setting Worker.Load.MaxRejectedRows",
    ]
    assert LinkageProject.objects.get(code="P1").event_types.get().provider.code == "HOSP"
    assert read_setting("Worker.Load.MaxRejectedRows") == 5
    assert AuditLogEntry.objects.count() == len(changes)


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    apply(tmp_path, SMALL)
    entries = AuditLogEntry.objects.count()
    assert apply(tmp_path, SMALL) == []
    assert AuditLogEntry.objects.count() == entries


def test_only_what_differs_is_changed(tmp_path: Path) -> None:
    apply(tmp_path, SMALL)
    changes = apply(tmp_path, SMALL.replace("A hospital", "Another hospital"))
    assert [str(change) for change in changes] == ["update Data Provider HOSP (organisation)"]
    assert DataProvider.objects.get().organisation == "Another hospital"


def test_a_dry_run_says_what_it_would_do_and_does_nothing(tmp_path: Path) -> None:
    assert len(apply(tmp_path, SMALL, dry_run=True)) == 7
    assert not DataProvider.objects.exists()
    assert not AuditLogEntry.objects.exists()
    assert read_setting("Worker.Load.MaxRejectedRows") == 0


def test_the_demos_own_file_can_be_applied(db: None) -> None:
    apply_project_file(read_project_file(PROJECT_FILE), COMMAND_LINE)
    assert MatchConfigurationVersion.objects.get().project.code == "FEBRL4"
    assert EventType.objects.filter(authoritative=True).count() == 2


def definitions() -> list[dict[str, Any]]:
    return list(MatchConfigurationVersion.objects.order_by("version").values_list("definition", flat=True))


def with_match(match: str) -> str:
    return SMALL.replace("    event_types: [ADM]\n", f"    event_types: [ADM]\n    match: {match}\n")


OWN_MATCH = "{prior: 0.001, strategies: [{name: exact, blocking_rules: [[surname]]}]}"


def test_a_project_that_declares_no_match_gets_the_default_when_it_is_created(tmp_path: Path) -> None:
    apply(tmp_path, SMALL)
    assert definitions() == [default_match_definition(STANDARD_FIELDS)]


def test_the_default_compares_a_projects_own_fields_too(tmp_path: Path) -> None:
    apply(tmp_path, SMALL.replace("name: One", "name: One\n    fields: {occupation: text}"))
    (definition,) = definitions()
    assert definition["strategies"][1]["comparisons"][-1]["field"] == "occupation"


def test_what_the_file_says_later_wins_over_the_default(tmp_path: Path) -> None:
    apply(tmp_path, SMALL)
    apply(tmp_path, with_match(OWN_MATCH))
    assert [definition["prior"] for definition in definitions()] == [DEFAULT_PRIOR, 0.001]
    assert apply(tmp_path, SMALL) == []


def test_the_word_default_means_the_default_configuration(tmp_path: Path) -> None:
    apply(tmp_path, with_match(OWN_MATCH))
    changes = apply(tmp_path, with_match("default"))
    assert [str(change) for change in changes] == ["create match configuration P1 version 2"]
    assert definitions()[1] == default_match_definition(STANDARD_FIELDS)
    assert apply(tmp_path, with_match("default")) == []


def test_a_project_from_before_without_a_configuration_gets_none_by_itself(tmp_path: Path) -> None:
    apply(tmp_path, SMALL)
    MatchConfigurationVersion.objects.all().delete()
    assert apply(tmp_path, SMALL) == []
    assert definitions() == []


@pytest.mark.parametrize("example", ["febrl3", "historical_figures", "clinic"])
def test_every_example_can_be_applied(example: str) -> None:
    read = read_project_file(EXAMPLES / example / "project.yaml")
    apply_project_file(read, COMMAND_LINE)
    assert MatchConfigurationVersion.objects.get().definition == read.content.projects[0].match


def test_every_fault_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = (
        SMALL.replace("provider: HOSP", "provider: NOBODY")
        .replace("event_types: [ADM]", "event_types: [ADM, BIRTH]")
        .replace("MaxRejectedRows: 5", "MaxRejectedRows: -1")
    )
    found = faults(tmp_path, text)
    assert len(found) == 3
    assert found[0].startswith("line 10: event_types[0].provider: Data Provider 'NOBODY' is unknown.")
    assert found[1].startswith("line 15: projects[0].event_types[1]: Event Type 'BIRTH' is unknown.")
    assert found[2].startswith("line 17: settings.Worker.Load.MaxRejectedRows")
    assert "from 0 to" in found[2]
    assert not DataProvider.objects.exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("providers: [", "line 1, column"),
        ("- just\n- a list\n", "it must be a map with the keys providers"),
        ("projcts: []\n", "Did you mean projects?"),
        ("providers:\n  - code: HOSP\n    organisation: x\n  - code: HOSP\n    organisation: y\n", "occurs twice"),
        ("providers:\n  - code: 'A B'\n    organisation: x\n", "is no code"),
        ("providers:\n  - {code: ABCDEFGHIJKLMNOP, organisation: x}\n", "line 2: providers[0].code"),
        ("settings: {}\nsettings: {}\n", "the key 'settings' occurs twice"),
        ("settings: {Worker.Load.MaxRejected: 1}\n", "Did you mean Worker.Load.MaxRejectedRows?"),
        ("projects:\n  - {code: P1, name: x, fields: {colour: paint}}\n", "is no field type"),
        ("projects:\n  - {code: P1, name: x, match: {prior: 2}}\n", "projects[0].match"),
        ("projects:\n  - {code: P1, name: x, match: standard}\n", "or the word default, or leave it out"),
        ("import_formats:\n  - {code: f, kind: tablet}\n", "import_formats[0].kind"),
        ("a: &a [*a]\n", ""),
        ("", "it must be a map"),
        ("!!python/object/apply:os.system ['true']\n", "line 1"),
    ],
)
def test_a_bad_file_is_refused_with_a_clear_text(tmp_path: Path, text: str, expected: str) -> None:
    found = faults(tmp_path, text)
    assert expected in "\n".join(found)
    assert not LinkageProject.objects.exists()


def test_a_file_that_is_no_text_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(b"providers:\n  - code: \xff\xfe\n")
    with pytest.raises(ConfigurationError, match=r"line 2: byte 0xff"):
        read_project_file(path)


def test_a_file_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.yaml cannot be read"):
        read_project_file(tmp_path / "absent.yaml")


def test_deep_nesting_ends_in_a_refusal(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("[" * 50_000)
    with pytest.raises(ConfigurationError):
        read_project_file(path)
