"""Lists of jobs for pages and API: by processing start, newest first, keyset paging, no counts. Never writes.

Jobs that have not started have no place in that order; they follow behind the others, newest first. The two
parts are read apart, because databases disagree on where an index puts NULL.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Case, Q, QuerySet, TextField, When
from django.db.models.fields.json import KT

from linkwright.store.models import Job, JobKind, User
from linkwright.store.permissions import visible_projects
from linkwright.store.queries.paging import PAGE_SIZE, Page
from linkwright.store.queries.shown_status import ShownStatus, jobs_shown_as, shown_job_status

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"s(\d{1,17})-(\d{1,18})|u(\d{1,18})")


# the one number in each kind's statistics that a glance at its row should give
HEADLINE_KEYS: Mapping[str, str] = {
    JobKind.VALIDATE: "files_count",
    JobKind.LOAD: "rows_loaded_count",
    JobKind.MATCH: "kept_pairs_count",
    JobKind.GROUP: "groups_after_count",
    JobKind.REPORT: "plots_count",
    JobKind.ROLLBACK: "records_count",
    JobKind.DELETE: "records_count",
    JobKind.REVIEW: "records_count",
    JobKind.ESTIMATE: "records_count",
    JobKind.SNAPSHOT: "records_count",
    JobKind.EXTRACT: "records_count",
    JobKind.COMPACT: "files_before_count",
    JobKind.PURGE: "records_count",
    JobKind.BACKUP: "files_count",
}


@dataclass(frozen=True)
class JobFilter:
    """What a list is narrowed to; an empty field narrows nothing."""

    status: ShownStatus | None = None
    project_code: str = ""
    text: str = ""
    kind: str = ""
    envelope_id: int | None = None
    started_from: datetime | None = None
    started_before: datetime | None = None


@dataclass(frozen=True)
class JobRow:
    """One line of the list. Progress stays out of `repr`: a row looks the same whatever the progress is."""

    id: int
    kind: str
    status: ShownStatus
    end_reason: str
    attempt: int
    envelope_id: int | None
    envelope_name: str
    project_id: int | None
    project_code: str
    file: str
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cancel_requested_at: datetime | None
    peak_memory_bytes: int | None
    error_message: str
    # what sums a finished job up, see HEADLINE_KEYS; None before it has ended
    headline_count: int | None
    progress: dict[str, Any] = field(repr=False)

    @property
    def duration_s(self) -> float | None:
        """From start to end; None while it runs or if it never did."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


def visible_jobs(user: User) -> QuerySet[Job]:
    """Return the jobs that exist for a person."""
    if user.is_superuser:
        return Job.objects.all()
    mine = Q(project=None, envelope__received_by=user)
    return Job.objects.filter(Q(project__in=visible_projects(user)) | mine)


def list_jobs(
    user: User, wanted: JobFilter, *, before: str = "", after: str = "", limit: int = PAGE_SIZE
) -> Page[JobRow]:
    """Return a page of jobs, the one that started last first.

    `before` and `after` are cursors of an earlier page; an unreadable one counts as none.
    """
    found = _as_lines(_narrowed(visible_jobs(user), wanted))
    if after and (cursor := _read_cursor(after)):
        jobs = _newer(found, cursor, limit + 1)
        has_newer, jobs, has_older = len(jobs) > limit, jobs[:limit][::-1], True
    else:
        cursor = _read_cursor(before)
        jobs = _older(found, cursor, limit + 1)
        has_older, jobs, has_newer = len(jobs) > limit, jobs[:limit], cursor is not None
    return Page(
        [job_row(job) for job in jobs],
        newer=cursor_of(jobs[0]) if jobs and has_newer else "",
        older=cursor_of(jobs[-1]) if jobs and has_older else "",
    )


def read_jobs(user: User, keys: Iterable[int]) -> list[JobRow]:
    """Return the rows of the jobs with these keys, as far as they exist for the person, by key."""
    found = _as_lines(visible_jobs(user).filter(pk__in=list(keys))).order_by("pk")
    return [job_row(job) for job in found]


def read_chains(envelope_ids: Iterable[int]) -> dict[int, list[JobRow]]:
    """Return the jobs of each of these Envelopes, in the order of their chain."""
    chains: dict[int, list[JobRow]] = {key: [] for key in envelope_ids}
    found = _as_lines(Job.objects.filter(envelope_id__in=list(chains)))
    for job in found.order_by("chain_position", "pk"):
        chains[job.envelope_id or 0].append(job_row(job))
    return chains


def read_statistics(keys: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Return the whole statistics of these jobs; ask only for jobs that the person may see."""
    return dict(Job.objects.filter(pk__in=list(keys)).values_list("pk", "statistics"))


def cursor_of(job: Job) -> str:
    """Return the text that names a job's place in the list."""
    if job.started_at is None:
        return f"u{job.pk}"
    return f"s{(job.started_at - _EPOCH) // timedelta(microseconds=1)}-{job.pk}"


def job_row(job: Job) -> JobRow:
    """Return the line of a job; reads `job.envelope`, and the headline if `_as_lines` has fetched it."""
    found = getattr(job, "headline", None)
    return JobRow(
        id=job.pk,
        kind=job.kind,
        status=shown_job_status(job.state, errors_occurred=job.errors_occurred),
        end_reason=job.end_reason,
        attempt=job.attempt,
        envelope_id=job.envelope_id,
        envelope_name=job.envelope.name if job.envelope else "",
        project_id=job.project_id,
        project_code=job.project_code,
        file=str(job.parameters.get("file_name", "")),
        queued_at=job.queued_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        cancel_requested_at=job.cancel_requested_at,
        peak_memory_bytes=job.peak_memory_bytes,
        error_message=job.error_message,
        headline_count=None if found is None else int(found),
        progress=job.progress,
    )


def _as_lines(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """Fetch what a line shows. Statistics can be long: only the headline is taken out of them."""
    headline = Case(
        *(When(kind=kind, then=KT(f"statistics__{key}")) for kind, key in HEADLINE_KEYS.items()),
        output_field=TextField(),
    )
    return jobs.select_related("envelope").defer("statistics").annotate(headline=headline)


def _narrowed(jobs: QuerySet[Job], wanted: JobFilter) -> QuerySet[Job]:
    if wanted.status is not None:
        jobs = jobs.filter(jobs_shown_as(wanted.status))
    if wanted.project_code:
        jobs = jobs.filter(project_code=wanted.project_code)
    if wanted.text:
        by_number = Q(pk=int(wanted.text)) if re.fullmatch(r"\d{1,18}", wanted.text) else Q()
        jobs = jobs.filter(Q(envelope__name__icontains=wanted.text) | Q(kind__iexact=wanted.text) | by_number)
    if wanted.kind:
        jobs = jobs.filter(kind=wanted.kind)
    if wanted.envelope_id is not None:
        jobs = jobs.filter(envelope_id=wanted.envelope_id)
    if wanted.started_from is not None:
        jobs = jobs.filter(started_at__gte=wanted.started_from)
    if wanted.started_before is not None:
        jobs = jobs.filter(started_at__lt=wanted.started_before)
    return jobs


Cursor = tuple[datetime | None, int]


def _read_cursor(text: str) -> Cursor | None:
    match = _CURSOR.fullmatch(text)
    if match is None:
        return None
    started_us, started_key, unstarted_key = match.groups()
    if unstarted_key:
        return None, int(unstarted_key)
    try:
        return _EPOCH + timedelta(microseconds=int(started_us)), int(started_key)
    except OverflowError:
        return None


def _older(jobs: QuerySet[Job], cursor: Cursor | None, limit: int) -> list[Job]:
    """Read downwards: the started ones, then those that have not started."""
    started = jobs.filter(started_at__isnull=False).order_by("-started_at", "-pk")
    unstarted = jobs.filter(started_at=None).order_by("-pk")
    if cursor is None:
        first = list(started[:limit])
    elif cursor[0] is None:
        return list(unstarted.filter(pk__lt=cursor[1])[:limit])
    else:
        at, key = cursor
        # the plain bound beside the tuple comparison lets both databases start inside the index
        below = Q(started_at__lte=at) & (Q(started_at__lt=at) | Q(pk__lt=key))
        first = list(started.filter(below)[:limit])
    return first if len(first) == limit else [*first, *unstarted[: limit - len(first)]]


def _newer(jobs: QuerySet[Job], cursor: Cursor, limit: int) -> list[Job]:
    """Read upwards from a cursor, nearest first."""
    started = jobs.filter(started_at__isnull=False).order_by("started_at", "pk")
    at, key = cursor
    if at is None:
        first = list(jobs.filter(started_at=None, pk__gt=key).order_by("pk")[:limit])
        return first if len(first) == limit else [*first, *started[: limit - len(first)]]
    above = Q(started_at__gte=at) & (Q(started_at__gt=at) | Q(pk__gt=key))
    return list(started.filter(above)[:limit])
