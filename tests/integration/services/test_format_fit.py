"""Import Formats and the projects that load by them: what would make a Load fail is refused where it is done."""

from pathlib import Path

import pytest

from linkwright.engine.identifying import revealed
from linkwright.envelopes.manifest import DataFile, FileFormat, Manifest, RequestType
from linkwright.jobs.format_fit import why_not_load
from linkwright.jobs.validate import manifest_code_faults
from linkwright.services.attach_event_type import AttachRefusedError, attach_event_type
from linkwright.services.catalog_rows import CatalogRefusedError, Saving
from linkwright.services.create_project import NewProject, create_project
from linkwright.services.project_file import EventTypePart, ImportFormatPart
from linkwright.services.project_form import ProjectForm, ProjectRefusedError
from linkwright.services.save_event_type import save_event_type
from linkwright.services.save_import_format import save_import_format
from linkwright.services.submit_data_file import DataFileRefusedError, DataFileSubmission, demand_data_file
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AttachedEventType, EventType, ImportFormat, LinkageProject
from linkwright.store.queries.attachments import attached_event_types
from tests.integration.services.test_project_file import apply, faults

pytestmark = pytest.mark.django_db

# two projects; OCC has a field of its own, and its Event Type's format fills it
FILE = """\
providers:
  - {code: HOSP, organisation: A hospital}
import_formats:
  - {code: csv, columns: {source_unique_id: id, surname: name}}
  - {code: with_job, columns: {source_unique_id: id, surname: name, occupation: job}}
event_types:
  - {code: ADM, provider: HOSP, import_format: csv}
  - {code: WORK, provider: HOSP, import_format: with_job}
projects:
  - {code: PLAIN, name: Plain, event_types: [ADM]}
  - {code: OCC, name: Occupations, event_types: [ADM, WORK], fields: {occupation: text}}
"""
SAVING = Saving(COMMAND_LINE)


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    apply(tmp_path, FILE)
    return tmp_path


def project(code: str = "PLAIN") -> LinkageProject:
    return LinkageProject.objects.get(code=code)


def break_fit() -> EventType:
    """Make a state that older releases let come about: PLAIN takes what it has no field for."""
    work = EventType.objects.get(code="WORK")
    AttachedEventType.objects.create(project=project(), event_type=work)
    return work


def test_an_event_type_is_not_attached_to_a_project_that_lacks_a_field_of_its_format(declared: Path) -> None:
    with pytest.raises(AttachRefusedError) as caught:
        attach_event_type(project(), "WORK", COMMAND_LINE)
    told = str(caught.value)
    assert told.startswith("WORK was not attached. Import Format with_job of Event Type WORK does not fit")
    assert "of project PLAIN (columns.occupation: the project has no linkage field of that name). Add" in told
    assert "in its project file" in told
    assert [one.code for one in attached_event_types(project())] == ["ADM"]


def test_a_new_project_with_such_an_event_type_is_refused_whole(declared: Path) -> None:
    new = NewProject("NEW", ProjectForm("New"), event_types=["WORK"])
    with pytest.raises(ProjectRefusedError, match=r"columns\.occupation"):
        create_project(new, COMMAND_LINE)
    assert not LinkageProject.objects.filter(code="NEW").exists()
    like = create_project(NewProject("NEW", ProjectForm("New"), event_types=["WORK"], like="OCC"), COMMAND_LINE)
    assert [one.code for one in attached_event_types(like)] == ["WORK"]


def test_a_format_is_saved_only_if_it_fits_every_project_that_loads_by_it(declared: Path) -> None:
    columns = {"source_unique_id": "id", "surname": "name", "occupation": "job"}
    part = ImportFormatPart(code="csv", columns=columns)
    with pytest.raises(CatalogRefusedError) as caught:
        save_import_format(part, SAVING)
    # OCC has the field
    (fault,) = caught.value.faults
    assert fault.startswith("definition.columns.occupation: Linkage Project PLAIN takes ADM, read by")
    assert "occupation" not in ImportFormat.objects.get(code="csv").definition["columns"]
    # an archived project takes no files
    LinkageProject.objects.filter(code="PLAIN").update(archived_at="2026-01-01T00:00:00Z")
    assert save_import_format(part, SAVING).action == "update"


def test_a_date_format_of_a_field_that_is_no_date_elsewhere_is_refused(declared: Path) -> None:
    LinkageProject.objects.filter(code="PLAIN").update(own_fields={"seen": "text"})
    LinkageProject.objects.filter(code="OCC").update(own_fields={"occupation": "text", "seen": "date"})
    part = ImportFormatPart(
        code="csv",
        columns={"source_unique_id": "id", "seen": "seen"},
        field_date_formats={"seen": ["%d/%m/%Y"]},
    )
    with pytest.raises(CatalogRefusedError, match=r"field_date_formats\.seen.*no date field"):
        save_import_format(part, SAVING)


def test_an_event_type_gets_another_format_only_if_its_projects_can_load_by_it(declared: Path) -> None:
    part = EventTypePart(code="ADM", provider="HOSP", import_format="with_job")
    with pytest.raises(
        CatalogRefusedError, match=r"import_format\.columns\.occupation: .* PLAIN takes ADM, read by"
    ):
        save_event_type(part, SAVING)
    assert EventType.objects.get(code="ADM").import_format.code == "csv"
    # what has nothing to do with it can be changed
    described = EventTypePart(code="ADM", provider="HOSP", import_format="csv", description="Admissions")
    assert save_event_type(described, SAVING).fields == ("description",)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (FILE.replace("surname: name}}\n", "surname: name, occupation: job}}\n", 1), "import_formats[0].columns"),
        ("projects: [{code: OCC, name: O, event_types: [ADM]}]", "projects[0].fields.columns.occupation"),
        (
            "projects: [{code: PLAIN, name: P, event_types: [WORK]}]",
            "projects[0].event_types[0].columns.occupation",
        ),
        ("event_types: [{code: ADM, provider: HOSP, import_format: with_job}]", "event_types[0].import_format"),
    ],
)
def test_a_file_that_would_unfit_a_format_is_refused_where_it_does(declared: Path, text: str, place: str) -> None:
    told = faults(declared, text)
    assert len(told) == 1
    assert f": {place}" in told[0]
    assert "no linkage field of that name" in told[0]
    assert apply(declared, FILE) == []


def test_a_file_may_change_a_field_and_what_fills_it_together(declared: Path) -> None:
    text = FILE.replace("surname: name}}\n", "surname: name, occupation: job}}\n", 1)
    text = text.replace("event_types: [ADM]}", "event_types: [ADM], fields: {occupation: text}}")
    assert apply(declared, text)
    assert why_not_load(project(), EventType.objects.get(code="ADM")) == ""


def test_a_file_is_refused_before_anything_is_queued_where_it_could_not_be_loaded(
    declared: Path, tmp_path: Path
) -> None:
    break_fit()
    path = tmp_path / "work.csv"
    path.write_text("id,name,job\n1,Ada,engineer\n")
    submission = DataFileSubmission(path, "work.csv", "PLAIN", RequestType.SUBMIT_LINKAGE, "WORK")
    with pytest.raises(DataFileRefusedError) as caught:
        demand_data_file(submission)
    assert "(columns.occupation: the project has no" in revealed(caught.value.faults[0])
    # a deletion names Source Unique IDs alone
    deletion = DataFileSubmission(path, "work.csv", "PLAIN", RequestType.SUBMIT_DELETION, "WORK")
    assert demand_data_file(deletion).code == "WORK"


def test_an_envelope_that_could_not_be_loaded_is_refused_by_validate(declared: Path) -> None:
    break_fit()
    files = (DataFile("work.csv", FileFormat.FLAT_FILE, "WORK"),)
    (fault,) = manifest_code_faults(Manifest("PLAIN", "HOSP", RequestType.SUBMIT_LINKAGE, 1, files), project())
    assert "Import Format with_job of Event Type WORK does not fit the linkage fields of project PLAIN" in fault
    assert fault.endswith("another Import Format. Then retry.")
    deletion = Manifest("PLAIN", "HOSP", RequestType.SUBMIT_DELETION, 1, files)
    assert manifest_code_faults(deletion, project()) == []
    assert (
        manifest_code_faults(Manifest("OCC", "HOSP", RequestType.SUBMIT_LINKAGE, 1, files), project("OCC")) == []
    )
