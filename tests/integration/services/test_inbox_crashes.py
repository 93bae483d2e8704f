"""The inbox when something dies: no crash, full disk or lost share loses or doubles an Envelope."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from django.db import OperationalError

from linkwright.services import inbox_take
from linkwright.services.inbox_settings import InboxSettings
from linkwright.services.watch_inbox import InboxWatch
from linkwright.store.models import Envelope
from tests.integration.pipeline.conftest import system as system  # noqa: PLC0414 - a fixture
from tests.integration.services.watched_inbox import SETTLE_S, UNFINISHED_S, Inbox, taken
from tests.integration.services.watched_inbox import inbox as inbox  # noqa: PLC0414 - a fixture

pytestmark = pytest.mark.django_db


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount another filesystem."""
    folder = tmp_path / "share"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let this user mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


class CrashError(Exception):
    """Stands for the death of the process."""


def _crash_everywhere(inbox: Inbox, put: Callable[[str], object]) -> int:
    """Let the process die at the first step, the second and so on, go on, and count the Envelopes."""
    for crash_at in count(1):
        name = f"crash-{crash_at}"
        put(f"{name}.zip")
        steps = count(1)

        def go_on(steps: Iterator[int] = steps, crash_at: int = crash_at) -> None:
            if next(steps) == crash_at:
                raise CrashError

        inbox.watch = InboxWatch(inbox.system.config, go_on)
        inbox.look()
        is_done = False
        try:
            inbox.look(SETTLE_S)
            is_done = True
        except CrashError:
            inbox.watch = InboxWatch(inbox.system.config, lambda: None)
            inbox.settle()
        assert taken().count(name) == 1, f"crash at step {crash_at}"
        assert inbox.names() == []
        assert list(inbox.system.config.taking_folder.iterdir()) == []
        assert len(list(inbox.system.config.incoming_folder.iterdir())) == crash_at
        if is_done:
            return crash_at
    raise AssertionError


def test_no_crash_between_two_steps_loses_or_doubles_an_envelope(inbox: Inbox) -> None:
    assert _crash_everywhere(inbox, inbox.put) > 5


def test_nor_does_one_while_a_file_comes_from_another_filesystem(inbox: Inbox, other_disk: Path) -> None:
    inbox.folder = other_disk
    inbox.settings = InboxSettings(True, other_disk, SETTLE_S, 5.0, UNFINISHED_S)
    assert _crash_everywhere(inbox, inbox.put) > 9


def test_a_share_that_is_gone_while_a_file_is_copied_from_it_is_waited_for(
    inbox: Inbox, other_disk: Path, tmp_path: Path
) -> None:
    share = other_disk / "drop"
    share.mkdir()
    inbox.folder = share
    inbox.settings = InboxSettings(True, share, SETTLE_S, 5.0, UNFINISHED_S)
    inbox.put("a.zip")
    steps = count(1)

    def go_on() -> None:
        if next(steps) == 4:
            raise CrashError

    inbox.watch = InboxWatch(inbox.system.config, go_on)
    inbox.look()
    with pytest.raises(CrashError):
        inbox.look(SETTLE_S)
    away = share.rename(other_disk / "away")
    share.mkdir()
    inbox.watch = InboxWatch(inbox.system.config, lambda: None)
    inbox.look()
    assert "was on its way out of" in inbox.status.problem
    share.rmdir()
    away.rename(share)
    inbox.look()
    assert (taken(), inbox.names(), inbox.status.problem) == (["a"], [], "")


def test_a_rename_that_the_kernel_refuses_between_two_mounts_becomes_a_copy(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.parent == inbox.folder and target.name == "content":
            raise OSError(18, "Invalid cross-device link")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    inbox.put("a.zip")
    inbox.settle()
    assert (taken(), inbox.names()) == (["a"], [])


def test_a_full_disk_leaves_the_file_in_the_inbox(
    inbox: Inbox, other_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.folder = other_disk
    inbox.settings = InboxSettings(True, other_disk, SETTLE_S, 5.0, UNFINISHED_S)
    inbox.put("a.zip")
    usage = shutil.disk_usage(other_disk)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    inbox.settle()
    assert (taken(), inbox.names()) == ([], ["a.zip"])
    assert "does not fit onto the disk" in inbox.status.problem


def test_a_database_that_is_gone_for_a_while_loses_and_doubles_nothing(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise OperationalError("the database is gone")

    inbox.put("a.zip")
    inbox.put("b.zip")
    inbox.look()
    with monkeypatch.context() as patch:
        patch.setattr(inbox_take, "register_envelope", fail)
        for _ in range(2):
            with pytest.raises(OperationalError):
                inbox.look(SETTLE_S)
    inbox.look()
    assert (taken(), inbox.names()) == (["a", "b"], [])


def test_a_leftover_whose_envelope_was_rolled_back_meanwhile_is_only_deleted(inbox: Inbox) -> None:
    inbox.put("a.zip")
    steps = count(1)

    def go_on() -> None:
        if Envelope.objects.exists() and next(steps) == 1:
            raise CrashError

    inbox.watch = InboxWatch(inbox.system.config, go_on)
    inbox.look()
    with pytest.raises(CrashError):
        inbox.look(SETTLE_S)
    envelope = Envelope.objects.get()
    (inbox.system.config.incoming_folder / envelope.file_name).unlink()
    Envelope.objects.update(file_name="")
    inbox.watch = InboxWatch(inbox.system.config, lambda: None)
    inbox.settle()
    assert taken() == ["a"]
    assert list(inbox.system.config.taking_folder.iterdir()) == []
