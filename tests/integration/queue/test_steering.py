"""Pause, resume, clear, cancel, pause on failure, recovery after a crash."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from linkwright.jobs.context import JobResult
from linkwright.queue.claim import claim_next
from linkwright.queue.finish import withdraw_jobs
from linkwright.queue.steering import SteeringError
from linkwright.queue.transitions import StaleTransitionError
from linkwright.services.cancel_envelope import CancelRefusedError, cancel_envelope
from linkwright.services.clear_queue import clear_queue, preview_clear
from linkwright.services.end_job import complete_job, fail_job
from linkwright.services.pause_queue import pause_queue, resume_queue
from linkwright.services.queue_status import read_queue_status
from linkwright.services.recover_jobs import recover_orphans
from linkwright.store.audit_log import Actor
from linkwright.store.models import (
    AuditLogEntry,
    AuditMessage,
    Batch,
    BatchKind,
    BatchState,
    EndReason,
    Envelope,
    EnvelopeState,
    Job,
    JobEvent,
    JobState,
    User,
)
from linkwright.store.settings import change_setting
from tests.integration.queue.conftest import MakeEnvelope, jobs_of, states_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Actor:
    return Actor(User.objects.create(username="alice"), "192.0.2.1")


def claim() -> Job:
    job = claim_next()
    assert job is not None
    return job


def succeed(job: Job) -> None:
    complete_job(job, attempt=job.attempt, result=JobResult(), raised=(), peak_memory_bytes=1)


def stage_file(envelope: Envelope, job: Job, name: str, state: BatchState = BatchState.STAGED) -> Batch:
    assert envelope.project is not None
    return Batch.objects.create(
        project=envelope.project,
        envelope=envelope,
        job=job,
        kind=BatchKind.RECORDS,
        state=state,
        file_name=name,
        rows_count=1,
        bytes_count=1,
        created_at=envelope.received_at,
    )


def test_a_pause_keeps_jobs_from_starting_and_the_running_one_goes_on(
    make_envelope: MakeEnvelope, alice: Actor
) -> None:
    make_envelope("a")
    running = claim()
    pause_queue(alice, "disk is being replaced")
    running.refresh_from_db()
    assert running.state == JobState.RUNNING
    succeed(running)
    assert claim_next() is None
    status = read_queue_status()
    assert status.paused_by == "alice"
    assert status.paused_reason == "disk is being replaced"
    assert status.paused_at is not None
    resume_queue(alice)
    assert claim().kind == "Load"
    assert list(AuditLogEntry.objects.order_by("id").values_list("action", "reason", "origin")) == [
        ("pause queue", "disk is being replaced", "192.0.2.1"),
        ("resume queue", "", "192.0.2.1"),
    ]


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_pause_needs_a_reason(db: None, alice: Actor, reason: str) -> None:
    with pytest.raises(SteeringError, match="needs a reason"):
        pause_queue(alice, reason)
    assert read_queue_status().paused_at is None


def test_a_second_pause_does_not_overwrite_the_first(db: None, alice: Actor) -> None:
    pause_queue(alice, "first")
    with pytest.raises(SteeringError, match="paused already"):
        pause_queue(alice, "second")
    assert read_queue_status().paused_reason == "first"
    assert AuditLogEntry.objects.count() == 1


def test_a_queue_that_runs_cannot_be_resumed(db: None, alice: Actor) -> None:
    with pytest.raises(SteeringError, match="not paused"):
        resume_queue(alice)


def test_a_failure_pauses_the_queue_when_the_setting_says_so(make_envelope: MakeEnvelope, alice: Actor) -> None:
    change_setting("Worker.Jobs.PauseProcessingOnFailure", True, alice)
    make_envelope("a")
    make_envelope("b")
    job = claim()
    fail_job(job, attempt=job.attempt, message="provider NOBODY is unknown")
    assert claim_next() is None
    status = read_queue_status()
    assert status.paused_by_job == job
    assert status.paused_by == f"the failure of job {job.pk} (Validate)"
    assert status.paused_reason == "provider NOBODY is unknown"


def test_clearing_removes_every_queued_job_and_leaves_the_running_one(
    make_envelope: MakeEnvelope, alice: Actor
) -> None:
    a, b, c = make_envelope("a"), make_envelope("b"), make_envelope("c")
    running = claim()
    assert (preview_clear().jobs_count, preview_clear().envelopes_count) == (14, 3)
    cleared = clear_queue(alice, "wrong month")
    assert (cleared.jobs_count, cleared.envelopes_count) == (14, 3)
    for envelope in (b, c):
        envelope.refresh_from_db()
        assert envelope.state == EnvelopeState.CANCELLED
    a.refresh_from_db()
    assert a.state == EnvelopeState.QUEUED
    running.refresh_from_db()
    assert running.state == JobState.RUNNING
    succeed(running)
    a.refresh_from_db()
    assert a.state == EnvelopeState.CANCELLED
    entry = AuditLogEntry.objects.get(action="clear queue")
    assert len(entry.detail["jobs"]) == 14
    assert entry.reason == "wrong month"
    assert claim_next() is None


def test_clearing_hundreds_of_envelopes_takes_few_statements_and_writes_down_every_job(
    make_envelope: MakeEnvelope, alice: Actor
) -> None:
    first = make_envelope("first")
    job = claim()
    succeed(job)
    batch = stage_file(first, job, "x.parquet")
    with CaptureQueriesContext(connection) as few:
        clear_queue(alice)
    batch.refresh_from_db()
    assert batch.state == BatchState.REMOVED
    for number in range(120):
        make_envelope(f"e{number}")
    with CaptureQueriesContext(connection) as many:
        cleared = clear_queue(alice)
    # the writer's place must not be held for as long as a worker waits for it
    assert len(many) < len(few) + 20
    assert (cleared.jobs_count, cleared.envelopes_count) == (600, 120)
    jobs = Job.objects.exclude(envelope=first)
    assert set(jobs.values_list("state", "end_reason", "error_message")) == {
        (JobState.ERRORS, EndReason.CLEARED, "Never started: the queue was cleared.")
    }
    events = JobEvent.objects.filter(job__in=jobs, left=JobState.QUEUED, entered=JobState.ERRORS)
    assert (events.count(), set(events.values_list("reason", flat=True))) == (600, {"the queue was cleared"})
    assert not Envelope.objects.exclude(state=EnvelopeState.CANCELLED).exists()
    assert claim_next() is None


def test_jobs_that_somebody_else_took_meanwhile_are_not_withdrawn(
    make_envelope: MakeEnvelope, alice: Actor
) -> None:
    make_envelope("a")
    jobs = list(Job.objects.all())
    claim()
    with pytest.raises(StaleTransitionError, match="5 jobs cannot become Errors"), transaction.atomic():
        withdraw_jobs(jobs, EndReason.CLEARED, "the queue was cleared")
    assert Job.objects.filter(state=JobState.QUEUED).count() == 4


def test_clearing_keeps_held_jobs_for_a_retry(make_envelope: MakeEnvelope, alice: Actor) -> None:
    a = make_envelope("a")
    job = claim()
    fail_job(job, attempt=job.attempt, message="no")
    make_envelope("b")
    clear_queue(alice)
    assert states_of(a) == ["Errors", "Held", "Held", "Held", "Held"]
    a.refresh_from_db()
    assert a.state == EnvelopeState.ERRORS


def test_a_queued_envelope_is_cancelled_at_once(make_envelope: MakeEnvelope, alice: Actor) -> None:
    a, b = make_envelope("a"), make_envelope("b")
    cancel_envelope(a.pk, alice, "sent twice")
    a.refresh_from_db()
    assert a.state == EnvelopeState.CANCELLED
    assert claim().envelope == b
    assert AuditLogEntry.objects.get(action="cancel Envelope").reason == "sent twice"


def test_a_cancel_between_two_jobs_leaves_nothing_behind(make_envelope: MakeEnvelope, alice: Actor) -> None:
    a = make_envelope("a")
    job = claim()
    succeed(job)
    batch = stage_file(a, job, "x.parquet")
    cancel_envelope(a.pk, alice)
    batch.refresh_from_db()
    assert batch.state == BatchState.REMOVED


def test_a_job_that_ends_before_its_cancel_arrives_leaves_nothing_behind(
    make_envelope: MakeEnvelope, alice: Actor
) -> None:
    a = make_envelope("a")
    job = claim()
    cancel_envelope(a.pk, alice)
    batch = stage_file(a, job, "x.parquet")
    succeed(job)
    a.refresh_from_db()
    batch.refresh_from_db()
    assert a.state == EnvelopeState.CANCELLED
    assert batch.state == BatchState.REMOVED
    assert claim_next() is None


@pytest.mark.parametrize(
    "state", [EnvelopeState.SUCCESS, EnvelopeState.ERRORS, EnvelopeState.CORRUPT, EnvelopeState.CANCELLED]
)
def test_only_a_queued_or_running_envelope_can_be_cancelled(
    make_envelope: MakeEnvelope, alice: Actor, state: EnvelopeState
) -> None:
    a = make_envelope("a")
    Envelope.objects.filter(pk=a.pk).update(state=state)
    with pytest.raises(CancelRefusedError, match="only a queued or running one"):
        cancel_envelope(a.pk, alice)


def test_a_failed_envelope_hides_its_files_until_a_retry(make_envelope: MakeEnvelope) -> None:
    a = make_envelope("a")
    job = claim()
    live = stage_file(a, job, "x.parquet", BatchState.LIVE)
    fail_job(job, attempt=job.attempt, message="no")
    live.refresh_from_db()
    assert live.state == BatchState.STAGED


def test_an_orphan_is_run_again_before_anything_else(make_envelope: MakeEnvelope) -> None:
    a = make_envelope("a")
    make_envelope("b")
    job = claim()
    assert [orphan.pk for orphan in recover_orphans()] == [job.pk]
    again = claim()
    assert (again.pk, again.attempt, again.envelope) == (job.pk, 2, a)
    assert AuditMessage.objects.filter(job=job, attempt=1, text__contains="run again").exists()


def test_an_orphan_is_given_up_after_two_more_attempts(make_envelope: MakeEnvelope) -> None:
    a = make_envelope("a")
    for _attempt in range(2):
        claim()
        recover_orphans()
    job = claim()
    assert job.attempt == 3
    recover_orphans()
    job.refresh_from_db()
    assert job.state == JobState.ERRORS
    assert job.end_reason == "crashed"
    assert "given up after 3 attempts" in job.error_message
    a.refresh_from_db()
    assert a.state == EnvelopeState.ERRORS
    assert states_of(a)[1:] == ["Held"] * 4


def test_an_orphan_that_was_cancelled_is_not_run_again(make_envelope: MakeEnvelope, alice: Actor) -> None:
    a = make_envelope("a")
    claim()
    cancel_envelope(a.pk, alice)
    recover_orphans()
    a.refresh_from_db()
    assert a.state == EnvelopeState.CANCELLED
    assert "Cancelled by alice" in jobs_of(a)[0].error_message


def test_a_paused_queue_does_not_rerun_an_orphan(make_envelope: MakeEnvelope, alice: Actor) -> None:
    make_envelope("a")
    claim()
    pause_queue(alice, "looking into it")
    recover_orphans()
    assert claim_next() is None
    resume_queue(alice)
    assert claim().attempt == 2
