"""Files as versions of a match configuration: what is added once, and what is refused with nothing changed."""

from pathlib import Path

import pytest
import yaml

from linkwright.engine.splink_import import SplinkImportOptions
from linkwright.errors import ConfigurationError
from linkwright.services.apply_project_file import apply_project_file
from linkwright.services.export_match import ExportMatchError, export_match, export_splink_settings
from linkwright.services.import_match import ImportedMatch, import_match
from linkwright.services.match_versions import UnknownProjectError
from linkwright.services.project_file import read_project_file
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, MatchConfigurationVersion
from tests.integration.pipeline.conftest import PROJECT_YAML

pytestmark = pytest.mark.django_db
NOTHING = ImportedMatch(None, ())


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> None:
    path = tmp_path / "project.yaml"
    path.write_text(PROJECT_YAML)
    apply_project_file(read_project_file(path), COMMAND_LINE)


def imported(folder: Path, text: str, *, dry_run: bool = False) -> ImportedMatch:
    path = folder / "file"
    path.write_text(text)
    return import_match("P1", path, COMMAND_LINE, dry_run=dry_run)


def versions() -> list[int]:
    return [version.version for version in MatchConfigurationVersion.objects.order_by("version")]


def test_what_was_exported_changes_nothing(tmp_path: Path) -> None:
    assert imported(tmp_path, export_match("P1")) == NOTHING
    assert versions() == [1]


def test_another_spelling_of_the_same_changes_nothing(tmp_path: Path) -> None:
    definition = yaml.safe_load(export_match("P1"))
    definition["oversized_blocks"] = "split"
    definition["strategies"][0]["blocking_rules"][0] = [{"field": "surname"}]
    assert imported(tmp_path, yaml.safe_dump(definition)) == NOTHING


def test_a_difference_is_a_version_and_an_entry_of_the_audit_log(tmp_path: Path) -> None:
    text = export_match("P1").replace("prior: 0.001", "prior: 0.002")
    assert imported(tmp_path, text, dry_run=True).version == 2
    assert versions() == [1]
    assert imported(tmp_path, text).version == 2
    assert versions() == [1, 2]
    entry = AuditLogEntry.objects.latest("pk")
    assert (entry.action, entry.target, entry.project_code, entry.detail) == (
        "create match configuration",
        "P1 version 2",
        "P1",
        {"from": "file"},
    )


def test_a_version_that_fits_the_fields_no_more_is_followed(tmp_path: Path) -> None:
    text = export_match("P1")
    MatchConfigurationVersion.objects.update(definition={"prior": 7})
    assert imported(tmp_path, text).version == 2


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("a letter", "neither a model that Splink saved"),
        (PROJECT_YAML, "neither a model that Splink saved"),
        ('{"prior": NaN, "strategies": []}', "NaN is no number"),
        ('{"prior": 0.1,', "Save it again"),
        ('{"prior": 2, "strategies": []}', "line 1: prior: 2 is out of bounds"),
        ('{\t"prior": 2, "strategies": []}', "prior: 2 is out of bounds"),
        ("prior: 0.1\nstrategies: {", "line 2"),
        (
            '{"link_type": "dedupe_only", "comparisons": []}',
            "line 1: probability_two_random_records_match: is missing",
        ),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, content: str, fault: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        imported(tmp_path, content)
    assert any(fault in told for told in caught.value.faults), caught.value.faults
    assert versions() == [1]


def test_options_of_a_splink_model_are_refused_with_another_file(tmp_path: Path) -> None:
    path = tmp_path / "match.yaml"
    path.write_text(export_match("P1"))
    with pytest.raises(ConfigurationError, match="Leave them out"):
        import_match("P1", path, COMMAND_LINE, options=SplinkImportOptions(strategy="other"))


def test_projects_and_strategies_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownProjectError, match=r"'P9' is unknown. Known: P1\."):
        export_match("P9")
    with pytest.raises(ExportMatchError, match=r"no strategy 'x'. Strategies with comparisons: person\."):
        export_splink_settings("P1", "x")
