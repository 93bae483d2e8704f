"""An Import Format made from a sample file, by keyboard and mouse, in a real browser."""

from pathlib import Path

from playwright.sync_api import expect

from linkwright.store.models import ImportFormat
from tests.browser.conftest import OpenPage
from tests.browser.test_access import faults_of
from tests.integration.web.seed import World

CSV = "visit_id;forename;family;born;ward\n1;Ada;Berg;31/01/1980;W1\n" + "".join(
    f"{n};Bo;Cole;{n:02}/02/1981;W2\n" for n in range(2, 32)
)


def test_a_format_is_made_from_a_sample(empty_world: World, open_page: OpenPage, tmp_path: Path) -> None:
    sample = tmp_path / "visits.csv"
    sample.write_text(CSV)
    page = open_page("/catalog/import-formats/", empty_world.admin)
    page.locator("#import-format-new").click()
    page.locator("#code").fill("visits-csv")
    # chosen, it is sent at once
    page.locator("#sample-file").set_input_files(sample)
    expect(page.locator(".sample-found").first).to_contain_text("delimited by semicolon")
    expect(page.locator("#code")).to_have_value("visits-csv")
    expect(page.get_by_label("Linkage field of forename")).to_have_value("given_name")
    expect(page.locator("#format-preview tbody tr")).to_have_count(20)
    assert faults_of(page) == []
    # another separator: one column; and back
    page.get_by_label("Separator").select_option(",")
    expect(page.locator("#format-columns")).to_contain_text("not in the sample")
    page.get_by_label("Separator").select_option(";")
    expect(page.get_by_label("Linkage field of forename")).to_have_value("given_name")
    expect(page.locator("#format-columns")).not_to_contain_text("not in the sample")
    # a date format that does not fit marks every cell with a word; the focus stays where the person is
    page.locator("#date-formats").fill("%Y-%m-%d")
    page.keyboard.press("Tab")
    expect(page.locator("#null-values")).to_be_focused()
    expect(page.locator("#format-preview .preview-why").first).to_contain_text("This is no date that can be read")
    expect(page.locator("#format-preview")).to_contain_text("born looks like dates")
    page.get_by_role("button", name="Add %d/%m/%Y").click()
    expect(page.locator("#format-preview .preview-why")).to_have_count(0)
    page.locator("#format-save").click()
    expect(page.locator(".flash")).to_contain_text("Import Format visits-csv is created.")
    saved = ImportFormat.objects.get(code="visits-csv").definition
    assert saved["columns"]["date_of_birth"] == "born"
    assert saved["date_formats"] == ["%Y-%m-%d", "%d/%m/%Y"]
