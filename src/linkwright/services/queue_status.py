"""How the Job Queue stands: what runs, what waits, whether and why it is paused, whether a worker is there."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from linkwright.queue.order import queue_state, queued_in_order
from linkwright.store.models import Job, JobState
from linkwright.store.queries.worker_presence import active_worker_seen_since

# a worker says that it is there every two seconds
WORKER_SILENT_AFTER = timedelta(seconds=10)
LISTED_JOBS = 50
# all of a job but its statistics, which can be long; of its Envelope what a line says
_SHOWN = (
    *(field.name for field in Job._meta.concrete_fields if field.name != "statistics"),  # noqa: SLF001
    "envelope__name",
    "envelope__received_by",
)


@dataclass(frozen=True)
class QueueStatus:
    """One look at the queue; `queued` holds the first 50 jobs in queue order."""

    paused_at: datetime | None
    paused_by: str
    paused_by_job: Job | None
    paused_reason: str
    running: Job | None
    queued: list[Job]
    queued_count: int
    worker_alive: bool


def read_queue_status() -> QueueStatus:
    """Look at the queue once."""
    state = queue_state()
    lines = Job.objects.select_related("envelope").only(*_SHOWN)
    # the keys first: what is sorted is narrow
    keys = list(queued_in_order(state).values_list("pk", flat=True)[: LISTED_JOBS + 1])
    found = lines.in_bulk(keys)
    queued = [found[key] for key in keys if key in found]
    full = len(queued) > LISTED_JOBS
    return QueueStatus(
        paused_at=state.paused_at,
        paused_by=_paused_by(state.paused_by.username if state.paused_by else "", state.paused_by_job),
        paused_by_job=state.paused_by_job,
        paused_reason=state.paused_reason,
        running=lines.filter(state=JobState.RUNNING).first(),
        queued=queued[:LISTED_JOBS],
        queued_count=Job.objects.filter(state=JobState.QUEUED).count() if full else len(queued),
        worker_alive=worker_is_alive(),
    )


def worker_is_alive() -> bool:
    """Tell whether an active worker has been seen lately."""
    return active_worker_seen_since(timezone.now() - WORKER_SILENT_AFTER)


def _paused_by(username: str, job: Job | None) -> str:
    if username:
        return username
    return f"the failure of job {job.pk} ({job.kind})" if job else "the command line"
