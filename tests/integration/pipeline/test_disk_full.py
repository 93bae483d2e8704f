"""A disk that fills up while data is taken in, unpacked or loaded: a clear message, and nothing lost."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkwright.config import load_config, prepare_home
from linkwright.services.kept_file import ReceiveError
from linkwright.services.retry_job import retry_job
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, EnvelopeState, Job, JobState, Notification
from tests.integration.pipeline.conftest import System
from tests.small_disk import mounted_disk, only_root

pytestmark = [
    pytest.mark.django_db,
    only_root,
]

ROWS = [(f"a{number}", f"Anna{number}", f"Berg{number}", "1980-01-02", "2000") for number in range(40_000)]
SMALL_MIB = 6


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of a few MiB."""
    with mounted_disk(tmp_path / "small", SMALL_MIB) as folder:
        yield folder


@pytest.fixture
def small_system(system: System, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    """Return the project of `system`, with its data folder on the small disk."""
    monkeypatch.setenv("LINKWRIGHT_HOME", str(small_disk / "home"))
    config = load_config()
    prepare_home(config)
    return System(config, system.folder)


def fill(folder: Path, *, leave_bytes: int) -> Path:
    """Fill a disk with a file, but for a few bytes; returns the file."""
    ballast = folder / "ballast"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    with ballast.open("wb") as stream:
        stream.write(b"\0" * max(0, free - leave_bytes))
    return ballast


def test_a_full_disk_fails_the_load_and_a_retry_succeeds_once_there_is_room(
    small_system: System, small_disk: Path
) -> None:
    envelope = small_system.submit(small_system.build("big", ROWS))
    small_system.drain(limit=1)
    ballast = fill(small_disk, leave_bytes=100_000)
    small_system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.ERRORS
    text = Notification.objects.get(envelope=envelope).text
    assert os.strerror(errno.ENOSPC) in text or "No space left" in text
    assert "retry" in text
    assert small_system.groups() == set()
    leftovers = [path for path in small_system.config.scratch_folder.rglob("*") if path.is_file()]
    assert leftovers == []
    ballast.unlink()
    retry_job(Job.objects.get(state=JobState.ERRORS).pk, COMMAND_LINE)
    small_system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.SUCCESS
    assert envelope.records_count == len(ROWS)


def test_a_disk_that_fills_up_during_the_load_itself_is_told(small_system: System, small_disk: Path) -> None:
    envelope = small_system.submit(small_system.build("big", ROWS))
    small_system.drain(limit=1)
    # room enough to unpack the file (1.6 MB), not to write its records
    fill(small_disk, leave_bytes=1_900_000)
    small_system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.ERRORS
    text = Notification.objects.get(envelope=envelope).text
    assert "space" in text.lower()
    assert "retry" in text
    assert small_system.groups() == set()


def test_an_envelope_for_which_there_is_no_room_is_not_taken_in(small_system: System, small_disk: Path) -> None:
    path = small_system.build("big", ROWS)
    fill(small_disk, leave_bytes=1000)
    with pytest.raises(ReceiveError, match="No space left on device"):
        small_system.submit(path)
    assert not Envelope.objects.exists()
    assert not list(small_system.config.incoming_folder.iterdir())
