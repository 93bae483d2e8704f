"""How a running job speaks to the database: progress at most twice a second, audit lines at once."""

import resource
import time
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from linkwright.engine.identifying import take_apart
from linkwright.engine.progress import Progress
from linkwright.queue.transitions import StaleTransitionError
from linkwright.services.end_job import Raised
from linkwright.store.models import AuditMessage, Job, JobState, Severity

PROGRESS_EVERY_S = 0.5


@dataclass
class JobReporter:
    """Writes for one attempt of one job; once the attempt has been given up, it stops the computation."""

    job: Job
    attempt: int
    raised: list[Raised] = field(default_factory=list)
    _stage: str = ""
    _stage_started_at: datetime = field(default_factory=timezone.now)
    _written_s: float = 0.0

    def report(self, progress: Progress, /) -> None:
        """Store the progress, if half a second has passed or a new stage has begun.

        Raises:
            StaleTransitionError: if this attempt was given up.
        """
        now_s = time.monotonic()
        new_stage = progress.stage != self._stage
        if not new_stage and now_s - self._written_s < PROGRESS_EVERY_S:
            return
        now = timezone.now()
        if new_stage:
            self._stage, self._stage_started_at = progress.stage, now
            self.audit(f"{progress.stage}: {_size_text(progress)}")
        self._written_s = now_s
        row = {
            "stage": progress.stage,
            "done": progress.done,
            "total": progress.total,
            "unit": progress.unit,
            "stage_started_at": self._stage_started_at.isoformat(),
            "reported_at": now.isoformat(),
        }
        mine = Job.objects.filter(pk=self.job.pk, attempt=self.attempt, state=JobState.RUNNING)
        # so that it is known of a job, too, whose process is killed
        if mine.update(progress=row, peak_memory_bytes=peak_memory_bytes()) != 1:
            raise StaleTransitionError(
                f"Attempt {self.attempt} of job {self.job.pk} was given up; its work is dropped."
            )

    def audit(self, text: str, /) -> None:
        """Add one line to the job's audit messages; values that are marked as identifying are kept apart."""
        told = take_apart(text)
        AuditMessage.objects.create(
            job=self.job, attempt=self.attempt, at=timezone.now(), text=told.text, with_values=told.with_values
        )

    def notify(self, severity: Severity, text: str, /) -> None:
        """Keep a Notification until the job ends; show it in the audit messages now."""
        self.raised.append(Raised(severity, text))
        self.audit(f"{Severity(severity).label}: {text}")


def peak_memory_bytes() -> int:
    """Return the most memory that this process has taken."""
    # Linux counts in KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _size_text(progress: Progress) -> str:
    # the total is that of all the job's steps of this kind, and not of the file that the stage may name
    if progress.total is None or progress.total == 1:
        return "started"
    return f"{progress.total:,} {progress.unit} in all"
