"""A file in slices from the page: through a cut, a reload, a wrong file, a cancel; several one after the other."""

import json
import os
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import APIResponse, Page, Route, expect

from linkwright.config import load_config
from linkwright.store.models import Envelope
from tests.browser.conftest import OpenPage
from tests.browser.test_access import faults_of
from tests.integration.web.seed import PASSWORD, World
from tests.integration.web.test_upload import make_package

ENVELOPES = "/jobs/envelopes/"
SLICES = "**/uploads/*/"
MIB = 1024 * 1024


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Write an Envelope of 5 MiB, which takes several slices."""
    path = tmp_path / "births-2026.zip"
    path.write_bytes(make_package(padding=os.urandom(5 * MIB)))
    return path


def _choose(page: Page, *files: Path) -> None:
    page.locator("#upload-file").set_input_files(files)
    page.locator("#upload-submit").click()


class _Cut:
    """Lets so many slices through, and then cuts the connection until it is mended."""

    def __init__(self, page: Page, after: int) -> None:
        self.left, self.offsets = after, list[int]()
        page.route(SLICES, self._handle)

    def _handle(self, route: Route) -> None:
        if route.request.method == "PUT":
            if not self.left:
                route.abort("connectionreset")
                return
            self.left -= 1
            self.offsets.append(int(route.request.headers["upload-offset"]))
        route.continue_()

    def mend(self) -> None:
        """Let everything through again."""
        self.left = 1000


def _offers(page: Page) -> "list[dict[str, object]]":
    found: list[dict[str, object]] = json.loads(
        page.evaluate("localStorage.getItem('linkwright-uploads')") or "[]"
    )
    return found


def test_an_upload_that_is_cut_says_so_and_goes_on_by_itself(
    empty_world: World, open_page: OpenPage, package: Path
) -> None:
    page = open_page(ENVELOPES, empty_world.owner)
    cut = _Cut(page, after=2)
    _choose(page, package)
    expect(page.locator("#upload-stage")).to_have_text(
        "The server cannot be reached. Nothing is lost: it goes on by itself"
    )
    expect(page.locator("#upload-numbers")).to_contain_text("trying again in")
    expect(page.locator("#announcer")).to_contain_text("cannot be reached")
    assert faults_of(page) == []
    cut.mend()
    expect(page.locator("#upload-result")).to_contain_text("births-2026 is queued with 5 jobs.")
    # nothing was sent twice
    assert len(set(cut.offsets)) == len(cut.offsets) > 3
    envelope = Envelope.objects.get()
    assert (load_config().incoming_folder / envelope.file_name).read_bytes() == package.read_bytes()
    assert _offers(page) == []


def test_a_reload_in_the_middle_offers_to_go_on_with_the_same_file(
    empty_world: World, open_page: OpenPage, package: Path, tmp_path: Path
) -> None:
    page = open_page(ENVELOPES, empty_world.owner)
    cut = _Cut(page, after=2)
    _choose(page, package)
    expect(page.locator("#upload-stage")).to_contain_text("cannot be reached")
    page.reload()
    cut.mend()
    offer = page.locator(".upload-offer")
    expect(offer).to_contain_text("births-2026.zip is not uploaded to its end")
    assert faults_of(page) == []
    other = tmp_path / "deaths.zip"
    other.write_bytes(make_package())
    with page.expect_file_chooser() as chooser:
        offer.get_by_role("button", name="Choose the file").click()
    chooser.value.set_files(other)
    expect(page.locator("#upload-result")).to_contain_text("deaths.zip is not the file that was begun")
    before = len(cut.offsets)
    with page.expect_file_chooser() as chooser:
        offer.get_by_role("button", name="Choose the file").click()
    chooser.value.set_files(package)
    expect(page.locator("#upload-result")).to_contain_text("births-2026 is queued with 5 jobs.")
    assert before == 2
    assert min(cut.offsets[before:]) > max(cut.offsets[:before])
    assert Envelope.objects.count() == 1
    expect(offer).to_have_count(0)


def test_an_upload_that_is_not_wanted_any_more_is_discarded(
    empty_world: World, open_page: OpenPage, package: Path
) -> None:
    page = open_page(ENVELOPES, empty_world.owner)
    _Cut(page, after=1)
    _choose(page, package)
    expect(page.locator("#upload-stage")).to_contain_text("cannot be reached")
    page.reload()
    page.get_by_role("button", name="Discard it").click()
    expect(page.locator(".upload-offer")).to_have_count(0)
    expect(page.locator("#announcer")).to_contain_text("is deleted")
    assert _offers(page) == []
    assert not list(load_config().uploads_folder.glob("*/data"))


def test_a_cancelled_upload_is_deleted_on_the_server(
    empty_world: World, open_page: OpenPage, package: Path
) -> None:
    page = open_page(ENVELOPES, empty_world.owner)
    _Cut(page, after=1)
    _choose(page, package)
    expect(page.locator("#upload-stage")).to_contain_text("cannot be reached")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#upload-result")).to_contain_text("was cancelled. Nothing of it was kept.")
    expect(page.locator("#upload-progress")).to_be_hidden()
    expect(page.locator("#upload-submit")).to_be_enabled()
    assert not list(load_config().uploads_folder.glob("*/data"))
    assert not Envelope.objects.exists()


def test_several_files_go_one_after_the_other_each_with_its_outcome(
    empty_world: World, open_page: OpenPage, package: Path, tmp_path: Path
) -> None:
    broken, last = tmp_path / "broken.zip", tmp_path / "deaths-2026.zip"
    broken.write_bytes(make_package(held="deaths.csv"))
    last.write_bytes(make_package())
    page = open_page(ENVELOPES, empty_world.owner)
    _choose(page, package, broken, last)
    expect(page.locator("#upload-result .flash")).to_have_count(3)
    told = page.locator("#upload-result .flash p").all_inner_texts()
    assert told == [
        "births-2026 is queued with 5 jobs.",
        "broken is Corrupt: it cannot be used.",
        "deaths-2026 is queued with 5 jobs.",
    ]
    expect(page.locator("#upload-result li").first).to_contain_text("are not in the zip")
    assert Envelope.objects.count() == 3
    assert _offers(page) == []
    # who presses the button once more sends nothing twice
    left = page.evaluate("[...document.getElementById('upload-file').files].map((file) => file.name)")
    assert left == ["broken.zip"]


def test_a_lost_answer_of_the_end_makes_no_second_envelope(
    empty_world: World, open_page: OpenPage, package: Path
) -> None:
    page = open_page(ENVELOPES, empty_world.owner)
    lost: list[APIResponse] = []

    def lose(route: Route) -> None:
        if not lost:
            # the server has done it, and nobody hears of it
            lost.append(route.fetch())
            route.abort("connectionreset")
            return
        route.continue_()

    page.route("**/jobs/envelopes/upload/", lose)
    _choose(page, package)
    expect(page.locator("#upload-result")).to_contain_text("births-2026 is queued with 5 jobs.")
    assert [answer.status for answer in lost] == [200]
    assert Envelope.objects.count() == 1


def test_who_was_signed_out_signs_in_and_goes_on(empty_world: World, open_page: OpenPage, package: Path) -> None:
    page = open_page(ENVELOPES, empty_world.owner)

    def sign_out(route: Route) -> None:
        Session.objects.all().delete()
        route.continue_()

    page.route(SLICES, sign_out)
    _choose(page, package)
    page.wait_for_url("**/sign-in/**")
    page.unroute(SLICES)
    page.get_by_label("User name").fill("owner")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".upload-offer")).to_contain_text("births-2026.zip is not uploaded to its end")
    _choose(page, package)
    expect(page.locator("#upload-result")).to_contain_text("births-2026 is queued with 5 jobs.")


def test_an_upload_that_the_server_did_not_delete_is_not_called_deleted(
    empty_world: World, open_page: OpenPage, package: Path
) -> None:
    page = open_page(ENVELOPES, empty_world.owner)
    _Cut(page, after=1)
    _choose(page, package)
    expect(page.locator("#upload-stage")).to_contain_text("cannot be reached")
    page.reload()
    page.route(SLICES, lambda route: route.abort("connectionreset"))
    page.get_by_role("button", name="Discard it").click()
    expect(page.locator("#upload-result")).to_contain_text("did not delete yet what had come of it")
    assert _offers(page) == []
    assert len(list(load_config().uploads_folder.glob("*/data"))) == 1
