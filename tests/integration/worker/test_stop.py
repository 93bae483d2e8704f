"""Stopping in good order, and a pause that outlives every process."""

import signal
from contextlib import suppress

import psutil
import pytest

from linkwright.services.pause_queue import pause_queue, resume_queue
from linkwright.services.queue_status import read_queue_status
from linkwright.services.receive_envelope import receive_envelope
from linkwright.store.audit_log import COMMAND_LINE, Actor
from linkwright.store.models import EnvelopeState, EventType, Job, JobEvent, JobState, LinkageProject, User
from linkwright.store.settings import change_setting
from tests.integration.worker.conftest import Submit, files_of, running_job, wait_for_load, wait_for_state
from tests.live_system import LiveSystem, wait_until


@pytest.mark.parametrize("whom", ["worker", "everybody"])
def test_a_worker_that_is_stopped_puts_its_job_back_without_counting_a_crash(
    live: LiveSystem, submit: Submit, whom: str
) -> None:
    worker = live.start_worker()
    envelope = submit(long=True)
    job = wait_for_load()
    # a service manager sends the signal to every process of the service; the job is then often the first to go
    processes = worker.tree() if whom == "everybody" else [psutil.Process(worker.pid)]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGTERM)
    assert worker.process.wait() == 0
    assert worker.has_said("ended: it was asked to stop.")
    job.refresh_from_db()
    assert (job.state, job.attempt, job.crash_count, job.errors_occurred) == (JobState.QUEUED, 1, 0, False)
    assert JobEvent.objects.filter(job=job).last().reason == "the worker was stopped"  # type: ignore[union-attr]
    assert files_of(live) == []
    live.start_worker()
    wait_for_state(envelope, EnvelopeState.SUCCESS)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.crash_count) == (JobState.SUCCESS, 2, 0)


def test_a_pause_survives_the_end_of_every_process_with_who_when_and_why(live: LiveSystem, submit: Submit) -> None:
    alice = Actor(User.objects.create(username="alice"), "192.0.2.1")
    worker = live.start_worker()
    envelope = submit()
    wait_until(lambda: running_job() is not None, "the first job to start")
    pause_queue(alice, "disk is being replaced")
    wait_until(lambda: running_job() is None, "the running job to end")
    before = read_queue_status()
    queued_count = before.queued_count
    events_count = JobEvent.objects.count()
    worker.kill()
    for _ in range(2):
        worker = live.start_worker()
        worker.wait_for("Worker: working")
        worker.stop()
    assert "paused" in live.command("status")
    after = read_queue_status()
    assert (after.paused_at, after.paused_by) == (before.paused_at, "alice")
    assert after.paused_reason == "disk is being replaced"
    assert JobEvent.objects.count() == events_count
    assert after.queued_count == queued_count > 0
    live.start_worker()
    resume_queue(alice)
    wait_for_state(envelope, EnvelopeState.SUCCESS)


def test_a_failure_pauses_the_queue_if_the_setting_says_so_and_a_restart_changes_nothing(
    live: LiveSystem, submit: Submit
) -> None:
    change_setting("Worker.Jobs.PauseProcessingOnFailure", True, COMMAND_LINE)
    project = LinkageProject.objects.get(code="TA")
    project.event_types.remove(EventType.objects.get(code="FEBRL-A"))
    refused, next_one = submit(), submit()
    worker = live.start_worker()
    wait_for_state(refused, EnvelopeState.ERRORS)
    worker.stop()
    live.start_worker().wait_for("Worker: working")
    failed = Job.objects.get(envelope=refused, kind="Validate")
    status = read_queue_status()
    assert status.paused_by_job == failed
    assert "'FEBRL-A' is not attached to project TA" in status.paused_reason
    assert set(Job.objects.filter(envelope=next_one).values_list("state", "attempt")) == {("Queued", 0)}
    resume_queue(COMMAND_LINE)
    wait_for_state(next_one, EnvelopeState.SUCCESS)


def test_a_worker_that_shall_end_when_idle_ends_at_once_while_the_queue_is_paused(
    live: LiveSystem, submit: Submit
) -> None:
    pause_queue(COMMAND_LINE, "not now")
    envelope = submit()
    worker = live.start_worker("--until-idle")
    assert worker.process.wait() == 0
    assert worker.has_said("ended: nothing was left to do.")
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.QUEUED


def test_an_envelope_that_comes_before_the_worker_is_there_waits_for_it(live: LiveSystem, submit: Submit) -> None:
    envelope = receive_envelope(
        live.config.incoming_folder / submit().file_name, name="by hand", actor=COMMAND_LINE
    )
    assert read_queue_status().worker_alive is False
    live.start_worker()
    # the same records as the one before: all are rejected, and it says so
    wait_for_state(envelope, EnvelopeState.ERRORS)
    assert read_queue_status().worker_alive is True
