"""A data file goes from the project page through its preview into the queue, in a real browser."""

import re
from pathlib import Path

from playwright.sync_api import expect

from linkwright.store.models import Envelope, ImportFormat
from tests.browser.conftest import OpenPage
from tests.browser.test_access import faults_of
from tests.integration.web.seed import World

FORMAT = {
    "kind": "delimited",
    "columns": {"source_unique_id": "id", "given_name": "given", "date_of_birth": "born"},
}


def test_a_file_is_looked_at_and_queued(empty_world: World, open_page: OpenPage, tmp_path: Path) -> None:
    ImportFormat.objects.update(definition=FORMAT)
    file = tmp_path / "births.csv"
    file.write_text("id,given,born,ward\n1,ADA,1980-02-30,W1\n2,Bo\n,Cy,1981-01-01,W2\n")
    page = open_page("/projects/PERINATAL/", empty_world.owner)
    page.locator("#submit-file").click()
    expect(page.get_by_label("Event Type", exact=True)).to_be_visible()
    page.get_by_label("Batch quality review").check()
    expect(page.get_by_label("Event Type", exact=True)).to_be_hidden()
    page.get_by_label("Linkage").check()
    page.locator("#upload-file").set_input_files(file)
    page.locator("#upload-submit").click()
    expect(page.locator("#upload-result")).to_contain_text("No Event Type was chosen.")
    page.get_by_label("Event Type", exact=True).select_option("BIRTHS")
    page.locator("#upload-file").set_input_files(file)
    page.locator("#upload-submit").click()
    page.wait_for_url(re.compile(r"/submit/[0-9a-f]{32}/$"))
    expect(page.locator(".preview-fault")).to_have_count(3)
    expect(page.locator(".preview-standard").first).to_have_text("ada")
    assert faults_of(page) == []
    # the first button is the one that Enter presses
    page.get_by_label("Name of the Envelope").fill("BIRTHS-2026-03")
    page.keyboard.press("Enter")
    expect(page.locator(".flash")).to_contain_text("BIRTHS-2026-03 is queued with 5 jobs.")
    assert Envelope.objects.get().name == "BIRTHS-2026-03"
