"""A Rollback by a real worker: soon, and nothing of the data stays in any file, the database among them."""

import csv
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from linkwright.envelopes.builder import SourceFile, build_package
from linkwright.envelopes.manifest import RequestType
from linkwright.services.demo_data import PROJECT_FILE
from linkwright.services.receive_envelope import receive_envelope
from linkwright.services.roll_back_envelope import RollbackScope, roll_back_envelope
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, EnvelopeState, Job, JobState, Notification
from tests.integration.worker.conftest import Submit, wait_for_state
from tests.live_system import LiveSystem, machine_slowdown, wait_until

MOST_SECONDS = 0.2
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


def test_a_rollback_is_soon_and_leaves_nothing_in_any_file(
    live: LiveSystem, submit: Submit, planted: Envelope
) -> None:
    live.start_worker()
    wait_for_state(planted, EnvelopeState.SUCCESS)
    assert Notification.objects.filter(envelope=planted, text__contains=PLANTED).exists()
    assert files_with(live, PLANTED)
    job = roll_back_envelope(planted.pk, COMMAND_LINE, reason="a test", scope=RollbackScope.ALONE)
    wait_for_state(planted, EnvelopeState.ROLLED_BACK)
    wait_until(lambda: not files_with(live, PLANTED), "the files to be swept and the log to be cut", 20)
    job = Job.objects.get(pk=job.pk)
    assert job.state == JobState.SUCCESS
    assert job.started_at is not None
    assert job.ended_at is not None
    assert (job.ended_at - job.started_at).total_seconds() < MOST_SECONDS * machine_slowdown()
    other = submit()
    wait_for_state(other, EnvelopeState.SUCCESS)
