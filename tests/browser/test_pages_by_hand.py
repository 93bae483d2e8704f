"""What a person does on the pages with mouse and keyboard."""

import re
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Route, expect

from linkwright.store.models import Envelope, EnvelopeState, Job, JobKind, JobState, Severity
from tests.browser.conftest import PHONE, OpenPage
from tests.integration.web.seed import PASSWORD, World, notify
from tests.integration.web.test_upload import make_package

ENVELOPES, JOBS = "/jobs/envelopes/", "/jobs/all/"


def test_a_person_signs_in_and_out(world: World, open_page: OpenPage) -> None:
    page = open_page("/jobs/all/")
    page.get_by_label("User name").fill("owner")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("/jobs/all/$"))
    page.locator("#person-menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/sign-in/"))


def test_rows_open_by_keyboard_and_a_reload_keeps_them(world: World, open_page: OpenPage) -> None:
    page = open_page(ENVELOPES, world.viewer)
    envelope, job = world.envelopes["HOSP-2026-08"], world.job("HOSP-2026-08", JobKind.MATCH)
    toggle = page.locator(f"#envelope-{envelope.pk}-toggle")
    red, green, blue = toggle.evaluate("(button) => getComputedStyle(button).color.match(/\\d+/g).map(Number)")
    assert green > max(red, blue)
    toggle.press("Enter")
    page.locator(f"#step-{job.pk}-toggle").press(" ")
    statistics = page.locator(f"#statistics-{job.pk}")
    expect(statistics).to_contain_text("1\u202f204\u202f318")
    assert page.url.endswith(f"?open=envelope-{envelope.pk}.step-{job.pk}")
    page.reload()
    expect(statistics).to_contain_text("1\u202f204\u202f318")
    page.locator(f"#step-{job.pk}-toggle").press("Enter")
    expect(statistics).to_have_count(0)
    assert page.url.endswith(f"?open=envelope-{envelope.pk}")


def test_without_scripts_rows_open_and_the_queue_can_be_paused(world: World, open_page: OpenPage) -> None:
    page = open_page(ENVELOPES, world.owner, java_script_enabled=False)
    envelope = world.envelopes["HOSP-2026-08"]
    page.locator(f"#envelope-{envelope.pk}-toggle").click()
    expect(page.locator(f"#chain-{envelope.pk}")).to_be_visible()
    page.goto(JOBS)
    page.locator("#pause-link").click()
    expect(page.get_by_role("heading", name="Pause the Job Queue?")).to_be_visible()
    page.get_by_label("Reason").fill("no scripts here")
    page.get_by_role("button", name="Pause the queue").click()
    expect(page.locator("#pause-banner")).to_contain_text("no scripts here")


def test_a_dialog_begins_at_the_harmless_choice_and_gives_the_focus_back(
    world: World, open_page: OpenPage
) -> None:
    page = open_page(JOBS, world.admin)
    page.locator("#clear-link").press("Enter")
    expect(page.get_by_role("link", name="Keep them")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator("#clear-link")).to_be_focused()
    assert Job.objects.filter(state=JobState.QUEUED).count() == 14


def test_clearing_empties_the_panel_without_a_reload(world: World, open_page: OpenPage) -> None:
    page = open_page(JOBS, world.admin)
    page.evaluate("document.body.sameDocument = true")
    page.locator("#clear-link").click()
    page.get_by_label("Reason").fill("wrong month")
    page.get_by_role("button", name="Clear 14 jobs").click()
    expect(page.locator("#flashes")).to_contain_text("14 jobs were removed from the Job Queue.")
    expect(page.locator("#queued-jobs li")).to_have_count(0)
    expect(page.locator("#clear-link")).to_have_count(0)
    assert page.evaluate("document.body.sameDocument")


def test_queued_jobs_stand_in_columns(world: World, open_page: OpenPage) -> None:
    Job.objects.filter(state=JobState.QUEUED, envelope=world.envelopes["BIRTHS-2026"]).update(
        queued_at=timezone.now()
    )
    page = open_page(JOBS, world.admin)
    for column in ("queue-envelope", "code", "time"):
        places = page.locator(f".queue li > .{column}").evaluate_all(
            "(cells) => cells.map((cell) => Math.round(cell.getBoundingClientRect().left))"
        )
        assert len(places) > 5
        assert len(set(places)) == 1, (column, places)


def test_a_refusal_is_shown_inside_the_dialog(world: World, open_page: OpenPage) -> None:
    page = open_page(ENVELOPES, world.owner)
    envelope = world.envelopes["HOSP-2026-10"]
    page.locator(f"#envelope-{envelope.pk}-cancel").click()
    expect(page.get_by_role("button", name="Cancel the Envelope")).to_be_visible()
    Envelope.objects.filter(pk=envelope.pk).update(state=EnvelopeState.CANCELLED)
    page.get_by_role("button", name="Cancel the Envelope").click()
    expect(page.locator("#dialog [role=alert]")).to_contain_text("only a queued or running one can be cancelled")


def test_the_audit_of_a_job_lists_every_attempt(world: World, open_page: OpenPage) -> None:
    job = world.job("HOSP-2026-08", JobKind.LOAD)
    page = open_page(f"{JOBS}?text={job.pk}", world.viewer)
    page.locator(f"#job-{job.pk}-audit").click()
    expect(page.locator("#dialog .messages li")).to_have_count(3)
    expect(page.locator("#dialog")).to_contain_text("Attempt 1")


def test_a_row_whose_jobs_do_not_arrive_says_so_and_opens_when_they_do(world: World, open_page: OpenPage) -> None:
    envelope = world.envelopes["HOSP-2026-08"]
    page = open_page(ENVELOPES, world.viewer)
    row = page.locator(f"#envelope-{envelope.pk} button[aria-expanded]")
    jobs = "**/jobs/envelopes/*/jobs/*"
    page.route(jobs, lambda route: route.fulfill(status=204))
    row.click()
    expect(page.locator(f"#envelope-{envelope.pk}-below")).to_contain_text("This did not arrive")
    page.unroute(jobs)
    row.click()
    row.click()
    expect(page.locator(f"#envelope-{envelope.pk}-below")).to_contain_text("Validate")


def test_rows_opened_in_a_hurry_all_arrive_and_a_dialog_does_not_wait(world: World, open_page: OpenPage) -> None:
    page = open_page(ENVELOPES, world.admin)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/jobs/envelopes/*/jobs/*", hold)
    rows = [f"#envelope-{world.envelopes[name].pk}" for name in ("HOSP-2026-08", "HOSP-2026-09", "HOSP-2026-10")]
    for row in rows:
        page.locator(f"{row}-toggle").click()
    page.locator(f"{rows[-1]}-cancel").click()
    expect(page.get_by_role("button", name="Cancel the Envelope")).to_be_visible()
    page.keyboard.press("Escape")
    for route in held:
        route.continue_()
    for row in rows:
        expect(page.locator(f"{row}-below")).to_contain_text("Validate")


def test_filters_stand_in_the_address_and_come_off_by_their_chip(world: World, open_page: OpenPage) -> None:
    page = open_page(ENVELOPES, world.admin)
    page.get_by_label("Status").select_option("Corrupt")
    page.wait_for_url(re.compile(r"/jobs/envelopes/\?status=Corrupt$"))
    expect(page.locator("#envelopes tr[data-version]")).to_have_count(1)
    page.locator(".chip").click()
    page.wait_for_url(re.compile(r"/jobs/envelopes/$"))


@pytest.mark.parametrize("address", [ENVELOPES, JOBS, "/jobs/queue/history/"])
def test_on_the_way_back_the_filters_are_those_of_the_list(
    world: World, open_page: OpenPage, address: str
) -> None:
    page = open_page(address, world.admin)
    chosen = page.locator("#filters select").first
    value = str(chosen.locator("option").nth(2).get_attribute("value"))
    chosen.select_option(value)
    page.wait_for_url(f"**{value}")
    page.go_back()
    page.wait_for_url(f"**{address}")
    expect(chosen).to_have_value("")
    assert page.locator("#filters :disabled").count() == 0
    page.go_forward()
    page.wait_for_url(f"**{value}")
    expect(chosen).to_have_value(value)


def test_the_theme_is_switched_and_remembered(world: World, open_page: OpenPage) -> None:
    page = open_page("/projects/", world.viewer, color_scheme="light")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Switch to the dark theme").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark


def test_an_upload_is_queued_and_appears_in_the_list(
    empty_world: World, open_page: OpenPage, tmp_path: Path
) -> None:
    package = tmp_path / "births-2026.zip"
    package.write_bytes(make_package())
    page = open_page(ENVELOPES, empty_world.owner)
    page.locator("#upload-file").set_input_files(package)
    page.locator("#upload-name").fill("BIRTHS-2026-03")
    page.locator("#upload-submit").click()
    expect(page.locator("#upload-result")).to_contain_text("BIRTHS-2026-03 is queued with 5 jobs.")
    expect(page.locator("#envelopes .name")).to_have_text("BIRTHS-2026-03")
    expect(page.locator("#upload-progress")).to_be_hidden()


def test_a_refused_upload_says_every_reason(empty_world: World, open_page: OpenPage, tmp_path: Path) -> None:
    package = tmp_path / "births-2026.zip"
    package.write_bytes(make_package(held="deaths.csv"))
    page = open_page(ENVELOPES, empty_world.owner)
    page.locator("#upload-file").set_input_files(package)
    page.locator("#upload-submit").click()
    expect(page.locator("#upload-result")).to_contain_text("births-2026 is Corrupt: it cannot be used.")
    expect(page.locator("#upload-result li")).not_to_have_count(0)
    expect(page.locator("#recent-errors")).to_contain_text("births-2026")


def test_an_upload_without_scripts_says_the_same(empty_world: World, open_page: OpenPage, tmp_path: Path) -> None:
    package = tmp_path / "births-2026.zip"
    package.write_bytes(make_package())
    page = open_page(ENVELOPES, empty_world.owner, java_script_enabled=False)
    page.locator("#upload-file").set_input_files(package)
    page.locator("#upload-submit").click()
    expect(page.locator("#flashes")).to_contain_text("births-2026 is queued with 5 jobs.")


def test_filters_of_a_phone_are_usable_and_dates_stand_in_the_address(world: World, open_page: OpenPage) -> None:
    page = open_page(ENVELOPES, world.admin, viewport=PHONE)
    day = f"{world.envelopes['HOSP-2026-03'].received_at:%Y-%m-%d}"
    page.get_by_label("Received from this day on (UTC)").fill(day)
    page.get_by_label("Received up to this day (UTC)").fill(day)
    page.get_by_role("button", name="Filter", exact=True).click()
    page.wait_for_url(re.compile(rf"\?from={day}&to={day}$"))
    expect(page.locator("#envelopes tr[data-version]")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator(".chip").first.click()
    page.wait_for_url(re.compile(rf"\?to={day}$"))


def test_notifications_are_narrowed_to_a_severity_and_stay_so_over_a_poll(
    world: World, open_page: OpenPage
) -> None:
    page = open_page(ENVELOPES, world.viewer)
    envelope = world.envelopes["HOSP-2026-08"]
    page.locator(f"#envelope-{envelope.pk}-notifications").click()
    shown = page.locator("#dialog .notification:visible")
    expect(shown).to_have_count(2)
    page.get_by_role("radio", name="Warning").check()
    expect(shown).to_have_count(1)
    notify(envelope, Severity.INFO, "one more")
    expect(page.locator("#dialog")).to_contain_text("Info: 2")
    expect(shown).to_have_count(1)
    page.get_by_role("radio", name="Error").check()
    expect(page.locator("#dialog .none-of")).to_be_visible()


def test_an_export_holds_the_rows_that_are_shown(world: World, open_page: OpenPage) -> None:
    page = open_page(f"{ENVELOPES}?type=TUMOURS", world.admin)
    with page.expect_download() as download:
        page.locator("#export").click()
    assert re.fullmatch(r"envelopes-\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "TUMOURS-2026" in lines[1]
