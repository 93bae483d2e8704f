"""What single keys do, when they do nothing, and that the selected row keeps its place under live updates."""

from playwright.sync_api import Page, expect

from linkwright.store.models import JobKind, Severity
from tests.browser.conftest import PHONE, OpenPage
from tests.integration.web.seed import World, end_job, notify, start_job

ENVELOPES, JOBS = "/jobs/envelopes/", "/jobs/all/"


def _focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def test_rows_are_walked_and_opened_and_everything_is_reached_by_keys(world: World, open_page: OpenPage) -> None:
    page = open_page(ENVELOPES, world.owner)
    newest, second = world.envelopes["BIRTHS-2026"], world.envelopes["HOSP-2026-10"]
    page.keyboard.press("j")
    assert _focused(page) == f"envelope-{newest.pk}-toggle"
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.locator(f"#chain-{second.pk}")).to_be_visible()
    page.keyboard.press("j")
    first_step = world.job("HOSP-2026-10", JobKind.VALIDATE)
    assert _focused(page) == f"step-{first_step.pk}-toggle"
    page.keyboard.press("k")
    page.keyboard.press("o")
    expect(page.locator(f"#chain-{second.pk}")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("j2?p")
    expect(page.locator("#filter-text")).to_have_value("j2?p")
    page.locator("#filter-text").blur()
    page.keyboard.press("l")
    expect(page.locator("#live-switch")).to_have_attribute("aria-checked", "false")
    page.keyboard.press("p")
    expect(page.locator("#dialog")).to_contain_text("No further job starts until somebody resumes.")
    page.keyboard.press("2")
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    page.wait_for_url("**/jobs/all/")
    page.keyboard.press("3")
    page.wait_for_url("**/jobs/queue/history/")


def test_the_list_of_keys_opens_and_keys_can_be_switched_off_for_good(world: World, open_page: OpenPage) -> None:
    page = open_page("/projects/", world.viewer)
    page.keyboard.press("?")
    keys = page.locator("#keys")
    expect(keys).to_contain_text("Next row")
    expect(keys).not_to_contain_text("Pause")
    assert page.evaluate("document.activeElement.textContent") == "Close"
    page.locator("#keys-switch").click()
    page.keyboard.press("Escape")
    page.reload()
    for key in ("?", "2", "Control+2"):
        page.keyboard.press(key)
    expect(keys).to_be_hidden()
    assert page.url.endswith("/projects/")
    page.locator("#person-menu summary").click()
    page.locator("#keys-open").click()
    expect(page.locator("#keys-switch")).to_have_attribute("aria-checked", "false")
    page.locator("#keys-switch").click()
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.wait_for_url("**/jobs/envelopes/")


def test_a_selected_row_that_moves_keeps_the_focus(world: World, open_page: OpenPage) -> None:
    page = open_page(f"{JOBS}?text=HOSP-2026-09", world.admin)
    running, waiting = world.job("HOSP-2026-09", JobKind.MATCH), world.job("HOSP-2026-09", JobKind.GROUP)
    toggle = page.locator(f"#job-{waiting.pk}-toggle")
    toggle.focus()
    end_job(running)
    start_job(waiting)
    notify(world.envelopes["HOSP-2026-09"], Severity.INFO, "Group has started")
    expect(page.locator(f"#job-{waiting.pk} .status")).to_have_text("SuccessActive")
    expect(toggle).to_be_focused()
    page.keyboard.press("j")
    assert _focused(page) != f"job-{waiting.pk}-toggle"


def test_on_a_phone_a_refused_retry_tells_why_when_it_is_asked(world: World, open_page: OpenPage) -> None:
    page = open_page(JOBS, world.owner, viewport=PHONE)
    failed, other = (world.job(name, JobKind.LOAD) for name in ("BIRTHS-2025-late", "HOSP-2026-08"))
    link = page.locator(f"#job-{failed.pk}-why-not")
    expect(page.get_by_role("link", name=f"Why no retry of job {failed.pk} (Load)")).to_have_count(1)
    tall, usual = (page.locator(f"#job-{job.pk}").bounding_box() for job in (failed, other))
    assert tall is not None
    assert usual is not None
    assert tall["height"] <= usual["height"] + 2
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_contain_text("has been run against PERINATAL since")
    page.keyboard.press("Escape")
    expect(link).to_be_focused()
