"""The inbox: what is taken, what waits, what is rejected."""

import os
import socket
import time
import zipfile
from pathlib import Path

import pytest

from linkwright.services.inbox_settings import read_inbox_settings
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, Envelope, EnvelopeState, Job
from linkwright.store.settings import change_setting
from tests.integration.pipeline.conftest import system as system  # noqa: PLC0414 - a fixture
from tests.integration.services.watched_inbox import SETTLE_S, UNFINISHED_S, Inbox, taken
from tests.integration.services.watched_inbox import inbox as inbox  # noqa: PLC0414 - a fixture

pytestmark = pytest.mark.django_db


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
