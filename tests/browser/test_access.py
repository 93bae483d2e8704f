"""axe finds nothing serious on any page, in both themes, at 400 px and 1,400 px; nothing scrolls sideways."""

from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from linkwright.config import load_config, prepare_home
from linkwright.services.invite_person import invite_person
from linkwright.services.set_up_token import make_set_up_token
from linkwright.store.audit_log import Actor
from linkwright.store.models import JobKind, QueueState, User
from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.integration.web.seed import World
from tests.integration.web.whole_pages import whole_pages

SERIOUS = ("serious", "critical")
# what is right need not be described node by node
AXE_OPTIONS = {"resultTypes": ["violations"]}
AXE_COLOUR_OPTIONS = {
    **AXE_OPTIONS,
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
RUN_AXE = "options => axe.run(options).then(results => results.violations)"
# the pages are looked at by so many tests, which can run side by side
SHARES = 4


def _states(world: World) -> dict[str, str]:
    """Return what a page looks like when more is shown than at its plain address, by what is shown."""
    envelope, jobs = world.envelopes["HOSP-2026-08"], world.envelopes["HOSP-2026-08"].jobs.all()
    steps = ".".join(f"step-{job.pk}" for job in jobs)
    failed = world.job("BIRTHS-2025-late", JobKind.LOAD)
    return {
        "All Envelopes, with everything open": f"/jobs/envelopes/?open=envelope-{envelope.pk}.{steps}",
        "All Envelopes, filtered": "/jobs/envelopes/?status=Corrupt&text=DEATHS",
        "All Jobs, filtered": "/jobs/all/?project=CANCER",
        "All Jobs, a failure open": f"/jobs/all/?status=Errors&open=job-{failed.pk}",
        "Queue history, filtered": "/jobs/queue/history/?action=Pause",
        "Notifications": f"/jobs/envelopes/{envelope.pk}/notifications/",
        "delete what is used": "/catalog/providers/CANREG/delete/",
        "roll back a success": f"/jobs/envelopes/{envelope.pk}/rollback/",
        "an unknown page": "/projects/NONE/",
    }


def faults_of(page: Page) -> list[str]:
    """Look at the page in every theme and width; returns what axe and the eye would complain of.

    The page is loaded once, and themes and widths change in place. The themes differ in colours alone, so in the
    dark one the rules about colours run, and in the light one all of them.
    """
    faults = []
    page.evaluate(f"window.axe === undefined && (() => {{ {AXE_SCRIPT} }})()")
    looks: tuple[tuple[Literal["light", "dark"], dict[str, Any]], ...] = (
        ("light", AXE_OPTIONS),
        ("dark", AXE_COLOUR_OPTIONS),
    )
    for theme, options in looks:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        for viewport in (DESKTOP, PHONE):
            page.set_viewport_size(viewport)  # type: ignore[arg-type]
            where = f"{page.url} {theme} {viewport['width']} px"
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > viewport["width"]:
                faults.append(f"{where}: scrolls sideways, {width} px wide")
            found: list[dict[str, Any]] = page.evaluate(RUN_AXE, options)
            faults += [
                f"{where}: {one['id']} ({one['impact']}): {node['html'][:160]} {node['failureSummary']}"
                for one in found
                if one["impact"] in SERIOUS
                for node in one["nodes"][:3]
            ]
    return faults


@pytest.mark.parametrize("share", range(SHARES))
def test_no_page_has_a_serious_fault(world: World, open_page: OpenPage, share: int) -> None:
    page = open_page("/account/password/", world.admin)
    faults: list[str] = []
    addresses = [*whole_pages(world).values(), *_states(world).values()]
    for address in addresses[share::SHARES]:
        page.goto(address)
        faults += faults_of(page)
    assert faults == []


def test_pages_for_nobody_have_no_serious_fault(live_server: LiveServer, open_page: OpenPage) -> None:
    config = load_config()
    prepare_home(config)
    token = make_set_up_token(config)
    page = open_page(f"/set-up/{token}/")
    faults = faults_of(page)
    admin = User.objects.create(username="olga", is_superuser=True)
    invited = invite_person("newcomer", Actor(admin, ""))
    for address in (f"/set-up/{token}/", "/sign-in/", f"/invitation/{invited.token}/", "/invitation/none/"):
        page.goto(address)
        faults += faults_of(page)
    assert faults == []


def test_the_paused_queue_has_no_serious_fault(world: World, open_page: OpenPage) -> None:
    failed = world.job("BIRTHS-2025-late", JobKind.LOAD)
    QueueState.objects.update(paused_at=failed.queued_at, paused_by_job=failed, paused_reason="births.csv, line 8")
    assert faults_of(open_page("/jobs/all/?project=CANCER", world.admin)) == []


def test_empty_pages_have_no_serious_fault(empty_world: World, open_page: OpenPage) -> None:
    page = open_page("/jobs/envelopes/", empty_world.owner)
    faults = faults_of(page)
    for address in ("/jobs/all/", "/projects/PERINATAL/", "/jobs/queue/history/"):
        page.goto(address)
        faults += faults_of(page)
    assert faults == []


@pytest.mark.parametrize("opener", ["#pause-link", "#clear-link", "[id$=-audit]", "keys"])
def test_open_dialogs_have_no_serious_fault(world: World, open_page: OpenPage, opener: str) -> None:
    page = open_page("/jobs/all/", world.admin)
    if opener == "keys":
        page.keyboard.press("?")
    else:
        page.locator(opener).first.click()
    page.wait_for_selector("dialog[open]")
    assert faults_of(page) == []
