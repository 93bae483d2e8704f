"""Systems of their own on SQLite with small projects, for tests with real workers."""

import csv
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml
from pytest_django.plugin import DjangoDbBlocker

from linkwright.envelopes.builder import SourceFile, build_package
from linkwright.envelopes.manifest import RequestType
from linkwright.services.demo_data import PROJECT_FILE
from linkwright.services.receive_envelope import receive_envelope
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, EnvelopeState, Job, JobState
from tests.live_system import LiveSystem, WorkerProcess, new_sqlite_database, wait_until
from tests.small_envelopes import build_envelope, build_small_envelope, write_project_file

# of 5,000 records; loading them takes more than a second
LONG_COPIES = 20
LONG_RECORDS_COUNT = LONG_COPIES * 5000

PLANTED = "quixwater"
RECORDS_COUNT = 60
COLUMNS = (
    "rec_id",
    "given_name",
    "surname",
    "street_number",
    "address_1",
    "address_2",
    "suburb",
    "postcode",
    "state",
    "date_of_birth",
    "soc_sec_id",
)

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

    try:
        return wait_until(reached, f"{envelope} to become {state}")
    except AssertionError as error:
        jobs = Job.objects.filter(envelope=envelope).order_by("pk")
        stood = list(jobs.values_list("kind", "state", "attempt", "crash_count", "started_at", "error_message"))
        error.add_note(f"It is {envelope.state}; its jobs: {stood}")
        raise


def files_of(live: LiveSystem) -> list[str]:
    """Return what lies in the warehouse and in the scratch folder."""
    config = live.config
    names = [f"scratch/{path.name}" for path in config.scratch_folder.iterdir()]
    # unlike glob, walk takes it calmly when a folder vanishes meanwhile
    for folder, _folders, files in os.walk(config.warehouse_folder):
        names.extend(f"{Path(folder).name}/{name}" for name in files)
    return names


@pytest.fixture
def planted(live: LiveSystem, tmp_path: Path) -> Envelope:
    """Return an Envelope whose surname makes a block over the limit, so that a Notification names it."""
    content = yaml.safe_load(PROJECT_FILE.read_text())
    (project,) = content["projects"]
    project["code"] = "TA"
    project["match"]["strategies"][0]["blocking_rules"] = [["surname"]]
    content["settings"] = {"Worker.Match.MaxBlockSize": 50}
    path = tmp_path / "narrow.yaml"
    path.write_text(yaml.safe_dump(content))
    live.set_up(path)
    source = tmp_path / "planted.csv"
    with source.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for number in range(RECORDS_COUNT):
            values = {"rec_id": f"p{number}", "surname": PLANTED, "date_of_birth": "19800102"}
            writer.writerow([values.get(column, "") for column in COLUMNS])
    package = build_package(
        tmp_path / "planted.zip",
        linkage_project="TA",
        sender="FEBRL",
        request_type=RequestType.SUBMIT_LINKAGE,
        data=[SourceFile(path=source, event_type_code="FEBRL-A")],
    )
    return receive_envelope(package, name="", actor=COMMAND_LINE)


def files_with(live: LiveSystem, text: str) -> list[str]:
    """Return the files under the data folder that hold a text as it is."""
    found = []
    for path in live.config.home.rglob("*"):
        # the sweep may be under way
        with suppress(FileNotFoundError):
            if path.is_file() and text.encode() in path.read_bytes().lower():
                found.append(path.name)
    return found
