"""Polls: 304 while nothing changed, else only the pieces that look different, and rows in their order."""

import re
from dataclasses import dataclass

import pytest
from django.test import Client
from django.utils import timezone

from linkwright.store.models import (
    AuditMessage,
    EnvelopeReport,
    EnvelopeState,
    Job,
    JobKind,
    JobState,
    QueueState,
    Severity,
    WorkerPresence,
)
from linkwright.web import live
from linkwright.web.live import RowGroup, list_swaps
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World, add_envelope, end_job, notify, progress_of, start_job
from tests.integration.web.seed_statistics import PLOTS, PROJECT_NUMBERS
from tests.integration.web.short_pages import shorten_pages

ENVELOPES = "/jobs/envelopes/"
JOBS = "/jobs/all/"


@dataclass(frozen=True)
class Answer:
    """What a poll brought."""

    status: int
    html: str
    is_active: str


class Reader:
    """A browser's part in the polling: what it shows, and the last token."""

    def __init__(self, client: Client, path: str, query: str = "") -> None:
        self.client, self.path, self.query = client, path, query
        html = client.get(f"{path}?{query}").content.decode()
        self.shown = dict(re.findall(r'id="([a-z-]+(?:\d+)?)" data-version="([0-9a-f]{12})"', html))
        match = re.search(r'data-token="([0-9a-f]+)"', html)
        assert match
        self.token = match[1]

    def poll(self, *, with_token: bool = True) -> Answer:
        """Ask as live.js does."""
        headers = {"If-None-Match": f'"{self.token}"'} if with_token else {}
        shown = ",".join(f"{piece}~{version}" for piece, version in self.shown.items())
        response = self.client.get(f"{self.path}live/?{self.query}&shown={shown}", headers=headers)
        self.token = response["ETag"].strip('"')
        return Answer(response.status_code, response.content.decode(), response.get("Linkwright-Active", ""))

    def changed(self) -> set[str]:
        """Poll, and return the ids of the pieces that were sent."""
        html = self.poll().html
        return set(re.findall(r'id="([a-z-]+(?:\d+)?)" data-version="[0-9a-f]{12}" hx-swap-oob="true"', html))


def test_an_unchanged_page_is_answered_with_304_and_nothing_else(world: World, sign_in: SignIn) -> None:
    for path in (ENVELOPES, JOBS):
        response = Reader(sign_in(world.admin), path).poll()
        assert response.status == 304
        assert response.html == ""


def test_an_unchanged_poll_asks_the_database_two_things(
    world: World, sign_in: SignIn, django_assert_num_queries: object
) -> None:
    reader = Reader(sign_in(world.admin), JOBS)
    # session with its person, token
    with django_assert_num_queries(2):  # type: ignore[operator]
        assert reader.poll().status == 304


def test_without_a_token_only_what_looks_different_is_sent(world: World, sign_in: SignIn) -> None:
    reader = Reader(sign_in(world.admin), ENVELOPES)
    response = reader.poll(with_token=False)
    assert response.status == 200
    assert response.html == ""


def test_progress_touches_only_what_ticks(world: World, sign_in: SignIn) -> None:
    envelopes, jobs = Reader(sign_in(world.admin), ENVELOPES), Reader(sign_in(world.admin), JOBS)
    Job.objects.filter(state=JobState.RUNNING).update(progress=progress_of(700, 1000))
    assert envelopes.changed() == {"active-envelope", "queue-pill"}
    assert jobs.changed() == {"running-job", "queue-pill"}


def test_a_notification_touches_only_the_row_of_its_envelope(world: World, sign_in: SignIn) -> None:
    reader = Reader(sign_in(world.admin), ENVELOPES)
    envelope = world.envelopes["HOSP-2026-03"]
    notify(envelope, Severity.WARNING, "two rows were rejected")
    assert reader.changed() == {f"envelope-{envelope.pk}"}


def test_the_end_of_a_job_touches_its_open_step_and_statistics(world: World, sign_in: SignIn) -> None:
    envelope, job = world.envelopes["HOSP-2026-09"], world.job("HOSP-2026-09", JobKind.MATCH)
    reader = Reader(sign_in(world.admin), ENVELOPES, f"open=envelope-{envelope.pk}.step-{job.pk}")
    assert {f"chain-{envelope.pk}", f"step-{job.pk}", f"statistics-{job.pk}"} <= set(reader.shown)
    end_job(job)
    assert reader.changed() == {f"step-{job.pk}", f"statistics-{job.pk}", "active-envelope", "queue-pill"}


def test_a_report_brings_the_numbers_and_plots_of_its_project(empty_world: World, sign_in: SignIn) -> None:
    project = empty_world.perinatal
    envelope = add_envelope(empty_world, "first", ended=6, state=EnvelopeState.SUCCESS)
    reader = Reader(sign_in(empty_world.owner), ENVELOPES)
    page = reader.client.get(f"/projects/{project.code}/").content.decode()
    assert "Nothing is linked yet" in page
    reader.shown = dict(re.findall(r'id="((?:map-numbers|map-plots)-\d+)" data-version="([0-9a-f]{12})"', page))
    assert reader.changed() == set()
    EnvelopeReport.objects.create(
        envelope=envelope,
        statistics={"envelope": {}, "project": PROJECT_NUMBERS},
        plots=PLOTS,
        created_at=timezone.now(),
    )
    html = reader.poll().html
    assert f'id="map-numbers-{project.pk}"' in html
    assert "after first" in html
    assert html.count('<figure class="plot">') == len(PLOTS)


def test_an_open_row_is_sent_open(world: World, sign_in: SignIn) -> None:
    envelope = world.envelopes["HOSP-2026-03"]
    reader = Reader(sign_in(world.admin), ENVELOPES, f"open=envelope-{envelope.pk}")
    notify(envelope, Severity.WARNING, "two rows were rejected")
    html = reader.poll().html
    assert f'aria-expanded="true" aria-controls="envelope-{envelope.pk}-below"' in html


def test_a_new_envelope_is_inserted_before_the_newest(world: World, sign_in: SignIn) -> None:
    reader = Reader(sign_in(world.admin), ENVELOPES)
    newest = world.envelopes["BIRTHS-2026"]
    fresh = add_envelope(world, "HOSP-2026-11")
    html = reader.poll().html
    assert f'hx-swap-oob="beforebegin:#envelope-{newest.pk}-group"><tbody id="envelope-{fresh.pk}-group">' in html
    assert html.count("<tbody") == 1


def test_the_first_envelope_takes_the_place_of_the_empty_list(empty_world: World, sign_in: SignIn) -> None:
    reader = Reader(sign_in(empty_world.admin), ENVELOPES)
    fresh = add_envelope(empty_world, "HOSP-2026-11")
    html = reader.poll().html
    assert '<tbody id="envelopes-empty" hx-swap-oob="delete">' in html
    assert f'hx-swap-oob="beforeend:#envelopes"><tbody id="envelope-{fresh.pk}-group">' in html


def test_an_older_page_takes_no_new_rows(world: World, sign_in: SignIn) -> None:
    newest = world.envelopes["BIRTHS-2026"]
    reader = Reader(sign_in(world.admin), ENVELOPES, f"before={newest.pk}")
    add_envelope(world, "HOSP-2026-11")
    assert "HOSP-2026-11" not in reader.poll().html


def test_a_job_that_starts_moves_to_the_top(empty_world: World, sign_in: SignIn) -> None:
    add_envelope(empty_world, "A", ended=1)
    reader = Reader(sign_in(empty_world.admin), JOBS)
    job = empty_world.job("A", JobKind.MATCH)
    done = empty_world.job("A", JobKind.VALIDATE)
    start_job(job)
    html = reader.poll().html
    assert f'<tbody id="job-{job.pk}-group" hx-swap-oob="delete">' in html
    assert f'hx-swap-oob="beforebegin:#job-{done.pk}-group"><tbody id="job-{job.pk}-group">' in html
    assert html.index('hx-swap-oob="delete"') < html.index("beforebegin")


def test_pausing_shows_on_every_page(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.owner)
    readers = [Reader(client, ENVELOPES), Reader(client, JOBS)]
    client.post("/jobs/queue/pause/", {"reason": "the disk is being changed"})
    for reader in readers:
        html = reader.poll().html
        assert 'data-announce="The Job Queue is paused by owner."' in html
        assert "the disk is being changed" in html
    page = client.get("/projects/").content.decode()
    assert "the disk is being changed" in page


def test_a_worker_that_falls_silent_changes_the_token(world: World, sign_in: SignIn) -> None:
    reader = Reader(sign_in(world.admin), JOBS)
    WorkerPresence.objects.all().delete()
    assert {"queue-pill"} <= reader.changed()


def test_activity_sets_the_pace(world: World, sign_in: SignIn) -> None:
    reader = Reader(sign_in(world.admin), JOBS)
    assert reader.poll(with_token=False).is_active == "1"
    Job.objects.exclude(state=JobState.SUCCESS).delete()
    assert reader.poll(with_token=False).is_active == "0"


def test_the_audit_of_a_running_job_grows_in_its_open_dialog(world: World, sign_in: SignIn) -> None:
    job = world.job("HOSP-2026-09", JobKind.MATCH)
    reader = Reader(sign_in(world.owner), JOBS)
    reader.shown[f"audit-{job.pk}"] = "0" * 12
    AuditMessage.objects.create(job=job, attempt=1, at=timezone.now(), text="Half of the pairs are scored.")
    html = reader.poll().html
    assert "Half of the pairs are scored." in html
    # and how far it is: the dialog lies over the panel that tells it
    Job.objects.filter(pk=job.pk).update(progress={"stage": "score", "done": 40, "total": 50, "unit": "pairs"})
    told = reader.poll(with_token=False).html
    assert "Weighing candidate pairs" in told[told.index(f'id="audit-{job.pk}"') :]


def test_a_poll_tells_nothing_of_other_projects(world: World, sign_in: SignIn) -> None:
    reader = Reader(sign_in(world.stranger), JOBS)
    job = world.job("HOSP-2026-09", JobKind.MATCH)
    for piece in (f"job-{job.pk}", f"statistics-{job.pk}", f"audit-{job.pk}", f"step-{job.pk}"):
        reader.shown[piece] = "0" * 12
    html = reader.poll(with_token=False).html
    assert "HOSP" not in html
    assert "PERINATAL" not in html


def test_a_project_page_follows_its_own_envelopes_only(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.admin)
    fresh = add_envelope(world, "TUMOURS-2027", project=world.cancer, types=("TUMOURS", "TUMOURS"))
    html = client.get(f"{ENVELOPES}live/?project=PERINATAL").content.decode()
    assert fresh.name not in html
    assert fresh.name in client.get(f"{ENVELOPES}live/?project=CANCER").content.decode()


def test_a_list_that_is_open_all_day_does_not_grow_for_ever(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_pages(monkeypatch, 5)
    monkeypatch.setattr(live, "MOST_UNLISTED", 2)
    first = Reader(sign_in(world.admin), ENVELOPES)
    rows = [name for name in first.shown if name.startswith("envelope-")]
    opened = rows[-1]
    reader = Reader(sign_in(world.admin), ENVELOPES, f"open={opened}")
    assert set(rows) < set(reader.shown)
    fresh = [add_envelope(world, f"HOSP-2027-{number}") for number in range(5)]
    html = reader.poll().html
    gone = re.findall(r'<tbody id="(envelope-\d+)-group" hx-swap-oob="delete">', html)
    # five came: of the five that were there two may stay, and what is open
    assert gone == rows[2:4]
    assert html.index("delete") < html.index(f'id="envelope-{fresh[0].pk}-group"')
    # older rows begin where the page now ends
    assert f'rel="next" href="{ENVELOPES}?before={fresh[0].pk}&amp;open={opened}"' in html
    assert html.count('id="paging"') == 1


def test_a_list_that_outgrows_its_page_gets_a_link_to_the_rest(
    empty_world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_pages(monkeypatch, 6)
    add_envelope(empty_world, "A")
    reader = Reader(sign_in(empty_world.admin), JOBS)
    add_envelope(empty_world, "B")
    html = reader.poll().html
    assert 'id="paging"' in html
    assert 'rel="next"' in html


def _inserted(key: int, place: str) -> str:
    group = f'<tbody id="job-{key}-group"></tbody>'
    return f'<template><table hx-swap-oob="{place}">{group}</table></template>'


def test_two_moved_rows_keep_their_order() -> None:
    groups = [RowGroup(f"job-{key}", f'<tbody id="job-{key}-group"></tbody>') for key in (5, 4, 1, 2, 3)]
    swaps = list_swaps(groups, ["job-1", "job-2", "job-3", "job-4", "job-9"], "jobs")
    assert swaps == [
        '<template><tbody id="job-4-group" hx-swap-oob="delete"></tbody></template>',
        _inserted(5, "beforebegin:#job-1-group"),
        _inserted(4, "beforebegin:#job-1-group"),
    ]


def test_rows_behind_the_last_known_one_come_before_what_is_no_longer_listed() -> None:
    groups = [RowGroup(f"job-{key}", f'<tbody id="job-{key}-group"></tbody>') for key in (3, 2)]
    swaps = list_swaps(groups, ["job-3", "job-1"], "jobs")
    assert swaps == [_inserted(2, "beforebegin:#job-1-group")]


def test_the_queue_panel_offers_to_clear_only_while_something_is_queued(world: World, sign_in: SignIn) -> None:
    reader = Reader(sign_in(world.admin), JOBS)
    Job.objects.filter(state=JobState.QUEUED).delete()
    QueueState.objects.update(paused_at=timezone.now())
    html = reader.poll().html
    assert "Resume Job Queue Processing" in html
    assert "Clear Job Queue" not in html
