"""The JOBS tab as SPEC section 4 has it: its panels, lists, options and dialogs, sentence by sentence."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from linkwright.store.models import (
    AuditMessage,
    Envelope,
    EnvelopeState,
    Job,
    JobKind,
    JobState,
    QueueState,
)
from linkwright.store.queries.shown_status import ShownStatus
from linkwright.web.words import icon_of
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World, add_envelope, fail_job, progress_of, start_job

ENVELOPES, JOBS = "/jobs/envelopes/", "/jobs/all/"
COLUMNS = (
    *("Status", "Name", "Project", "Provider", "Data action", "Event Types", "Records", "Received", "Processed"),
    *("Duration", "Options"),
)


def _part(html: str, start: str, end: str) -> str:
    begins = html.index(start)
    return html[begins : html.index(end, begins)]


def words_of(html: str) -> str:
    """Return a page's text without its tags, all white space as single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def _headings(table: str) -> list[str]:
    return list(re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', _part(table, "<thead", "</thead")))


def test_the_tab_opens_with_all_envelopes_in_the_order_and_columns_that_are_promised(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in(world.owner)
    html = client.get("/jobs/", follow=True).content.decode()
    places = [html.index(f'id="{part}"') for part in ("upload", "active-envelope", "recent-errors", "envelopes")]
    assert places == sorted(places)
    assert _headings(html[places[-1] :]) == list(COLUMNS)
    assert re.search(r'<a href="/jobs/envelopes/"[^>]* aria-current="page"[^>]*>All Envelopes</a>', html)
    jobs = client.get(JOBS).content.decode()
    assert jobs.index("Active and Queued Jobs") < jobs.index('id="jobs"')


def test_the_links_that_steer_the_queue_are_called_as_promised(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.admin)
    words = words_of(client.get(JOBS).content.decode())
    assert "Pause Job Queue Processing" in words
    assert "Clear Job Queue" in words
    assert "Resume Job Queue Processing" not in words
    QueueState.objects.update(paused_at=timezone.now(), paused_by=world.owner, paused_reason="backup")
    words = words_of(client.get(JOBS).content.decode())
    assert "Resume Job Queue Processing" in words
    assert "Pause Job Queue Processing" not in words


def test_each_status_is_an_icon_of_its_own_shape_beside_its_word(world: World, sign_in: SignIn) -> None:
    sprite = render_to_string("web/partials/sprite.svg")
    shapes = {
        status: _part(sprite, f'id="i-{icon_of(status)}"', "</symbol>").split(">", 1)[1] for status in ShownStatus
    }
    assert len(set(shapes.values())) == len(ShownStatus)
    # its job shows SuccessActive, and it itself ErrorsActive
    Envelope.objects.filter(name="HOSP-2026-09").update(errors_occurred=True)
    client = sign_in(world.admin)
    pages = (ENVELOPES, f"{JOBS}?text=HOSP-2026-09", f"{JOBS}?text=BIRTHS-2025-late")
    shown = "".join(client.get(page).content.decode() for page in pages)
    for status in ShownStatus:
        assert re.search(rf'<use href="#i-{icon_of(status)}"/></svg>{status.value}[ <]', shown), status


def test_the_panel_shows_the_active_envelope_with_its_chain_and_progress(world: World, sign_in: SignIn) -> None:
    html = sign_in(world.viewer).get(ENVELOPES).content.decode()
    panel = _part(html, 'id="active-envelope"', 'id="recent-errors"')
    words = words_of(panel)
    for shown in (
        *("SuccessActive", "HOSP-2026-09", "PERINATAL", "WAHEALTH", "Linkage", "BIRTHS, HOSP"),
        *("Scoring candidate pairs", "62 %", "Validate : Success", "Match : SuccessActive", "Report : Queued"),
    ):
        assert shown in words


def test_recently_errored_envelopes_have_the_columns_of_the_list_and_what_happened(
    world: World, sign_in: SignIn
) -> None:
    html = sign_in(world.owner).get(ENVELOPES).content.decode()
    panel, listed = _part(html, 'id="recent-errors"', 'id="list-title"'), html[html.index('id="envelopes"') :]
    assert set(COLUMNS) <= set(_headings(panel))
    assert set(COLUMNS) <= set(_headings(listed))
    words = words_of(panel)
    for shown in ("BIRTHS-2025-late", "Errors", "the row has 11 columns", "DEATHS-2026-Q1", "Corrupt"):
        assert shown in words
    assert "HOSP-2026-09-draft" not in words
    assert f'id="errored-{world.envelopes["BIRTHS-2025-late"].pk}-notifications"' in panel


def test_an_error_is_recent_by_when_it_happened_and_not_by_when_the_envelope_came(
    empty_world: World, sign_in: SignIn
) -> None:
    now = timezone.now()
    for name, received, ended in (("long-waiting", 30, 1), ("long-ago", 9, 8)):
        add_envelope(empty_world, name, ended=1)
        fail_job(empty_world.job(name, JobKind.LOAD), f"{name} failed")
        Envelope.objects.filter(name=name).update(
            received_at=now - timedelta(days=received), processed_at=now - timedelta(days=ended)
        )
    words = words_of(
        _part(sign_in(empty_world.owner).get(ENVELOPES).content.decode(), 'id="recent-errors"', 'id="list')
    )
    assert "long-waiting failed" in words
    assert "long-ago" not in words


def test_more_errors_than_the_panel_shows_are_not_hidden(empty_world: World, sign_in: SignIn) -> None:
    for number in range(7):
        add_envelope(empty_world, f"E{number}", ended=1)
        fail_job(empty_world.job(f"E{number}", JobKind.LOAD), "no such column")
    # the one that was retried, and failed again, happened last
    Envelope.objects.filter(name="E0").update(processed_at=timezone.now())
    panel = _part(sign_in(empty_world.owner).get(ENVELOPES).content.decode(), 'id="recent-errors"', 'id="list')
    assert re.findall(r'title="(E\d)"', panel) == ["E0", "E6", "E5", "E4", "E3"]
    assert "Only the latest 5 are shown." in panel


def test_an_envelope_offers_what_can_be_done_with_it_and_nothing_else(world: World, sign_in: SignIn) -> None:
    html = sign_in(world.admin).get(ENVELOPES).content.decode()

    def options(name: str) -> set[str]:
        key = world.envelopes[name].pk
        return set(re.findall(rf'id="envelope-{key}-(cancel|rollback|download|notifications)"', html))

    assert options("HOSP-2026-08") == {"notifications", "rollback", "download"}
    assert options("HOSP-2026-07") == {"rollback", "download"}
    assert options("HOSP-2026-09") == {"cancel", "download"}
    assert options("HOSP-2026-10") == {"cancel", "download"}
    for ended in ("BIRTHS-2025-late", "DEATHS-2026-Q1"):
        assert options(ended) == {"notifications", "download"}
    for ended in ("HOSP-2025-test", "HOSP-2026-09-draft"):
        assert options(ended) == {"download"}


def test_the_running_job_is_shown_with_bar_stage_rate_and_time_left(world: World, sign_in: SignIn) -> None:
    html = sign_in(world.viewer).get(JOBS).content.decode()
    panel = _part(html, 'id="running-job"', 'id="queued-jobs"')
    words = words_of(panel)
    for shown in ("Match", "HOSP-2026-09", "PERINATAL", "Scoring candidate pairs", "62 %", "pairs/s", "about 25"):
        assert shown in words
    assert "left" in words
    assert 'role="progressbar"' in panel
    assert 'aria-valuenow="62"' in panel
    Job.objects.filter(state=JobState.RUNNING).update(progress=progress_of(620, None))
    unknown = _part(sign_in(world.viewer).get(JOBS).content.decode(), 'id="running-job"', 'id="queued-jobs"')
    assert "progressbar" not in unknown
    assert "620 000 pairs" in words_of(unknown)


def test_queued_jobs_stand_in_the_order_in_which_they_will_run(world: World, sign_in: SignIn) -> None:
    # whatever came to the front meanwhile, the chain under way is ended first
    Job.objects.filter(envelope=world.envelopes["BIRTHS-2026"]).update(queue_rank=-1)
    html = sign_in(world.admin).get(JOBS).content.decode()
    lines = [words_of(line) for line in re.findall(r"<li><span class=\"queue-place\">.*?</li>", html)]
    chain = ("Validate", "Load", "Load", "Match", "Group", "Report")
    wanted = [("Group", "HOSP-2026-09"), ("Report", "HOSP-2026-09")]
    wanted += [(kind, name) for name in ("BIRTHS-2026", "HOSP-2026-10") for kind in chain]
    assert len(lines) == len(wanted)
    for place, (line, (kind, name)) in enumerate(zip(lines, wanted, strict=True), start=1):
        assert line.startswith(f"{place} {kind} ")
        assert name in line


def test_resuming_names_its_effect_in_numbers(world: World, sign_in: SignIn) -> None:
    QueueState.objects.update(paused_at=timezone.now(), paused_by=world.owner, paused_reason="backup")
    words = words_of(sign_in(world.owner).get("/jobs/queue/resume/").content.decode())
    assert "14 queued jobs go on, first Group of HOSP-2026-09." in words
    assert "Reason: backup" in words


def test_resuming_an_empty_queue_says_that_nothing_waits(empty_world: World, sign_in: SignIn) -> None:
    QueueState.objects.update(paused_at=timezone.now(), paused_by=empty_world.admin, paused_reason="backup")
    words = words_of(sign_in(empty_world.admin).get("/jobs/queue/resume/").content.decode())
    assert "No job is queued: what is submitted from now on starts at once." in words
    assert "0 queued jobs" not in words


def test_all_jobs_lists_system_jobs_and_envelope_jobs_by_processing_start(world: World, sign_in: SignIn) -> None:
    now = timezone.now()
    between = world.job("HOSP-2026-08", JobKind.MATCH).started_at
    assert between is not None
    for kind, started in ((JobKind.BACKUP, now), (JobKind.COMPACT, between + timedelta(seconds=1))):
        Job.objects.create(
            kind=kind, state=JobState.SUCCESS, queue_rank=0, attempt=1, queued_at=now, started_at=started,
            ended_at=started + timedelta(seconds=2), project=world.perinatal, project_code="PERINATAL",
        )  # fmt: skip
    html = sign_in(world.admin).get(JOBS).content.decode()
    rows = [words_of(row) for row in re.findall(r'<tr id="job-\d+".*?</tr>', html, flags=re.DOTALL)]
    assert " Backup " in rows[0]
    assert " system " in rows[0]
    compact = next(place for place, row in enumerate(rows) if " Compact " in row)
    assert " Group HOSP-2026-08 " in rows[compact - 1]
    assert " Match HOSP-2026-08 " in rows[compact + 1]


def test_the_audit_holds_the_messages_of_every_attempt(world: World, sign_in: SignIn) -> None:
    job = world.job("HOSP-2026-08", JobKind.LOAD)
    AuditMessage.objects.create(job=job, attempt=2, at=timezone.now(), text="The second attempt began.")
    words = words_of(sign_in(world.viewer).get(f"/jobs/{job.pk}/audit/").content.decode())
    first, second = words.index("Attempt 1"), words.index("Attempt 2")
    assert first < words.index("Load started.") < second < words.index("The second attempt began.")


@pytest.mark.parametrize(
    ("kind", "titles"),
    [
        (JobKind.VALIDATE, []),
        (JobKind.LOAD, ["Values of the linkage fields"]),
        (JobKind.MATCH, ["Match weights and thresholds", "Pairs of each blocking rule"]),
        (JobKind.GROUP, ["Group sizes in the project"]),
        (
            JobKind.REPORT,
            [
                "Match weights and thresholds",
                "Group sizes in the project",
                "Completeness of the linkage fields",
            ],
        ),
    ],
)
def test_the_statistics_of_a_job_have_the_plots_of_its_kind(
    world: World, sign_in: SignIn, kind: JobKind, titles: list[str]
) -> None:
    job = world.job("HOSP-2026-08", kind)
    html = (
        sign_in(world.viewer).get(f"/jobs/{job.pk}/statistics/", headers={"HX-Request": "true"}).content.decode()
    )
    assert re.findall(r'<figure class="plot"><figcaption>([^<]*)', html) == titles
    assert html.count("Show data") == html.count('<svg role="img"') == len(titles)


def test_a_pause_says_who_when_and_why_or_which_job(world: World, sign_in: SignIn) -> None:
    client, at = sign_in(world.owner), timezone.now() - timedelta(minutes=3)
    job = world.job("BIRTHS-2025-late", JobKind.LOAD)
    # that it stands on every page is test_whole_pages.py's
    pages = (JOBS, "/projects/PERINATAL/", "/no/such/page/")
    for changes, shown in (
        ({"paused_by": world.owner, "paused_reason": "the disk is full"}, ("by owner", "the disk is full")),
        (
            {"paused_by": None, "paused_by_job": job, "paused_reason": "births.csv, line 8"},
            (f"by the failure of job {job.pk} (Load)", "births.csv, line 8", f"Show job {job.pk}"),
        ),
    ):
        QueueState.objects.update(paused_at=at, **changes)
        for page in pages:
            banner = words_of(_part(client.get(page).content.decode(), 'id="pause-banner"', "</section>"))
            for text in ("The Job Queue is paused", "3 min ago", *shown):
                assert text in banner, page
    QueueState.objects.update(paused_at=None, paused_by_job=None)
    assert "The Job Queue is paused" not in client.get(JOBS).content.decode()


def test_a_started_job_shows_in_the_panel_as_it_is(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.owner)
    assert "Nothing runs." in client.get(JOBS).content.decode()
    assert "No Envelope is processing." in client.get(ENVELOPES).content.decode()
    add_envelope(empty_world, "A")
    start_job(empty_world.job("A", JobKind.VALIDATE))
    assert "Nothing runs." not in client.get(JOBS).content.decode()
    assert "No Envelope is processing." not in client.get(ENVELOPES).content.decode()


def test_the_duration_of_a_retried_envelope_leaves_out_what_it_waited(empty_world: World, sign_in: SignIn) -> None:
    add_envelope(empty_world, "retried", ended=1)
    job = empty_world.job("retried", JobKind.LOAD)
    fail_job(job, "line 8")
    client = sign_in(empty_world.owner)
    words = words_of(_part(client.get(ENVELOPES).content.decode(), 'id="envelopes"', "</table>"))
    # 11.4 s of Validate, 3 s of Load
    assert "14 s" in words
    job.refresh_from_db()
    Envelope.objects.update(state=EnvelopeState.QUEUED, processed_at=None)
    start_job(job)
    html = client.get(ENVELOPES).content.decode()
    shown = re.findall(r'<time class="elapsed"[^>]*title="the time of processing[^>]*>([^<]+)<', html)
    # and 41 s of the second attempt, in the row and in the panel
    assert shown == ["55 s", "55 s"]
