"""Seeds the chains of Envelopes: their jobs, and what was written down of those that ran."""

from datetime import datetime, timedelta

from linkwright.store.models import AuditMessage, Envelope, Job, JobEvent, JobKind, JobState
from tests.integration.web.seed_statistics import STATISTICS

CHAIN = (JobKind.VALIDATE, JobKind.LOAD, JobKind.LOAD, JobKind.MATCH, JobKind.GROUP, JobKind.REPORT)
MIB = 1024 * 1024


def add_chain(envelope: Envelope, rank: int, received: datetime, ended: int) -> None:
    """Add an Envelope's jobs with what was written down of them; in few statements, as every test asks for it."""
    jobs = Job.objects.bulk_create(
        _job(envelope, kind, position, rank, received, has_ended=position < ended)
        for position, kind in enumerate(CHAIN)
    )
    queued = [JobEvent(job=job, attempt=0, entered=JobState.QUEUED, at=received) for job in jobs]
    ran = [run_events(job, 1) for job in jobs[:ended]]
    JobEvent.objects.bulk_create(
        event for number, first in enumerate(queued) for event in (first, *(ran[number] if number < ended else ()))
    )
    AuditMessage.objects.bulk_create(message for job in jobs[:ended] for message in _messages(job))
    envelope.ran_s = sum((seconds_of(job) for job in jobs[:ended]), 0.0)
    envelope.save(update_fields=["ran_s"])


def _job(
    envelope: Envelope, kind: JobKind, position: int, rank: int, received: datetime, *, has_ended: bool
) -> Job:
    started = received + timedelta(seconds=2 + 12 * position)
    return Job(
        kind=kind,
        envelope=envelope,
        project=envelope.project,
        project_code=envelope.project_code,
        series=envelope.series,
        parameters={"file_name": f"{envelope.event_type_codes[position % 2].lower()}.csv"}
        if kind == JobKind.LOAD
        else {},
        queue_rank=rank,
        chain_position=position,
        queued_at=received,
        **(
            {
                "state": JobState.SUCCESS,
                "attempt": 1,
                "started_at": started,
                "ended_at": started + timedelta(seconds=11, milliseconds=400),
                "statistics": STATISTICS[kind],
                "peak_memory_bytes": (180 + 70 * position) * MIB,
            }
            if has_ended
            else {}
        ),
    )


def _messages(job: Job) -> list[AuditMessage]:
    assert job.started_at is not None
    texts = (
        f"{job.kind} started.",
        "Reading what the project holds: 961 204 records live.",
        f"{job.kind} ended after 11.4 s.",
    )
    return [
        AuditMessage(job=job, attempt=1, at=job.started_at + timedelta(seconds=5 * number), text=text)
        for number, text in enumerate(texts)
    ]


def run_events(job: Job, attempt: int) -> tuple[JobEvent, JobEvent]:
    """Return the events of a job that ran, from its start to its end."""
    assert job.started_at is not None
    assert job.ended_at is not None
    running = JobState.RUNNING
    return (
        JobEvent(job=job, attempt=attempt, left=JobState.QUEUED, entered=running, at=job.started_at),
        JobEvent(job=job, attempt=attempt, left=running, entered=job.state, at=job.ended_at),
    )


def seconds_of(job: Job) -> float:
    """Return for how long a job ran."""
    assert job.started_at is not None
    assert job.ended_at is not None
    return (job.ended_at - job.started_at).total_seconds()
