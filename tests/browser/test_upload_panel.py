"""The upload panel while a file is on its way: dropped, counted in bytes with rate and time left, examined."""

import base64
import os
import re

from playwright.sync_api import Page, expect

from linkwright.store.models import Envelope
from tests.browser.conftest import OpenPage
from tests.integration.web.seed import World
from tests.integration.web.test_upload import make_package

ENVELOPES = "/jobs/envelopes/"
MIB = 1024 * 1024
SIZE = re.compile(r"[\d.]+\u202f(B|KiB|MiB) of 3\.\d\u202fMiB")
RATE_AND_TIME = re.compile(r" · [\d.]+\u202f(B|KiB|MiB)/s · about [\d.]+ (s|min \d+ s) left$")

DROP = """([name, content]) => {
  const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type: 'application/zip' }));
  const zone = document.getElementById('upload-drop');
  for (const name of ['dragenter', 'dragover', 'drop'])
    zone.dispatchEvent(new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true }));
}"""
# every text that the panel has shown, in order
LISTEN = """() => {
  window.told = [];
  const text = (id) => document.getElementById(id).textContent;
  const bar = document.getElementById('upload-bar');
  const note = () => window.told.push([text('upload-stage'), text('upload-numbers'), bar.value]);
  const what = { childList: true, subtree: true, characterData: true };
  new MutationObserver(note).observe(document.getElementById('upload-progress'), what);
}"""


def _drop(page: Page, name: str, content: bytes) -> None:
    page.evaluate(DROP, [name, base64.b64encode(content).decode()])


def test_a_dropped_file_is_uploaded_with_bytes_rate_and_time_left_then_examined_then_queued(
    empty_world: World, open_page: OpenPage
) -> None:
    page = open_page(ENVELOPES, empty_world.owner)
    page.evaluate(LISTEN)
    _drop(page, "births-2026.zip", make_package(padding=os.urandom(3 * MIB)))
    expect(page.locator("#upload-drop")).not_to_have_class(re.compile("is-over"))
    assert page.evaluate("document.getElementById('upload-file').files[0].name") == "births-2026.zip"
    page.locator("#upload-submit").click()
    expect(page.locator("#upload-result")).to_contain_text("births-2026 is queued with 5 jobs.")
    told: list[tuple[str, str, float]] = [tuple(one) for one in page.evaluate("window.told")]
    stages = list(dict.fromkeys(stage for stage, _, _ in told if stage))
    assert stages == ["Uploading births-2026.zip", "Examining births-2026.zip"]
    under_way = [(numbers, share) for stage, numbers, share in told if stage.startswith("Uploading") and numbers]
    assert all(SIZE.match(numbers) for numbers, _ in under_way)
    assert any(RATE_AND_TIME.search(numbers) and 0 < share < 100 for numbers, share in under_way)
    assert Envelope.objects.get().name == "births-2026"
