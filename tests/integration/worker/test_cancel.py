"""Cancelling and clearing with a real worker: soon, and nothing is left."""

import os
import signal

import pytest

from linkwright.services.cancel_envelope import cancel_envelope
from linkwright.services.clear_queue import clear_queue
from linkwright.services.pause_queue import pause_queue, resume_queue
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Batch, Envelope, EnvelopeState, Job, JobState
from tests.integration.worker.conftest import Submit, files_of, running_job, wait_for_load, wait_for_state
from tests.live_system import LiveSystem, machine_slowdown, wait_until

CANCEL_WITHIN_S = 3.0
SWEPT_WITHIN_S = 2.0


def wait_until_swept(live: LiveSystem, within_s: float = SWEPT_WITHIN_S) -> None:
    wait_until(lambda: not files_of(live), f"the sweep of {files_of(live)}", within_s * machine_slowdown())


def pause_behind_load(submit: Submit) -> Envelope:
    """Let an Envelope be loaded, and pause the queue before it is matched: its files are staged, nothing runs."""
    envelope = submit()
    wait_until(lambda: running_job() is not None, "the first job to start")
    pause_queue(COMMAND_LINE, "to look at it")
    while not Batch.objects.filter(envelope=envelope).exists():
        wait_until(lambda: running_job() is None, "the running job to end")
        if Batch.objects.filter(envelope=envelope).exists():
            break
        resume_queue(COMMAND_LINE)
        wait_until(lambda: running_job() is not None, "the next job to start")
        pause_queue(COMMAND_LINE, "to look at it")
    wait_until(lambda: running_job() is None, "the running job to end")
    return envelope


def test_a_running_envelope_is_cancelled_within_3_s_and_leaves_nothing(live: LiveSystem, submit: Submit) -> None:
    worker = live.start_worker()
    envelope = submit(long=True)
    after = submit()
    wait_for_load()
    wait_until(lambda: bool(files_of(live)), "the job to write files")
    job = worker.job()
    assert job is not None
    slowdown = machine_slowdown()
    cancel_envelope(envelope.pk, COMMAND_LINE, "sent twice")
    took_s = wait_for_state(envelope, EnvelopeState.CANCELLED)
    assert took_s < CANCEL_WITHIN_S * max(slowdown, machine_slowdown())
    assert not job.is_running()
    states = Job.objects.filter(envelope=envelope).order_by("chain_position").values_list("state", "end_reason")
    assert list(states) == [("Success", ""), *[("Errors", "cancelled")] * 4]
    wait_for_state(after, EnvelopeState.SUCCESS)
    left = [name for name in files_of(live) if f"/e{envelope.pk}-" in name or name.startswith("scratch/")]
    assert left == []


def test_an_envelope_cancelled_between_two_jobs_leaves_no_file(live: LiveSystem, submit: Submit) -> None:
    live.start_worker()
    envelope = pause_behind_load(submit)
    assert files_of(live)
    cancel_envelope(envelope.pk, COMMAND_LINE)
    wait_until_swept(live)
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.CANCELLED


def test_a_cleared_queue_leaves_no_file_of_the_chain_that_had_begun(live: LiveSystem, submit: Submit) -> None:
    live.start_worker()
    envelope = pause_behind_load(submit)
    assert files_of(live)
    clear_queue(COMMAND_LINE, "wrong month")
    wait_until_swept(live)
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.CANCELLED


def test_a_queue_cleared_behind_a_running_load_leaves_no_file(live: LiveSystem, submit: Submit) -> None:
    live.start_worker()
    envelope = submit(long=True)
    wait_for_load()
    clear_queue(COMMAND_LINE, "wrong month")
    wait_for_state(envelope, EnvelopeState.CANCELLED)
    assert Job.objects.get(envelope=envelope, kind="Load").state == JobState.SUCCESS
    wait_until_swept(live)


@pytest.mark.parametrize("worker_is_killed", [False, True])
def test_an_envelope_that_is_cancelled_while_its_worker_goes_is_cancelled_for_good(
    live: LiveSystem, submit: Submit, worker_is_killed: bool
) -> None:
    worker = live.start_worker()
    envelope = submit(long=True)
    wait_for_load()
    # it must not see the cancel before its own end
    os.kill(worker.pid, signal.SIGSTOP)
    cancel_envelope(envelope.pk, COMMAND_LINE)
    if worker_is_killed:
        worker.kill()
        live.start_worker()
    else:
        os.kill(worker.pid, signal.SIGTERM)
        os.kill(worker.pid, signal.SIGCONT)
        worker.process.wait()
    wait_for_state(envelope, EnvelopeState.CANCELLED)
    assert not Job.objects.filter(envelope=envelope, state__in=[JobState.QUEUED, JobState.RUNNING]).exists()
    assert Job.objects.get(envelope=envelope, kind="Load").attempt == 1
    if worker_is_killed:
        wait_until_swept(live)
