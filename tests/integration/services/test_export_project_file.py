"""The exported project file: apply leaves as it is what it was written of, and makes the same from nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.extraction import ExtractionColumn
from linkwright.engine.fields import parse_fields
from linkwright.services.apply_project_file import apply_project_file
from linkwright.services.demo_data import PROJECT_FILE
from linkwright.services.export_project_file import export_project_file
from linkwright.services.project_file import LineFinder, ProjectFile, ReadFile, read_project_file
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AttachedEventType,
    AuditLogEntry,
    Envelope,
    EnvelopeState,
    LinkageProject,
    SettingValue,
)
from linkwright.store.settings import change_setting

pytestmark = pytest.mark.django_db

EXAMPLES = Path(__file__).parents[3] / "examples"
# NUL is the one character that PostgreSQL does not take; halves of pairs are no text
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
# texts that YAML could take for something else, and line ends of all kinds
ODD = [
    "no",
    "1e5",
    "~",
    "- a",
    "a: b",
    "#",
    "'",
    '"',
    "2026-01-01",
    " x ",
    "\n",
    "a\x85b",
    "\u2028",
    "\r\n",
    "\ufeff",
]
NAMED = st.one_of(TEXT, st.sampled_from(ODD))
PROBABILITY = st.floats(min_value=1e-12, max_value=0.5, exclude_min=True)


def code(prefix: str) -> st.SearchStrategy[str]:
    return st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True).map(lambda end: prefix + end)


def import_format(format_code: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "code": st.just(format_code),
            "columns": st.fixed_dictionaries(
                {
                    "source_unique_id": NAMED.filter(bool),
                    "surname": st.one_of(st.integers(1, 99), TEXT.filter(bool)),
                }
            ),
        },
        optional={
            "description": TEXT,
            "separator": st.sampled_from(["\t", "|", ";", "\x1f", "é"]),
            "date_formats": st.sampled_from([["%d/%m/%Y"], ["%Y%m%d", "%Y-%m-%d"]]),
            "null_values": st.lists(NAMED, max_size=3),
        },
    )


def match(own: dict[str, str]) -> st.SearchStrategy[dict[str, Any] | str]:
    written = st.fixed_dictionaries(
        {
            "prior": PROBABILITY,
            "strategies": st.just([{"name": "exact", "blocking_rules": [["surname", "date_of_birth"]]}]),
        },
        optional={"oversized_blocks": st.sampled_from(["split", "skip", "fail"])},
    )
    return st.one_of(written, st.just("default"), st.just(default_match_definition(parse_fields(own))))


PRINTED = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20)


@st.composite
def extraction_projects(draw: st.DrawFn, code_of_it: str, attached: list[str]) -> dict[str, Any]:
    chosen = draw(st.lists(st.sampled_from(list(ExtractionColumn)), min_size=1, unique=True))
    columns = [{"column": one.value, "name": f"{number} {draw(PRINTED)}"} for number, one in enumerate(chosen)]
    plain = [one.value for one in chosen]
    return {
        "code": code_of_it,
        "name": draw(NAMED.filter(str.strip)),
        "approval_reference": draw(NAMED.filter(str.strip)),
        "kind": draw(st.sampled_from(["snapshot", "enduring"])),
        "event_types": draw(st.lists(st.sampled_from(attached), min_size=1, unique=True)),
        "columns": draw(st.sampled_from([columns, plain])),
        "file_format": draw(st.sampled_from(["csv", "parquet"])),
        "keep_results_days": draw(st.one_of(st.none(), st.integers(1, 3650))),
        "closed": draw(st.sampled_from([None, False, True])),
    }


@st.composite
def projects(draw: st.DrawFn, code_of_it: str, events: list[str]) -> dict[str, Any]:
    kinds = st.sampled_from(["text", "number"])
    own = draw(st.dictionaries(st.sampled_from(["zone", "alias", "height"]), kinds))
    grouping = st.fixed_dictionaries(
        {"method": st.sampled_from(["merge", "best_link"])},
        optional={"flag_links_under": st.floats(-50, 50), "flag_conflicting_sex": st.none()},
    )
    modes = st.sampled_from(["reject", "skip", "replace"])
    attached = [{"code": one, "updates": draw(modes)} for one in events if draw(st.booleans())]
    uses = draw(st.lists(code("X"), max_size=2, unique=True)) if attached else []
    return {
        "code": code_of_it,
        "name": draw(NAMED.filter(bool)),
        "description": draw(NAMED),
        "event_types": attached,
        "fields": own,
        "keep_unused_columns": draw(st.booleans()),
        "archived": draw(st.booleans()),
        "match": draw(match(own)),
        "grouping": draw(grouping),
        "extraction_projects": [draw(extraction_projects(one, [one["code"] for one in attached])) for one in uses],
    }


@st.composite
def catalogs(draw: st.DrawFn) -> dict[str, Any]:
    providers = draw(st.lists(code("P"), min_size=1, max_size=3, unique=True))
    formats = draw(st.lists(code("F"), min_size=1, max_size=3, unique=True))
    events = draw(st.lists(code("E"), max_size=4, unique=True))
    settings_of_it = st.fixed_dictionaries(
        {},
        optional={
            "Worker.Load.MaxRejectedRows": st.integers(0, 9),
            "Extract.KeepResultsDays": st.integers(1, 99),
            "Standardise.Sex.Map": st.dictionaries(
                NAMED.filter(str.isprintable), st.sampled_from(["m", "f", "x"]), max_size=3
            ),
        },
    )
    return {
        "providers": [
            {"code": one, "organisation": draw(NAMED.filter(bool)), "phone": draw(TEXT)[:50]} for one in providers
        ],
        "import_formats": [draw(import_format(one)) for one in formats],
        "event_types": [
            {
                "code": one,
                "provider": draw(st.sampled_from(providers)),
                "import_format": draw(st.sampled_from(formats)),
                "category": draw(TEXT),
                "authoritative": draw(st.booleans()),
            }
            for one in events
        ],
        "projects": [draw(projects(one, events)) for one in draw(st.lists(code("L"), max_size=3, unique=True))],
        "settings": draw(settings_of_it),
    }


@contextmanager
def an_empty_database() -> Iterator[None]:
    """Undo at the end what is done inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def read(folder: Path, text: str) -> ReadFile:
    path = folder / "exported.yaml"
    path.write_text(text, encoding="utf-8")
    return read_project_file(path)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(catalog=catalogs())
def test_an_export_is_applied_without_a_change_and_makes_the_same_from_nothing(
    tmp_path: Path, catalog: dict[str, Any]
) -> None:
    with an_empty_database():
        apply_project_file(ReadFile("made", ProjectFile.model_validate(catalog), LineFinder("{}")), COMMAND_LINE)
        text = export_project_file(COMMAND_LINE)
        exported = read(tmp_path, text)
        assert apply_project_file(exported, COMMAND_LINE) == []
    with an_empty_database():
        apply_project_file(exported, COMMAND_LINE)
        assert export_project_file(COMMAND_LINE) == text


@pytest.mark.parametrize(
    "path", [PROJECT_FILE, *sorted(EXAMPLES.glob("*/project.yaml"))], ids=lambda path: path.parent.name
)
def test_the_demo_and_every_example_survive_the_way_out_and_in(tmp_path: Path, path: Path) -> None:
    with an_empty_database():
        apply_project_file(read_project_file(path), COMMAND_LINE)
        text = export_project_file(COMMAND_LINE)
        assert apply_project_file(read(tmp_path, text), COMMAND_LINE) == []
    apply_project_file(read(tmp_path, text), COMMAND_LINE)
    assert export_project_file(COMMAND_LINE) == text


def test_the_export_of_an_empty_server_can_be_applied(tmp_path: Path) -> None:
    text = export_project_file(COMMAND_LINE)
    assert apply_project_file(read(tmp_path, text), COMMAND_LINE) == []


@pytest.fixture
def two_projects(tmp_path: Path) -> None:
    apply_project_file(read(tmp_path, TWO), COMMAND_LINE)


TWO = """\
providers:
  - {code: HOSP, organisation: A hospital}
  - {code: REG, organisation: A registry}
import_formats:
  - {code: csv, columns: {source_unique_id: id, surname: name, clinic: clinic}}
  - {code: pipe, separator: "|", columns: {source_unique_id: id, surname: name}}
event_types:
  - {code: ADM, provider: HOSP, import_format: csv}
  - {code: DEATHS, provider: REG, import_format: pipe}
projects:
  - {code: ONE, name: One, event_types: [ADM], fields: {clinic: text}}
  - {code: TWO, name: Two, event_types: [{code: DEATHS, updates: replace}]}
settings:
  Worker.Load.MaxRejectedRows: 5
"""


@pytest.mark.usefixtures("two_projects")
def test_the_export_of_one_project_holds_what_it_needs_and_nothing_of_others() -> None:
    found = yaml.safe_load(export_project_file(COMMAND_LINE, LinkageProject.objects.get(code="TWO")))
    assert [part["code"] for part in found["projects"]] == ["TWO"]
    assert found["projects"][0]["event_types"] == [{"code": "DEATHS", "updates": "replace"}]
    assert [part["code"] for part in found["providers"]] == ["REG"]
    assert [part["code"] for part in found["import_formats"]] == ["pipe"]
    assert [part["code"] for part in found["event_types"]] == ["DEATHS"]
    assert "settings" not in found


@pytest.mark.usefixtures("two_projects")
def test_an_event_type_that_was_detached_is_not_attached_by_the_export(tmp_path: Path) -> None:
    project = LinkageProject.objects.get(code="ONE")
    detaching = Envelope.objects.create(
        name="Detach ADM",
        request_type="SubmitDeletion",
        project=project,
        state=EnvelopeState.SUCCESS,
        received_at=project.created_at,
    )
    AttachedEventType.objects.filter(project=project).update(detached_by=detaching)
    text = export_project_file(COMMAND_LINE)
    assert "event_types" not in yaml.safe_load(text)["projects"][0]
    assert apply_project_file(read(tmp_path, text), COMMAND_LINE) == []
    # and yet its Import Format, which fills a field of the project's own, is taken by an empty server
    Envelope.objects.filter(pk=detaching.pk).update(state=EnvelopeState.QUEUED)
    with transaction.atomic():
        AttachedEventType.objects.all().delete()
        LinkageProject.objects.filter(code="TWO").delete()
        assert apply_project_file(read(tmp_path, text), COMMAND_LINE)


@pytest.mark.usefixtures("two_projects")
def test_settings_at_their_default_or_out_of_their_bounds_are_left_out() -> None:
    change_setting("Worker.Load.MaxRejectedRows", 0, COMMAND_LINE)
    SettingValue.objects.create(
        name="Worker.Memory.LimitMiB", value=1, changed_at=AuditLogEntry.objects.latest("at").at
    )
    change_setting("Backup.Keep", 3, COMMAND_LINE)
    assert yaml.safe_load(export_project_file(COMMAND_LINE))["settings"] == {"Backup.Keep": 3}


@pytest.mark.usefixtures("two_projects")
def test_an_export_stands_in_the_audit_log() -> None:
    export_project_file(COMMAND_LINE, LinkageProject.objects.get(code="TWO"))
    entry = AuditLogEntry.objects.latest("pk")
    assert (entry.action, entry.target, entry.project_code) == ("export project file", "TWO", "TWO")
