"""Order, chains, failure and retry of the queue."""

import pytest
from django.db import IntegrityError, transaction

from linkwright.jobs.context import JobResult
from linkwright.queue.claim import claim_next
from linkwright.queue.transitions import StaleTransitionError
from linkwright.services.end_job import complete_job, fail_job
from linkwright.services.retry_job import RetryRefusedError, retry_job, why_not_retry
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AuditLogEntry,
    Envelope,
    EnvelopeState,
    Job,
    JobEvent,
    JobKind,
    JobState,
    Notification,
    QueueState,
)
from tests.integration.queue.conftest import MakeEnvelope, jobs_of, states_of

pytestmark = pytest.mark.django_db


def succeed(job: Job) -> None:
    complete_job(job, attempt=job.attempt, result=JobResult(), raised=(), peak_memory_bytes=1)


def claim() -> Job:
    job = claim_next()
    assert job is not None
    return job


def run_next() -> Job:
    job = claim()
    succeed(job)
    return job


def fail_next(message: str = "it broke") -> Job:
    job = claim()
    fail_job(job, attempt=job.attempt, message=message)
    job.refresh_from_db()
    return job


def drain() -> list[tuple[str, str]]:
    done = []
    while (job := claim_next()) is not None:
        succeed(job)
        assert job.envelope is not None
        done.append((job.envelope.name, job.kind))
    return done


def test_an_empty_queue_gives_no_job() -> None:
    assert claim_next() is None


def test_jobs_run_in_order_and_chains_do_not_interleave(make_envelope: MakeEnvelope) -> None:
    for name in ("a", "b", "c"):
        make_envelope(name)
    order = drain()
    assert [name for name, _kind in order] == ["a"] * 5 + ["b"] * 5 + ["c"] * 5
    assert [kind for _name, kind in order[:5]] == ["Validate", "Load", "Match", "Group", "Report"]
    assert set(Envelope.objects.values_list("state", flat=True)) == {EnvelopeState.SUCCESS}


def test_an_envelope_that_arrives_during_a_chain_waits_for_its_end(make_envelope: MakeEnvelope) -> None:
    make_envelope("a")
    run_next()
    make_envelope("b")
    assert [name for name, _kind in drain()] == ["a"] * 4 + ["b"] * 5


def test_a_second_job_cannot_be_claimed_while_one_runs(make_envelope: MakeEnvelope) -> None:
    make_envelope("a")
    claim()
    with pytest.raises(IntegrityError), transaction.atomic():
        claim_next()


def test_a_failure_holds_the_rest_and_the_queue_goes_on(make_envelope: MakeEnvelope) -> None:
    a, b = make_envelope("a"), make_envelope("b")
    run_next()
    fail_next("line 3 of births.csv is wrong")
    assert states_of(a) == ["Success", "Errors", "Held", "Held", "Held"]
    a.refresh_from_db()
    assert a.state == EnvelopeState.ERRORS
    assert a.processed_at is not None
    assert [n.text for n in Notification.objects.filter(envelope=a)] == ["line 3 of births.csv is wrong"]
    assert {name for name, _kind in drain()} == {"b"}
    b.refresh_from_db()
    assert b.state == EnvelopeState.SUCCESS


def test_a_retried_job_runs_first_with_the_held_jobs_behind_it(make_envelope: MakeEnvelope) -> None:
    a = make_envelope("a", "P1")
    make_envelope("b", "P2")
    run_next()
    failed = fail_next()
    first_of_b = run_next()
    assert first_of_b.kind == JobKind.VALIDATE
    make_envelope("c", "P3")
    retry_job(failed.pk, COMMAND_LINE)
    # the chain of b has begun: it is finished first, then a, then c
    order = drain()
    assert [name for name, _kind in order] == ["b"] * 4 + ["a"] * 4 + ["c"] * 5
    assert [kind for name, kind in order if name == "a"] == ["Load", "Match", "Group", "Report"]
    a.refresh_from_db()
    assert a.state == EnvelopeState.SUCCESS
    assert jobs_of(a)[1].attempt == 2
    assert AuditLogEntry.objects.filter(action="retry job").count() == 1


def test_a_new_attempt_begins_without_the_peak_memory_of_the_one_before(make_envelope: MakeEnvelope) -> None:
    make_envelope("a", "P1")
    job = claim()
    fail_job(job, attempt=1, message="it broke", peak_memory_bytes=300)
    assert Job.objects.get(pk=job.pk).peak_memory_bytes == 300
    retry_job(job.pk, COMMAND_LINE)
    again = claim()
    assert (again.pk, again.attempt) == (job.pk, 2)
    assert Job.objects.get(pk=job.pk).peak_memory_bytes is None


def test_a_job_cannot_be_retried_once_another_ran_against_its_project(make_envelope: MakeEnvelope) -> None:
    make_envelope("a", "P1")
    make_envelope("b", "P1")
    failed = fail_next()
    assert why_not_retry(failed) == ""
    other = run_next()
    failed = Job.objects.get(pk=failed.pk)
    assert f"Job {other.pk} (Validate of b) has been run against P1 since" in why_not_retry(failed)
    with pytest.raises(RetryRefusedError, match="has been run against P1 since"):
        retry_job(failed.pk, COMMAND_LINE)


def test_a_job_of_another_project_does_not_hinder_a_retry(make_envelope: MakeEnvelope) -> None:
    make_envelope("a", "P1")
    make_envelope("b", "P2")
    failed = fail_next()
    run_next()
    assert why_not_retry(Job.objects.get(pk=failed.pk)) == ""


@pytest.mark.parametrize("state", ["queued", "running", "success"])
def test_only_a_failed_job_can_be_retried(make_envelope: MakeEnvelope, state: str) -> None:
    a = make_envelope("a")
    if state != "queued":
        claim()
    if state == "success":
        succeed(Job.objects.get(state=JobState.RUNNING))
    with pytest.raises(RetryRefusedError, match="Only a failed job"):
        retry_job(jobs_of(a)[0].pk, COMMAND_LINE)


def test_a_job_retried_twice_at_once_is_queued_once(make_envelope: MakeEnvelope) -> None:
    make_envelope("a")
    failed = fail_next()
    retry_job(failed.pk, COMMAND_LINE)
    with pytest.raises(RetryRefusedError):
        retry_job(failed.pk, COMMAND_LINE)


def test_an_attempt_that_was_given_up_cannot_end_the_next_one(make_envelope: MakeEnvelope) -> None:
    make_envelope("a")
    failed = fail_next()
    retry_job(failed.pk, COMMAND_LINE)
    again = claim()
    assert again.pk == failed.pk
    with pytest.raises(StaleTransitionError):
        complete_job(failed, attempt=failed.attempt, result=JobResult(), raised=(), peak_memory_bytes=1)
    again.refresh_from_db()
    assert again.state == JobState.RUNNING


def test_nothing_of_a_result_is_kept_when_its_attempt_was_given_up(make_envelope: MakeEnvelope) -> None:
    envelope = make_envelope("a")
    job = claim()

    def commit() -> None:
        Envelope.objects.filter(pk=envelope.pk).update(records_count=1)

    with pytest.raises(StaleTransitionError):
        complete_job(job, attempt=7, result=JobResult(commit=commit), raised=(), peak_memory_bytes=1)
    envelope.refresh_from_db()
    assert envelope.records_count is None


def test_a_corrupt_envelope_is_never_retried(make_envelope: MakeEnvelope) -> None:
    a = make_envelope("a")
    job = claim()
    fail_job(job, attempt=job.attempt, message="the zip is damaged", corrupt=True)
    a.refresh_from_db()
    assert a.state == EnvelopeState.CORRUPT
    assert states_of(a) == ["Errors"] * 5
    for each in jobs_of(a):
        assert why_not_retry(each) != ""


def test_every_change_of_state_is_written_down(make_envelope: MakeEnvelope) -> None:
    make_envelope("a", kinds=(JobKind.VALIDATE,))
    failed = fail_next()
    retry_job(failed.pk, COMMAND_LINE)
    run_next()
    events = [(e.left, e.entered, e.attempt) for e in JobEvent.objects.filter(job=failed)]
    assert events == [
        ("", "Queued", 0),
        ("Queued", "Running", 1),
        ("Running", "Errors", 1),
        ("Errors", "Queued", 1),
        ("Queued", "Running", 2),
        ("Running", "Success", 2),
    ]


def test_no_chain_is_under_way_when_nothing_runs(make_envelope: MakeEnvelope) -> None:
    make_envelope("a")
    run_next()
    assert QueueState.objects.get(pk=1).active_envelope_id is not None
    drain()
    assert QueueState.objects.get(pk=1).active_envelope_id is None
