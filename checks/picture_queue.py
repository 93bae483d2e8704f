"""Takes the pictures of the JOBS tab: while nothing runs, and while an Envelope runs and others wait."""

import re

from playwright.sync_api import Route

from checks.picture_scenes import PATIENCE_MS
from checks.picture_stage import Photographer, Rows, Stage, strangers

STRANGERS_COUNT = 500_000
UPLOAD_BYTES = 160 * 2**20
SLICES_SENT = 6
ENVELOPES, JOBS = "/jobs/envelopes/", "/jobs/all/"


def take_quiet_queue(camera: Photographer) -> None:
    """Take the lists with what is open, filtered or refused in them."""
    page = camera.page
    _take_statistics(camera)
    camera.go(f"{ENVELOPES}?live=off&project=FEBRL4&status=Success")
    camera.take("envelopes-filtered", height=900)
    row = page.locator("tr[data-version]", has_text="Admissions, ward 4").first
    camera.go(f"{ENVELOPES}?live=off")
    camera.ask(f"#{row.get_attribute('id')}-notifications")
    camera.take("notifications")
    row = page.locator("tr[data-version]", has_text="dataset4b").first
    camera.go(f"{ENVELOPES}?live=off")
    camera.ask(f"#{row.get_attribute('id')}-rollback")
    camera.fill({"reason": "The provider sent a corrected file"})
    camera.take("rollback", height=1200)
    camera.go(f"{JOBS}?live=off&status=Errors")
    camera.take("retry-refused", height=700)
    camera.ask("a[id$=-retry]")
    camera.take("job-retry")
    camera.go(f"{JOBS}?live=off&kind=Match")
    camera.ask("a[id$=-audit]")
    camera.take("job-audit")


def _take_statistics(camera: Photographer) -> None:
    """Open the Envelope that has linked groups, and the statistics of its Match."""
    page = camera.go(f"{ENVELOPES}?live=off")
    row = page.locator("tr", has_text="dataset4b").first
    row.locator("button[aria-expanded]").click()
    page.locator("tr.below tr", has_text="Match").locator("button[aria-expanded]").first.click()
    page.locator("tr.below .plot-frame svg").first.wait_for()
    camera.take("statistics", top=f"#{row.get_attribute('id')}", height=1100)


def take_uploads(camera: Photographer, stage: Stage) -> None:
    """Take an upload on its way, and one that is refused."""
    scanned = stage.files / "PATHOLOGY-2026-11.zip"
    scanned.write_bytes(b"%PDF-1.7 a scanned letter")
    page = camera.go(ENVELOPES)
    page.locator("#upload-file").set_input_files(str(scanned))
    page.locator("#upload-submit").click()
    page.locator("#upload-result .flash").wait_for(timeout=PATIENCE_MS)
    camera.take("upload-refused", height=620)
    large = stage.files / "HOSP-2026-12.zip"
    with large.open("wb") as stream:
        stream.truncate(UPLOAD_BYTES)
    sent: list[str] = []

    def slow(route: Route) -> None:
        if route.request.method != "PATCH" or len(sent) < SLICES_SENT:
            sent.append(route.request.method)
            route.continue_()

    camera.go(ENVELOPES)
    page.route(re.compile(r"/uploads/[0-9a-f]+/"), slow)
    page.locator("#upload-file").set_input_files(str(large))
    page.locator("#upload-submit").click()
    page.locator("#upload-numbers", has_text="left").wait_for(timeout=PATIENCE_MS)
    page.wait_for_timeout(4000)
    camera.take("upload", height=620)
    page.locator("#upload-stop").click()
    page.locator("#upload-result .flash").wait_for(timeout=PATIENCE_MS)
    page.unroute_all(behavior="ignoreErrors")


def take_busy(camera: Photographer, stage: Stage, rows: Rows) -> None:
    """Take the pages of a queue at work: one Envelope runs, two wait; then pause it."""
    many = stage.write("all.csv", [list(rows[0]), *strangers(rows, STRANGERS_COUNT, "all")])
    few = stage.write("few.csv", [list(rows[0]), *strangers(rows, 1_000, "few")])
    queued = ("submit-file", "--project", "FEBRL4", "--event-type", "FEBRL-A")
    stage.command(*queued, "--name", "Registrations 1926-2025", many)
    for number in (1, 2):
        stage.command(*queued, "--name", f"Registrations 2026, part {number}", few)
    stage.command("compact", "PERINATAL")
    page = camera.go(JOBS)
    page.locator(".running .progress-numbers", has_text="left").wait_for(timeout=PATIENCE_MS)
    camera.take("jobs")
    camera.ask(".row-successactive a[id$=-audit]")
    camera.take("job-audit-live")
    camera.go(ENVELOPES)
    camera.take("envelopes")
    camera.ask(".row-successactive a[id$=-cancel]")
    camera.fill({"reason": "A corrected file comes tomorrow"})
    camera.take("envelope-cancel")
    camera.ask("tr a[id$=-cancel]", on=f"{JOBS}?status=Queued&kind=Compact")
    camera.take("job-cancel")
    camera.ask("#pause-link", on=JOBS)
    camera.fill({"reason": "The disk is replaced at noon"})
    camera.take("queue-pause")
    camera.answer()
    page.locator(".banner").wait_for()
    camera.go(JOBS)
    camera.take("queue-paused")
    camera.ask("#resume-link")
    camera.take("queue-resume")
    camera.answer()
    page.locator(".banner").wait_for(state="detached")
    camera.ask("#clear-link", on=JOBS)
    camera.fill({"reason": "All of it is sent anew"})
    camera.take("queue-clear")
    camera.answer()
    page.locator("#clear-link").wait_for(state="detached")
    camera.visit("queue-history")
    camera.take("queue-history")
