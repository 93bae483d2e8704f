"""Takes the pictures of the pages that the documentation shows, from the demo's data, in both themes.

    python -m checks.pictures [FOLDER]

writes docs/pictures/*.png anew (or into FOLDER). A morning is played on a server of its own: the two files of
FEBRL dataset 4, a deletion, a review, two files with faults, a rollback, an extraction; then a million rows that
do not belong together, so that something runs and something waits. Takes about a minute. Pictures differ from run
to run, by times and by how far a job has come.
"""

import csv
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from checks.machine import NO_CHROMIUM, find_chromium
from linkwright.services.demo_data import write_demo_files

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "pictures"
PORT = 8719
ADDRESS = f"http://127.0.0.1:{PORT}"
USER = "alex"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTH, HEIGHT = 1400, 1000
STRANGERS_COUNT = 1_000_000
PATIENCE_S = 180.0
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]

Rows = list[dict[str, str]]


class PictureError(Exception):
    """A picture cannot be taken."""


@dataclass(frozen=True)
class Stage:
    """A data folder with its server, and a folder for the files that go in."""

    home: Path
    files: Path

    def command(self, *arguments: str | Path, fails: bool = False) -> str:
        """Run a `linkwright` command; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "linkwright", "--home", str(self.home), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode and not fails:
            raise PictureError(f"linkwright {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}")
        return done.stdout

    def write(self, name: str, rows: Iterable[Iterable[str]]) -> Path:
        """Write a CSV file."""
        path = self.files / name
        with path.open("w", newline="") as stream:
            csv.writer(stream).writerows(rows)
        return path


def play_morning(stage: Stage, rows: Rows) -> None:
    """Bring a day's work to its end: everything that an operator meets."""
    envelope = stage.files / "FEBRL-2026-11.zip"
    deleted = stage.write("withdrawn.txt", [[row["rec_id"]] for row in rows[10:52]])
    stage.command(
        *("submit-file", "--project", "FEBRL4", "--event-type", "FEBRL-A", "--action", "SubmitDeletion"),
        *("--name", "Consent withdrawn, November", deleted),
    )
    together = stage.write(
        "review.csv",
        [["FEBRL4", rows[number]["rec_id"], "FEBRL-A", f"person {number // 2}"] for number in range(200, 212)],
    )
    stage.command(
        *("submit-file", "--project", "FEBRL4", "--action", "SubmitQualityReview"),
        *("--name", "Clerical review 14", together),
    )
    wrong = stage.write("wrong.csv", [["rec_id"], *([row["rec_id"]] for row in rows[:5])])
    stage.command("build", "--project", "FEBRL4", "--sender", "FEBRL", "--data", f"DEATHS={wrong}", envelope)
    stage.command("submit", envelope, fails=True)
    (stage.files / "HOSP-2026-11.zip").write_bytes(b"%PDF-1.7 monthly report")
    stage.command("submit", stage.files / "HOSP-2026-11.zip", fails=True)
    stage.command(
        *("create-extraction-project", "FEBRL4", "AIR-2026", "--name", "Air quality and admissions"),
        *(
            "--approval",
            "HREC 2026/118",
            "--kind",
            "enduring",
            "--event-type",
            "FEBRL-A",
            "--event-type",
            "FEBRL-B",
        ),
        *("--column", "person_key", "--column", "source_unique_id", "--column", "event_type_code"),
    )
    stage.command("extract", "FEBRL4", "AIR-2026")
    again = stage.write("late.csv", [list(rows[0]), *strangers(rows, 400, "late")])
    stage.command(
        *("submit-file", "--project", "FEBRL4", "--event-type", "FEBRL-B", "--name", "Late registrations", again),
    )
    stage.command("worker", "--until-idle")
    newest = stage.command("status", "--json")
    stage.command("rollback", envelope_id(newest, "Late registrations"), "--reason", "Sent twice by the provider")
    stage.command("worker", "--until-idle")


def envelope_id(status: str, name: str) -> str:
    """Return the id of an Envelope from `linkwright status --json`."""
    return next(str(one["id"]) for one in json.loads(status)["envelopes"] if one["name"] == name)


def strangers(rows: Rows, count: int, prefix: str) -> Iterator[list[str]]:
    """Return rows of persons that are nobody: every value from another record."""
    chance = random.Random(20_261_122)  # noqa: S311 - data for pictures
    values = {name: [row[name] for row in rows] for name in rows[0]}
    values["date_of_birth"] = [
        f"{1900 + day // 336}{day // 28 % 12 + 1:02}{day % 28 + 1:02}" for day in range(33_600)
    ]
    values["soc_sec_id"] = [f"{number:07}" for number in range(1_000_000, 9_999_999, 7)]
    for number in range(count):
        yield [f"{prefix}-{number}", *(chance.choice(values[name]) for name in list(values)[1:])]


@contextmanager
def served(stage: Stage) -> Iterator[None]:
    """Serve the pages and run the worker while the block runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "linkwright", "--home", str(stage.home), "serve", "--port", str(PORT)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(is_up, "the server")
        yield
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def is_up() -> bool:
    """Tell whether the server takes connections."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", PORT), timeout=1):
        return True
    return False


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    until_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > until_s:
            raise PictureError(f"{what} did not come within {PATIENCE_S:.0f} s.")
        time.sleep(0.1)


class Photographer:
    """Holds one signed-in page for each theme."""

    def __init__(self, browser: Browser, password: str, folder: Path) -> None:
        self.pages = {theme: self._signed_in(browser, theme, password) for theme in THEMES}
        self._folder = folder

    def take(self, name: str, path: str, prepare: Callable[[Page], None] | None = None) -> None:
        """Take a picture of a page in both themes, as `name-light.png` and `name-dark.png`."""
        for theme, page in self.pages.items():
            page.goto(f"{ADDRESS}{path}")
            if prepare:
                prepare(page)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=self._folder / f"{name}-{theme}.png", animations="disabled")

    @staticmethod
    def _signed_in(browser: Browser, theme: Literal["light", "dark"], password: str) -> Page:
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=theme)
        page = context.new_page()
        page.goto(f"{ADDRESS}/sign-in/")
        page.get_by_label("User name").fill(USER)
        page.get_by_label("Password").fill(password)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{ADDRESS}/jobs/envelopes/")
        return page


def open_statistics(page: Page) -> None:
    """Open the first Envelope that has linked groups, and the statistics of its Match."""
    row = page.locator("tr", has_text="dataset4b").first
    row.locator("button[aria-expanded]").click()
    page.locator("tr.below tr", has_text="Match").locator("button[aria-expanded]").first.click()
    page.locator("tr.below svg").first.wait_for()
    row.evaluate("row => window.scrollTo(0, row.getBoundingClientRect().top + window.scrollY - 100)")


def take_pictures(photographer: Photographer, stage: Stage, rows: Rows) -> None:
    """Take the quiet pictures first, then those of a queue at work."""
    photographer.take("project", "/projects/FEBRL4/")
    photographer.take("statistics", "/jobs/envelopes/?live=off", open_statistics)
    photographer.take("group", "/projects/FEBRL4/groups/4/")
    many = stage.write("all.csv", [list(rows[0]), *strangers(rows, STRANGERS_COUNT, "all")])
    few = stage.write("few.csv", [list(rows[0]), *strangers(rows, 1_000, "few")])
    queued = ("submit-file", "--project", "FEBRL4", "--event-type", "FEBRL-A")
    stage.command(*queued, "--name", "Registrations 1926-2025", many)
    for number in (1, 2):
        stage.command(*queued, "--name", f"Registrations 2026, part {number}", few)
    first = photographer.pages["light"]
    first.goto(f"{ADDRESS}/jobs/all/")
    first.get_by_text("Match ·").first.wait_for(timeout=PATIENCE_S * 1000)
    photographer.take("jobs", "/jobs/all/")
    photographer.take("envelopes", "/jobs/envelopes/")


def main(arguments: Sequence[str]) -> int:
    """Play the morning and take the pictures; return the exit code."""
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    chromium = find_chromium()
    if chromium is None:
        print(NO_CHROMIUM, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        stage = Stage(Path(scratch) / "home", Path(scratch))
        stage.command("demo", "--once")
        source = write_demo_files(stage.files)[0].path
        with source.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        play_morning(stage, rows)
        password = stage.command("create-administrator", USER).split()[-1]
        with served(stage), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
            take_pictures(Photographer(browser, password, folder), stage, rows)
            browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
