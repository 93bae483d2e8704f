"""From the upload form to linked groups: the real `linkwright serve`, a real worker, a real Chromium."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from linkwright.envelopes.builder import SourceFile, build_package
from linkwright.envelopes.manifest import RequestType
from linkwright.services.demo_data import PROJECT_CODE, PROJECT_FILE, PROVIDER_CODE, write_demo_files
from tests.browser.conftest import DESKTOP
from tests.browser.served_system import served as served_system

ENVELOPE_ENDS_WITHIN_MS = 120_000
NARROW = "\u202f"


@dataclass(frozen=True)
class Served:
    """A running system with one Administrator."""

    url: str
    username: str
    password: str


def _linkwright(home: Path, *arguments: str) -> str:
    """Run a command on a data folder, and return what it printed."""
    environment = {**os.environ, "LINKWRIGHT_HOME": str(home), "CI": ""}
    done = subprocess.run(
        [sys.executable, "-m", "linkwright", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Start pages and worker on a fresh data folder that knows the demo's project."""
    home = tmp_path / "home"
    _linkwright(home, "apply", str(PROJECT_FILE))
    told = _linkwright(home, "create-administrator", "olga")
    password = re.search(r"password:\s+(\S+)", told)
    assert password
    with served_system(home) as system:
        yield Served(system.url, "olga", password[1])


def _envelopes(folder: Path) -> list[Path]:
    """Pack the demo's two files as two Envelopes: one month, and the next."""
    folder.mkdir()
    return [
        build_package(
            folder / f"{file.event_type_code}.zip",
            linkage_project=PROJECT_CODE,
            sender=PROVIDER_CODE,
            request_type=RequestType.SUBMIT_LINKAGE,
            data=[SourceFile(path=file.path, event_type_code=file.event_type_code)],
        )
        for file in write_demo_files(folder)
    ]


def _upload(page: Page, package: Path, name: str) -> None:
    page.locator("#upload-file").set_input_files(package)
    page.locator("#upload-name").fill(name)
    page.locator("#upload-submit").click()
    expect(page.locator("#upload-result")).to_contain_text(f"{name} is queued with 5 jobs.")


def _figure(page: Page, scope: str, label: str) -> str:
    figure = page.locator(f"{scope} .figures > div").filter(has=page.get_by_text(label, exact=True))
    return figure.locator("dd").inner_text()


def test_two_envelopes_go_in_and_linked_groups_come_out(served: Served, browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(base_url=served.url, viewport=DESKTOP)  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto("/jobs/envelopes/")
    page.get_by_label("User name").fill(served.username)
    page.get_by_label("Password").fill(served.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#queue-pill")).to_have_text("Idle")

    for package, name in zip(_envelopes(tmp_path / "demo"), ("JANUARY", "FEBRUARY"), strict=True):
        _upload(page, package, name)
    row = page.locator("#envelopes tr[data-version]").filter(has_text="FEBRUARY")
    # nobody reloads: the page follows by itself
    expect(row.locator(".status")).to_have_text("Success", timeout=ENVELOPE_ENDS_WITHIN_MS)
    expect(row.locator(".number").first).to_have_text(f"5{NARROW}000")

    row.locator("button.plus").click()
    steps = page.locator(".inset tr[data-version]")
    expect(steps).to_have_count(5)
    assert steps.locator(".status").all_inner_texts() == ["Success"] * 5
    steps.filter(has_text="Load").locator("button.plus").click()
    steps.filter(has_text="Match").locator("button.plus").click()
    expect(page.locator(".statistics")).to_have_count(2)
    assert _figure(page, ".statistics", "Rows loaded") == f"5{NARROW}000"
    assert _figure(page, ".statistics", "Rows rejected") == "0"
    assert _figure(page, ".statistics", "Held records") == f"5{NARROW}000"

    page.goto(f"/projects/{PROJECT_CODE}/")
    assert _figure(page, ".panel", "Records") == f"10{NARROW}000"
    # every one of the 5,000 people has an original and a duplicate; nearly all of them are found
    assert 4_990 <= int(_figure(page, ".panel", "Groups").replace(NARROW, "")) <= 5_030
    expect(page.locator(".plot")).to_have_count(6)
    page.locator(".plot summary").first.click()
    expect(page.locator(".plot table").first).to_be_visible()
    assert complaints == []
    context.close()
