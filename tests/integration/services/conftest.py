"""A mail server, and a project whose address is to be told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from linkwright.config import load_config, prepare_home
from linkwright.store.models import LinkageProject
from tests.integration.services.mailing import ADDRESS, set_email
from tests.smtp_sink import Sink, smtp_sink


@pytest.fixture
def sink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None) -> Iterator[Sink]:
    """Return an SMTP server that the Settings point to."""
    monkeypatch.setenv("LINKWRIGHT_HOME", str(tmp_path / "home"))
    prepare_home(load_config())
    with smtp_sink() as running:
        set_email(Enabled=True, Host="127.0.0.1", Port=running.port, SystemAddress="system@example.org")
        yield running


@pytest.fixture
def notified_project(db: None) -> LinkageProject:
    """Return a project with a notification address."""
    return LinkageProject.objects.create(code="P1", name="P1", notification_email=ADDRESS)
