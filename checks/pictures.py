"""Takes the pictures of the pages that the documentation shows, in both themes.

    python -m checks.pictures [FOLDER]

writes docs/pictures/*.png anew (or into FOLDER). A server of its own is set up in the browser, as a person would;
then a morning is played on it: the demo project, a deletion, a review, two files with faults, a rollback, an
extraction; then a million rows that do not belong together, so that something runs and something waits. Takes some
minutes. Pictures differ from run to run, by times and by how far a job has come.
"""

import csv
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

from checks.machine import NO_CHROMIUM, find_chromium
from checks.picture_rest import REST, make_the_rest, take_the_rest
from checks.picture_scenes import load_demo, play_first_run, play_morning, take_busy, take_quiet, take_sign_in
from checks.picture_stage import HEIGHT, WIDTH, Photographer, PictureError, Rows, Stage
from linkwright.services.demo_data import write_demo_files

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "pictures"
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
PICTURES = (
    *("sign-in", "set-up", "first-steps", "import-format", "new-project", "submit-file", "first-groups"),
    *("providers", "event-types", "import-formats", "projects", "project", "records", "group", "pair"),
    *("linkage-fields", "match-configuration", "match-edit", "match-try", "match-differences"),
    *("jobs", "envelopes", "statistics", "people", "audit-log", "settings"),
    *REST,
)


def take_pictures(camera: Photographer, stage: Stage) -> None:
    """Set a server up, play the morning, and take every picture.

    Raises:
        PictureError: if other pictures were taken than `PICTURES` names.
    """
    first, second = [_rows(file.path) for file in write_demo_files(stage.files)]
    with stage.served() as link:
        play_first_run(camera, stage, link, (first, second))
        load_demo(camera)
        play_morning(stage, first)
        make_the_rest(stage)
        take_quiet(camera)
        take_the_rest(camera)
        take_busy(camera, stage, first)
        take_sign_in(camera)
    if sorted(camera.taken) != sorted(PICTURES):
        taken = ", ".join(sorted(camera.taken))
        raise PictureError(f"Taken were {taken}. Correct PICTURES in checks/pictures.py.")


def _rows(path: Path) -> Rows:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def main(arguments: Sequence[str]) -> int:
    """Take the pictures; return the exit code."""
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    chromium = find_chromium()
    if chromium is None:
        print(NO_CHROMIUM, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        page = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}).new_page()
        take_pictures(Photographer(page, folder), Stage(Path(scratch) / "home", Path(scratch)))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
