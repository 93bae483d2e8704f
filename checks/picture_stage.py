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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

from checks.palette_png import with_palette

PORT = 8719
ADDRESS = f"http://127.0.0.1:{PORT}"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTH, HEIGHT = 1400, 1000
PATIENCE_S = 180.0
DROP = """([target, name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type: "text/csv" }));
  target.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
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
    """Takes pictures of one page, in both themes."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.taken: list[str] = []
        self._folder = folder

    def go(self, path: str) -> Page:
        """Open a page."""
        self.page.goto(f"{ADDRESS}{path}")
        return self.page

    def take(self, name: str, *, height: int = HEIGHT) -> None:
        """Take a picture of what is shown, as `name-light.png` and `name-dark.png`."""
        self.page.set_viewport_size({"width": WIDTH, "height": height})
        for theme in THEMES:
            self.page.emulate_media(color_scheme=theme)
            picture = self.page.screenshot(animations="disabled", caret="hide")
            (self._folder / f"{name}-{theme}.png").write_bytes(with_palette(picture))
        self.taken.append(name)

    def drop(self, place: str, file: Path) -> None:
        """Drop a file on a place of the page."""
        self.page.evaluate(DROP, [self.page.locator(place).element_handle(), file.name, file.read_text()])

    def press(self, name: str) -> None:
        """Click the first button or link of a name."""
        button = self.page.get_by_role("button", name=name).or_(self.page.get_by_role("link", name=name))
        button.first.click()


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
