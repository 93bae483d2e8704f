"""Two processes at the same rows at the same instant: one of them is first, and nobody is left hanging."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from linkwright.jobs.context import JobResult
from linkwright.queue.claim import claim_next
from linkwright.queue.enqueue import Step, enqueue_chain
from linkwright.queue.finish import finish_success
from linkwright.queue.order import queue_state
from linkwright.services.cancel_envelope import CancelRefusedError, cancel_envelope
from linkwright.services.clear_queue import clear_queue
from linkwright.services.end_job import complete_job, fail_job
from linkwright.services.pause_queue import pause_queue, resume_queue
from linkwright.services.recover_jobs import put_back_stopped, recover_job, recover_orphans
from linkwright.services.retry_job import RetryRefusedError, retry_job
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.batch_catalog import NewBatch, add_batches
from linkwright.store.models import (
    Batch,
    BatchKind,
    BatchState,
    Envelope,
    EnvelopeState,
    Job,
    JobEvent,
    JobKind,
    JobState,
    LinkageProject,
    QueueState,
)
from tests.live_system import LiveSystem

ROUNDS = 25
# far beyond any lock's wait: whoever has not ended by then hangs
HANGS_AFTER_S = 20.0
STILL_WAITS_S = 0.3

Action = Callable[[], Any]


class Racer(threading.Thread):
    """Does one thing in a thread of its own, with a database connection of its own."""

    def __init__(self, action: Action, barrier: threading.Barrier | None = None) -> None:
        super().__init__(daemon=True)
        self._action = action
        self._barrier = barrier
        self.outcome: Any = None

    def run(self) -> None:
        try:
            connection.ensure_connection()
            if self._barrier:
                self._barrier.wait(HANGS_AFTER_S)
            self.outcome = self._action()
        except Exception as error:  # noqa: BLE001 - it is the outcome
            self.outcome = error
        finally:
            connection.close()

    def result(self) -> Any:
        """Return what came out, an error included."""
        self.join(HANGS_AFTER_S)
        assert not self.is_alive(), f"{self._action} hangs"
        return self.outcome


def race(*actions: Action) -> list[Any]:
    """Do things at the same instant; returns their outcomes in the same order."""
    barrier = threading.Barrier(len(actions))
    racers = [Racer(action, barrier) for action in actions]
    for racer in racers:
        racer.start()
    return [racer.result() for racer in racers]


def queue_envelope(name: str, *kinds: JobKind) -> Envelope:
    """Queue an Envelope without any file behind it."""
    project = LinkageProject.objects.get(code="TA")
    envelope = Envelope.objects.create(
        name=name, project=project, project_code="TA", file_name=f"{name}.zip", received_at=timezone.now()
    )
    enqueue_chain(envelope, [Step(kind) for kind in kinds or (JobKind.VALIDATE, JobKind.LOAD)])
    return envelope


def claim() -> Job:
    job = claim_next()
    assert job is not None
    return job


def succeed(job: Job) -> None:
    complete_job(job, attempt=job.attempt, result=JobResult(), raised=(), peak_memory_bytes=1)


def open_jobs(envelope: Envelope) -> list[str]:
    """Return the states of an Envelope's jobs that may still start or run."""
    states = [JobState.QUEUED, JobState.RUNNING, JobState.HELD]
    return list(Job.objects.filter(envelope=envelope, state__in=states).values_list("state", flat=True))


def test_two_claimers_never_both_get_a_job(on_both: LiveSystem) -> None:
    for number in range(ROUNDS):
        queue_envelope(f"e{number}", JobKind.VALIDATE, JobKind.LOAD, JobKind.MATCH)
        outcomes = race(claim_next, claim_next)
        won = [outcome for outcome in outcomes if isinstance(outcome, Job)]
        assert len(won) == 1, outcomes
        assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 1, outcomes
        assert Job.objects.filter(state=JobState.RUNNING).count() == 1
        succeed(won[0])
    assert JobEvent.objects.filter(entered=JobState.RUNNING).count() == ROUNDS


def test_no_job_starts_once_a_pause_has_been_confirmed(on_both: LiveSystem) -> None:
    first: list[str] = []
    for number in range(ROUNDS):
        queue_envelope(f"e{number}")
        job, paused = race(claim_next, lambda: pause_queue(COMMAND_LINE, "a race"))
        assert paused is None
        assert claim_next() is None
        state = QueueState.objects.get(pk=1)
        assert state.paused_at is not None
        if job is None:
            first.append("pause")
        else:
            first.append("claim")
            job.refresh_from_db()
            assert job.started_at <= state.paused_at
            succeed(job)
        resume_queue(COMMAND_LINE)
    assert len(first) == ROUNDS


def test_an_envelope_that_is_cancelled_while_its_job_ends_is_one_or_the_other(on_both: LiveSystem) -> None:
    for number in range(ROUNDS):
        envelope = queue_envelope(f"e{number}", JobKind.LOAD)
        job = claim()

        def commit(job: Job = job, number: int = number) -> None:
            add_batches(job, [NewBatch(BatchKind.RECORDS, f"{number}.parquet", 1, 1)])

        def finish(job: Job = job, commit: Action = commit) -> None:
            result = JobResult(commit=commit)
            complete_job(job, attempt=job.attempt, result=result, raised=(), peak_memory_bytes=1)

        def cancel(envelope: Envelope = envelope) -> None:
            cancel_envelope(envelope.pk, COMMAND_LINE)

        finished, cancelled = race(finish, cancel)
        assert finished is None
        envelope.refresh_from_db()
        batch = Batch.objects.get(envelope=envelope)
        if isinstance(cancelled, CancelRefusedError):
            assert (envelope.state, batch.state) == (EnvelopeState.SUCCESS, BatchState.STAGED)
        else:
            assert cancelled is None
            assert (envelope.state, batch.state) == (EnvelopeState.CANCELLED, BatchState.REMOVED)
        assert open_jobs(envelope) == []
    assert QueueState.objects.get(pk=1).active_envelope_id is None


@pytest.mark.parametrize("put_back", [lambda job: recover_job(job, how="It is gone"), put_back_stopped])
def test_an_envelope_that_is_cancelled_while_its_job_is_put_back_ends_cancelled(
    on_both: LiveSystem, put_back: Callable[[Job], None]
) -> None:
    for number in range(ROUNDS):
        envelope = queue_envelope(f"e{number}")
        job = claim()

        def recover(job: Job = job) -> None:
            put_back(job)

        def cancel(envelope: Envelope = envelope) -> None:
            cancel_envelope(envelope.pk, COMMAND_LINE)

        assert race(recover, cancel) == [None, None]
        envelope.refresh_from_db()
        assert (envelope.state, open_jobs(envelope)) == (EnvelopeState.CANCELLED, [])
    assert claim_next() is None


@pytest.mark.parametrize("put_back", [lambda job: recover_job(job, how="It is gone"), put_back_stopped])
def test_a_job_is_put_back_only_after_a_cancel_that_has_begun(
    on_both: LiveSystem, put_back: Callable[[Job], None]
) -> None:
    envelope = queue_envelope("e")
    job = claim()
    with transaction.atomic():
        cancel_envelope(envelope.pk, COMMAND_LINE)
        racer = Racer(lambda: put_back(Job.objects.get(pk=job.pk)))
        racer.start()
        racer.join(STILL_WAITS_S)
        assert racer.is_alive()
    assert racer.result() is None
    envelope.refresh_from_db()
    assert (envelope.state, open_jobs(envelope)) == (EnvelopeState.CANCELLED, [])


def test_a_takeover_leaves_alone_a_job_whose_commit_outlived_its_process(on_both: LiveSystem) -> None:
    queue_envelope("e")
    job = claim()
    with transaction.atomic():
        # sent to the database by a process that is dead by now
        finish_success(job, attempt=job.attempt, statistics={}, peak_memory_bytes=1)
        successor = Racer(recover_orphans)
        successor.start()
        successor.join(STILL_WAITS_S)
        assert successor.is_alive()
    assert [orphan.pk for orphan in successor.result()] == [job.pk]
    job.refresh_from_db()
    assert (job.state, job.attempt, job.crash_count) == (JobState.SUCCESS, 1, 0)
    assert claim().kind == JobKind.LOAD


def test_envelopes_that_arrive_at_the_same_instant_do_not_mix_their_jobs(on_both: LiveSystem) -> None:
    for number in range(ROUNDS):
        names = (f"a{number}", f"b{number}", f"c{number}")
        race(*[lambda name=name: queue_envelope(name) for name in names])
    order = []
    while (job := claim_next()) is not None:
        order.append(job.envelope_id)
        succeed(job)
    assert len(order) == 2 * 3 * ROUNDS
    assert order[::2] == order[1::2]


def test_a_failed_job_that_two_people_retry_at_once_is_queued_once(on_both: LiveSystem) -> None:
    for number in range(ROUNDS):
        queue_envelope(f"e{number}", JobKind.VALIDATE)
        job = claim()
        fail_job(job, attempt=job.attempt, message="it broke")

        def retry(job: Job = job) -> Job:
            return retry_job(job.pk, COMMAND_LINE)

        outcomes = race(retry, retry)
        assert sum(isinstance(outcome, RetryRefusedError) for outcome in outcomes) == 1, outcomes
        again = claim()
        assert (again.pk, again.attempt) == (job.pk, 2)
        succeed(again)
        assert claim_next() is None


def test_a_queue_that_is_cleared_while_a_job_is_claimed_loses_the_envelope_whole(on_both: LiveSystem) -> None:
    for number in range(ROUNDS):
        envelope = queue_envelope(f"e{number}")
        job, cleared = race(claim_next, lambda: clear_queue(COMMAND_LINE))
        assert not isinstance(cleared, Exception), cleared
        if job is None:
            assert (cleared.jobs_count, len(cleared.cancelled_envelopes)) == (2, 1)
        else:
            assert (cleared.jobs_count, len(cleared.cancelled_envelopes)) == (1, 0)
            succeed(job)
        envelope.refresh_from_db()
        assert (envelope.state, open_jobs(envelope)) == (EnvelopeState.CANCELLED, [])


def test_every_change_waits_for_the_queues_row(on_both: LiveSystem) -> None:
    """One order of locks: with the queue's row first, no two can wait for each other."""
    envelope = queue_envelope("e")
    job = claim()
    other = queue_envelope("f")
    actions: list[Action] = [
        claim_next,
        lambda: succeed(job),
        lambda: fail_job(job, attempt=1, message="no"),
        lambda: recover_job(job, how="It is gone"),
        lambda: put_back_stopped(job),
        lambda: cancel_envelope(envelope.pk, COMMAND_LINE),
        lambda: clear_queue(COMMAND_LINE),
        lambda: pause_queue(COMMAND_LINE, "a test"),
        lambda: retry_job(job.pk, COMMAND_LINE),
        lambda: enqueue_chain(other, [Step(JobKind.MATCH)]),
    ]
    before = JobEvent.objects.count()
    with transaction.atomic():
        queue_state(lock=True)
        racers = [Racer(action) for action in actions]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join(STILL_WAITS_S / len(racers))
        assert all(racer.is_alive() for racer in racers)
        assert JobEvent.objects.count() == before
    for racer in racers:
        racer.result()
