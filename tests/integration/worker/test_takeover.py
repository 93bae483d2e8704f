"""Several workers: one works, the others stand by and take over, and a dead one leaves no process behind."""

import logging
import os
import signal
from datetime import UTC, datetime

from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import EnvelopeState, Job, JobEvent, JobState, WorkerPresence, WorkerRole
from linkwright.store.settings import change_setting
from tests.integration.worker.conftest import Submit, running_job, wait_for_load, wait_for_state
from tests.live_system import LiveSystem, WorkerProcess, machine_slowdown, outliving, wait_until

# shown with --log-cli-level=INFO
figures = logging.getLogger("figures")

TAKEOVER_WITHIN_S = 1.0
GONE_WITHIN_S = 1.0
WORKING = "Worker: working"
STANDING_BY = "another worker holds the lock; standing by"


def start_workers(live: LiveSystem, count: int) -> tuple[WorkerProcess, list[WorkerProcess]]:
    """Start workers at the same instant; returns the one that works, and those that stand by."""
    workers = [live.start_worker() for _ in range(count)]
    wait_until(
        lambda: all(worker.has_said(WORKING) or worker.has_said(STANDING_BY) for worker in workers),
        "all workers to have found their place",
    )
    working = [worker for worker in workers if worker.has_said(WORKING)]
    assert len(working) == 1
    return working[0], [worker for worker in workers if worker is not working[0]]


def first_claim_after(moment: datetime) -> datetime:
    """Wait for the next claim after a moment; returns when it was."""
    claims = JobEvent.objects.filter(entered=JobState.RUNNING, at__gt=moment).order_by("id")
    wait_until(claims.exists, "the next claim")
    return claims[0].at


def test_of_workers_started_at_the_same_instant_exactly_one_works(live: LiveSystem, submit: Submit) -> None:
    envelopes = [submit(), submit()]
    working, standing_by = start_workers(live, 3)
    for envelope in envelopes:
        wait_for_state(envelope, EnvelopeState.SUCCESS)
    assert working.has_said(WORKING)
    assert [worker.has_said(WORKING) for worker in standing_by] == [False, False]
    assert set(Job.objects.values_list("state", "attempt")) == {("Success", 1)}
    roles = {presence.pid: presence.role for presence in WorkerPresence.objects.all()}
    assert roles == {
        working.pid: WorkerRole.ACTIVE,
        **{worker.pid: WorkerRole.STANDBY for worker in standing_by},
    }


def test_a_standby_takes_over_within_a_second_of_a_kill(live: LiveSystem, submit: Submit) -> None:
    # the same job may be hit by every kill
    change_setting("Worker.Jobs.MaxAttemptsAfterCrash", 100, COMMAND_LINE)
    envelopes = [submit() for _ in range(2)]
    working, standing_by = start_workers(live, 4)
    took_s = []
    while standing_by:
        wait_until(lambda: running_job() is not None, "a job to run")
        slowdown = machine_slowdown()
        killed_at = datetime.now(UTC)
        working.kill()
        spent_s = (first_claim_after(killed_at) - killed_at).total_seconds()
        took_s.append(round(spent_s, 3))
        assert spent_s < TAKEOVER_WITHIN_S * max(slowdown, machine_slowdown())
        (working,) = (worker for worker in standing_by if worker.has_said(WORKING))
        standing_by.remove(working)
    figures.info("kill of the worker to the next claim, s: %s", took_s)
    for envelope in envelopes:
        wait_for_state(envelope, EnvelopeState.SUCCESS)
    assert JobEvent.objects.filter(entered=JobState.SUCCESS).count() == Job.objects.count()


def test_a_killed_worker_leaves_no_process_behind(live: LiveSystem, submit: Submit) -> None:
    worker = live.start_worker()
    submit(long=True)
    wait_for_load()
    tree = worker.tree()
    # the worker, its fork server, the resource tracker of multiprocessing, and the job
    assert len(tree) == 4
    worker.kill()
    assert outliving(tree, GONE_WITHIN_S * machine_slowdown()) == []


def test_a_job_that_cannot_react_dies_with_its_worker_all_the_same(live: LiveSystem, submit: Submit) -> None:
    worker = live.start_worker()
    submit(long=True)
    wait_for_load()
    job = worker.job()
    assert job is not None
    # as if a long computation held the interpreter: no thread of the job can watch for the worker's death
    job.send_signal(signal.SIGSTOP)
    worker.kill()
    assert outliving([job], GONE_WITHIN_S * machine_slowdown()) == []


def test_a_worker_whose_lock_file_is_deleted_stops_its_job_and_stands_aside(
    live: LiveSystem, submit: Submit
) -> None:
    first = live.start_worker()
    envelope = submit(long=True)
    job = wait_for_load()
    process = first.job()
    assert process is not None
    # neither shall end or notice anything before the second worker is at work
    os.kill(first.pid, signal.SIGSTOP)
    process.send_signal(signal.SIGSTOP)
    live.config.lock_file.unlink()
    second = live.start_worker()
    second.wait_for(WORKING)
    os.kill(first.pid, signal.SIGCONT)
    first.wait_for("the worker's lock was lost")
    first.wait_for(STANDING_BY)
    assert outliving([process], GONE_WITHIN_S * machine_slowdown()) == []
    wait_for_state(envelope, EnvelopeState.SUCCESS)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.SUCCESS, 2)


def test_a_worker_killed_while_its_fork_server_starts_leaves_nothing_and_is_followed_at_once(
    live: LiveSystem, submit: Submit
) -> None:
    change_setting("Worker.Jobs.MaxAttemptsAfterCrash", 100, COMMAND_LINE)
    working, _standing_by = start_workers(live, 2)
    envelope = submit()
    wait_until(lambda: running_job() is not None, "a job to run")
    server = working.fork_server()
    assert server is not None
    server.kill()

    def starts_anew() -> bool:
        fresh = working.fork_server()
        return fresh is not None and fresh.pid != server.pid

    wait_until(starts_anew, "a new fork server")
    tree = working.tree()
    slowdown = machine_slowdown()
    killed_at = datetime.now(UTC)
    working.kill()
    spent_s = (first_claim_after(killed_at) - killed_at).total_seconds()
    assert spent_s < TAKEOVER_WITHIN_S * max(slowdown, machine_slowdown())
    assert outliving(tree, GONE_WITHIN_S * max(slowdown, machine_slowdown())) == []
    wait_for_state(envelope, EnvelopeState.SUCCESS)
