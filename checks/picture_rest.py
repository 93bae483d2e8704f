"""Takes the pages that need no scene of their own: each by its address, while nothing runs."""

from checks.picture_stage import PATIENCE_S, Photographer, Stage

# name, address, height
PAGES = (
    ("reports", "/reports/", 520),
    ("project-reports", "/reports/FEBRL4/", 1300),
    ("envelope-report", "/reports/FEBRL4/{late}/", 1000),
    ("default-match", "/catalog/default-match/", 900),
    ("queue-history", "/jobs/queue/history/", 700),
    ("extraction", "/projects/FEBRL4/extractions/AIR-2026/", 900),
    ("new-extraction", "/projects/FEBRL4/new-extraction/", 900),
    ("estimation", "/projects/FEBRL4/estimations/1/", 1200),
    ("members", "/projects/PERINATAL/people/", 520),
    ("person", "/admin/people/2/", 700),
    ("backups", "/admin/backups/", 520),
    ("password", "/account/password/", 640),
    ("api-keys", "/account/api-keys/", 520),
    ("search", "/search/?q=dataset4", 620),
)
REST = (*(name for name, _path, _height in PAGES), "rollback")


def make_the_rest(stage: Stage) -> None:
    """Estimate the demo's parameters, and back everything up: two of the pages show what came of it."""
    stage.command("estimate", "FEBRL4")
    stage.command("backup", "--wait")
    stage.settle()


def take_the_rest(camera: Photographer) -> None:
    """Take every page of the list, and the question before an Envelope is rolled back."""
    page = camera.go("/jobs/envelopes/?live=off")
    row = page.locator("tr[data-version]", has_text="dataset4b").first
    envelope = str(row.get_attribute("id")).removeprefix("envelope-")
    for name, path, height in PAGES:
        camera.go(path.format(late=envelope))
        camera.take(name, height=height)
    camera.go("/jobs/envelopes/")
    page.locator(f"#envelope-{envelope}-rollback").click()
    page.locator("dialog[open] textarea, dialog[open] input[name=reason]").first.wait_for(
        timeout=PATIENCE_S * 1000
    )
    camera.take("rollback", height=820)
