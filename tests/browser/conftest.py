"""A real Chromium against a real server in this process, with a seeded database behind it."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from checks.machine import NO_CHROMIUM, find_chromium
from linkwright.config import load_config, prepare_home
from linkwright.store.models import User, WorkerPresence
from tests.integration.web.kept_seed import lay
from tests.integration.web.seed import World, seed_people_and_projects, seed_world

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1400, "height": 900}
PHONE = {"width": 400, "height": 800}
PATIENCE_MS = 30_000

# Playwright's synchronous interface keeps an event loop in the main thread for as long as the browser lives, and
# Django would take every query of a test for one made inside that loop.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# Only so that a test that hangs ends: a busy machine takes more than Playwright's five seconds at times.
expect.set_options(timeout=PATIENCE_MS)

OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Tell pytest-playwright which Chromium to start; without one the test is skipped, and fails in CI."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip(NO_CHROMIUM)
    return {"executable_path": str(chromium), "args": CHROMIUM_ARGUMENTS}


@pytest.fixture
def world(live_server: LiveServer) -> World:
    """Return a busy morning, with a worker that is always there."""
    prepare_home(load_config())
    seeded = lay(seed_world)
    WorkerPresence.objects.update(seen_at=timezone.now() + timedelta(days=1))
    return seeded


@pytest.fixture
def empty_world(live_server: LiveServer) -> World:
    """Return people and projects, and no Envelope."""
    prepare_home(load_config())
    return lay(seed_people_and_projects)


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer) -> Iterator[OpenPage]:
    """Return a function that opens a page for a person in a browser of their own.

    An error in the page's console, as a breach of the Content-Security-Policy is, fails the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def make(path: str, user: User | None = None, **options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **{"viewport": DESKTOP, **options})
        contexts.append(context)
        if user is not None:
            context.add_cookies([session_cookie(user, live_server.url)])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def session_cookie(user: User, url: str) -> SetCookieParam:
    """Sign a person in, and return the cookie."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return SetCookieParam(name=name, value=client.cookies[name].value, url=url)
