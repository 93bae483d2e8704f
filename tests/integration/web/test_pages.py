"""What the pages say."""

import pytest
from django.db import DatabaseError
from django.utils import timezone

from linkwright.store.models import (
    Envelope,
    EnvelopeReport,
    JobKind,
    JobState,
    LinkageProject,
    QueueState,
    Severity,
    User,
)
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import PASSWORD, World

NARROW = "\u202f"


def test_signing_in_leads_to_all_envelopes(world: World, sign_in: SignIn) -> None:
    response = sign_in(None).post("/sign-in/", {"username": "owner", "password": PASSWORD})
    assert response["Location"] == "/jobs/envelopes/"


def test_a_wrong_password_says_what_to_check(world: World, sign_in: SignIn) -> None:
    html = sign_in(None).post("/sign-in/", {"username": "owner", "password": "no"}).content.decode()
    assert "This user name and password do not fit together." in html


def test_signing_out_ends_the_session(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.owner)
    client.post("/sign-out/")
    assert client.get("/jobs/envelopes/").status_code == 302


def test_the_list_shows_every_column(world: World, sign_in: SignIn) -> None:
    html = sign_in(world.admin).get("/jobs/envelopes/?text=HOSP-2026-08").content.decode()
    row = html[html.index('<tr id="envelope-') : html.index("</tr>", html.index('<tr id="envelope-'))]
    for shown in (
        "Success",
        "HOSP-2026-08",
        "PERINATAL",
        "WAHEALTH",
        "Linkage",
        "BIRTHS, HOSP",
        f"48{NARROW}213",
        "12 d ago",
        # six jobs of 11.4 s each
        "1 min 8 s",
        "0 errors, 1 warnings, 1 info",
    ):
        assert shown in row


def test_the_address_opens_rows(world: World, sign_in: SignIn) -> None:
    envelope, job = world.envelopes["HOSP-2026-08"], world.job("HOSP-2026-08", JobKind.LOAD)
    html = sign_in(world.admin).get(f"/jobs/envelopes/?open=envelope-{envelope.pk}.step-{job.pk}").content.decode()
    assert "Rows loaded" in html
    assert f"48{NARROW}213" in html
    assert html.count('aria-expanded="true"') == 2


def test_without_scripts_the_plus_opens_and_closes_a_row(world: World, sign_in: SignIn) -> None:
    client, row = sign_in(world.admin), f"envelope-{world.envelopes['HOSP-2026-08'].pk}"
    opened = client.get(f"/jobs/envelopes/?status=Success&toggle={row}")
    assert opened["Location"] == f"/jobs/envelopes/?status=Success&open={row}#{row}"
    closed = client.get(f"/jobs/envelopes/?open={row}&toggle={row}")
    assert closed["Location"] == f"/jobs/envelopes/#{row}"


def test_an_envelope_has_an_address_of_its_own(world: World, sign_in: SignIn) -> None:
    envelope = world.envelopes["HOSP-2026-03"]
    response = sign_in(world.owner).get(f"/jobs/envelopes/{envelope.pk}/jobs/", follow=True)
    html = response.content.decode()
    assert html.index("HOSP-2026-03") < html.index("HOSP-2026-02")
    assert f'id="chain-{envelope.pk}"' in html


def test_a_job_has_an_address_of_its_own(world: World, sign_in: SignIn) -> None:
    job = world.job("HOSP-2026-03", JobKind.GROUP)
    html = sign_in(world.owner).get(f"/jobs/{job.pk}/statistics/", follow=True).content.decode()
    assert f'id="statistics-{job.pk}"' in html
    assert "Merged groups" in html


def test_the_report_job_shows_its_plots_with_their_data(world: World, sign_in: SignIn) -> None:
    job = world.job("HOSP-2026-03", JobKind.REPORT)
    html = sign_in(world.owner).get(f"/jobs/{job.pk}/statistics/", follow=True).content.decode()
    assert html.count("<figure") == 3
    assert html.count("Show data") == 3
    assert "Match weights and thresholds" in html


def test_values_of_blocks_are_shown_to_those_who_may_see_them(world: World, sign_in: SignIn) -> None:
    job = world.job("HOSP-2026-03", JobKind.MATCH)
    path = f"/jobs/{job.pk}/statistics/"
    assert "S530 | F | 1984" in sign_in(world.owner).get(path, follow=True).content.decode()
    hidden = sign_in(world.viewer).get(path, follow=True).content.decode()
    assert "S530" not in hidden
    assert "Largest blocks" in hidden


def test_the_project_page_shows_the_latest_report(world: World, sign_in: SignIn) -> None:
    html = sign_in(world.owner).get("/projects/PERINATAL/").content.decode()
    assert "after HOSP-2026-08" in html
    assert f"1{NARROW}009{NARROW}417" in html
    # three of the report, and three over time
    assert html.count('class="plot"') == 6
    assert "HOSP-2026-08" in html
    assert "TUMOURS-2026" not in html


def test_a_project_without_a_report_says_where_its_numbers_come_from(world: World, sign_in: SignIn) -> None:
    EnvelopeReport.objects.all().delete()
    html = sign_in(world.owner).get("/projects/PERINATAL/").content.decode()
    assert "Nothing is linked yet. The numbers come with the report of the first Envelope." in html


def test_projects_of_others_are_not_listed(world: World, sign_in: SignIn) -> None:
    html = sign_in(world.stranger).get("/projects/").content.decode()
    assert "CANCER" in html
    assert "PERINATAL" not in html


def test_empty_lists_say_what_to_do_next(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.admin)
    assert "Upload one above" in client.get("/jobs/envelopes/").content.decode()
    assert "They come with the first Envelope." in client.get("/jobs/all/").content.decode()
    assert "No Envelope matches these filters." in client.get("/jobs/envelopes/?text=x").content.decode()
    LinkageProject.objects.all().delete()
    assert "linkwright apply FILE.yaml" in client.get("/projects/").content.decode()


def test_a_filter_in_use_is_a_chip_that_can_be_removed(world: World, sign_in: SignIn) -> None:
    html = sign_in(world.admin).get("/jobs/envelopes/?status=Success&project=PERINATAL").content.decode()
    assert '<a class="chip" href="/jobs/envelopes/?project=PERINATAL">Status: Success' in html
    assert '<a class="chip" href="/jobs/envelopes/?status=Success">Project: PERINATAL' in html


def test_names_are_escaped_wherever_they_stand(world: World, sign_in: SignIn) -> None:
    envelope = world.envelopes["HOSP-2026-09"]
    envelope.name = '<script>alert("x")</script>'
    envelope.save()
    client = sign_in(world.admin)
    for path in (
        "/jobs/envelopes/",
        "/jobs/all/",
        f"/jobs/envelopes/{envelope.pk}/cancel/",
        "/jobs/envelopes/live/?shown=queue-pill~000000000000,active-envelope~000000000000",
    ):
        html = client.get(path).content.decode()
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html


def test_every_text_of_a_row_is_escaped_whatever_it_holds(world: World, sign_in: SignIn) -> None:
    def hostile(name: str) -> str:
        return f"<b>{name}\"'&"

    failed = world.envelopes["BIRTHS-2025-late"]
    Envelope.objects.filter(pk=failed.pk).update(
        **{column: hostile(column) for column in ("name", "project_code", "sender_code", "request_type")},
        event_type_codes=[hostile("event_type")],
        project=None,
        received_by=User.objects.create(username=hostile("username")),
    )
    failed.jobs.update(
        project_code=hostile("project_code"), project=None, parameters={"file_name": hostile("file_name")}
    )
    failed.jobs.filter(state=JobState.ERRORS).update(error_message=hostile("error_message"))
    failed.notifications.filter(severity=Severity.ERROR).update(text=hostile("text"))
    running = world.envelopes["HOSP-2026-09"]
    Envelope.objects.filter(pk=running.pk).update(name=hostile("name"))
    running.jobs.update(project_code=hostile("project_code"), parameters={"file_name": hostile("file_name")})
    client = sign_in(world.admin)
    of_envelopes = ("name", "project_code", "sender_code", "request_type", "event_type", "username", "text")
    of_jobs = ("name", "project_code", "file_name", "error_message")
    for path, columns in (("/jobs/envelopes/", of_envelopes), ("/jobs/all/", of_jobs)):
        html = client.get(path).content.decode()
        assert "<b>" not in html
        for column in columns:
            assert f"&lt;b&gt;{column}&quot;&#x27;&amp;" in html, column
            assert f'gt;{column}"' not in html, column


def test_a_pause_by_a_failure_in_a_project_of_others_tells_nothing_of_it(world: World, sign_in: SignIn) -> None:
    job = world.job("BIRTHS-2025-late", JobKind.LOAD)
    QueueState.objects.update(paused_at=timezone.now(), paused_by_job=job, paused_reason=job.error_message)
    assert f"the failure of job {job.pk} (Load)" in sign_in(world.owner).get("/projects/").content.decode()
    html = sign_in(world.stranger).get("/projects/").content.decode()
    assert "the failure of a job" in html
    assert "births.csv" not in html


def test_the_pill_tells_strangers_only_that_the_queue_is_busy(world: World, sign_in: SignIn) -> None:
    html = sign_in(world.stranger).get("/projects/").content.decode()
    assert "Busy" in html
    assert "HOSP-2026-09" not in html
    assert "Match · HOSP-2026-09 · 62" in sign_in(world.viewer).get("/projects/").content.decode()


def test_an_unknown_page_is_explained_in_the_frame(world: World, sign_in: SignIn) -> None:
    response = sign_in(world.owner).get("/no/such/page/")
    html = response.content.decode()
    assert response.status_code == 404
    assert "There is no page at /no/such/page/." in html
    assert 'id="queue-pill"' in html


def test_a_broken_server_answers_in_words_without_its_database(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(user: object) -> None:
        raise DatabaseError("the disk is gone")

    monkeypatch.setattr("linkwright.web.pages.projects.visible_projects", fail)
    client = sign_in(world.owner)
    client.raise_request_exception = False
    response = client.get("/projects/")
    assert response.status_code == 500
    assert "The server met an error that it did not expect" in response.content.decode()
    assert "the disk is gone" not in response.content.decode()


def test_the_theme_and_the_live_switch_are_remembered(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.owner)
    client.cookies["theme"], client.cookies["live"] = "dark", "off"
    html = client.get("/jobs/envelopes/").content.decode()
    assert '<html lang="en" data-theme="dark">' in html
    assert 'aria-checked="false"' in html
    client.cookies["theme"] = '"><script>'
    assert "data-theme" not in client.get("/jobs/envelopes/").content.decode()
