"""Says when the worker that holds the lock looks for jobs that are due."""

import time

from django.utils import timezone

from linkwright.services.schedule_jobs import queue_due_jobs

LOOK_EVERY_S = 10.0


class DueJobs:
    """What one worker remembers between its looks: the first is at once."""

    def __init__(self) -> None:
        # not the time of day: that can be put back
        self._looked_s: float | None = None

    def before_claim(self) -> None:
        """Queue what is due, if the last look was long enough ago."""
        now_s = time.monotonic()
        if self._looked_s is None or now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now_s
            queue_due_jobs(timezone.now())
