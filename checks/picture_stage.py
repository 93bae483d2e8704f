"""A server of its own with its data folder, and a browser before it: what the pictures are taken of, and with.

Must not know which pictures there are.
"""

import csv
import json
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import FloatRect, Page

from checks.palette_png import with_palette
from checks.picture_list import THEMES

PORT = 8719
ADDRESS = f"http://127.0.0.1:{PORT}"
WIDTH, HEIGHT = 1400, 1000
NARROW, NARROW_WIDTH = ".page-narrow, .page-form, .page-sign-in", 1000
DIALOG, MARGIN = "dialog[open]", 48
PATIENCE_S = 180.0
DROP = """([target, name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type: "text/csv" }));
  target.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
SCROLL = "one => window.scrollTo(0, one.getBoundingClientRect().top + window.scrollY - 100)"
# around the open dialog, or the top of the page down to the end of what it holds
CLIP = """([margin, most]) => {
  const card = document.querySelector("dialog[open]")?.getBoundingClientRect();
  if (card) {
    const [x, y] = [Math.max(0, card.x - margin), Math.max(0, card.y - margin)];
    const width = Math.min(innerWidth, card.right + margin) - x;
    return { x, y, width, height: Math.min(innerHeight, card.bottom + margin) - y };
  }
  const ends = [...document.querySelectorAll("main, main > *, details[open] > *")].slice(1);
  const end = Math.max(...ends.map((one) => one.getBoundingClientRect().bottom));
  return { x: 0, y: 0, width: innerWidth, height: Math.min(most, Math.ceil(end) + margin / 2) };
}"""

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

    def write(self, name: str, rows: Iterable[Iterable[str]], separator: str = ",") -> Path:
        """Write a delimited file."""
        path = self.files / name
        with path.open("w", newline="") as stream:
            csv.writer(stream, delimiter=separator).writerows(rows)
        return path

    def settle(self) -> str:
        """Wait until the queue is empty; returns `linkwright status --json`."""
        told = [""]

        def is_idle() -> bool:
            told[0] = self.command("status", "--json")
            return not any("Active" in one["status"] or one["status"] == "Queued" for one in envelopes(told[0]))

        wait_for(is_idle, "the end of the queue")
        return told[0]

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve the pages and run the worker while the block runs; gives the link of the first run."""
        log = self.files / "serve.log"
        with log.open("w") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "linkwright", "--home", str(self.home), "serve", "--port", str(PORT)],
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
            try:
                wait_for(_is_up, "the server")
                link = re.search(r"http://\S+/set-up/\S+", log.read_text())
                yield link[0] if link else ADDRESS
            finally:
                process.terminate()
                process.wait(timeout=PATIENCE_S)


class Photographer:
    """Takes pictures of one page, in both themes, each of what it is said to show."""

    def __init__(self, page: Page, folder: Path, addresses: Mapping[str, str], light: Executor) -> None:
        """`addresses`: of each picture, by its name, `*` for what differs; `light` makes files small meanwhile."""
        self.page = page
        self.taken: list[str] = []
        self._folder = folder
        self._addresses = addresses
        self._light = light
        self._asked = ""
        self._written: list[Future[None]] = []

    def go(self, path: str) -> Page:
        """Open a page."""
        self.page.goto(path if "://" in path else f"{ADDRESS}{path}")
        return self.page

    def visit(self, name: str) -> Page:
        """Open the page of a picture whose address is known beforehand."""
        return self.go(self._addresses[name])

    def ask(self, link: str, *, on: str = "") -> Page:
        """Open the dialog of the first link that a selector finds, on the page of an address, or on this one."""
        if on:
            self.go(on)
        opener = self.page.locator(link).first
        self._asked = str(opener.get_attribute("href")).partition("?")[0]
        opener.click()
        self.page.locator(DIALOG).wait_for(timeout=PATIENCE_S * 1000)
        return self.page

    def take(self, name: str, *, height: int = HEIGHT, top: str = "") -> None:
        """Take a picture of what is shown, as `name-light.png` and `name-dark.png`.

        Of an open dialog, with what is around it; else of the page down to its end, but at most so high, with what
        the selector `top` finds scrolled to below the head. Narrow content is taken in a narrower window.

        Raises:
            PictureError: if the page or dialog has another address than the list of pictures says.
        """
        self.page.wait_for_load_state()
        shown = self._address()
        if not fnmatch(shown, self._addresses.get(name, "")):
            raise PictureError(f"{name} shows {shown}. Correct checks/picture_list.py.")
        self.page.set_viewport_size({"width": WIDTH, "height": height})
        if self.page.locator(NARROW).count():
            self.page.set_viewport_size({"width": NARROW_WIDTH, "height": height})
        if top:
            self.page.locator(top).first.evaluate(SCROLL)
        for theme in THEMES:
            self.page.emulate_media(color_scheme=theme)
            picture = self.page.screenshot(animations="disabled", caret="hide", clip=self._clip(height))
            self._written.append(self._light.submit(write_light, self._folder / f"{name}-{theme}.png", picture))
        self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        self.taken.append(name)

    def finish(self) -> None:
        """Wait until every picture is written."""
        for one in self._written:
            one.result()

    def drop(self, place: str, file: Path) -> None:
        """Drop a file on a place of the page."""
        self.page.evaluate(DROP, [self.page.locator(place).element_handle(), file.name, file.read_text()])

    def press(self, name: str) -> None:
        """Click the first button or link of a name, and wait for the page that it leads to."""
        button = self.page.get_by_role("button", name=name).or_(self.page.get_by_role("link", name=name))
        with self.page.expect_navigation():
            button.first.click()

    def follow(self, link: str) -> None:
        """Click the first link that a selector finds, and wait for the page that it leads to."""
        with self.page.expect_navigation():
            self.page.locator(link).first.click()

    def fill(self, values: Mapping[str, str]) -> None:
        """Type or choose in the open dialog what its fields shall hold, by their names."""
        for name, value in values.items():
            for field in self.page.locator(f"{DIALOG} [name={name}]").all():
                if field.evaluate("field => field.tagName") == "SELECT":
                    field.select_option(value)
                else:
                    field.fill(value)

    def beside(self) -> "Photographer":
        """Return one that sees the pages as somebody else: nobody is signed in there yet."""
        browser = self.page.context.browser
        if browser is None:
            raise PictureError("There is no browser.")
        page = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}).new_page()
        other = Photographer(page, self._folder, self._addresses, self._light)
        other.taken, other._written = self.taken, self._written
        return other

    def sign_in(self, name: str, password: str) -> None:
        """Type a user name and a password."""
        self.go("/sign-in/")
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.press("Sign in")

    def answer(self) -> None:
        """Press the button of the open dialog that says yes."""
        self.page.locator(f"{DIALOG} form button[type=submit]").first.click()

    def _address(self) -> str:
        is_asked = self.page.locator(DIALOG).count() and self.page.locator(DIALOG).get_attribute("id") == "dialog"
        return self._asked if is_asked else urlsplit(self.page.url).path

    def _clip(self, height: int) -> FloatRect:
        box: FloatRect = self.page.evaluate(CLIP, [MARGIN, height])
        return box


def write_light(path: Path, picture: bytes) -> None:
    """Write a picture with a palette."""
    path.write_bytes(with_palette(picture))


def envelopes(status: str) -> list[dict[str, str]]:
    """Return the Envelopes of `linkwright status --json`."""
    found: list[dict[str, str]] = json.loads(status)["envelopes"]
    return found


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


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    until_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > until_s:
            raise PictureError(f"{what} did not come within {PATIENCE_S:.0f} s.")
        time.sleep(0.1)


def _is_up() -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", PORT), timeout=1):
        return True
    return False
