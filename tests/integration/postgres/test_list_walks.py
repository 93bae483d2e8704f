"""Lists hold exactly what their filters say, in their order, page by page, on both databases.

What a list should hold is worked out here in plain Python from all rows; pages are made small and patience short,
so that every way of walking is walked: lane by lane, few rows at once, and window by window.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from linkwright.store.models import Envelope, EnvelopeState, Job, JobKind, JobState, User
from linkwright.store.queries import keyset
from linkwright.store.queries.envelope_lists import list_envelopes
from linkwright.store.queries.envelope_search import EnvelopeFilter
from linkwright.store.queries.job_lists import list_jobs
from linkwright.store.queries.job_search import JobFilter
from linkwright.store.queries.paging import Page
from linkwright.store.queries.shown_status import ENVELOPE_STATUSES, JOB_STATUSES, ShownStatus, read_activity
from tests.benchmarks.list_world import ListWorld
from tests.benchmarks.seed_lists import insert_lists
from tests.integration.postgres.conftest import running_system
from tests.live_system import LiveSystem

# in one process: what the tests share is made once
pytestmark = pytest.mark.xdist_group("list walks")

COMBINATIONS = 20
Read = Callable[..., Page[Any]]


@dataclass(frozen=True)
class Seeded:
    """A database with lists, and all of its rows."""

    world: ListWorld
    envelopes: list[Envelope]
    jobs: list[Job]


@pytest.fixture(
    scope="module", params=[pytest.param("sqlite"), pytest.param("postgres", marks=pytest.mark.postgres)]
)
def system(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[LiveSystem]:
    """Return a system on each database in turn, for all tests here: none of them writes."""
    folder = tmp_path_factory.mktemp("lists")
    yield from running_system(folder, request.param, django_db_blocker)


@pytest.fixture(scope="module")
def seeded(system: LiveSystem) -> Seeded:
    world = insert_lists(envelopes_count=300, jobs_count=2000)
    # one job has been retried: it starts after all others of its time, and no order of keys knows
    late = Job.objects.filter(started_at__isnull=False).order_by("started_at")[5]
    assert late.started_at is not None
    Job.objects.filter(pk=late.pk).update(started_at=late.started_at + timedelta(days=200))
    envelopes = list(Envelope.objects.select_related("series").order_by("-pk"))
    jobs = list(Job.objects.select_related("envelope", "series"))
    started = sorted(
        (job for job in jobs if job.started_at), key=lambda job: (job.started_at, job.pk), reverse=True
    )
    waiting = sorted((job for job in jobs if not job.started_at), key=lambda job: -job.pk)
    return Seeded(world, envelopes, [*started, *waiting])


@pytest.fixture(params=["few at once", "window by window", "no lanes"])
def manner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Walk lists in one of the manners that few rows or a million bring about."""
    monkeypatch.setattr(keyset, "LANES_AT_ONCE", 7)
    if request.param != "few at once":
        monkeypatch.setattr(keyset, "FEW_ROWS", 3)
        monkeypatch.setattr(keyset, "PATIENCE_S", 0.0)
        monkeypatch.setattr(keyset, "_FIRST_IDS", 90)
        monkeypatch.setattr(keyset, "_FIRST_SPAN_US", 90 * 24 * 3600 * 1_000_000)
        monkeypatch.setattr("linkwright.store.queries.job_search.JOBS_PATIENCE_S", 0.0)
        monkeypatch.setattr("linkwright.store.queries.job_search.NAMES_PATIENCE_S", 0.0)
        monkeypatch.setattr("linkwright.store.queries.job_search.FEW_ENVELOPES", 2)
    if request.param == "no lanes":
        monkeypatch.setattr("linkwright.store.queries.job_search.MANY_LANES", 1)
        monkeypatch.setattr("linkwright.store.queries.envelope_search.MANY_LANES", 1)


def walk(read: Read, *, upwards: bool, start: str = "") -> list[int]:
    """Follow the links of every page; returns all keys, in the list's order."""
    found: list[int] = []
    cursor = start
    while True:
        page = read(after=cursor) if upwards else read(before=cursor)
        keys = [row.id for row in page.rows]
        found = [*keys, *found] if upwards else [*found, *keys]
        following = page.newer if upwards else page.older
        assert following != cursor or not following, "a page that leads to itself"
        cursor = following
        if not cursor:
            return found


def exists_for(user: User, world: ListWorld, row: Envelope | Job) -> bool:
    """Tell whether a row is of the person's project, or was sent by them for none."""
    if user.is_superuser or row.project_id == world.own.pk:
        return True
    sender = row if isinstance(row, Envelope) else row.envelope
    return row.project_id is None and sender is not None and sender.received_by_id == user.pk


def fits_text(text: str, envelope: Envelope | None, key: int) -> bool:
    """Tell whether every word stands in the name, or the text is the number."""
    named = envelope is not None and all(word in envelope.name.lower() for word in text.lower().split())
    return not text or named or text == str(key)


def fits_series(wanted: EnvelopeFilter | JobFilter, envelope: Envelope | None, project_code: str) -> bool:
    """Tell whether project, provider, data action and Event Type are those asked for."""
    asked = (wanted.sender_code, wanted.request_type, wanted.event_type_code)
    if wanted.project_code not in {"", project_code} or (envelope is None and any(asked)):
        return False
    return envelope is None or (
        wanted.sender_code in {"", envelope.sender_code}
        and wanted.request_type in {"", envelope.request_type}
        and (not wanted.event_type_code or wanted.event_type_code in envelope.event_type_codes)
    )


def envelope_fits(wanted: EnvelopeFilter, row: Envelope, active: int | None) -> bool:
    """Tell whether an Envelope belongs into a list."""
    status = ShownStatus(row.state)
    if row.state == EnvelopeState.QUEUED and row.pk == active:
        status = ShownStatus.ERRORS_ACTIVE if row.errors_occurred else ShownStatus.SUCCESS_ACTIVE
    return (
        wanted.status in {None, status}
        and fits_series(wanted, row, row.project_code)
        and fits_text(wanted.text, row, row.pk)
        and (wanted.received_from is None or row.received_at >= wanted.received_from)
        and (wanted.received_before is None or row.received_at < wanted.received_before)
    )


def job_fits(wanted: JobFilter, row: Job) -> bool:
    """Tell whether a job belongs into a list."""
    status = ShownStatus.SUCCESS_ACTIVE if row.state == JobState.RUNNING else ShownStatus(row.state)
    is_dated = wanted.started_from is not None or wanted.started_before is not None
    if is_dated and row.started_at is None:
        return False
    return (
        wanted.status in {None, status}
        and wanted.kind in {"", row.kind}
        and wanted.envelope_id in {None, row.envelope_id}
        and fits_series(wanted, row.envelope, row.project_code)
        and fits_text(wanted.text, row.envelope, row.pk)
        and (wanted.started_from is None or (row.started_at is not None and row.started_at >= wanted.started_from))
        and (
            wanted.started_before is None
            or (row.started_at is not None and row.started_at < wanted.started_before)
        )
    )


def draw_common(draw: random.Random, envelope: Envelope) -> dict[str, Any]:
    """Choose filters that fit an Envelope, and now and then one that fits nothing."""
    chosen: dict[str, Any] = {}
    for name, values in {
        "project_code": (envelope.project_code, "PROJECT-00", "PROJECT-03", "NONE"),
        "sender_code": (envelope.sender_code, "PROV-01", "NONE"),
        "request_type": (envelope.request_type, "SubmitDeletion"),
        "event_type_code": ((envelope.event_type_codes or [""])[0], "DEATHS-01", "NONE"),
        "text": (envelope.name[:7], envelope.name[-3:], "BIRTHS 2025", "überprüfung", "zzz", str(envelope.pk)),
    }.items():
        if draw.random() < 0.3:
            chosen[name] = draw.choice(values)
    return chosen


def draw_dates(draw: random.Random, prefix: str, envelope: Envelope) -> dict[str, Any]:
    """Choose a range of dates around an Envelope, open or closed."""
    chosen = {}
    if draw.random() < 0.25:
        chosen[f"{prefix}_from"] = envelope.received_at - timedelta(days=draw.randint(0, 200))
    if draw.random() < 0.25:
        chosen[f"{prefix}_before"] = envelope.received_at + timedelta(days=draw.randint(0, 200))
    return chosen


def test_a_list_of_envelopes_holds_what_its_filters_say(seeded: Seeded, manner: None) -> None:
    draw = random.Random(7)
    active = read_activity().active_envelope_id
    wanted = [EnvelopeFilter(), *(EnvelopeFilter(status=status) for status in ENVELOPE_STATUSES)]
    for _number in range(COMBINATIONS):
        near = draw.choice(seeded.envelopes)
        status = draw.choice([None, None, *ENVELOPE_STATUSES])
        chosen = draw_common(draw, near) | draw_dates(draw, "received", near)
        wanted.append(EnvelopeFilter(status=status, **chosen))
    found_count = 0
    for one in wanted:
        for user in (seeded.world.admin, seeded.world.member):
            expected = [
                row.pk
                for row in seeded.envelopes
                if exists_for(user, seeded.world, row) and envelope_fits(one, row, active)
            ]

            def read(before: str = "", after: str = "", one: EnvelopeFilter = one, user: User = user) -> Page[Any]:
                upper, lower = int(before) if before else None, int(after) if after else None
                return list_envelopes(user, one, before=upper, after=lower, limit=23)

            assert walk(read, upwards=False) == expected, one
            assert walk(read, upwards=True, start="0") == expected, one
            found_count += bool(expected)
    assert found_count > COMBINATIONS / 2


def test_the_list_of_jobs_holds_what_its_filters_say(seeded: Seeded, manner: None) -> None:
    draw = random.Random(8)
    wanted = [JobFilter(), *(JobFilter(status=status) for status in JOB_STATUSES)]
    wanted += [JobFilter(kind=kind) for kind in (JobKind.ROLLBACK, JobKind.MATCH)]
    for _number in range(COMBINATIONS):
        job = draw.choice(seeded.jobs)
        near = job.envelope or seeded.envelopes[0]
        chosen = draw_common(draw, near) | draw_dates(draw, "started", near)
        if draw.random() < 0.3:
            chosen["kind"] = draw.choice([job.kind, "Match", "Rollback"])
        if draw.random() < 0.1:
            chosen["envelope_id"] = near.pk
        wanted.append(JobFilter(status=draw.choice([None, None, *JOB_STATUSES]), **chosen))
    found_count = 0
    for one in wanted:
        for user in (seeded.world.admin, seeded.world.member):
            expected = [
                row.pk for row in seeded.jobs if exists_for(user, seeded.world, row) and job_fits(one, row)
            ]

            def read(before: str = "", after: str = "", one: JobFilter = one, user: User = user) -> Page[Any]:
                return list_jobs(user, one, before=before, after=after, limit=97)

            assert walk(read, upwards=False) == expected, one
            assert walk(read, upwards=True, start="s0-0" if one.is_dated else "u0") == expected, one
            found_count += bool(expected)
    assert found_count > COMBINATIONS / 2


def test_a_text_that_names_a_kind_finds_the_jobs_of_that_kind(seeded: Seeded) -> None:
    by_kind = list_jobs(seeded.world.admin, JobFilter(kind="Match")).rows
    assert [row.id for row in list_jobs(seeded.world.admin, JobFilter(text="match")).rows] == [
        row.id for row in by_kind
    ]
