"""How the Job Queue stands: what runs, what waits, whether and why it is paused, whether a worker is there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import overload

from django.utils import timezone

from linkwright.queue.order import first_queued, queue_state
from linkwright.store.kept_query import KeptQuery, count_of
from linkwright.store.models import Job, JobState, User
from linkwright.store.permissions import held_roles
from linkwright.store.queries.job_lists import JobRow, read_job_rows
from linkwright.store.queries.series_sets import SeriesFilter, matching_series
from linkwright.store.queries.worker_presence import active_worker_seen_since

# a worker says that it is there every two seconds
WORKER_SILENT_AFTER = timedelta(seconds=10)
LISTED_JOBS = 30
# all of a job but its statistics, which can be long; of its Envelope what a line says
_SHOWN = (
    *(field.name for field in Job._meta.concrete_fields if field.name != "statistics"),  # noqa: SLF001
    "envelope__name",
    "envelope__received_by",
)
_RUNNING = KeptQuery(lambda: Job.objects.select_related("envelope").only(*_SHOWN).filter(state=JobState.RUNNING))
_QUEUED_COUNT = KeptQuery(lambda: count_of(Job.objects.filter(state=JobState.QUEUED)))


class QueuedJobs(Sequence[JobRow]):
    """The queued jobs in queue order, read when they are looked at: most pages only say how many there are."""

    def __init__(self, keys: Sequence[int]) -> None:
        self._keys = keys

    @cached_property
    def _jobs(self) -> list[JobRow]:
        return read_job_rows(self._keys)

    @overload
    def __getitem__(self, place: int) -> JobRow: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[JobRow]: ...

    def __getitem__(self, place: int | slice) -> JobRow | Sequence[JobRow]:
        """Return the job at a place."""
        return self._jobs[place]

    def __iter__(self) -> Iterator[JobRow]:
        """Go through them, in queue order."""
        return iter(self._jobs)

    def __len__(self) -> int:
        """Return how many there are, without reading them."""
        return len(self._keys)


@dataclass(frozen=True)
class QueueStatus:
    """One look at the queue.

    `queued` holds the first jobs in queue order, those of one person if it was looked at for them; `is_cut` says
    whether there are more of these.
    """

    paused_at: datetime | None
    paused_by: str
    paused_by_job: Job | None
    paused_reason: str
    running: Job | None
    queued: Sequence[JobRow]
    is_cut: bool
    # whether `queued` are all that there are
    is_whole: bool
    worker_alive: bool
    # the Envelope whose chain is under way, whether one of its jobs runs at this moment or not
    chain_envelope_id: int | None

    @cached_property
    def queued_count(self) -> int:
        """How many jobs are queued, whoever asks; counted when it is looked at."""
        return len(self.queued) if self.is_whole else _QUEUED_COUNT.first() or 0


@dataclass(frozen=True)
class VisibleQueue:
    """The queue as one person may see it: of jobs in projects of others they learn only that something runs."""

    status: QueueStatus
    running: Job | None
    queued: Sequence[JobRow]
    # the failed job that paused the queue, if this person may see it
    paused_by_job: Job | None

    @property
    def paused_by(self) -> str:
        """Who or what paused the queue."""
        if self.status.paused_by_job is None:
            return self.status.paused_by
        job = self.paused_by_job
        return f"the failure of job {job.pk} ({job.kind})" if job else "the failure of a job"

    @property
    def paused_reason(self) -> str:
        """Why; a failure in a project of others is not told."""
        is_hidden = self.status.paused_by_job is not None and self.paused_by_job is None
        return "" if is_hidden else self.status.paused_reason


def read_visible_queue(user: User) -> VisibleQueue:
    """Look at the queue with one person's eyes."""
    status = read_queue_status(user)
    projects = None if user.is_superuser else held_roles(user).keys()

    def exists_for_them(job: Job) -> bool:
        if projects is None or job.project_id in projects:
            return True
        return job.project_id is None and job.envelope is not None and job.envelope.received_by_id == user.pk

    return VisibleQueue(
        status=status,
        running=status.running if status.running and exists_for_them(status.running) else None,
        queued=status.queued,
        paused_by_job=(
            status.paused_by_job if status.paused_by_job and exists_for_them(status.paused_by_job) else None
        ),
    )


def read_queue_status(user: User | None = None) -> QueueStatus:
    """Look at the queue once: list all queued jobs, or those that exist for a person."""
    state = queue_state()
    series = matching_series(user, SeriesFilter()) if user else None
    keys = first_queued(state, series, LISTED_JOBS + 1)
    is_cut = len(keys) > LISTED_JOBS
    return QueueStatus(
        paused_at=state.paused_at,
        paused_by=_paused_by(state.paused_by.username if state.paused_by else "", state.paused_by_job),
        paused_by_job=state.paused_by_job,
        paused_reason=state.paused_reason,
        running=_RUNNING.first(),
        queued=QueuedJobs(keys[:LISTED_JOBS]),
        is_cut=is_cut,
        is_whole=series is None and not is_cut,
        worker_alive=worker_is_alive(),
        chain_envelope_id=state.active_envelope_id,
    )


def worker_is_alive() -> bool:
    """Tell whether an active worker has been seen lately."""
    return active_worker_seen_since(timezone.now() - WORKER_SILENT_AFTER)


def _paused_by(username: str, job: Job | None) -> str:
    if username:
        return username
    return f"the failure of job {job.pk} ({job.kind})" if job else "the command line"
