"""A match configuration in the browser: a threshold is changed, checked while it is typed, saved, and compared."""

import json
import re

from playwright.sync_api import expect

from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.services.save_match import MatchDraft, save_match
from linkwright.store.audit_log import Actor
from linkwright.store.models import MatchConfigurationVersion
from tests.browser.conftest import OpenPage
from tests.browser.test_access import faults_of
from tests.integration.web.seed import World

THRESHOLD = "#f-strategies-0-match_threshold"
FIRST = "#part-strategies-0-comparisons-0"


def test_a_threshold_is_changed_and_saved(empty_world: World, open_page: OpenPage) -> None:
    start = json.loads(json.dumps(default_match_definition(STANDARD_FIELDS)))
    save_match(empty_world.perinatal, MatchDraft(start, 3), Actor(empty_world.owner, ""))
    page = open_page("/projects/PERINATAL/", empty_world.owner)
    page.locator("#match-configuration").click()
    faults = faults_of(page)
    page.locator("#change-match").click()
    state = page.locator("#match-state")
    expect(state).to_contain_text("Nothing differs from version 4.")
    # what is wrong is told beside its place while it is typed
    page.locator(THRESHOLD).fill("five")
    expect(page.locator("#faults-strategies-0")).to_contain_text("match threshold: 'five' is no number")
    page.locator(THRESHOLD).fill("5.5")
    expect(state).to_contain_text("1 difference from version 4.")
    expect(page.locator("#faults-strategies-0")).to_be_empty()
    # what is open stays open when the form is laid out anew, and what is typed stays
    page.locator(f"{FIRST} > summary .code").click()
    page.locator(f"{FIRST} button[value^='add']").click()
    expect(page.locator(f"{FIRST} tbody tr")).to_have_count(6)
    expect(page.locator(FIRST)).to_have_attribute("open", "")
    faults += faults_of(page)
    page.locator(f"{FIRST} tbody tr").nth(4).get_by_role("button", name="Remove level").click()
    expect(page.locator(f"{FIRST} tbody tr")).to_have_count(5)
    expect(page.locator(THRESHOLD)).to_have_value("5.5")
    page.get_by_label("Note").fill("fewer false links")
    page.locator("#try-match").click()
    expect(page.locator("#trial")).to_contain_text("holds no records to try it on")
    page.locator("#save-match").click()
    expect(page.get_by_role("heading", name="Version 5")).to_be_visible()
    expect(page.get_by_text("Version 5 is saved.")).to_be_visible()
    page.get_by_role("link", name=re.compile("What changed")).first.click()
    expect(page.get_by_role("region", name="Differences").last).to_contain_text("match threshold")
    faults += faults_of(page)
    page.goto("/projects/PERINATAL/linkage-fields/")
    faults += faults_of(page)
    saved = MatchConfigurationVersion.objects.filter(project=empty_world.perinatal)[0]
    start["strategies"][0]["match_threshold"] = 5.5
    assert (saved.version, saved.definition) == (5, start)
    assert faults == []
