"""An inbox with a watch over it and a clock of its own, for tests."""

import os
from pathlib import Path

import pytest

from linkwright.services.inbox_settings import InboxSettings
from linkwright.services.inbox_status import InboxStatus, read_inbox_status
from linkwright.services.watch_inbox import InboxWatch
from linkwright.store.models import Envelope
from tests.integration.pipeline.conftest import System

SETTLE_S, UNFINISHED_S = 10.0, 600.0


class Inbox:
    """An inbox, a watch over it, and a clock."""

    def __init__(self, system: System, folder: Path) -> None:
        self.system, self.folder = system, folder
        self.settings = InboxSettings(
            enabled=True, folder=folder, settle_s=SETTLE_S, poll_s=5.0, unfinished_s=UNFINISHED_S
        )
        self.now_s = 1000.0
        self.package = system.build("package", [("a1", "Anna", "Berg", "1980-01-02", "2000")])
        self.watch = InboxWatch(system.config, lambda: None)

    def put(self, name: str | bytes, content: bytes | None = None) -> Path:
        """Put an Envelope, or other bytes, into the inbox."""
        path = self.folder / os.fsdecode(name)
        path.write_bytes(self.package.read_bytes() if content is None else content)
        return path

    def look(self, after_s: float = 0.0) -> None:
        self.now_s += after_s
        self.watch.look(self.settings, self.now_s)

    def settle(self, after_s: float = SETTLE_S) -> None:
        """Look, let time pass, and look again."""
        self.look()
        self.look(after_s)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def reasons(self) -> dict[str, str]:
        """Return the reasons beside the rejected files."""
        folder = self.folder / "rejected"
        return {path.name: path.read_text() for path in folder.glob("*.reason.txt")}

    @property
    def status(self) -> InboxStatus:
        return read_inbox_status(self.system.config)


def taken() -> list[str]:
    return list(Envelope.objects.order_by("pk").values_list("name", flat=True))


@pytest.fixture
def inbox(system: System, tmp_path: Path) -> Inbox:
    (tmp_path / "drop").mkdir()
    return Inbox(system, tmp_path / "drop")
