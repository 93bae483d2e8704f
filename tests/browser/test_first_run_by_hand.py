"""From an empty folder to groups in the browser alone, as docs/first-steps.md walks; and the demo by one click.

The real `linkwright serve`, a real Chromium. Between the link that `serve` prints and the last page nothing is
used but the pages: no command line, no database. The persons in the files are known, so every number is too.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import DESKTOP
from tests.browser.known_persons import KnownPersons, write_known_persons
from tests.browser.served_system import ServedSystem, served

PASSWORD = "correct horse battery"
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "first-steps.md"
# what the issue allows a person; a script that types at once must be far below it
A_PERSON_MAY_TAKE_S = 300
PROCESSED_WITHIN_MS = 120_000
NARROW = "\u202f"
DROP_SCRIPT = """([target, name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type: "text/csv" }));
  for (const type of ["dragover", "drop"])
    target.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


class Hand:
    """A person's hand: it clicks, types and drops; the clicks are counted, a choice from a list as two."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks_count = 0
        self.pressed: list[str] = []

    def click(self, target: Locator) -> None:
        """Click."""
        self.clicks_count += 1
        target.click()

    def press(self, name: str, within: Locator | None = None) -> None:
        """Click the button or link of a name."""
        self.pressed.append(name)
        place = within or self.page.locator("body")
        self.click(place.get_by_role("button", name=name).or_(place.get_by_role("link", name=name)).first)

    def fill(self, label: str, text: str) -> None:
        """Type into a field; the next one is reached by the tabulator."""
        self.page.get_by_label(label, exact=True).fill(text)

    def choose(self, target: Locator, value: str) -> None:
        """Choose from a list."""
        self.clicks_count += 2
        target.select_option(value)

    def drop(self, target: Locator, file: Path) -> None:
        """Drop a file."""
        self.page.evaluate(DROP_SCRIPT, [target.element_handle(), file.name, file.read_text()])


@pytest.fixture
def system(tmp_path: Path) -> Iterator[ServedSystem]:
    """Serve a folder in which nothing is."""
    with served(tmp_path / "home") as running:
        yield running


@pytest.fixture
def hand(system: ServedSystem, browser: Browser) -> Iterator[Hand]:
    """Return a hand before the page that the printed link opens; an error in the console fails the test."""
    context = browser.new_context(base_url=system.url, viewport=DESKTOP)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(system.printed(r"http://\S+/set-up/\S+"))
    yield Hand(page)
    context.close()
    assert complaints == []


def make_the_administrator(hand: Hand) -> None:
    """Fill in the page that the link opens."""
    hand.fill("User name", "olga")
    hand.fill("Password, at least 12 characters", PASSWORD)
    hand.fill("Password once more", PASSWORD)
    hand.press("Create the account")
    expect(hand.page.get_by_text("0 of 6 steps are done.")).to_be_visible()


def describe_a_file(hand: Hand, sample: Path, code: str, detected: str) -> None:
    """Make an Import Format from a dropped sample, without correcting anything."""
    page = hand.page
    hand.drop(page.locator("#sample-drop"), sample)
    expect(page.locator(".sample-found").first).to_contain_text(detected)
    expect(page.locator("#format-preview tbody tr")).to_have_count(20)
    expect(page.locator("#format-preview .preview-fault")).to_have_count(0)
    hand.fill("Code, never changed", code)
    hand.press("Create it")
    expect(page.locator(".flash")).to_contain_text(f"Import Format {code} is created.")


def name_an_event_type(hand: Hand, code: str, *, import_format: str = "", is_authoritative: bool = False) -> None:
    """Create an Event Type of the only provider."""
    hand.fill("Code, never changed", code)
    if import_format:
        hand.choose(hand.page.locator("select[name=import_format]"), import_format)
    if is_authoritative:
        hand.click(hand.page.get_by_label("A person should have at most one such record"))
    hand.press("Create it")
    expect(hand.page.locator(".flash")).to_contain_text(f"Event Type {code} is created.")


def submit_a_file(hand: Hand, file: Path, event_type: str, rows_count: int) -> None:
    """Drop a data file on the form, look at its first rows, and queue it."""
    page = hand.page
    hand.press("Submit a data file")
    hand.choose(page.get_by_label("Event Type", exact=True), event_type)
    hand.drop(page.locator("#upload-drop"), file)
    if page.locator("#upload-submit").is_visible():
        hand.press("Upload and look at it")
    page.wait_for_url(re.compile(r"/submit/[0-9a-f]{32}/$"))
    assert figure(page, ".figures", "Rows") == str(rows_count)
    hand.press("Queue the Envelope")
    expect(page.locator(".flash")).to_contain_text(f"{file.stem} is queued with 5 jobs.")


def figure(page: Page, scope: str, label: str) -> str:
    """Return the number beside a label."""
    found = page.locator(f"{scope} > div").filter(has=page.get_by_text(label, exact=True))
    return found.locator("dd").first.inner_text().replace(NARROW, "")


def set_up(hand: Hand, known: KnownPersons) -> None:
    """Provider, two Import Formats, two Event Types and a project with both."""
    page = hand.page
    hand.press("Create one", page.locator("#step-provider"))
    hand.fill("Code, 1-15 characters, never changed", "HEALTH")
    hand.fill("Organisation", "Department of Health")
    hand.press("Create it")
    hand.press("Next: describe its files")
    describe_a_file(hand, known.births, "BIRTHS-CSV", "delimited by semicolon")
    hand.press("Next: name an Event Type")
    name_an_event_type(hand, "BIRTHS", is_authoritative=True)
    hand.press("First steps")
    hand.press("Add another", page.locator("#step-format"))
    describe_a_file(hand, known.admissions, "ADMISSIONS-CSV", "delimited by comma")
    hand.press("First steps")
    hand.press("Add another", page.locator("#step-event_type"))
    name_an_event_type(hand, "ADMISSIONS", import_format="ADMISSIONS-CSV")
    hand.press("Next: create a Linkage Project")
    hand.fill("Code, for ever the same", "PERINATAL")
    hand.fill("Name", "Perinatal outcomes")
    hand.click(page.get_by_role("checkbox", name="BIRTHS"))
    hand.press("Create it")
    hand.press("Attach an Event Type")
    dialog = page.get_by_role("dialog")
    hand.choose(dialog.locator("select[name=event_type]"), "ADMISSIONS")
    hand.click(dialog.get_by_role("button", name="Attach"))
    expect(page.locator("#event-types-1 tbody tr")).to_have_count(2)


def test_an_empty_folder_becomes_groups_in_the_browser_alone(hand: Hand, tmp_path: Path) -> None:
    known, page, started_s = write_known_persons(tmp_path), hand.page, time.monotonic()
    make_the_administrator(hand)
    set_up(hand, known)
    submit_a_file(hand, known.births, "BIRTHS", known.count("BIRTHS"))
    submit_a_file(hand, known.admissions, "ADMISSIONS", known.count("ADMISSIONS"))

    # nobody reloads: the numbers come by themselves
    expect(page.get_by_text("after admissions,")).to_be_visible(timeout=PROCESSED_WITHIN_MS)
    figures = [figure(page, ".figures", label) for label in ("Records", "Groups", "Largest group size")]
    assert figures == [str(sum(known.sizes)), str(len(known.sizes)), str(max(known.sizes))]
    assert figure(page, ".figures", "Flagged groups") == "0"
    linked = page.locator("#map-numbers-1 tr", has_text=re.compile(r"^\s*BIRTHS\s*ADMISSIONS")).locator("td")
    assert linked.all_inner_texts()[2:4] == [
        str(known.count("BIRTHS")),
        str(known.count("BIRTHS", with_other=True)),
    ]
    expect(page.locator(".plot")).to_have_count(6)

    person = next(one for one in known.records if len(one["ADMISSIONS"]) > 1 and one["BIRTHS"])
    hand.fill("Source Unique ID", person["ADMISSIONS"][1])
    hand.press("Find")
    hand.click(page.get_by_role("link", name=re.compile(r"^Group \d+$")).first)
    expect(page.get_by_role("img", name="3 records and 3 links")).to_be_visible()
    side_by_side = page.locator(".side-by-side")
    for source_unique_id in (*person["BIRTHS"], *person["ADMISSIONS"]):
        expect(side_by_side).to_contain_text(source_unique_id)
    expect(page.get_by_role("navigation", name="Main")).not_to_contain_text("First steps")
    taken_s = time.monotonic() - started_s
    guide = " ".join(GUIDE.read_text().split())
    assert [name for name in hand.pressed if f"*{name}*" not in guide] == []
    assert f"It takes {hand.clicks_count} clicks" in guide
    assert taken_s < A_PERSON_MAY_TAKE_S / 2

    hand.press("Jobs")
    row = page.locator("#envelopes tr[data-version]").filter(has_text="admissions")
    row.locator("button.plus").click()
    page.locator(".inset tr[data-version]").filter(has_text="Match").locator("button.plus").click()
    expect(page.locator(".statistics")).to_have_count(1)
    assert figure(page, ".statistics .figures", "Kept pairs") == str(known.pairs_count)


def test_the_demo_is_loaded_by_one_click(hand: Hand) -> None:
    page = hand.page
    make_the_administrator(hand)
    hand.press("Load the demo project")
    for name in ("dataset4a", "dataset4b"):
        row = page.locator("#envelopes tr[data-version]").filter(has_text=name)
        expect(row.locator(".status")).to_have_text("Success", timeout=PROCESSED_WITHIN_MS)
    assert hand.clicks_count == 2
    hand.press("Projects")
    hand.press("FEBRL4")
    assert figure(page, ".figures", "Records") == "10000"
    # every one of the 5,000 persons has an original and a duplicate; nearly all of them are found
    assert 4_990 <= int(figure(page, ".figures", "Groups")) <= 5_030
