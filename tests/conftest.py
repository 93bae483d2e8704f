"""A data folder of its own for every test process, made before Django reads its settings, empty for each test."""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.conf import settings as django_settings
from django.test.client import ClientHandler
from hypothesis import settings

_home = tempfile.mkdtemp(prefix="linkwright-tests-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["LINKWRIGHT_HOME"] = _home
os.environ["DJANGO_SETTINGS_MODULE"] = "linkwright.django_settings"

# before any test module or conftest imports a model
django.setup()

# in CI nothing is skipped: what a test needs and does not find is a failure
pytest_plugins = ["checks.no_skips"]

# a machine that others use too is slow at times; what may take long is bounded where it is a requirement
settings.register_profile("linkwright", deadline=None)
settings.load_profile("linkwright")


# what a handler makes of the settings; nearly every request of a test has a client, and so a handler, of its own
_LOADED = ("_middleware_chain", "_view_middleware", "_template_response_middleware", "_exception_middleware")


@pytest.fixture(scope="session", autouse=True)
def _middleware_loaded_once() -> Iterator[None]:
    """Load the middleware once a process: it looks through all static files, as long as a request takes."""
    loaded: dict[tuple[str, ...], ClientHandler] = {}
    load = ClientHandler.load_middleware

    def load_once(handler: ClientHandler, is_async: bool = False) -> None:
        first = loaded.setdefault(tuple(django_settings.MIDDLEWARE), handler)
        if first is handler:
            load(handler, is_async)
        for name in _LOADED:
            setattr(handler, name, getattr(first, name))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientHandler, "load_middleware", load_once)
        yield


@pytest.fixture(autouse=True)
def _nothing_of_other_tests() -> None:
    """Take away what earlier tests of this process left: files beside Django's test database, and memories."""
    for entry in Path(_home).iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        elif not entry.name.startswith("test.sqlite3"):
            entry.unlink()
    if rights := sys.modules.get("linkwright.api.rights"):
        rights.failed_keys.forget()
    if oidc_protocol := sys.modules.get("linkwright.services.oidc_protocol"):
        # a port may be given to another provider
        oidc_protocol._known.clear()
