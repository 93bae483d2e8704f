"""The default match configuration in project files, and term frequencies that outlive an applied file."""

from pathlib import Path

import pytest
import yaml

from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.services.default_match import read_default_version
from linkwright.services.export_project_file import export_project_file
from linkwright.services.match_history import list_versions
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, DefaultMatchVersion, LinkageProject, MatchConfigurationVersion
from tests.integration.services.test_project_file import OWN_MATCH, SMALL, apply, faults, with_match

pytestmark = pytest.mark.django_db

OTHER = OWN_MATCH.replace("0.001", "0.004")
DECLARED = f"default_match: {OWN_MATCH}\n"


def test_new_projects_of_the_same_file_start_with_the_default_that_it_declares(tmp_path: Path) -> None:
    changes = [str(change) for change in apply(tmp_path, DECLARED + SMALL)]
    assert "create default match configuration version 1" in changes
    assert apply(tmp_path, DECLARED + SMALL) == []
    project = LinkageProject.objects.get(code="P1")
    assert MatchConfigurationVersion.objects.get(project=project).definition == yaml.safe_load(OWN_MATCH)
    assert list_versions(project)[0].source == "project file: version 1 of the default"


def test_a_later_default_touches_no_project_unless_its_file_says_default(tmp_path: Path) -> None:
    apply(tmp_path, SMALL)
    apply(tmp_path, DECLARED)
    assert apply(tmp_path, SMALL) == []
    assert [str(one) for one in apply(tmp_path, with_match("default"))] == [
        "create match configuration P1 version 2"
    ]


def test_a_dry_run_says_what_it_would_do_and_leaves_the_default(tmp_path: Path) -> None:
    assert [str(one) for one in apply(tmp_path, DECLARED, dry_run=True)] == [
        "create default match configuration version 1"
    ]
    assert not DefaultMatchVersion.objects.exists()


def test_the_word_built_in_goes_back_and_leaving_it_out_changes_nothing(tmp_path: Path) -> None:
    assert apply(tmp_path, "default_match: built-in\n") == []
    apply(tmp_path, DECLARED)
    assert apply(tmp_path, "{}") == []
    apply(tmp_path, "default_match: built-in\n")
    read = read_default_version()
    assert (read.row.version, read.is_built_in) == (2, True)
    assert read.row.definition == default_match_definition(STANDARD_FIELDS)


@pytest.mark.parametrize("declared", ["built-in", OWN_MATCH])
def test_an_export_holds_the_default_and_makes_it_on_another_server(tmp_path: Path, declared: str) -> None:
    assert "default_match" not in export_project_file(COMMAND_LINE)
    apply(tmp_path, f"default_match: {OTHER}\n")
    apply(tmp_path, f"default_match: {declared}\n")
    written = export_project_file(COMMAND_LINE)
    assert apply(tmp_path, written) == []
    DefaultMatchVersion.objects.all().delete()
    apply(tmp_path, f"default_match: {OTHER}\n")
    apply(tmp_path, written)
    assert export_project_file(COMMAND_LINE) == written


@pytest.mark.parametrize("declared", ["default", "{}", "3", "{prior: 0.1, strategies: [{name: a}]}"])
def test_a_default_that_is_none_is_named_with_its_line(tmp_path: Path, declared: str) -> None:
    told = faults(tmp_path, f"providers: []\ndefault_match: {declared}\n")
    assert told
    assert all(fault.startswith("line 2: default_match") for fault in told)


def test_a_field_of_one_projects_own_is_none_of_the_default(tmp_path: Path) -> None:
    own = SMALL.replace("name: One", "name: One\n    fields: {occupation: text}")
    (fault,) = faults(tmp_path, own + DECLARED.replace("surname", "occupation"))
    assert "default_match.strategies[0].blocking_rules" in fault


def test_term_frequencies_outlive_an_applied_file_that_asks_for_no_others(tmp_path: Path) -> None:
    compared = (
        "{name: a, blocking_rules: [[postcode]], match_threshold: 2.0, comparisons: [{field: surname, "
        "method: exact, term_frequency: {}, levels: [{when: exact, m_probability: 0.9, u_probability: 0.1}, "
        "{when: else, m_probability: 0.1, u_probability: 0.9}]}]}"
    )
    text = with_match(f"{{prior: 0.001, strategies: [{compared}]}}")
    apply(tmp_path, text)
    MatchConfigurationVersion.objects.update(term_frequencies="counted.parquet")
    apply(tmp_path, text.replace("match_threshold: 2.0", "match_threshold: 3.0"))
    newest = MatchConfigurationVersion.objects.get(version=2)
    assert newest.term_frequencies == "counted.parquet"
    entry = AuditLogEntry.objects.get(target="P1 version 2")
    assert (entry.project_code, entry.detail) == ("P1", {"from": "project file"})
