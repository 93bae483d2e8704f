"""Systems of their own on SQLite with small projects, for tests with real workers."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from pytest_django.plugin import DjangoDbBlocker

from linkwright.services.receive_envelope import receive_envelope
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, EnvelopeState, Job, JobState
from tests.live_system import LiveSystem, WorkerProcess, new_sqlite_database, wait_until
from tests.small_envelopes import build_envelope, build_small_envelope, write_project_file

# of 5,000 records; loading them takes more than a second
LONG_COPIES = 20
LONG_RECORDS_COUNT = LONG_COPIES * 5000

Submit = Callable[..., Envelope]


@pytest.fixture
def live(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[LiveSystem]:
    """Return a system without workers; when the test ends, none of its processes may be left."""
    system = LiveSystem(tmp_path / "home", new_sqlite_database(tmp_path / "home"))
    with django_db_blocker.unblock(), system.entered():
        try:
            system.set_up(write_project_file(tmp_path))
            yield system
        finally:
            left = system.stop()
    assert left == []


@pytest.fixture
def submit(live: LiveSystem, tmp_path: Path) -> Submit:
    """Return a function that takes the next small Envelope into the queue, or one that stays long in `Load`."""
    numbers = iter(range(1000))

    def submit_next(*, long: bool = False) -> Envelope:
        if long:
            path = build_envelope(tmp_path, "long", "TA", {"FEBRL-A": (0, 5000)}, copies=LONG_COPIES)
        else:
            path = build_small_envelope(tmp_path, next(numbers))
        return receive_envelope(path, name="", actor=COMMAND_LINE)

    return submit_next


def running_job() -> Job | None:
    """Return the job that runs now."""
    return Job.objects.filter(state=JobState.RUNNING).first()


def job_process(worker: WorkerProcess) -> psutil.Process:
    """Return the process of the job that runs now."""
    process = worker.job()
    assert process is not None
    return process


def wait_for_load() -> Job:
    """Wait until a Load job is well under way; returns it."""

    def loads() -> bool:
        return Job.objects.filter(state=JobState.RUNNING, kind="Load", progress__done__gt=0).exists()

    wait_until(loads, "a Load job to report progress")
    return Job.objects.get(state=JobState.RUNNING)


def wait_for_state(envelope: Envelope, state: EnvelopeState) -> float:
    """Wait until an Envelope has reached a state; returns the seconds it took."""

    def reached() -> bool:
        envelope.refresh_from_db()
        return envelope.state == state

    return wait_until(reached, f"{envelope} to become {state}")


def files_of(live: LiveSystem) -> list[str]:
    """Return what lies in the warehouse and in the scratch folder."""
    config = live.config
    names = [f"scratch/{path.name}" for path in config.scratch_folder.iterdir()]
    # unlike glob, walk takes it calmly when a folder vanishes meanwhile
    for folder, _folders, files in os.walk(config.warehouse_folder):
        names.extend(f"{Path(folder).name}/{name}" for name in files)
    return names
