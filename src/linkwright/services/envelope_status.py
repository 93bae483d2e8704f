"""Envelopes as lines of text or JSON: what the command line shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from linkwright.store.models import Envelope, Job, JobState, Notification, Severity
from linkwright.store.queries.processing_time import processing_time_of
from linkwright.store.queries.shown_status import read_activity, shown_envelope_status


@dataclass(frozen=True)
class EnvelopeLine:
    """One Envelope; `seconds` of processing over all attempts, None while it is not over."""

    id: int
    name: str
    state: str
    status: str
    project_code: str
    records_count: int | None
    received_at: datetime
    seconds: float | None
    job_seconds: dict[str, float]
    first_error: str

    def as_json(self) -> dict[str, Any]:
        """Return the line as plain values."""
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "project": self.project_code,
            "records": self.records_count,
            "received": self.received_at.isoformat(),
            "seconds": self.seconds,
            "seconds_per_job_kind": self.job_seconds,
            "error": self.first_error or None,
        }


def read_envelopes(ids: Sequence[int]) -> list[EnvelopeLine]:
    """Return the Envelopes with these ids, oldest first."""
    return _lines(Envelope.objects.filter(pk__in=ids).order_by("pk"))


def list_envelopes(limit: int) -> list[EnvelopeLine]:
    """Return the newest Envelopes, newest first."""
    return _lines(Envelope.objects.order_by("-pk")[:limit])


def _lines(rows: Iterable[Envelope]) -> list[EnvelopeLine]:
    envelopes = list(rows)
    keys = [envelope.pk for envelope in envelopes]
    activity = read_activity()
    job_seconds: dict[int, dict[str, float]] = {key: {} for key in keys}
    for job in Job.objects.filter(envelope__in=keys, state=JobState.SUCCESS).order_by("chain_position"):
        if job.envelope_id is not None and job.started_at and job.ended_at:
            spent = job_seconds[job.envelope_id]
            seconds = (job.ended_at - job.started_at).total_seconds()
            spent[job.kind] = round(spent.get(job.kind, 0.0) + seconds, 3)
    errors: dict[int, str] = {}
    for row in Notification.objects.filter(envelope__in=keys, severity=Severity.ERROR).order_by("-id"):
        errors[row.envelope_id] = row.with_values or row.text
    return [
        EnvelopeLine(
            id=envelope.pk,
            name=envelope.name,
            state=envelope.state,
            status=shown_envelope_status(
                envelope.state,
                errors_occurred=envelope.errors_occurred,
                is_active=activity.active_envelope_id == envelope.pk,
            ).value,
            project_code=envelope.project_code,
            records_count=envelope.records_count,
            received_at=envelope.received_at,
            seconds=_seconds(envelope),
            job_seconds=job_seconds[envelope.pk],
            first_error=errors.get(envelope.pk, ""),
        )
        for envelope in envelopes
    ]


def _seconds(envelope: Envelope) -> float | None:
    processing = processing_time_of(envelope)
    return None if envelope.processed_at is None or processing is None else processing.seconds
