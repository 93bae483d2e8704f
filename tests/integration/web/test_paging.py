"""Keyset pages: walking a list downwards and upwards meets every row once, in order."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linkwright.store.models import Envelope, Job, JobKind, JobState
from linkwright.store.queries.envelope_lists import list_envelopes
from linkwright.store.queries.envelope_search import EnvelopeFilter
from linkwright.store.queries.job_lists import JobRow, list_jobs
from linkwright.store.queries.job_search import JobFilter
from linkwright.store.queries.paging import Page
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World
from tests.integration.web.short_pages import shorten_pages


@pytest.fixture
def many_jobs(empty_world: World) -> World:
    """Return a world with 23 jobs: 14 started, four of them in the same instant, and 9 that have not."""
    now = timezone.now()
    for number in range(23):
        started = None if number % 5 in (1, 3) else now - timedelta(minutes=min(number, 18))
        Job.objects.create(
            kind=JobKind.REPORT,
            project=empty_world.perinatal,
            project_code="PERINATAL",
            state=JobState.QUEUED if started is None else JobState.SUCCESS,
            queue_rank=number,
            queued_at=now,
            started_at=started,
        )
    return empty_world


def _walk(read: Callable[..., Page[JobRow]], *, upwards_from: str = "") -> list[int]:
    found: list[int] = []
    cursor = upwards_from
    while True:
        page = read(after=cursor) if upwards_from else read(before=cursor)
        keys = [row.id for row in page.rows]
        found = [*keys, *found] if upwards_from else [*found, *keys]
        cursor = page.newer if upwards_from else page.older
        if not cursor:
            return found


def test_walking_down_meets_every_job_once_started_ones_first(many_jobs: World) -> None:
    def read(before: str) -> Page[JobRow]:
        return list_jobs(many_jobs.admin, JobFilter(), before=before, limit=4)

    started = Job.objects.exclude(started_at=None).order_by("-started_at", "-pk")
    waiting = Job.objects.filter(started_at=None).order_by("-pk")
    assert _walk(read) == [job.pk for job in [*started, *waiting]]


def test_walking_up_meets_the_same_jobs_in_the_same_order(many_jobs: World) -> None:
    whole = [row.id for row in list_jobs(many_jobs.admin, JobFilter(), limit=100).rows]

    def read(after: str) -> Page[JobRow]:
        return list_jobs(many_jobs.admin, JobFilter(), after=after, limit=4)

    assert _walk(read, upwards_from=f"u{whole[-1]}") == whole[:-1]


@pytest.mark.parametrize("cursor", ["nonsense", "s1", "u", "s99999999999999999-1", "-1", "s1-1; DROP TABLE"])
def test_an_unreadable_cursor_shows_the_first_page(many_jobs: World, cursor: str) -> None:
    first = [row.id for row in list_jobs(many_jobs.admin, JobFilter(), limit=4).rows]
    assert [row.id for row in list_jobs(many_jobs.admin, JobFilter(), before=cursor, limit=4).rows] == first


def test_walking_envelopes_down_and_up_again_meets_the_same_rows(world: World) -> None:
    first = list_envelopes(world.admin, EnvelopeFilter(), limit=5)
    second = list_envelopes(world.admin, EnvelopeFilter(), before=int(first.older), limit=5)
    again = list_envelopes(world.admin, EnvelopeFilter(), after=int(second.newer), limit=5)
    assert again.rows == first.rows
    assert not again.newer
    assert [row.id for row in [*first.rows, *second.rows]] == list(
        Envelope.objects.order_by("-pk").values_list("pk", flat=True)[:10]
    )


def test_lists_never_count_their_rows(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.admin)
    for path in ("/jobs/envelopes/", "/jobs/all/"):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get(path)
        counts = [
            query["sql"]
            for query in captured
            if "COUNT(*)" in query["sql"] and ("store_job" in query["sql"] or "store_envelope" in query["sql"])
        ]
        assert counts == []


def test_the_pages_link_to_their_neighbours_and_keep_the_filters(world: World, sign_in: SignIn) -> None:
    html = sign_in(world.admin).get("/jobs/all/?project=PERINATAL").content.decode()
    assert 'rel="next" href="/jobs/all/?project=PERINATAL&amp;before=s' in html
    assert 'rel="prev"' not in html


@pytest.mark.parametrize(
    "path", ["/jobs/envelopes/?type=TUMOURS", "/jobs/all/?project=CANCER", "/projects/CANCER/"]
)
def test_every_list_that_holds_something_can_be_exported(world: World, sign_in: SignIn, path: str) -> None:
    client = sign_in(world.admin)
    assert 'id="export"' in client.get(path).content.decode()
    empty = f"{path}{'&' if '?' in path else '?'}text=nowhere"
    assert 'id="export"' not in client.get(empty).content.decode()


LISTS = {"/jobs/envelopes/": "envelope", "/jobs/all/": "job", "/projects/PERINATAL/": "envelope"}


def _rows(html: str, kind: str) -> list[int]:
    return [int(key) for key in re.findall(rf'<tbody id="{kind}-(\d+)-group">', html)]


def _neighbour(html: str, side: str) -> str:
    found = re.search(rf'rel="{side}" href="([^"]+)"', html)
    return unescape(found[1]) if found else ""


@pytest.mark.parametrize(("path", "kind"), LISTS.items())
def test_every_list_is_walked_to_its_end_by_its_own_links(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, path: str, kind: str
) -> None:
    client, whole = sign_in(world.admin), _rows(sign_in(world.admin).get(path).content.decode(), kind)
    shorten_pages(monkeypatch, 6)
    address, seen, pages = path, list[int](), 0
    while address:
        html = client.get(address).content.decode()
        seen += _rows(html, kind)
        assert len(seen) == len(set(seen))
        last, address, pages = address, _neighbour(html, "next"), pages + 1
    assert pages > 2
    assert seen[: len(whole)] == whole
    # and up again: the newest rows are the first page, where new ones appear by themselves
    while up := _neighbour(client.get(last).content.decode(), "prev"):
        pages -= 1
        assert pages >= 0
        response = client.get(up, follow=True)
        last = str(response.redirect_chain[-1][0]) if response.redirect_chain else up
    assert last == path
