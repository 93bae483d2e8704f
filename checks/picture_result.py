"""Takes the pictures of records, groups and pairs, and of the match configuration of a project."""

import re

from checks.picture_scenes import FIRST_COUNT, PATIENCE_MS
from checks.picture_stage import Photographer, Rows


def take_groups(camera: Photographer, rows: Rows) -> str:
    """Find records and a large group, and decide about it; returns the group's address."""
    page = camera.go("/projects/PERINATAL/records/?id=B00012")
    camera.take("records-by-id")
    camera.go("/projects/PERINATAL/records/by-values/")
    page.get_by_label("Surname").fill("white")
    page.get_by_label("Surname").press("Enter")
    page.get_by_role("heading", name="found").first.wait_for()
    camera.take("records")
    camera.go("/projects/PERINATAL/")
    largest = (
        page.locator("#map-numbers-1 .figures > div", has_text="Largest group size").locator("dd").inner_text()
    )
    for group_id in range(1, FIRST_COUNT):
        camera.go(f"/projects/PERINATAL/groups/{group_id}/")
        if page.get_by_text(f"{largest} records,").count():
            break
    camera.take("group", height=1400)
    _take_decision(camera)
    camera.go(f"/projects/PERINATAL/groups/{group_id}/")
    camera.follow("a[href*='/pairs/']")
    camera.take("pair", height=1200)
    camera.go(f"/projects/PERINATAL/groups/{group_id}/")
    camera.follow(".side-by-side th a")
    camera.take("record", height=1200)
    camera.go(f"/projects/FEBRL4/records/?id={rows[200]['rec_id']}")
    camera.follow("a[href*='/groups/']")
    camera.take("group-reviewed", height=1600)
    return f"/projects/PERINATAL/groups/{group_id}/"


def _take_decision(camera: Photographer) -> None:
    """Fill the decision in, and take what is filled in, with the records above it."""
    page = camera.page
    for number in (1, 2):
        page.get_by_label(f"Choose record {number}", exact=True).check()
    page.get_by_label("The chosen ones are another person's").check()
    page.get_by_label("Reason", exact=True).fill("Twins: both are in the birth register")
    camera.take("group-decide", height=415, top="#review-title")


def take_match(camera: Photographer) -> None:
    """Change the demo's match configuration, with a trial."""
    page = camera.go("/projects/FEBRL4/linkage-fields/")
    camera.take("linkage-fields")
    camera.go("/projects/FEBRL4/match-configuration/edit/")
    page.locator("[id$='-match_threshold']").first.fill("6")
    page.get_by_label("Note").fill("fewer false links")
    page.locator(".comparison-fields summary", has_text="surname").first.click()
    page.locator(".comparison-fields[open]").get_by_label("Rare values weigh more").check()
    page.get_by_text(re.compile(r"\d+ differences from version 1\.")).wait_for()
    camera.take("match-edit", top="#main")
    page.locator("#try-match").click()
    page.locator("#trial").wait_for(timeout=PATIENCE_MS)
    page.wait_for_timeout(600)
    camera.take("match-try", height=1300)
    page.locator("#save-match").click()
    page.get_by_text("Version 2 is saved.").wait_for()
    camera.go("/projects/FEBRL4/match-configuration/")
    camera.take("match-configuration")
    camera.go("/projects/FEBRL4/match-configuration/differences/?from=1&to=2")
    camera.take("match-differences")
    camera.ask("#build-frequencies", on="/projects/FEBRL4/")
    camera.take("project-frequencies")
