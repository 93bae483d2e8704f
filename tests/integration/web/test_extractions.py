"""Extraction Projects on the pages: created, changed, extracted from, closed, and their results downloaded."""

import json
from datetime import timedelta

import pytest
import yaml
from django.utils import timezone

from linkwright.config import load_config, prepare_home
from linkwright.store.models import (
    AuditLogEntry,
    ExtractionProject,
    ExtractionResult,
    Job,
    JobKind,
    JobState,
    Membership,
    Role,
)
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World
from tests.integration.web.seed_extraction import RESULT_CONTENT

SCRIPT = {"HX-Request": "true"}
NARROW = "\u202f"
HERE = "/projects/PERINATAL/extractions/DIABETES/"
NEW = "/projects/PERINATAL/new-extraction/"
FILLED_IN = {
    "code": "ASTHMA",
    "name": "Asthma <script>",
    "approval_reference": "HREC 2026/18",
    "kind": "enduring",
    "event_type": ["HOSP", "BIRTHS"],
    "column": ["person_key", "event_type_code"],
    "position_person_key": "2",
    "position_event_type_code": "1",
    "name_person_key": "Key of the person",
    "file_format": "parquet",
    "keep_results_days": "30",
}


@pytest.fixture(autouse=True)
def _home(db: None) -> None:
    prepare_home(load_config())
    # the seed's row names a secret that was never made; a database of its own has none to miss
    (load_config().home / "person-keys.json").write_text(json.dumps({"secrets": {"1": "00" * 32}}))


def test_the_project_lists_its_extraction_projects_to_all_and_the_button_to_who_may_extract(
    world: World, sign_in: SignIn
) -> None:
    owner, viewer = (
        sign_in(person).get("/projects/PERINATAL/").content.decode() for person in (world.owner, world.viewer)
    )
    for html in (owner, viewer):
        assert f'href="{HERE}">DIABETES</a>' in html
        assert "HREC 2026/17" in html
    assert 'id="new-extraction"' in owner
    assert 'id="new-extraction"' not in viewer


def test_the_page_shows_facts_results_and_what_became_of_keys(world: World, sign_in: SignIn) -> None:
    owner, viewer = (sign_in(person).get(HERE).content.decode() for person in (world.owner, world.viewer))
    for html in (owner, viewer):
        for shown in ("PERSON", "HREC 2026/17", f"48{NARROW}213", f"32{NARROW}015", "expired", "withdrawn"):
            assert shown in html
        assert "Changed: moved by review" in html
    assert world.result is not None
    assert owner.count("-download") == 1
    assert f'id="result-{world.result.pk}-download"' in owner
    assert "extract-now" in owner
    for act in ("-download", "extract-now", "change-extraction", "close-extraction"):
        assert act not in viewer


def test_a_new_one_is_created_from_the_form(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.owner)
    html = client.get(NEW).content.decode()
    assert html.count('name="event_type"') == 3
    response = client.post(NEW, FILLED_IN)
    assert response["Location"] == "/projects/PERINATAL/extractions/ASTHMA/"
    made = ExtractionProject.objects.get(code="ASTHMA")
    assert made.columns == [
        {"column": "event_type_code", "name": "event_type_code"},
        {"column": "person_key", "name": "Key of the person"},
    ]
    assert (made.file_format, made.keep_results_days, made.created_by) == ("parquet", 30, world.owner)
    assert sorted(one.code for one in made.event_types.all()) == ["BIRTHS", "HOSP"]
    html = client.get(response["Location"]).content.decode()
    assert "Extraction Project ASTHMA is there." in html
    assert "Asthma &lt;script&gt;" in html


def test_a_snapshot_waits_at_the_front_and_the_page_says_so(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.owner)
    client.post(NEW, {**FILLED_IN, "kind": "snapshot"})
    job = Job.objects.get(kind=JobKind.SNAPSHOT)
    others = Job.objects.filter(state=JobState.QUEUED).exclude(pk=job.pk)
    assert all(job.queue_rank < one.queue_rank for one in others)
    html = client.get("/projects/PERINATAL/extractions/ASTHMA/").content.decode()
    assert f">{job.pk}</a> (Snapshot) waits for its turn." in html
    assert "extract-now" not in html
    Job.objects.filter(pk=job.pk).update(state=JobState.ERRORS)
    html = client.get("/projects/PERINATAL/extractions/ASTHMA/").content.decode()
    assert "was not made" in html
    assert "no snapshot" in client.get("/projects/PERINATAL/").content.decode()


def test_a_refused_form_names_everything_and_keeps_what_was_filled_in(world: World, sign_in: SignIn) -> None:
    wrong = {**FILLED_IN, "code": "no code", "event_type": [], "keep_results_days": "x", "column": []}
    response = sign_in(world.owner).post(NEW, wrong)
    html = response.content.decode()
    assert response.status_code == 409
    for fault in ("is no code", "No Event Type is chosen", "No column is chosen", "kept 0 days"):
        assert fault in html
    assert 'value="Asthma &lt;script&gt;"' in html
    assert 'value="Key of the person"' in html
    assert not ExtractionProject.objects.filter(name__startswith="Asthma").exists()


def test_it_is_changed_but_not_its_kind_or_event_types(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.owner)
    html = client.get(f"{HERE}change/").content.decode()
    assert 'value="Diabetes outcomes"' in html
    assert 'name="kind"' not in html
    assert 'name="event_type"' not in html
    client.post(f"{HERE}change/", {**FILLED_IN, "kind": "snapshot"})
    found = ExtractionProject.objects.get(code="DIABETES")
    assert (found.name, found.kind, found.event_types.count()) == ("Asthma <script>", "enduring", 1)
    entry = AuditLogEntry.objects.get(action="change Extraction Project")
    assert entry.user == world.owner
    assert entry.detail["before"]["name"] == "Diabetes outcomes"


def test_the_dialog_says_what_is_extracted_and_starts_it(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.owner)
    html = client.get(f"{HERE}extract/", headers=SCRIPT).content.decode()
    assert "Extract DIABETES now?" in html
    assert "All records of HOSP in the current map are extracted: 1 result, kept 90 days" in html
    assert "with_changes" not in html
    response = client.post(f"{HERE}extract/", headers=SCRIPT)
    job = Job.objects.get(kind=JobKind.EXTRACT, state=JobState.QUEUED)
    told = json.loads(response["HX-Trigger"])["linkwright:done"]["message"]
    assert told == f"Job {job.pk} (Extract) is queued. Its results will stand here."
    assert job.parameters == {"extraction_project": world.extraction.pk, "with_changes": False}  # type: ignore[union-attr]
    assert f">{job.pk}</a> (Extract) waits for its turn." in client.get(HERE).content.decode()
    again = client.post(f"{HERE}extract/", headers=SCRIPT)
    assert again.status_code == 409
    assert "is queued or runs already" in again.content.decode()


def test_a_download_is_counted_for_whoever_may_extract(world: World, sign_in: SignIn) -> None:
    assert world.result is not None
    path = f"{HERE}results/{world.result.pk}/"
    before = world.result.downloads_count
    response = sign_in(world.owner).get(path)
    assert b"".join(iter(response)) == RESULT_CONTENT
    assert f'filename="PERINATAL-DIABETES-HOSP-{world.result.pk}.zip"' in response["Content-Disposition"]
    assert sign_in(world.viewer).get(path).status_code == 403
    world.result.refresh_from_db()
    assert world.result.downloads_count == before + 1
    entry = AuditLogEntry.objects.get(action="download extraction result")
    assert (entry.user, entry.origin) == (world.owner, "127.0.0.1")
    ExtractionResult.objects.filter(pk=world.result.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert sign_in(world.owner).get(path).status_code == 404
    assert "expired" in sign_in(world.owner).get(HERE).content.decode()


def test_an_operator_may_extract_and_a_reviewer_may_not(world: World, sign_in: SignIn) -> None:
    for role, status in ((Role.OPERATOR, 200), (Role.REVIEWER, 403)):
        Membership.objects.filter(user=world.viewer).update(role=role)
        assert sign_in(world.viewer).get(f"{HERE}extract/").status_code == status


def test_closing_asks_for_a_reason_and_ends_it(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.owner)
    html = client.get(f"{HERE}close/", headers=SCRIPT).content.decode()
    assert "1 result can be downloaded until it expires." in html
    assert client.post(f"{HERE}close/", headers=SCRIPT).status_code == 409
    response = client.post(f"{HERE}close/", {"reason": "the approval ended"}, headers=SCRIPT)
    assert (response.status_code, response["HX-Redirect"]) == (204, HERE)
    html = client.get(HERE).content.decode()
    assert "was closed on" in html
    assert "extract-now" not in html
    assert "change-extraction" not in html
    assert client.post(f"{HERE}extract/").status_code == 409
    assert client.post(f"{HERE}change/", FILLED_IN).status_code == 409


def test_the_lists_follow_the_jobs_by_themselves(world: World, sign_in: SignIn) -> None:
    assert world.extraction is not None
    client = sign_in(world.viewer)
    job = Job.objects.create(
        kind=JobKind.EXTRACT,
        project=world.perinatal,
        project_code="PERINATAL",
        parameters={"extraction_project": world.extraction.pk},
        queue_rank=99,
        queued_at=timezone.now(),
    )
    ExtractionProject.objects.filter(pk=world.extraction.pk).update(extract_job=job)
    own = f"/live/?shown=results-{world.extraction.pk}~000000000000"
    listed = f"/jobs/envelopes/live/?shown=extractions-{world.perinatal.pk}~000000000000"
    assert f">{job.pk}</a> (Extract) waits" in client.get(own).content.decode()
    assert "extraction queued" in client.get(listed).content.decode()
    Job.objects.filter(pk=job.pk).update(state=JobState.ERRORS, error_message="The disk is full.")
    assert "ended in Errors: The disk is full." in client.get(own).content.decode()
    for path in (own, listed):
        assert "DIABETES" not in sign_in(world.stranger).get(path).content.decode()


def test_what_there_is_not_is_not_found(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.owner)
    for path in (
        "/projects/PERINATAL/extractions/NONE/",
        f"{HERE}results/999999/",
        "/projects/CANCER/extractions/DIABETES/",
    ):
        assert client.get(path).status_code == 404


def test_what_the_page_made_stands_in_the_project_file(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.owner)
    html = client.get(NEW).content.decode()
    for name in ("code", "name", "approval_reference"):
        assert f'name="{name}" maxlength="' in html
        assert " required" in html.split(f'name="{name}"')[1].split(">")[0]
    client.post(NEW, FILLED_IN)
    ExtractionProject.objects.filter(code="DIABETES").update(closed_at=timezone.now())
    page = client.get("/projects/PERINATAL/project-file/").content
    (project,) = yaml.safe_load(page)["projects"]
    found = {one["code"]: one for one in project["extraction_projects"]}
    assert found["ASTHMA"] == {
        "code": "ASTHMA",
        "name": "Asthma <script>",
        "approval_reference": "HREC 2026/18",
        "kind": "enduring",
        "event_types": ["BIRTHS", "HOSP"],
        "columns": [
            {"column": "event_type_code", "name": "event_type_code"},
            {"column": "person_key", "name": "Key of the person"},
        ],
        "file_format": "parquet",
        "keep_results_days": 30,
    }
    assert found["DIABETES"]["closed"] is True
