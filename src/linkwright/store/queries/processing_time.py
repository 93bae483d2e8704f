"""How long an Envelope has been processed: the time in which one of its jobs ran, over all attempts. Never writes.

What it waited does not count: for its turn, in Errors until somebody retried it, while the queue was paused. The
queue adds it up, on the Envelope's row, where the states of its jobs change (queue/transitions.py).

Source: SPEC section 4 (duration), silent about retries: the time of processing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from linkwright.store.models import Envelope


@dataclass(frozen=True)
class ProcessingTime:
    """How long the jobs ran that have stopped, in seconds, and since when the one runs that does, if one does."""

    ran_s: float
    running_since: datetime | None

    @property
    def seconds(self) -> float | None:
        """The time of processing, to the millisecond; None while a job runs: it grows."""
        return None if self.running_since is not None else round(self.ran_s, 3)

    def counted_from(self, now: datetime) -> datetime:
        """Return the moment since which it had been processed by now, had it never waited."""
        return (self.running_since or now) - timedelta(seconds=self.ran_s)


def processing_time_of(envelope: Envelope) -> ProcessingTime | None:
    """Return the processing time of an Envelope; None if none of its jobs ever ran."""
    if envelope.processing_started_at is None:
        return None
    return ProcessingTime(envelope.ran_s, envelope.running_since)
