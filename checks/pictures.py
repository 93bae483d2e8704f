"""Takes the pictures of the pages that the documentation shows, in both themes.

    python -m checks.pictures [FOLDER]

writes docs/pictures/*.png anew (or into FOLDER). A server of its own is set up in the browser, as a person would;
then a morning is played on it: the demo project, a deletion, a review, files with faults, a rollback, an
extraction, people who come and go; then half a million rows that do not belong together, so that something runs
and something waits. Takes some minutes. Pictures differ from run to run, by times and by how far a job has come.
"""

import csv
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from playwright.sync_api import sync_playwright

from checks.machine import NO_CHROMIUM, find_chromium
from checks.picture_catalog import take_catalog
from checks.picture_list import FOLDER, PICTURES
from checks.picture_people import take_administration, take_own, take_people, take_sign_in
from checks.picture_queue import take_busy, take_quiet_queue, take_uploads
from checks.picture_rest import take_archived, take_the_rest
from checks.picture_result import take_groups, take_match
from checks.picture_scenes import load_demo, make_the_rest, play_first_run, play_morning, play_pilot
from checks.picture_stage import HEIGHT, WIDTH, Photographer, PictureError, Rows, Stage
from linkwright.services.demo_data import write_demo_files

CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]


def take_pictures(camera: Photographer, stage: Stage) -> None:
    """Set a server up, play the morning, and take every picture.

    Raises:
        PictureError: if not all pictures of the list were taken.
    """
    first, second = [_rows(file.path) for file in write_demo_files(stage.files)]
    with stage.served() as link:
        play_first_run(camera, stage, link, (first, second))
        load_demo(camera)
        play_morning(stage, first)
        play_pilot(stage, first)
        make_the_rest(stage)
        take_catalog(camera)
        group = take_groups(camera, first)
        take_the_rest(camera, stage)
        take_match(camera)
        take_people(camera, stage, group)
        take_own(camera)
        take_administration(camera)
        take_quiet_queue(camera)
        take_archived(camera, stage)
        take_uploads(camera, stage)
        take_busy(camera, stage, first)
        take_sign_in(camera, link)
    camera.finish()
    left = sorted(set(PICTURES) - set(camera.taken))
    if left:
        raise PictureError(f"Not taken were {', '.join(left)}. Correct checks/picture_list.py.")


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
    addresses = {name: picture.address for name, picture in PICTURES.items()}
    spawning = get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="linkwright-") as scratch,
        ProcessPoolExecutor(1, spawning) as light,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        page = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}).new_page()
        take_pictures(Photographer(page, folder, addresses, light), Stage(Path(scratch) / "home", Path(scratch)))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
