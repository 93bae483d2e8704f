"""Extraction Projects in exported project files: what a page made is written, and made the same from nothing."""

from pathlib import Path

import pytest
import yaml

from linkwright.engine.extraction import ExtractionColumn
from linkwright.errors import FaultsError
from linkwright.services.change_extraction_project import close_extraction_project
from linkwright.services.create_extraction_project import NewExtractionProject, create_extraction_project
from linkwright.services.export_project_file import export_project_file
from linkwright.services.extraction_faults import ExtractionForm, ExtractionRefusedError
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AttachedEventType,
    Envelope,
    EnvelopeState,
    ExtractionProject,
    LinkageProject,
)
from tests.integration.services.test_export_project_file import an_empty_database
from tests.integration.services.test_extraction_part import DECLARED, TWO_TYPES, USE
from tests.integration.services.test_project_file import SMALL, apply, faults

pytestmark = pytest.mark.django_db

DOCUMENT = Path(__file__).parents[3] / "docs" / "project-file.md"
FORM = ExtractionForm(
    name="Made on a page",
    approval_reference="No 1: 'quoted'",
    columns=[(ExtractionColumn.EVENT_TYPE_CODE, "Type"), (ExtractionColumn.PERSON_KEY, "no")],
    file_format="parquet",
    keep_results_days=30,
)


def create(**changes: object) -> ExtractionProject:
    values = {"code": "X1", "kind": "snapshot", "event_types": ["ADM"], "form": FORM}
    new = NewExtractionProject(**{**values, **changes})  # type: ignore[arg-type]
    return create_extraction_project(LinkageProject.objects.get(code="P1"), new, COMMAND_LINE)


@pytest.mark.parametrize("is_one_project", [True, False])
def test_what_a_page_made_is_written_and_made_from_nothing(tmp_path: Path, *, is_one_project: bool) -> None:
    def export() -> str:
        return export_project_file(COMMAND_LINE, LinkageProject.objects.get() if is_one_project else None)

    with an_empty_database():
        apply(tmp_path, SMALL)
        made = create()
        create(code="OLD", kind="enduring", form=FORM)
        close_extraction_project(ExtractionProject.objects.get(code="OLD").pk, COMMAND_LINE, reason="over")
        text = export()
        assert apply(tmp_path, text) == []
    written = {
        "name": "Made on a page",
        "approval_reference": "No 1: 'quoted'",
        "event_types": ["ADM"],
        "columns": [{"column": "event_type_code", "name": "Type"}, {"column": "person_key", "name": "no"}],
        "file_format": "parquet",
        "keep_results_days": 30,
    }
    assert yaml.safe_load(text)["projects"][0]["extraction_projects"] == [
        {"code": "OLD", "kind": "enduring", **written, "closed": True},
        {"code": "X1", "kind": "snapshot", **written},
    ]
    assert str(made.uuid) not in text
    assert made.secret_fingerprint not in text
    apply(tmp_path, text)
    assert export() == text
    # another server, other keys
    assert ExtractionProject.objects.get(code="X1").uuid != made.uuid


def test_the_export_of_one_project_holds_no_extraction_project_of_another(tmp_path: Path) -> None:
    other = f"  - code: P2\n    name: Two\n    event_types: [ADM, BIRTHS]\n{USE}settings:"
    apply(tmp_path, TWO_TYPES.replace("settings:", other))
    assert "DIABETES" not in export_project_file(COMMAND_LINE, LinkageProject.objects.get(code="P1"))
    assert "DIABETES" in export_project_file(COMMAND_LINE, LinkageProject.objects.get(code="P2"))


def detach(code: str) -> None:
    """Detach as the job leaves it."""
    project = LinkageProject.objects.get()
    done = Envelope.objects.create(
        name=f"Detach {code}",
        request_type="SubmitDeletion",
        project=project,
        state=EnvelopeState.SUCCESS,
        received_at=project.created_at,
    )
    AttachedEventType.objects.filter(event_type__code=code).update(detached_by=done)


def test_an_event_type_that_was_detached_since_stays_its_own_without_being_attached(tmp_path: Path) -> None:
    with an_empty_database():
        apply(tmp_path, DECLARED)
        detach("BIRTHS")
        text = export_project_file(COMMAND_LINE, LinkageProject.objects.get())
        assert apply(tmp_path, text) == []
    (project,) = yaml.safe_load(text)["projects"]
    assert [one["code"] for one in project["event_types"]] == ["ADM"]
    shown = ["ADM", {"code": "BIRTHS", "detached": True}]
    assert project["extraction_projects"][0]["event_types"] == shown
    assert [one["code"] for one in yaml.safe_load(text)["event_types"]] == ["ADM", "BIRTHS"]
    apply(tmp_path, text)
    assert export_project_file(COMMAND_LINE, LinkageProject.objects.get()) == text
    # one that nothing declares is refused all the same
    unknown = text.replace("{code: BIRTHS, detached", "{code: DEATHS, detached")
    (fault,) = faults(tmp_path, unknown.replace("code: DIABETES", "code: NEW"))
    assert "Event Type 'DEATHS' is unknown. Declare it, or correct the code." in fault


def test_no_new_extraction_project_shows_an_event_type_that_was_detached(tmp_path: Path) -> None:
    apply(tmp_path, TWO_TYPES)
    detach("BIRTHS")
    with pytest.raises(FaultsError) as caught:
        create(event_types=["BIRTHS"])
    assert list(caught.value.faults) == ["Event Type 'BIRTHS' is not attached to P1. There are: ADM."]
    assert isinstance(caught.value, ExtractionRefusedError)


def test_what_the_documentation_shows_can_be_applied(tmp_path: Path) -> None:
    shown = DOCUMENT.read_text(encoding="utf-8").split("### extraction_projects")[1].split("```")[1]
    text = TWO_TYPES.replace("settings:", f"{shown.removeprefix('yaml')}settings:")
    text = text.replace("code: ADM", "code: HOSP").replace("event_types: [ADM", "event_types: [HOSP")
    apply(tmp_path, text)
    made = ExtractionProject.objects.get()
    assert [one["name"] for one in made.columns] == ["PERSON", "source_unique_id"]
    assert apply(tmp_path, text) == []
