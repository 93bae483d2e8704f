"""A worker is killed while somebody looks: the page shows the recovery by itself."""

import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.plugin import DjangoDbBlocker

from linkwright.services.receive_envelope import receive_envelope
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Job, JobKind, JobState
from tests.browser.conftest import DESKTOP
from tests.live_system import ROOT, LiveSystem, new_sqlite_database, wait_until
from tests.small_envelopes import build_envelope, write_project_file

# of 5,000 records; loading them takes more than a second
COPIES = 20
ENDS_WITHIN_MS = 90_000


@dataclass(frozen=True)
class Watched:
    """A system with pages and without a worker, and how to sign in."""

    system: LiveSystem
    url: str
    password: str


@pytest.fixture
def watched(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Watched]:
    """Return a system whose pages are served; none of its processes outlives the test."""
    system = LiveSystem(tmp_path / "home", new_sqlite_database(tmp_path / "home"))
    with django_db_blocker.unblock(), system.entered():
        system.set_up(write_project_file(tmp_path))
        password = re.search(r"password:\s+(\S+)", system.command("create-administrator", "olga"))
        assert password is not None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        web = subprocess.Popen(
            [sys.executable, "-m", "linkwright", "web", "--port", str(port)],
            env=system.environment,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: _answers(url), "the pages to be served")
            yield Watched(system, url, password[1])
        finally:
            web.terminate()
            web.wait(timeout=30)
            left = system.stop()
    assert left == []


def _answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=2) as response:  # noqa: S310 - our own
        return bool(response.status == 200)
    return False


def test_a_worker_killed_during_a_page_view_shows_the_recovery(
    watched: Watched, browser: Browser, tmp_path: Path
) -> None:
    package = build_envelope(tmp_path, "long", "TA", {"FEBRL-A": (0, 5000)}, copies=COPIES)
    envelope = receive_envelope(package, name="", actor=COMMAND_LINE)
    job = Job.objects.get(envelope=envelope, kind=JobKind.LOAD)
    running = Job.objects.filter(pk=job.pk, state=JobState.RUNNING, progress__done__gt=0)
    context = browser.new_context(base_url=watched.url, viewport=DESKTOP)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"/sign-in/?next=/jobs/envelopes/%3Fopen%3Denvelope-{envelope.pk}")
    page.get_by_label("User name").fill("olga")
    page.get_by_label("Password").fill(watched.password)
    page.get_by_role("button", name="Sign in").click()
    page.locator(f"#step-{job.pk}-audit").click()
    messages = page.locator("#dialog .messages")
    first = watched.system.start_worker()
    wait_until(running.exists, "the Load job to be under way")
    first.kill()
    watched.system.start_worker()
    # nobody reloads: the open popup tells of the death and of the next attempt
    expect(page.locator("#dialog")).to_contain_text("The job is run again.", timeout=ENDS_WITHIN_MS)
    expect(page.locator("#dialog")).to_contain_text("Attempt 2", timeout=ENDS_WITHIN_MS)
    page.keyboard.press("Escape")
    row = page.locator(f"#step-{job.pk}")
    expect(row.locator(".status")).to_have_text("Success", timeout=ENDS_WITHIN_MS)
    expect(row.locator("td.number").first).to_have_text("2")
    expect(page.locator(f"#envelope-{envelope.pk}-toggle")).to_have_attribute("aria-expanded", "true")
    expect(page.locator(f"#envelope-{envelope.pk} .status")).to_have_text("Success", timeout=ENDS_WITHIN_MS)
    assert messages.count() == 0
    context.close()
