"""The pages about records, groups and pairs of a project that was processed: what each role sees, and the log."""

import re
from html import unescape

import pytest
from django.test import Client

from linkwright.envelopes.manifest import RequestType
from linkwright.services.submit_data_file import DataFileSubmission, submit_data_file
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, Envelope, EnvelopeReport, LinkageProject, Role
from tests.integration.linked_system import FIRST, VALUES, linked, looks, member, system, without_drawing
from tests.integration.pipeline.conftest import System
from tests.integration.web.conftest import SignIn

__all__ = ["linked", "system", "without_drawing"]

pytestmark = pytest.mark.usefixtures("without_drawing")

WHY = "Anna Berg's sister"


@pytest.fixture
def reviewer(linked: System, sign_in: SignIn) -> Client:
    """Return the browser of somebody who may see values and review."""
    return sign_in(member(Role.REVIEWER))


@pytest.fixture
def viewer(linked: System, sign_in: SignIn) -> Client:
    """Return the browser of somebody who may see neither."""
    return sign_in(member(Role.VIEWER))


def page(client: Client, path: str, status: int = 200) -> str:
    """Return a page's text with its tags."""
    response = client.get(path)
    assert response.status_code == status
    return unescape(response.content.decode())


PATHS = ("/projects/P1/groups/1/", "/projects/P1/records/1/", "/projects/P1/pairs/1/2/")


def test_who_may_see_values_sees_them_and_each_look_is_logged(reviewer: Client) -> None:
    assert all("berg" in page(reviewer, path) for path in PATHS)
    assert looks() == [
        ("reviewer", "group 1"),
        ("reviewer", "record 1"),
        ("reviewer", "records 1 and 2"),
    ]


@pytest.mark.parametrize("path", [*PATHS, "/projects/P1/records/?id=a1", "/projects/P1/records/?record=1"])
def test_who_may_not_see_values_gets_the_structure(viewer: Client, path: str) -> None:
    text = page(viewer, path).split("<main", 1)[1].split("</main>", 1)[0]
    assert not [value for value in VALUES if value in text.lower()]
    assert "ADM" in text
    assert "a1" in text
    assert looks() == []


def test_differences_are_marked_and_read_out(reviewer: Client) -> None:
    text = page(reviewer, "/projects/P1/groups/1/")
    marked = re.findall(r'<td class="differs">([^<]+)<span class="visually-hidden"> \(differs\)', text)
    assert marked == ["anna", "2000", "annalie", "2017"]


def test_levels_and_weights_are_everybodys(viewer: Client) -> None:
    text = page(viewer, "/projects/P1/groups/1/")
    assert re.search(r'href="/projects/P1/pairs/1/2/"[^>]*>1 and 2</a></th><td class="number">.[0-9.]+<', text)
    assert "similarity (at least 0.9)" in text
    assert '<line class="edge edge-match"' in text


def test_values_are_never_kept_in_a_cache(reviewer: Client) -> None:
    for path in (*PATHS, "/projects/P1/records/by-values/"):
        assert "no-store" in reviewer.get(path)["Cache-Control"]


def test_a_search_by_identifier_leads_to_the_group(viewer: Client) -> None:
    text = page(viewer, "/projects/P1/records/?id=a2&event_type=ADM")
    assert "1 record found" in text
    assert 'href="/projects/P1/groups/1/">Group 1</a>' in text
    assert "No record was found" in page(viewer, "/projects/P1/records/?id=A2")


def test_a_search_by_group_leads_on(viewer: Client) -> None:
    response = viewer.get("/projects/P1/records/?group=1")
    assert (response.status_code, response["Location"]) == (302, "/projects/P1/groups/1/")


@pytest.mark.parametrize("query", ["record=one", "group=-1", "record=1.5"])
def test_an_id_that_is_no_number_is_refused(viewer: Client, query: str) -> None:
    assert "is no number" in page(viewer, f"/projects/P1/records/?{query}", 409)


def test_a_search_by_values_shows_them_and_keeps_what_was_searched_for_out_of_the_log(reviewer: Client) -> None:
    asked = {"given_name": "Annalie", "date_of_birth": "1980-01-02", "surname": " "}
    response = reviewer.post("/projects/P1/records/by-values/", asked)
    text = response.content.decode()
    assert "1 record found" in text
    assert "<td>annalie</td><td>berg</td><td>1980-01-02</td>" in text
    # no column of a field that none of them has
    assert ">given name</th>" in text
    assert ">postcode</th>" not in text
    entry = AuditLogEntry.objects.get(action="see identifying values")
    assert entry.target == "search by given_name, date_of_birth"
    assert entry.detail == {
        "fields": ["given_name", "date_of_birth"],
        "records": ["ADM:a2"],
        "has_more": False,
    }


def test_a_search_without_a_value_is_refused_and_not_logged(reviewer: Client) -> None:
    response = reviewer.post("/projects/P1/records/by-values/", {"surname": " * "})
    assert response.status_code == 409
    assert "Fields to search by: given_name, surname, date_of_birth" in response.content.decode()
    assert looks() == []


def test_no_value_is_read_as_markup(reviewer: Client) -> None:
    group_id = re.search(r"groups/(\d+)/", reviewer.get("/projects/P1/records/?id=a4").content.decode())
    assert group_id is not None
    text = reviewer.get(f"/projects/P1/groups/{group_id[1]}/").content.decode()
    assert "<b>" not in text
    found = reviewer.post("/projects/P1/records/by-values/", {"surname": "<script>*"}).content.decode()
    assert "<script>*" not in found


def test_only_who_may_review_sees_the_form_and_may_send_it(reviewer: Client, viewer: Client) -> None:
    assert 'id="review"' in page(reviewer, "/projects/P1/groups/1/")
    assert 'id="review"' not in page(viewer, "/projects/P1/groups/1/")
    assert 'name="record"' not in page(viewer, "/projects/P1/groups/1/")
    asked = {"decision": "take_out", "record": ["2"], "seen": "1.2", "reason": WHY}
    assert viewer.post("/projects/P1/groups/1/review/", asked).status_code == 403
    assert Envelope.objects.count() == 1


def test_a_decision_is_queued_said_and_shown_with_its_reason(
    linked: System, reviewer: Client, viewer: Client
) -> None:
    asked = {"decision": "take_out", "record": ["2"], "seen": "1.2", "reason": WHY}
    response = reviewer.post("/projects/P1/groups/1/review/", asked)
    assert (response.status_code, response["Location"]) == (302, "/projects/P1/groups/1/")
    text = page(reviewer, "/projects/P1/groups/1/")
    assert "Review of group 1 is queued as Envelope 2" in text
    assert "1 Quality Review of this project waits in the queue" in text
    linked.drain()
    assert f"Reason: {WHY}" in page(reviewer, "/projects/P1/groups/1/")
    hidden = page(viewer, "/projects/P1/groups/1/")
    assert "ADM:a1 and ADM:a2 belong apart" in hidden
    assert WHY not in hidden
    assert WHY not in page(viewer, "/jobs/queue/history/")


def test_a_refused_decision_keeps_what_was_chosen(reviewer: Client) -> None:
    asked = {"decision": "take_out", "record": ["2"], "seen": "1.2.3", "reason": WHY}
    response = reviewer.post("/projects/P1/groups/1/review/", asked)
    text = unescape(response.content.decode())
    assert response.status_code == 409
    assert "has changed since you looked at it" in text
    assert re.search(r'name="record" value="2"[^>]* checked', text)
    assert f'value="{WHY}"' in text
    assert 'name="seen" value="1.2"' in text


def test_a_form_that_says_nothing_is_refused(reviewer: Client) -> None:
    assert reviewer.post("/projects/P1/groups/1/review/", {}).status_code == 409


def test_a_group_that_went_into_another_says_so_and_links_there(linked: System, viewer: Client) -> None:
    asked = "P1,a1,ADM,one\nP1,a2,ADM,one\nP1,a4,ADM,one\n"
    path = linked.folder / "review.csv"
    path.write_text(asked)
    submit_data_file(DataFileSubmission(path, "review.csv", "P1", RequestType.SUBMIT_QUALITY_REVIEW), COMMAND_LINE)
    linked.drain()
    text = page(viewer, "/projects/P1/groups/2/")
    assert 'This group is no more: its records went into <a href="/projects/P1/groups/1/">group 1</a>' in text
    assert "Took in all of" in page(viewer, "/projects/P1/groups/1/")
    stays = page(viewer, "/projects/P1/records/3/")
    assert stays.index("Group 1</a></p>") < stays.index("Group 2</a></p>")


def test_a_record_tells_where_it_came_from(viewer: Client) -> None:
    text = page(viewer, "/projects/P1/records/2/")
    assert ">first</a>" in text
    assert '<span class="code">first-ADM.csv</span>, record 2 of the 3 loaded from it' in text


def test_a_record_that_was_replaced_shows_its_versions_and_no_values(system: System, sign_in: SignIn) -> None:
    system.load("first", FIRST)
    LinkageProject.objects.get(code="P1").attachments.update(updates="replace")
    system.load("second", [("a1", "Hannah", "Berg", "1980-01-02", "2000")])
    client = sign_in(member(Role.REVIEWER))
    old, new = page(client, "/projects/P1/records/1/"), page(client, "/projects/P1/records/4/")
    assert "The record has ended: its values are not shown any more." in old
    assert 'replaced by <a href="/projects/P1/records/4/">record 4</a>' in old
    assert "hannah" in new
    assert 'href="/projects/P1/records/1/">Record 1</a>' in new
    assert looks() == [("reviewer", "record 4")]


@pytest.mark.parametrize(
    "path",
    [
        "groups/99/",
        f"groups/{2**64}/",
        "records/99/",
        f"records/{2**64}/",
        "pairs/1/99/",
        "pairs/1/1/",
        "pairs/?one=1",
    ],
)
def test_what_is_not_there_is_not_found(viewer: Client, path: str) -> None:
    assert viewer.get(f"/projects/P1/{path}").status_code == 404


def test_two_chosen_records_are_explained(viewer: Client) -> None:
    text = unescape(viewer.get("/projects/P1/pairs/?one=3&other=1", follow=True).content.decode())
    assert "No blocking rule brings them together" in text
    assert "Match kept no such pair." in text


def test_a_damaged_file_is_told_instead_of_failing(linked: System, viewer: Client) -> None:
    for records in linked.project_folder.glob("*records.parquet"):
        records.write_bytes(b"no Parquet")
    for path in PATHS:
        assert "is damaged" in page(viewer, path, 409)
    assert "is damaged" in page(viewer, "/projects/P1/records/?id=a1", 409)


def test_the_project_page_offers_the_searches_that_its_reader_may_use(reviewer: Client, viewer: Client) -> None:
    EnvelopeReport.objects.update(plots=[])
    assert 'action="/projects/P1/records/"' in page(viewer, "/projects/P1/")
    assert "/records/by-values/" not in page(viewer, "/projects/P1/")
    assert "/records/by-values/" in page(reviewer, "/projects/P1/")
