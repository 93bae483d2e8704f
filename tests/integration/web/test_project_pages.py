"""The pages of Linkage Projects: list with numbers, form, archive, delete, project file, plots over time."""

import time
from datetime import timedelta

import pytest
import yaml
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linkwright.store.models import (
    AuditLogEntry,
    Envelope,
    EnvelopeReport,
    EnvelopeState,
    ImportFormat,
    Job,
    LinkageProject,
)
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World, add_envelope

NEW = {
    "code": "ASTHMA",
    "name": "Cancer registry",
    "description": "Line one\r\nLine two",
    "notification_email": "linkage@example.org",
    "event_type": ["BIRTHS", "HOSP"],
    "like": "PERINATAL",
}
HTMX = {"HX-Request": "true"}


def test_an_administrator_creates_a_project_like_another(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.admin)
    assert "As PERINATAL" in client.get("/new-project/").content.decode()
    response = client.post("/new-project/", NEW)
    assert response["Location"] == "/projects/ASTHMA/"
    made = LinkageProject.objects.get(code="ASTHMA")
    assert made.description == "Line one\nLine two"
    assert sorted(made.event_types.values_list("code", flat=True)) == ["BIRTHS", "HOSP"]
    newest = empty_world.perinatal.match_configurations.first()
    assert newest is not None
    assert made.match_configurations.get().definition == newest.definition
    entry = AuditLogEntry.objects.get(action="create project")
    assert (entry.user, entry.project_code) == (empty_world.admin, "ASTHMA")
    assert "Linkage Project ASTHMA is there" in client.get("/projects/ASTHMA/").content.decode()


def test_a_refused_form_comes_back_with_every_fault_as_it_was_filled_in(
    empty_world: World, sign_in: SignIn
) -> None:
    response = sign_in(empty_world.admin).post("/new-project/", {**NEW, "code": "<b>", "notification_email": "x"})
    html = response.content.decode()
    assert response.status_code == 409
    assert "is no code" in html
    assert "is no e-mail address" in html
    assert 'value="&lt;b&gt;"' in html
    assert html.count(" checked") == 2
    assert not LinkageProject.objects.filter(name="Cancer registry").exists()


def test_an_owner_changes_the_words_of_a_project(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.owner)
    sent = {"name": "Mothers and babies", "description": "", "notification_email": ""}
    assert client.post("/projects/PERINATAL/change/", sent)["Location"] == "/projects/PERINATAL/"
    assert LinkageProject.objects.get(code="PERINATAL").name == "Mothers and babies"
    client.post("/projects/PERINATAL/change/", sent)
    assert AuditLogEntry.objects.filter(action="change project").count() == 1


def test_an_archived_project_leaves_the_list_and_can_be_shown_again(empty_world: World, sign_in: SignIn) -> None:
    owner = sign_in(empty_world.owner)
    response = owner.post("/projects/PERINATAL/archive/", {"reason": "over"}, headers=HTMX)
    assert (response.status_code, response["HX-Redirect"]) == (204, "/projects/PERINATAL/")
    html = owner.get("/projects/PERINATAL/").content.decode()
    assert "PERINATAL is archived." in html
    assert 'id="unarchive"' in html
    assert 'id="submit-file"' not in html
    assert 'id="delete-project"' not in html
    assert 'id="delete-project"' in sign_in(empty_world.admin).get("/projects/PERINATAL/").content.decode()
    listed = owner.get("/projects/").content.decode()
    assert "Show 1 archived" in listed
    assert "/projects/PERINATAL/" not in listed
    assert "/projects/PERINATAL/" in owner.get("/projects/?archived=1").content.decode()
    owner.post("/projects/PERINATAL/unarchive/")
    assert "/projects/PERINATAL/" in owner.get("/projects/").content.decode()


def test_a_project_is_deleted_by_its_typed_code_and_a_reason(empty_world: World, sign_in: SignIn) -> None:
    admin = sign_in(empty_world.admin)
    assert "Archive it first" in admin.get("/projects/PERINATAL/delete/").content.decode()
    admin.post("/projects/PERINATAL/archive/", {"reason": "over"})
    assert "This cannot be undone" in admin.get("/projects/PERINATAL/delete/").content.decode()
    for sent, told in (
        ({"typed": "NO", "reason": "over"}, "Type PERINATAL"),
        ({"typed": "PERINATAL"}, "a reason"),
    ):
        refused = admin.post("/projects/PERINATAL/delete/", sent, headers=HTMX)
        assert refused.status_code == 409
        assert told in refused.content.decode()
    done = admin.post("/projects/PERINATAL/delete/", {"typed": "PERINATAL", "reason": "over"}, headers=HTMX)
    assert (done.status_code, done["HX-Redirect"]) == (204, "/projects/")
    assert "PERINATAL is deleted" in admin.get("/projects/").content.decode()
    assert admin.get("/projects/PERINATAL/").status_code == 404
    assert sign_in(empty_world.owner).get("/projects/").status_code == 200
    entry = AuditLogEntry.objects.get(action="delete project")
    assert (entry.user, entry.reason) == (empty_world.admin, "over")


def test_a_busy_morning_is_deleted_with_all_of_its_jobs(world: World, sign_in: SignIn) -> None:
    others = Envelope.objects.exclude(project=world.perinatal).count()
    Job.objects.filter(state__in=["Queued", "Running"]).update(state="Success")
    admin = sign_in(world.admin)
    admin.post("/projects/PERINATAL/archive/", {"reason": "over"})
    admin.post("/projects/PERINATAL/delete/", {"typed": "PERINATAL", "reason": "over"})
    connection.check_constraints()
    assert Envelope.objects.count() == others
    for path in ("/projects/", "/jobs/envelopes/", "/jobs/all/", "/jobs/queue/history/"):
        assert admin.get(path).status_code == 200


def test_the_project_file_can_be_downloaded(empty_world: World, sign_in: SignIn) -> None:
    ImportFormat.objects.update(definition={"columns": {"source_unique_id": "id", "surname": "name"}})
    response = sign_in(empty_world.owner).get("/projects/PERINATAL/project-file/")
    assert response["Content-Disposition"] == 'attachment; filename="PERINATAL.yaml"'
    found = yaml.safe_load(response.content)
    assert [one["code"] for one in found["projects"]] == ["PERINATAL"]
    everything = yaml.safe_load(sign_in(empty_world.admin).get("/project-file/").content)
    assert len(everything["projects"]) == LinkageProject.objects.count()
    actions = AuditLogEntry.objects.filter(action="export project file").values_list("target", flat=True)
    assert sorted(actions) == ["PERINATAL", "everything"]


def report(world: World, name: str, records: int, groups: int, *, own: int, begun: int) -> Envelope:
    envelope = add_envelope(world, name, ended=6, state=EnvelopeState.SUCCESS, age=timedelta(hours=1))
    EnvelopeReport.objects.create(
        envelope=envelope,
        created_at=timezone.now(),
        statistics={
            "project": {"records_count": records, "groups_count": groups},
            "envelope": {"records_count": own, "new_groups_count": begun},
        },
    )
    return envelope


def test_the_plots_over_time_come_from_the_reports_that_count(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.viewer)
    report(empty_world, "first", 100, 80, own=100, begun=80)
    assert "Records and groups over time" not in client.get("/projects/PERINATAL/").content.decode()
    undone = report(empty_world, "undone", 170, 145, own=70, begun=65)
    report(empty_world, "deletion", 90, 75, own=0, begun=0)
    html = client.get("/projects/PERINATAL/").content.decode()
    assert "Records and groups over time" in html
    assert "Linking rate of each Envelope" in html
    assert html.count("project-growth-data") == 1
    assert "undone" in html.split("project-growth-data")[1]
    Envelope.objects.filter(pk=undone.pk).update(state=EnvelopeState.ROLLED_BACK)
    html = client.get("/projects/PERINATAL/").content.decode()
    growth = html.split("project-growth-data")[1].split("</details>")[0]
    assert "undone" not in growth
    assert "deletion" in growth
    # one Envelope that brought records is no line
    assert "Linking rate of each Envelope" not in html


def test_the_list_is_quick_with_many_projects(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.admin)
    report(empty_world, "first", 100, 80, own=100, begun=80)
    # the first request of a session writes it down
    client.get("/projects/")
    with CaptureQueriesContext(connection) as few:
        client.get("/projects/")
    for number in range(200):
        made = LinkageProject.objects.create(code=f"P{number:03}", name=f"Project {number}")
        envelope = Envelope.objects.create(
            name=f"E{number}", project=made, state=EnvelopeState.SUCCESS, received_at=timezone.now()
        )
        EnvelopeReport.objects.create(
            envelope=envelope,
            created_at=timezone.now(),
            statistics={"project": {"records_count": 1_000 + number, "groups_count": 7}, "envelope": {}},
        )
    started_s = time.perf_counter()
    with CaptureQueriesContext(connection) as many:
        html = client.get("/projects/").content.decode()
    assert time.perf_counter() - started_s < 2
    assert html.count('<tr class="row') == LinkageProject.objects.count()
    assert "E199" in html
    assert len(many) == len(few)


@pytest.mark.parametrize("code", ["new", "project-file", "change"])
def test_a_project_may_have_a_code_like_a_word_of_an_address(
    empty_world: World, sign_in: SignIn, code: str
) -> None:
    client = sign_in(empty_world.admin)
    assert client.post("/new-project/", {**NEW, "code": code})["Location"] == f"/projects/{code}/"
    assert client.get(f"/projects/{code}/").status_code == 200
