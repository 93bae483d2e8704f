"""Estimations with a real worker: the job survives a kill, and the disk holds nothing of their data afterwards."""

from pathlib import Path

import pytest

from linkwright.envelopes.manifest import RequestType
from linkwright.services.cancel_envelope import cancel_envelope
from linkwright.services.receive_envelope import receive_envelope
from linkwright.services.start_estimation import start_estimation
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, EnvelopeState, Estimation, Job, JobState, LinkageProject
from tests.integration.worker.conftest import Submit, files_of, wait_for_load, wait_for_state
from tests.live_system import LiveSystem, machine_slowdown, wait_until
from tests.small_envelopes import build_envelope

PERSONS = 400
LONG_COPIES = 20
SWEPT_WITHIN_S = 2.0


def submit_estimation(folder: Path, persons: int, copies: int = 1) -> tuple[Envelope, list[bytes]]:
    """Take in an Envelope to estimate from; returns it with addresses of its records, in any case of letters."""
    path = build_envelope(
        folder,
        "estimation",
        "TA",
        {"FEBRL-A": (0, persons), "FEBRL-B": (0, persons)},
        copies,
        request_type=RequestType.ESTIMATE_PROBABILITIES,
    )
    source = folder / "estimation-FEBRL-A.csv"
    header, *rows = source.read_text().splitlines()
    at = header.split(",").index("address_1")
    addresses = {row.split(",")[at] for row in rows}
    planted = [address for address in sorted(addresses) if len(address) > len("a long street name")][:50]
    envelope = receive_envelope(path, name="", actor=COMMAND_LINE)
    for sent in (path, source, folder / "estimation-FEBRL-B.csv"):
        sent.unlink()
    return envelope, [form.encode() for address in planted for form in (address, address.upper(), address.lower())]


def files_holding(folder: Path, texts: list[bytes]) -> list[str]:
    """Return the files below a folder that hold any of the texts."""
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and any(text in content for content in [path.read_bytes()] for text in texts)
    ]


def names_left(live: LiveSystem) -> list[str]:
    """Return what lies in the warehouse, in the scratch folder and among the received Envelopes."""
    return [*files_of(live), *(path.name for path in live.config.incoming_folder.iterdir())]


def wait_until_gone(live: LiveSystem) -> None:
    """Wait until the worker has swept everything."""
    wait_until(
        lambda: not names_left(live), f"the sweep of {names_left(live)}", SWEPT_WITHIN_S * machine_slowdown()
    )


def test_the_disk_holds_nothing_of_an_estimations_data_when_it_has_ended(live: LiveSystem, tmp_path: Path) -> None:
    envelope, planted = submit_estimation(tmp_path, PERSONS)
    assert len(planted) > 30
    live.start_worker()
    wait_for_state(envelope, EnvelopeState.SUCCESS)
    assert Estimation.objects.get().results["records_count"] == 2 * PERSONS
    wait_until_gone(live)
    # the database too
    assert files_holding(tmp_path, planted) == []


def test_an_estimation_whose_job_is_killed_ends_well_and_leaves_nothing(live: LiveSystem, tmp_path: Path) -> None:
    worker = live.start_worker()
    envelope, planted = submit_estimation(tmp_path, PERSONS)

    def estimates() -> bool:
        return Job.objects.filter(state=JobState.RUNNING, kind="Estimate").exists() and worker.job() is not None

    wait_until(estimates, "the Estimate job to start")
    process = worker.job()
    assert process is not None
    process.kill()
    wait_for_state(envelope, EnvelopeState.SUCCESS)
    job = Job.objects.get(envelope=envelope, kind="Estimate")
    assert (job.attempt, job.crash_count) == (2, 1)
    assert Estimation.objects.get().job == job
    wait_until_gone(live)
    assert files_holding(tmp_path, planted) == []


@pytest.mark.parametrize("while_loading", [True, False])
def test_a_cancelled_estimation_leaves_nothing_on_disk(
    live: LiveSystem, tmp_path: Path, while_loading: bool
) -> None:
    if while_loading:
        live.start_worker()
    envelope, planted = submit_estimation(tmp_path, *((5000, LONG_COPIES) if while_loading else (PERSONS,)))
    if while_loading:
        wait_for_load()
    cancel_envelope(envelope.pk, COMMAND_LINE)
    if not while_loading:
        live.start_worker()
    wait_for_state(envelope, EnvelopeState.CANCELLED)
    wait_until_gone(live)
    assert files_holding(tmp_path, planted) == []


def test_an_estimate_over_the_held_records_leaves_them_as_they_are(live: LiveSystem, submit: Submit) -> None:
    live.start_worker()
    wait_for_state(submit(), EnvelopeState.SUCCESS)
    before = files_of(live)
    job = start_estimation(LinkageProject.objects.get(code="TA"), COMMAND_LINE)
    wait_until(lambda: Estimation.objects.filter(job=job).exists(), "the estimation")
    wait_until(lambda: files_of(live) == before, "the sweep of the job's scratch")
