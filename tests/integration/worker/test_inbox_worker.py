"""The inbox beside a real worker: it runs while jobs run, ends with the worker, and survives its death."""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from linkwright.services.inbox_status import read_inbox_status
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, EnvelopeState, Job, JobState
from linkwright.store.settings import change_setting
from tests.integration.worker.conftest import Submit, running_job, wait_for_load
from tests.live_system import LiveSystem, wait_until
from tests.small_envelopes import build_small_envelope

FILES_COUNT = 25
KILLS_COUNT = 3
SETTLES_WITHIN_S = 1


@pytest.fixture
def drop(live: LiveSystem, tmp_path: Path) -> Path:
    """Return the folder that is watched, as often and as hastily as the settings allow."""
    folder = tmp_path / "drop"
    folder.mkdir()
    change_setting("Inbox.Folder", str(folder), COMMAND_LINE)
    change_setting("Inbox.SettleSeconds", 1, COMMAND_LINE)
    change_setting("Inbox.PollSeconds", 1, COMMAND_LINE)
    change_setting("Inbox.Enabled", True, COMMAND_LINE)
    return folder


def test_envelopes_are_taken_while_a_job_runs_and_the_folder_can_be_changed_meanwhile(
    live: LiveSystem, submit: Submit, drop: Path, tmp_path: Path
) -> None:
    worker = live.start_worker()
    submit(long=True)
    wait_for_load()
    package = build_small_envelope(tmp_path, 1)
    shutil.copy(package, drop / "first.zip")
    wait_until(Envelope.objects.filter(name="first").exists, "the inbox to be emptied")
    other = tmp_path / "other"
    other.mkdir()
    change_setting("Inbox.Folder", str(other), COMMAND_LINE)
    shutil.copy(package, other / "second.zip")
    wait_until(Envelope.objects.filter(name="second").exists, "the other folder to be watched")
    change_setting("Inbox.Enabled", False, COMMAND_LINE)
    wait_until(lambda: read_inbox_status(live.config).folder == "", "the watch to end")
    worker.process.terminate()
    started_s = time.monotonic()
    assert worker.process.wait() == 0
    assert time.monotonic() - started_s < 20
    assert "nobody foresaw" not in worker.output()


def test_killing_the_worker_again_and_again_neither_loses_nor_doubles_an_envelope(
    live: LiveSystem, drop: Path, tmp_path: Path
) -> None:
    package = build_small_envelope(tmp_path, 0)
    for number in range(FILES_COUNT):
        shutil.copy(package, drop / f"E{number:02}.zip")
    chance = random.Random(20)
    # the jobs are not what is tested here
    for _ in range(KILLS_COUNT):
        worker = live.start_worker()
        worker.wait_for("Worker: working")
        before = Envelope.objects.count()
        wait_until(lambda before=before: Envelope.objects.count() > before, "the next Envelope")  # type: ignore[misc]
        time.sleep(chance.random() / 10)
        worker.kill()
    live.start_worker()
    wait_until(lambda: Envelope.objects.count() >= FILES_COUNT, "every file to be taken")
    names = Envelope.objects.order_by("name").values_list("name", flat=True)
    assert list(names) == [f"E{number:02}" for number in range(FILES_COUNT)]
    assert list(drop.iterdir()) == []
    assert len(list(live.config.incoming_folder.iterdir())) == FILES_COUNT
    wait_until(lambda: not list(live.config.taking_folder.iterdir()), "the last one to be finished")


def test_a_worker_that_loses_its_lock_stops_watching(live: LiveSystem, drop: Path, tmp_path: Path) -> None:
    first = live.start_worker()
    wait_until(lambda: read_inbox_status(live.config).folder != "", "the first worker to watch")
    # it shall not notice anything before the second worker is at work
    os.kill(first.pid, signal.SIGSTOP)
    live.config.lock_file.unlink()
    second = live.start_worker()
    second.wait_for("Worker: working")
    shutil.copy(build_small_envelope(tmp_path, 0), drop / "a.zip")
    time.sleep(3 * SETTLES_WITHIN_S)
    # never two watches: the second one waits for the first one's end
    assert [path.name for path in drop.iterdir()] == ["a.zip"]
    os.kill(first.pid, signal.SIGCONT)
    first.wait_for("standing by")
    wait_until(Envelope.objects.filter(name="a").exists, "the second worker's watch")
    wait_until(lambda: Envelope.objects.get().state == EnvelopeState.SUCCESS, "the Envelope to be processed")
    assert Envelope.objects.count() == 1
    assert running_job() is None
    assert set(Job.objects.values_list("state", flat=True)) == {JobState.SUCCESS}
