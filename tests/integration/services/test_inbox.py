"""The inbox: what is taken, what waits, what is rejected; and that no crash loses or doubles an Envelope."""

import os
import shutil
import socket
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from django.db import OperationalError

from linkwright.services import inbox_take, watch_inbox
from linkwright.services.inbox_settings import InboxSettings, read_inbox_settings
from linkwright.services.inbox_status import read_inbox_status
from linkwright.services.watch_inbox import InboxWatch
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, Envelope, EnvelopeState, Job
from linkwright.store.settings import change_setting
from tests.integration.pipeline.conftest import System
from tests.integration.pipeline.conftest import system as system  # noqa: PLC0414 - a fixture

pytestmark = pytest.mark.django_db

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
    def status(self) -> watch_inbox.InboxStatus:
        return read_inbox_status(self.system.config)


@pytest.fixture
def inbox(system: System, tmp_path: Path) -> Inbox:
    (tmp_path / "drop").mkdir()
    return Inbox(system, tmp_path / "drop")


def taken() -> list[str]:
    return list(Envelope.objects.order_by("pk").values_list("name", flat=True))


def test_an_envelope_that_has_settled_is_moved_out_and_queued(inbox: Inbox) -> None:
    source = inbox.put("HOSP-2026-03.zip")
    inode = source.stat().st_ino
    inbox.look()
    inbox.look(SETTLE_S - 1)
    assert (taken(), inbox.status.settling_count) == ([], 1)
    inbox.look(1)
    envelope = Envelope.objects.get()
    kept = inbox.system.config.incoming_folder / envelope.file_name
    assert (envelope.name, envelope.state, envelope.jobs.count()) == ("HOSP-2026-03", EnvelopeState.QUEUED, 5)
    # renamed, not copied
    assert kept.stat().st_ino == inode
    assert inbox.names() == []
    assert list(inbox.system.config.taking_folder.iterdir()) == []
    entry = AuditLogEntry.objects.get(action="submit Envelope")
    assert (entry.user, entry.origin, entry.detail["file"]) == (None, "inbox", "HOSP-2026-03.zip")
    assert (inbox.status.last_name, inbox.status.last_envelope_id) == ("HOSP-2026-03", envelope.pk)


def test_a_file_that_still_grows_is_left_alone(inbox: Inbox) -> None:
    whole = inbox.package.read_bytes()
    path = inbox.put("slow.zip", whole[:100])
    for size in range(200, len(whole), 200):
        inbox.look(SETTLE_S - 1)
        path.write_bytes(whole[:size])
    inbox.look(SETTLE_S - 1)
    path.write_bytes(whole)
    inbox.look(SETTLE_S - 1)
    assert (taken(), inbox.names()) == ([], ["slow.zip"])
    inbox.look(SETTLE_S)
    assert taken() == ["slow"]


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"PK\x03\x04half of it"])
def test_what_looks_cut_short_gets_more_time_before_it_is_rejected(inbox: Inbox, content: bytes) -> None:
    path = inbox.put("half.zip", content)
    inbox.settle(UNFINISHED_S - 1)
    assert (inbox.names(), inbox.status.unfinished_count) == (["half.zip"], 1)
    path.write_bytes(inbox.package.read_bytes())
    inbox.settle()
    assert taken() == ["half"]
    inbox.put("half.zip", content)
    inbox.settle(UNFINISHED_S)
    (reason,) = inbox.reasons().values()
    assert ("half.zip was not taken." in reason, "again" in reason) == (True, True)
    assert (inbox.names(), inbox.status.rejected_count) == (["rejected"], 1)


def test_what_is_no_envelope_is_rejected_with_its_reason_beside_it(inbox: Inbox) -> None:
    inbox.put("births.csv", b"id,name\n1,Ada\n")
    with zipfile.ZipFile(inbox.folder / "photos.zip", "w") as archive:
        archive.writestr("beach.jpg", b"sand")
    inbox.settle()
    reasons = inbox.reasons()
    assert "this is not a zip file" in reasons["births.csv.reason.txt"]
    assert "holds no manifest.xml" in reasons["photos.zip.reason.txt"]
    assert (inbox.folder / "rejected" / "births.csv").read_bytes() == b"id,name\n1,Ada\n"
    assert AuditLogEntry.objects.filter(action="reject file", origin="inbox").count() == 2
    assert not Envelope.objects.exists()


def test_a_zip_whose_manifest_is_wrong_is_an_envelope_and_shown_as_corrupt(inbox: Inbox) -> None:
    with zipfile.ZipFile(inbox.folder / "wrong.zip", "w") as archive:
        archive.writestr("manifest.xml", b"<Manifest/>")
    inbox.settle()
    assert Envelope.objects.get().state == EnvelopeState.CORRUPT
    assert inbox.reasons() == {}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"-rf.zip", "-rf"),
        (b"two\nlines.zip", "two\\nlines"),
        (b"\xff\xfe.zip", "\\udcff\\udcfe"),
        (b"x" * 251 + b".zip", "x" * 251),
        ("Bäume und Wälder.ZIP".encode(), "Bäume und Wälder"),
        (b"no ending", "no ending"),
        (b"reason.txt", "reason"),
    ],
)
def test_names_can_be_any_bytes(inbox: Inbox, name: bytes, shown: str) -> None:
    inbox.put(name)
    inbox.settle()
    assert taken() == [shown]
    # and the same names again, as files to be rejected, twice
    for _ in range(2):
        inbox.put(name, b"text")
        inbox.settle()
    assert len(inbox.reasons()) == 2
    held = [path for path in (inbox.folder / "rejected").iterdir() if not path.name.endswith(".reason.txt")]
    assert [path.read_bytes() for path in held] == [b"text", b"text"]
    assert inbox.status.rejected_count == 2


def test_hidden_and_temporary_names_wait_until_they_are_renamed(inbox: Inbox) -> None:
    for name in (".hidden.zip", "~lock.zip", "a.zip.part", "b.ZIP.TMP", "c.zip.filepart", "d.zip~"):
        inbox.put(name)
    (inbox.folder / "2026").mkdir()
    inbox.settle(10 * UNFINISHED_S)
    assert (taken(), len(inbox.names()), inbox.status.subfolders_count) == ([], 7, 1)
    (inbox.folder / "a.zip.part").rename(inbox.folder / "a.zip")
    inbox.settle()
    assert taken() == ["a"]


def test_links_pipes_and_sockets_are_rejected_without_being_opened(inbox: Inbox, tmp_path: Path) -> None:
    (inbox.folder / "link.zip").symlink_to(inbox.package)
    (inbox.folder / "loop").symlink_to("loop")
    os.mkfifo(inbox.folder / "pipe.zip")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(inbox.folder)
        server.bind("socket")
        os.chdir(here)
        # opening a pipe that nobody writes to would never return
        inbox.settle()
    assert not Envelope.objects.exists()
    reasons = inbox.reasons()
    assert "a symbolic link, which Linkwright never follows" in reasons["link.zip.reason.txt"]
    assert "a named pipe" in reasons["pipe.zip.reason.txt"]
    assert "a socket" in reasons["socket.reason.txt"]
    assert (inbox.folder / "rejected" / "loop").is_symlink()
    assert inbox.package.exists()


def test_a_folder_that_vanishes_and_returns_is_told_once(inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    inbox.put("a.zip")
    inbox.look()
    away = inbox.folder.rename(inbox.folder.with_name("away"))
    for _ in range(5):
        inbox.look(SETTLE_S)
    assert "cannot be read (No such file or directory)" in inbox.status.problem
    # an unmounted share must not become a folder on this disk
    assert not inbox.folder.exists()
    away.rename(inbox.folder)
    inbox.look()
    # what happened meanwhile is not known: it settles anew
    assert (taken(), inbox.status.problem) == ([], "")
    inbox.look(SETTLE_S)
    assert taken() == ["a"]
    assert [record.message.split(" (")[0] for record in caplog.records] == [
        f"inbox: The inbox {inbox.folder} cannot be read",
        f"inbox: {inbox.folder} can be used again",
    ]


def test_the_own_default_folder_is_made_and_folders_of_linkwright_are_refused(inbox: Inbox) -> None:
    config = inbox.system.config
    change_setting("Inbox.Enabled", True, COMMAND_LINE)
    inbox.settings = read_inbox_settings(config)
    inbox.look()
    assert (config.home / "inbox").stat().st_mode & 0o777 == 0o700
    for name in (".", "envelopes", str(config.home.parent), "warehouse/project-1"):
        change_setting("Inbox.Folder", name, COMMAND_LINE)
        inbox.settings = read_inbox_settings(config)
        inbox.look()
        assert "holds Linkwright's own files" in inbox.status.problem


def test_many_files_at_once_are_taken_in_the_order_of_their_names(inbox: Inbox) -> None:
    names = [f"E{number:03}" for number in range(100)]
    for name in reversed(names):
        inbox.put(f"{name}.zip")
    started_s = time.process_time()
    inbox.settle()
    # a thousand in a minute
    assert time.process_time() - started_s < 6
    assert taken() == names
    assert Job.objects.count() == 500


def test_one_file_that_cannot_be_moved_keeps_no_other_from_being_taken(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.zip", "b.zip", "c.zip"):
        inbox.put(name)
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.name == "b.zip":
            raise PermissionError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    inbox.settle()
    assert (taken(), inbox.names()) == (["a", "c"], ["b.zip"])
    assert "b.zip cannot be moved out of" in inbox.status.problem
    assert list(inbox.system.config.taking_folder.iterdir()) == []
    monkeypatch.undo()
    inbox.look()
    assert (taken(), inbox.status.problem) == (["a", "c", "b"], "")


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
    monkeypatch.setattr(inbox_take.shutil, "disk_usage", lambda _path: usage)
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
