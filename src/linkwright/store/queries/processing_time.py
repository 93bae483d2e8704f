"""How long an Envelope has been processed: the time in which one of its jobs ran, over all attempts. Never writes.

What it waited does not count: for its turn, in Errors until somebody retried it, while the queue was paused. The
changes of its jobs' states tell (JobEvent). They are added up inside the statement that reads the Envelopes: a
list asks nothing more, and nothing row by row.

Source: SPEC section 4 (duration), silent about retries: the time of processing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import BooleanField, FloatField, QuerySet
from django.db.models.expressions import RawSQL

from linkwright.store.models import Envelope, Job, JobEvent, JobState

_ENVELOPES, _JOBS, _EVENTS = (model._meta.db_table for model in (Envelope, Job, JobEvent))  # noqa: SLF001
_SECONDS = {
    "sqlite": "(julianday({at}) - julianday({since})) * 86400.0",
    "postgresql": "EXTRACT(EPOCH FROM {at} - {since})::float8",
}


@dataclass(frozen=True)
class ProcessingTime:
    """What the database knows of an Envelope's processing.

    `moments_sum_s`: the moments at which its jobs stopped, less those at which they started, each in seconds from
    the first start. While a job runs, the moment at which that will stop is missing.
    """

    started_at: datetime
    moments_sum_s: float
    is_running: bool

    @property
    def seconds(self) -> float | None:
        """The time of processing, to the millisecond; None while a job runs: it grows."""
        return None if self.is_running else round(max(self.moments_sum_s, 0.0), 3)

    def counted_from(self, now: datetime) -> datetime:
        """Return the moment since which it had been processed by now, had it never waited."""
        return (self.started_at if self.is_running else now) - timedelta(seconds=self.moments_sum_s)


def moments_sum() -> RawSQL:
    """Return the sum of moments of `ProcessingTime` for the Envelope of a row; None if none of its jobs ran.

    The seconds of processing, once the Envelope is over.
    """
    running, base = JobState.RUNNING.value, f"{_ENVELOPES}.processing_started_at"
    seconds = _SECONDS[connection.vendor]
    return RawSQL(  # noqa: S611 - no text from outside
        # most jobs ran once, and their own row says from when to when: a third of the rows to look up
        f"(SELECT SUM(CASE WHEN job.attempt = 1 AND job.state = '{JobState.SUCCESS.value}' "
        f"THEN {seconds.format(at='job.ended_at', since='job.started_at')} "
        "WHEN job.attempt > 0 THEN "
        f"(SELECT SUM(CASE event.entered WHEN '{running}' THEN -1 ELSE 1 END * "
        f"{seconds.format(at='event.at', since=base)}) FROM {_EVENTS} event WHERE event.job_id = job.id "
        f"AND (event.entered = '{running}' OR event.\"left\" = '{running}')) END) "
        f"FROM {_JOBS} job WHERE job.envelope_id = {_ENVELOPES}.id)",
        (),
        output_field=FloatField(),
    )


def with_processing_time(envelopes: QuerySet[Envelope]) -> QuerySet[Envelope]:
    """Let a query of Envelopes read what `processing_time_of` needs."""
    # asked once a statement, by the index that forbids a second running job
    running = f"SELECT job.envelope_id FROM {_JOBS} job WHERE job.state = '{JobState.RUNNING.value}'"
    has_running_job = RawSQL(  # noqa: S611 - no text from outside
        f"COALESCE({_ENVELOPES}.id = ({running}), FALSE)", (), output_field=BooleanField()
    )
    return envelopes.annotate(moments_sum_s=moments_sum(), has_running_job=has_running_job)


def processing_time_of(envelope: Envelope) -> ProcessingTime | None:
    """Return the processing time of an Envelope read by `with_processing_time`; None if it never started."""
    moments_sum_s: float | None = getattr(envelope, "moments_sum_s")  # noqa: B009 - no field: an annotation
    has_running_job: bool = getattr(envelope, "has_running_job")  # noqa: B009
    if envelope.processing_started_at is None or moments_sum_s is None:
        return None
    # to the millisecond: databases differ behind it
    return ProcessingTime(envelope.processing_started_at, round(moments_sum_s, 3), has_running_job)
