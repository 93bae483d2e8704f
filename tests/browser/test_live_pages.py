"""Pages that keep themselves up to date, and leave the reader alone while they do."""

import re
import time
from collections.abc import Sequence

from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, Response, expect

from linkwright.store.models import Envelope, EnvelopeState, Job, JobKind, JobState, QueueState, Severity
from tests.browser.conftest import OpenPage
from tests.integration.web.seed import World, add_envelope, fail_job, notify, progress_of
from tests.live_system import machine_slowdown

ENVELOPES, JOBS = "/jobs/envelopes/", "/jobs/all/"


def _count_polls(page: Page) -> list[int]:
    statuses: list[int] = []

    def note(response: Response) -> None:
        if "/live/" in response.url:
            statuses.append(response.status)

    page.on("response", note)
    return statuses


def _wait_for_polls(page: Page, polls: Sequence[float], count: int) -> None:
    deadline = 40
    while len(polls) < count and deadline:
        page.wait_for_timeout(500)
        deadline -= 1
    assert len(polls) >= count


def test_a_row_stays_open_and_focus_stays_over_five_polls(world: World, open_page: OpenPage) -> None:
    page = open_page(ENVELOPES, world.admin)
    polls = _count_polls(page)
    envelope = world.envelopes["HOSP-2026-09"]
    toggle = page.locator(f"#envelope-{envelope.pk}-toggle")
    toggle.click()
    match = world.job("HOSP-2026-09", JobKind.MATCH)
    step = page.locator(f"#step-{match.pk}-toggle")
    step.click()
    expect(page.locator(f"#statistics-{match.pk}")).to_be_visible()
    step.focus()
    scroll = page.evaluate("scrollTo(0, 120), scrollY")
    assert scroll == 120
    for number in range(5):
        before = len(polls)
        # the row itself, its open step and what ticks all change
        notify(envelope, Severity.INFO, f"message {number}")
        Job.objects.filter(state=JobState.RUNNING).update(
            progress=progress_of(630 + number, 1000), attempt=number + 2
        )
        _wait_for_polls(page, polls, before + 1)
    expect(page.locator(f"#envelope-{envelope.pk}-notifications .badge-info")).to_have_text("5")
    assert 200 in polls
    assert page.evaluate("document.activeElement.id") == step.get_attribute("id")
    assert page.evaluate("scrollY") == scroll
    expect(toggle).to_have_attribute("aria-expanded", "true")
    expect(step).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".progress-share").first).to_have_text(re.compile("63"))


def test_rows_that_did_not_change_are_not_touched(world: World, open_page: OpenPage) -> None:
    page = open_page(ENVELOPES, world.admin)
    page.evaluate("document.querySelectorAll('tr[data-version]').forEach((row) => (row.untouched = true))")
    changed = world.envelopes["HOSP-2026-05"]
    notify(changed, Severity.WARNING, "two rows were rejected")
    expect(page.locator(f"#envelope-{changed.pk} .badge-warning")).to_have_text("1")
    touched = page.evaluate(
        "[...document.querySelectorAll('tr[data-version]')].filter((row) => !row.untouched).map((row) => row.id)"
    )
    assert touched == [f"envelope-{changed.pk}"]


def test_nothing_new_is_answered_with_304(world: World, open_page: OpenPage) -> None:
    page = open_page(JOBS, world.admin)
    polls = _count_polls(page)
    _wait_for_polls(page, polls, 2)
    assert set(polls) == {304}


def test_a_new_envelope_appears_at_the_top(world: World, open_page: OpenPage) -> None:
    page = open_page(ENVELOPES, world.admin)
    fresh = add_envelope(world, "HOSP-2026-11")
    expect(page.locator("#envelopes > tbody").first).to_have_id(f"envelope-{fresh.pk}-group")
    page.locator(f"#envelope-{fresh.pk}-toggle").click()
    expect(page.locator(f"#chain-{fresh.pk} tr[data-version]")).to_have_count(6)


def test_a_hidden_tab_stops_asking_and_asks_at_once_when_it_is_seen(world: World, open_page: OpenPage) -> None:
    page = open_page(JOBS, world.admin)
    polls = _count_polls(page)
    _wait_for_polls(page, polls, 1)
    _set_hidden(page, "true")
    page.wait_for_timeout(300)
    seen = len(polls)
    page.wait_for_timeout(4500)
    assert len(polls) == seen
    _set_hidden(page, "false")
    page.wait_for_timeout(1000)
    assert len(polls) > seen


def _set_hidden(page: Page, hidden: str) -> None:
    page.evaluate(
        f"Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )


def test_a_page_asks_every_two_seconds_while_something_is_active(world: World, open_page: OpenPage) -> None:
    page = open_page("/sign-in/", world.viewer)
    moments: list[float] = []
    page.on(
        "requestfinished", lambda request: moments.append(time.monotonic()) if "/live/" in request.url else None
    )
    page.on("request", lambda request: moments.append(time.monotonic()) if "/live/" in request.url else None)
    page.goto(ENVELOPES)
    _wait_for_polls(page, moments, 5)
    # asked, answered, asked, answered, asked: the pace is that between an answer and the next question
    for answered, asked in (moments[1:3], moments[3:5]):
        assert 1.5 < asked - answered < 4


def test_live_can_be_switched_off_and_stays_off(world: World, open_page: OpenPage) -> None:
    page = open_page(JOBS, world.admin)
    page.locator("#live-switch").click()
    polls = _count_polls(page)
    page.wait_for_timeout(3000)
    assert polls == []
    page.reload()
    expect(page.locator("#live-switch")).to_have_attribute("aria-checked", "false")
    page.wait_for_timeout(3000)
    assert polls == []
    page.locator("#live-switch").click()
    _wait_for_polls(page, polls, 1)


def test_two_browsers_one_pauses_and_the_other_shows_it(world: World, open_page: OpenPage) -> None:
    one, other = open_page(JOBS, world.owner), open_page(ENVELOPES, world.viewer)
    one.locator("#pause-link").click()
    one.get_by_label("Reason").fill("the disk is being changed")
    one.get_by_role("button", name="Pause the queue").click()
    expect(one.locator("#flashes")).to_contain_text("The Job Queue is paused.")
    expect(other.locator("#pause-banner")).to_contain_text(
        "the disk is being changed", timeout=3000 * machine_slowdown()
    )
    expect(other.locator("#announcer")).to_have_text("The Job Queue is paused by owner.")
    expect(one.locator("#resume-link")).to_be_visible()


def test_two_browsers_see_each_other_while_nothing_runs(empty_world: World, open_page: OpenPage) -> None:
    other = open_page("/projects/", empty_world.viewer)
    other.wait_for_timeout(500)
    QueueState.objects.update_or_create(
        pk=1,
        defaults={"paused_at": timezone.now(), "paused_by": empty_world.owner, "paused_reason": "a new disk"},
    )
    expect(other.locator("#queue-pill")).to_contain_text(
        "Paused by owner: a new disk", timeout=3000 * machine_slowdown()
    )


def test_a_failure_is_told_to_those_who_do_not_look(world: World, open_page: OpenPage) -> None:
    page = open_page(ENVELOPES, world.admin)
    fail_job(world.job("HOSP-2026-09", JobKind.MATCH), "the disk is full")
    expect(page.locator("#announcer")).to_have_text("Envelope HOSP-2026-09: Errors.")
    row = page.locator(f"#envelope-{world.envelopes['HOSP-2026-09'].pk}")
    expect(row.locator(".status")).to_have_text("Errors")
    expect(page.locator("#recent-errors")).to_contain_text("the disk is full")


def test_what_ends_in_one_poll_is_told_together_and_ticks_are_not_told(world: World, open_page: OpenPage) -> None:
    page = open_page(ENVELOPES, world.admin)
    polls = _count_polls(page)
    Job.objects.filter(state=JobState.RUNNING).update(progress=progress_of(630, 1000))
    _wait_for_polls(page, polls, 1)
    page.wait_for_timeout(300)
    expect(page.locator("#announcer")).to_have_text("")
    names = ("HOSP-2026-09", "HOSP-2026-10")
    Envelope.objects.filter(name__in=names).update(state=EnvelopeState.SUCCESS, processed_at=timezone.now())
    QueueState.objects.update(paused_at=timezone.now(), paused_by=world.owner)
    expect(page.locator("#announcer")).to_have_text(
        re.compile(
            "(?=.*Envelope HOSP-2026-09: Success\\.)(?=.*Envelope HOSP-2026-10: Success\\.)"
            "(?=.*The Job Queue is paused by owner\\.)"
        )
    )
    QueueState.objects.update(paused_at=None, paused_by=None)
    expect(page.locator("#announcer")).to_have_text("The Job Queue goes on.")


def test_a_session_that_ends_leads_to_sign_in(world: World, open_page: OpenPage) -> None:
    page = open_page(ENVELOPES, world.admin)
    Session.objects.all().delete()
    page.wait_for_url(re.compile("/sign-in/"))


def test_a_row_that_no_longer_fits_the_filter_stays_where_it_is(world: World, open_page: OpenPage) -> None:
    page = open_page(f"{ENVELOPES}?status=Queued", world.admin)
    envelope = world.envelopes["HOSP-2026-10"]
    Envelope.objects.filter(pk=envelope.pk).update(state=EnvelopeState.CANCELLED)
    notify(envelope, Severity.INFO, "cancelled")
    expect(page.locator(f"#envelope-{envelope.pk} .status")).to_have_text("Cancelled")
