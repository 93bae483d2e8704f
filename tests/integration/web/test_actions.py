"""What people do on the pages: each action through its dialog, with and without scripts."""

import json
import re

from linkwright.store.models import (
    AuditLogEntry,
    Envelope,
    EnvelopeState,
    Job,
    JobKind,
    JobState,
    QueueState,
)
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World, add_envelope, fail_job

SCRIPT = {"HX-Request": "true"}


def test_pausing_names_its_effect_in_numbers(world: World, sign_in: SignIn) -> None:
    html = sign_in(world.owner).get("/jobs/queue/pause/").content.decode()
    assert "14 queued jobs wait." in html
    assert "The running job (Match of HOSP-2026-09) goes on to its end." in html


def test_pausing_and_resuming_leave_who_why_and_whence_in_the_audit_log(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.owner)
    client.post("/jobs/queue/pause/", {"reason": "backup"}, REMOTE_ADDR="10.1.2.3")
    state = QueueState.objects.get(pk=1)
    assert (state.paused_by, state.paused_reason) == (world.owner, "backup")
    client.post("/jobs/queue/resume/", REMOTE_ADDR="10.1.2.4")
    assert QueueState.objects.get(pk=1).paused_at is None
    entries = AuditLogEntry.objects.order_by("pk").values_list("action", "user__username", "reason", "origin")
    assert list(entries) == [
        ("pause queue", "owner", "backup", "10.1.2.3"),
        ("resume queue", "owner", "", "10.1.2.4"),
    ]


def test_pausing_without_a_reason_is_refused_in_the_dialog(world: World, sign_in: SignIn) -> None:
    response = sign_in(world.owner).post("/jobs/queue/pause/", {"reason": " "}, headers=SCRIPT)
    assert response.status_code == 409
    html = response.content.decode()
    assert "Pausing needs a reason" in html
    assert "<html" not in html
    assert QueueState.objects.get(pk=1).paused_at is None


def test_clearing_names_jobs_and_envelopes_and_asks_for_a_reason(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.admin)
    html = client.get("/jobs/queue/clear/").content.decode()
    assert "14 queued jobs of 3 Envelopes will be removed. The running job goes on." in html
    assert "Clear 14 jobs" in html
    assert client.post("/jobs/queue/clear/", {"reason": ""}).status_code == 409
    assert Job.objects.filter(state=JobState.QUEUED).count() == 14
    client.post("/jobs/queue/clear/", {"reason": "wrong month"})
    assert not Job.objects.filter(state=JobState.QUEUED).exists()
    assert Envelope.objects.get(name="HOSP-2026-10").state == EnvelopeState.CANCELLED


def test_an_action_by_script_answers_with_the_message_to_show(world: World, sign_in: SignIn) -> None:
    response = sign_in(world.admin).post("/jobs/queue/clear/", {"reason": "wrong month"}, headers=SCRIPT)
    assert response.status_code == 204
    told = json.loads(response["HX-Trigger"])
    assert told == {"linkwright:done": {"message": "14 jobs were removed from the Job Queue."}}


def test_an_action_without_scripts_returns_to_where_it_was_asked_and_says_so(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in(world.owner)
    response = client.post("/jobs/queue/pause/", {"reason": "x", "next": "/jobs/all/?status=Queued"})
    assert response["Location"] == "/jobs/all/?status=Queued"
    assert "The Job Queue is paused." in client.get(response["Location"]).content.decode()
    assert '<div class="flash flash-success">' not in client.get("/jobs/all/").content.decode()


def test_an_action_never_returns_to_another_site(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.owner)
    for wanted in ("https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"):
        client.post("/jobs/queue/resume/")
        response = client.post("/jobs/queue/pause/", {"reason": "x", "next": wanted})
        assert response["Location"] == "/jobs/all/"


def test_cancelling_a_waiting_envelope_removes_its_jobs(world: World, sign_in: SignIn) -> None:
    envelope = world.envelopes["HOSP-2026-10"]
    client = sign_in(world.owner)
    assert "6 queued jobs are removed." in client.get(f"/jobs/envelopes/{envelope.pk}/cancel/").content.decode()
    client.post(f"/jobs/envelopes/{envelope.pk}/cancel/", {"reason": "sent twice"})
    assert Envelope.objects.get(pk=envelope.pk).state == EnvelopeState.CANCELLED
    assert AuditLogEntry.objects.get(action="cancel Envelope").reason == "sent twice"


def test_cancelling_what_has_ended_is_refused_with_the_reason(world: World, sign_in: SignIn) -> None:
    envelope = world.envelopes["HOSP-2026-01"]
    response = sign_in(world.owner).post(f"/jobs/envelopes/{envelope.pk}/cancel/")
    assert response.status_code == 409
    assert "only a queued or running one can be cancelled" in response.content.decode()


def test_a_failed_job_is_retried_with_the_held_ones_behind_it(empty_world: World, sign_in: SignIn) -> None:
    add_envelope(empty_world, "A", ended=1)
    job = empty_world.job("A", JobKind.LOAD)
    fail_job(job, "births.csv, line 8: no such column")
    client = sign_in(empty_world.owner)
    assert f'id="job-{job.pk}-retry"' in client.get("/jobs/all/").content.decode()
    assert "as attempt 2, with 4 held jobs of A behind it" in client.get(f"/jobs/{job.pk}/retry/").content.decode()
    client.post(f"/jobs/{job.pk}/retry/")
    states = Job.objects.filter(envelope__name="A").order_by("chain_position").values_list("state", flat=True)
    assert list(states) == ["Success", *["Queued"] * 5]


def test_where_a_retry_is_refused_its_place_says_why(world: World, sign_in: SignIn) -> None:
    job = world.job("BIRTHS-2025-late", JobKind.LOAD)
    html = sign_in(world.owner).get("/jobs/all/").content.decode()
    assert f'id="job-{job.pk}-retry"' not in html
    assert "has been run against PERINATAL since; submit the Envelope again instead." in html


def test_what_a_viewer_may_not_do_is_not_shown(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.viewer)
    jobs, envelopes = client.get("/jobs/all/").content.decode(), client.get("/jobs/envelopes/").content.decode()
    for absent in ("pause-link", "clear-link", '/retry/"', "has been run against"):
        assert absent not in jobs
    for absent in ('id="upload"', '-cancel"'):
        assert absent not in envelopes
    assert '-audit"' in jobs
    assert '-notifications"' in envelopes


def test_an_owner_is_not_shown_what_is_the_administrators(world: World, sign_in: SignIn) -> None:
    assert "clear-link" not in sign_in(world.owner).get("/jobs/all/").content.decode()
    assert "clear-link" in sign_in(world.admin).get("/jobs/all/").content.decode()


def test_the_reason_why_a_retry_is_refused_can_be_opened_from_its_place(world: World, sign_in: SignIn) -> None:
    job = world.job("BIRTHS-2025-late", JobKind.LOAD)
    client = sign_in(world.owner)
    html = client.get("/jobs/all/").content.decode()
    link = re.search(rf'<a [^>]*id="job-{job.pk}-why-not" href="([^"]+)"[^>]*>Why no retry<', html)
    assert link is not None
    dialog = client.get(link[1]).content.decode()
    assert "has been run against PERINATAL since; submit the Envelope again instead." in dialog
    assert 'type="submit">Retry' not in dialog
