"""Jobs whose process is killed: run again, at most so often, then failed with a clear message."""

import signal

from linkwright.services.retry_job import retry_job, why_not_retry
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditMessage, EnvelopeState, Job, JobState, Notification
from tests.integration.worker.conftest import (
    LONG_RECORDS_COUNT,
    Submit,
    files_of,
    job_process,
    wait_for_load,
    wait_for_state,
)
from tests.live_system import GONE_WITHIN_S, LiveSystem, machine_slowdown, outliving, wait_until


def wait_for_attempt(job: Job, attempt: int) -> None:
    """Wait until a job's attempt is well under way."""

    def loads() -> bool:
        mine = Job.objects.filter(pk=job.pk, attempt=attempt, state=JobState.RUNNING)
        return mine.filter(progress__done__gt=0).exists()

    wait_until(loads, f"attempt {attempt} of {job}")


def test_a_job_whose_process_is_killed_is_run_again_from_its_beginning(live: LiveSystem, submit: Submit) -> None:
    worker = live.start_worker()
    envelope = submit(long=True)
    job = wait_for_load()
    job_process(worker).kill()
    wait_for_attempt(job, 2)
    wait_for_state(envelope, EnvelopeState.SUCCESS)
    job.refresh_from_db()
    assert (job.attempt, job.crash_count, job.errors_occurred) == (2, 1, True)
    told = AuditMessage.objects.filter(job=job, attempt=1).last()
    assert told is not None
    assert told.text == "Its process was killed by SIGKILL. The job is run again."
    assert envelope.records_count == LONG_RECORDS_COUNT
    assert not [name for name in files_of(live) if "-a1-" in name and f"-j{job.pk}-" in name]


def test_a_job_that_is_killed_three_times_fails_with_a_clear_message_and_can_be_retried(
    live: LiveSystem, submit: Submit
) -> None:
    worker = live.start_worker()
    envelope, other = submit(long=True), submit()
    job = wait_for_load()
    for attempt in (1, 2, 3):
        wait_for_attempt(job, attempt)
        job_process(worker).kill()
    wait_for_state(envelope, EnvelopeState.ERRORS)
    job.refresh_from_db()
    assert (job.state, job.end_reason, job.attempt) == (JobState.ERRORS, "crashed", 3)
    told = Notification.objects.get(envelope=envelope)
    assert told.text == job.error_message
    assert told.text == (
        "Load was given up after 3 attempts. Its process was killed by SIGKILL. "
        "The usual cause is too little memory: lower Worker.Memory.LimitMiB or free memory, then retry."
    )
    states = Job.objects.filter(envelope=envelope).order_by("chain_position").values_list("state", flat=True)
    assert list(states) == ["Success", "Errors", "Held", "Held", "Held"]
    wait_for_state(other, EnvelopeState.SUCCESS)
    assert not [name for name in files_of(live) if f"/e{envelope.pk}-" in name or name.startswith("scratch/")]
    assert "has been run against TA since" in why_not_retry(job)


def test_a_job_that_was_given_up_is_retried_as_a_new_attempt(live: LiveSystem, submit: Submit) -> None:
    worker = live.start_worker()
    envelope = submit(long=True)
    job = wait_for_load()
    for attempt in (1, 2, 3):
        wait_for_attempt(job, attempt)
        job_process(worker).kill()
    wait_for_state(envelope, EnvelopeState.ERRORS)
    retry_job(job.pk, COMMAND_LINE)
    wait_for_state(envelope, EnvelopeState.SUCCESS)
    job.refresh_from_db()
    assert (job.attempt, job.crash_count) == (4, 0)
    assert set(AuditMessage.objects.filter(job=job).values_list("attempt", flat=True)) == {1, 2, 3, 4}


def test_a_job_survives_the_death_of_its_fork_server_as_a_new_attempt(live: LiveSystem, submit: Submit) -> None:
    worker = live.start_worker()
    envelope = submit(long=True)
    job = wait_for_load()
    process, server = job_process(worker), worker.fork_server()
    assert server is not None
    # it shall not end for another reason: else two attempts of one job may run side by side
    process.send_signal(signal.SIGSTOP)
    server.kill()
    assert outliving([process], GONE_WITHIN_S * machine_slowdown()) == []
    wait_for_state(envelope, EnvelopeState.SUCCESS)
    job.refresh_from_db()
    assert (job.attempt, job.crash_count) == (2, 1)
    assert AuditMessage.objects.filter(
        job=job, text__contains="together with the process that started it"
    ).exists()


def test_a_fork_server_that_dies_while_nothing_runs_is_replaced(live: LiveSystem, submit: Submit) -> None:
    worker = live.start_worker()
    worker.wait_for("Worker: working")
    server = worker.fork_server()
    assert server is not None
    server.send_signal(signal.SIGKILL)
    envelope = submit()
    wait_for_state(envelope, EnvelopeState.SUCCESS)
    assert worker.is_alive()
