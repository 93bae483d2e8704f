"""The duration of an Envelope is the time in which its jobs ran, whatever it waited for in between."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from linkwright.jobs.context import JobResult
from linkwright.queue.claim import claim_next
from linkwright.queue.recovery import requeue_after_stop
from linkwright.queue.steering import pause, resume
from linkwright.services.end_job import complete_job, fail_job
from linkwright.services.envelope_status import read_envelopes
from linkwright.services.retry_job import retry_job
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, Job, JobKind, User
from linkwright.store.queries.envelope_lists import EnvelopeRow, list_envelopes
from linkwright.store.queries.envelope_search import EnvelopeFilter
from tests.integration.queue.conftest import MakeEnvelope

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """The time as the queue reads it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = START
        monkeypatch.setattr(timezone, "now", lambda: self.now)

    def pass_(self, seconds: float) -> None:
        """Let time go by."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a clock that a test moves."""
    return Clock(monkeypatch)


def _start() -> Job:
    job = claim_next()
    assert job is not None
    return job


def _run(clock: Clock, seconds: float) -> None:
    job = _start()
    clock.pass_(seconds)
    complete_job(job, attempt=job.attempt, result=JobResult(), raised=(), peak_memory_bytes=1)


def _row(envelope: Envelope) -> EnvelopeRow:
    admin, _made = User.objects.get_or_create(username="admin", defaults={"is_superuser": True})
    rows = {row.id: row for row in list_envelopes(admin, EnvelopeFilter()).rows}
    return rows[envelope.pk]


KINDS = (JobKind.VALIDATE, JobKind.LOAD)


def test_what_an_envelope_waited_in_errors_is_no_part_of_its_duration(
    make_envelope: MakeEnvelope, clock: Clock
) -> None:
    envelope = make_envelope("a", kinds=KINDS)
    clock.pass_(100)
    _run(clock, 2)
    job = _start()
    clock.pass_(3)
    fail_job(job, attempt=job.attempt, message="line 8")
    assert _row(envelope).duration_s == 5
    clock.pass_(3600)
    retry_job(job.pk, COMMAND_LINE)
    assert _row(envelope).duration_s is None
    clock.pass_(60)
    _run(clock, 4.25)
    assert _row(envelope).duration_s == 9.25
    assert [line.seconds for line in read_envelopes([envelope.pk])] == [9.25]


def test_a_pause_between_two_jobs_is_no_part_of_it(make_envelope: MakeEnvelope, clock: Clock) -> None:
    envelope = make_envelope("a", kinds=KINDS)
    _run(clock, 2)
    pause(None, "backup")
    clock.pass_(7200)
    resume()
    _run(clock, 1)
    assert _row(envelope).duration_s == 3


def test_a_worker_that_was_stopped_adds_only_what_it_ran(make_envelope: MakeEnvelope, clock: Clock) -> None:
    envelope = make_envelope("a", kinds=(JobKind.VALIDATE,))
    job = _start()
    clock.pass_(2)
    requeue_after_stop(job, attempt=job.attempt)
    clock.pass_(500)
    _run(clock, 1)
    assert _row(envelope).duration_s == 3


def test_while_it_runs_it_counts_on_from_what_it_has_run(make_envelope: MakeEnvelope, clock: Clock) -> None:
    envelope = make_envelope("a", kinds=KINDS)
    assert _row(envelope).counted_from(clock.now) is None
    _run(clock, 2)
    # between two jobs
    clock.pass_(50)
    since = _row(envelope).counted_from(clock.now)
    assert since is not None
    assert round((clock.now - since).total_seconds(), 3) == 2
    _start()
    clock.pass_(5)
    row = _row(envelope)
    since = row.counted_from(clock.now)
    assert since is not None
    assert round((clock.now - since).total_seconds(), 3) == 7
    assert row.duration_s is None


def test_each_envelope_of_a_list_has_its_own(make_envelope: MakeEnvelope, clock: Clock) -> None:
    kinds = (JobKind.VALIDATE,)
    first, second, third = (make_envelope(name, name, kinds=kinds) for name in ("a", "b", "c"))
    _run(clock, 2)
    _run(clock, 3)
    assert [_row(one).duration_s for one in (first, second, third)] == [2, 3, None]
