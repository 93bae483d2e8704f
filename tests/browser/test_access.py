"""axe finds nothing serious on any page, in both themes, at 400 px and 1,400 px; nothing scrolls sideways."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from linkwright.store.models import JobKind, QueueState
from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.integration.web.seed import World

SERIOUS = ("serious", "critical")
# what is right need not be described node by node
AXE_OPTIONS = {"resultTypes": ["violations"]}


def _addresses(world: World) -> dict[str, str]:
    envelope, jobs = world.envelopes["HOSP-2026-08"], world.envelopes["HOSP-2026-08"].jobs.all()
    steps = ".".join(f"step-{job.pk}" for job in jobs)
    failed = world.job("BIRTHS-2025-late", JobKind.LOAD)
    waiting = world.envelopes["HOSP-2026-10"]
    return {
        "All Envelopes": "/jobs/envelopes/",
        "All Envelopes, with everything open": f"/jobs/envelopes/?open=envelope-{envelope.pk}.{steps}",
        "All Envelopes, filtered": "/jobs/envelopes/?status=Success&text=HOSP",
        "All Jobs": "/jobs/all/?project=CANCER",
        "All Jobs, a failure open": f"/jobs/all/?open=job-{failed.pk}",
        "Queue history": "/jobs/queue/history/?action=Pause",
        "Projects": "/projects/",
        "a project": "/projects/PERINATAL/",
        "an estimation": f"/projects/PERINATAL/estimations/{world.estimation.pk if world.estimation else 0}/",
        "apply": f"/projects/PERINATAL/estimations/{world.estimation.pk if world.estimation else 0}/apply/",
        "submit a file": "/projects/PERINATAL/submit/",
        "estimate": "/projects/PERINATAL/estimate/",
        "an Extraction Project": "/projects/PERINATAL/extractions/DIABETES/",
        "a new Extraction Project": "/projects/PERINATAL/new-extraction/",
        "extract": "/projects/PERINATAL/extractions/DIABETES/extract/",
        "close an Extraction Project": "/projects/PERINATAL/extractions/DIABETES/close/",
        "Data Providers": "/catalog/providers/",
        "Event Types": "/catalog/event-types/",
        "Import Formats": "/catalog/import-formats/",
        "an Import Format": "/catalog/import-formats/CSV/",
        "change an Import Format": "/catalog/import-formats/CSV/change/",
        "the default match configuration": "/catalog/default-match/",
        "change the default match configuration": "/catalog/default-match/edit/",
        "a new Event Type": "/catalog/new-event-type/",
        "delete from the catalog": "/catalog/providers/CANREG/delete/",
        "backups": "/admin/backups/",
        "back up": "/admin/backups/start/",
        "an unknown page": "/projects/NONE/",
        "pause": "/jobs/queue/pause/",
        "resume": "/jobs/queue/resume/",
        "clear": "/jobs/queue/clear/",
        "cancel": f"/jobs/envelopes/{waiting.pk}/cancel/",
        "retry": f"/jobs/{failed.pk}/retry/",
        "audit": f"/jobs/{failed.pk}/audit/",
        "API keys": "/account/api-keys/",
        "a new API key": "/account/api-keys/new/",
        "Notifications": f"/jobs/envelopes/{envelope.pk}/notifications/",
    }


def faults_of(page: Page) -> list[str]:
    """Look at the page in every theme and width; returns what axe and the eye would complain of."""
    faults = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        for viewport in (DESKTOP, PHONE):
            page.set_viewport_size(viewport)  # type: ignore[arg-type]
            where = f"{page.url} {theme} {viewport['width']} px"
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > viewport["width"]:
                faults.append(f"{where}: scrolls sideways, {width} px wide")
            found: list[dict[str, Any]] = Axe().run(page, options=AXE_OPTIONS).response["violations"]
            faults += [
                f"{where}: {one['id']} ({one['impact']}): {node['html'][:160]} {node['failureSummary']}"
                for one in found
                if one["impact"] in SERIOUS
                for node in one["nodes"][:3]
            ]
    return faults


def test_no_page_has_a_serious_fault(world: World, open_page: OpenPage) -> None:
    page = open_page("/jobs/envelopes/", world.admin)
    faults: list[str] = []
    for address in _addresses(world).values():
        page.goto(address)
        faults += faults_of(page)
    assert faults == []


def test_no_page_about_people_settings_and_the_project_has_a_serious_fault(
    world: World, open_page: OpenPage
) -> None:
    page = open_page("/jobs/envelopes/", world.admin)
    faults: list[str] = []
    for address in (
        *("/admin/audit-log/", "/admin/settings/", "/admin/settings/Backup.Keep/", "/admin/people/"),
        *(f"/admin/people/{world.owner.pk}/", "/admin/people/invite/", "/account/password/"),
        *("/projects/PERINATAL/people/", "/projects/PERINATAL/people/add/", "/projects/PERINATAL/records/"),
        *("/projects/PERINATAL/event-types/attach/", "/projects/PERINATAL/event-types/BIRTHS/detach/"),
        *("/projects/PERINATAL/compact/", "/projects/PERINATAL/purge/"),
        f"/jobs/envelopes/{world.envelopes['HOSP-2026-08'].pk}/rollback/",
    ):
        response = page.goto(address)
        assert response is not None
        assert response.ok, address
        faults += faults_of(page)
    assert faults == []


def test_sign_in_has_no_serious_fault(world: World, open_page: OpenPage) -> None:
    assert faults_of(open_page("/sign-in/")) == []


def test_the_paused_queue_has_no_serious_fault(world: World, open_page: OpenPage) -> None:
    failed = world.job("BIRTHS-2025-late", JobKind.LOAD)
    QueueState.objects.update(paused_at=failed.queued_at, paused_by_job=failed, paused_reason="births.csv, line 8")
    assert faults_of(open_page("/jobs/all/", world.admin)) == []


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
