"""Lists of jobs for pages and API: by processing start, newest first, keyset paging, no counts. Never writes.

Jobs that have not started have no place in that order; they follow behind the others, newest first. The two
parts are read apart, because databases disagree on where an index puts NULL.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from linkwright.store.kept_query import KeptQuery, given_one_of
from linkwright.store.models import Job, JobKind, JobState, User
from linkwright.store.permissions import held_roles
from linkwright.store.queries.job_search import JobFilter, Place, find_jobs, read_cursor
from linkwright.store.queries.keyset import microseconds
from linkwright.store.queries.paging import PAGE_SIZE, Page
from linkwright.store.queries.shown_status import ShownStatus, shown_job_status

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


_COLUMNS = (
    *("id", "kind", "state", "errors_occurred", "end_reason", "attempt", "envelope_id", "envelope__name"),
    *("project_id", "project_code", "parameters", "queued_at", "started_at", "ended_at", "cancel_requested_at"),
    *("peak_memory_bytes", "error_message", "progress"),
)


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
    def shown(self) -> tuple[object, ...]:
        """All that the looks of a row depend on: two that are equal look the same."""
        return _SHOWN_OF(self)

    @property
    def duration_s(self) -> float | None:
        """From start to end; None while it runs or if it never did."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


_SHOWN_OF = attrgetter(*(part.name for part in fields(JobRow) if part.repr))


def visible_jobs(user: User) -> QuerySet[Job]:
    """Return the jobs that exist for a person."""
    if user.is_superuser:
        return Job.objects.all()
    mine = Q(project=None, envelope__received_by=user)
    return Job.objects.filter(Q(project__in=list(held_roles(user))) | mine)


def list_jobs(
    user: User, wanted: JobFilter, *, before: str = "", after: str = "", limit: int = PAGE_SIZE
) -> Page[JobRow]:
    """Return a page of jobs, the one that started last first.

    `before` and `after` are cursors of an earlier page; an unreadable one counts as none. Costs about the same,
    whatever the number of jobs; where the filters together are rare, the page may end early, see `Page`.
    """
    upwards = read_cursor(after)
    is_upward = upwards is not None
    start = upwards or read_cursor(before)
    found = find_jobs(user, wanted, start=start, is_upward=is_upward, limit=limit + 1)
    keys = list(found.keys)
    is_full, shown = len(keys) > limit, keys[:limit]
    rows = read_job_rows(shown)
    reached = None if is_full else found.reached
    goes_on = cursor_of(rows[-1]) if is_full and rows else reached.text if reached else ""
    turns_back = "" if start is None else cursor_of(rows[0]) if rows else start.text
    return Page(
        rows[::-1] if is_upward else rows,
        newer=goes_on if is_upward else turns_back,
        older=turns_back if is_upward else goes_on,
        is_partial=reached is not None,
        searched_to=reached.at if reached else None,
    )


def read_jobs(user: User, keys: Iterable[int]) -> list[JobRow]:
    """Return the rows of the jobs with these keys, as far as they exist for the person, by key."""
    return _rows(_columns_of(visible_jobs(user).filter(pk__in=list(keys)).order_by("pk")))


def read_chains(envelope_ids: Iterable[int]) -> dict[int, list[JobRow]]:
    """Return the jobs of each of these Envelopes, in the order of their chain."""
    chains: dict[int, list[JobRow]] = {key: [] for key in envelope_ids}
    for row in _rows(_CHAINS.among(chains)):
        chains[row.envelope_id or 0].append(row)
    return chains


def read_statistics(keys: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Return the whole statistics of these jobs; ask only for jobs that the person may see."""
    return dict(Job.objects.filter(pk__in=list(keys)).values_list("pk", "statistics"))


def cursor_of(row: JobRow) -> str:
    """Return the text that names a job's place in the list."""
    return Place(None if row.started_at is None else microseconds(row.started_at), row.id).text


def read_job_rows(keys: Sequence[int]) -> list[JobRow]:
    """Return the rows of the jobs with these keys, in this order, whoever asks."""
    found = {row.id: row for row in _rows(_BY_KEY.among(keys))}
    return [found[key] for key in keys if key in found]


def job_row(job: Job) -> JobRow:
    """Return the line of a job, without a headline; reads `job.envelope`."""
    return _row(job, job.envelope.name if job.envelope else "", None)


def _row(job: Any, envelope_name: str, headline: Any) -> JobRow:
    """Return the line of a job, or of its columns: fifty models would take longer than the statement."""
    return JobRow(
        id=job.id,
        kind=job.kind,
        status=shown_job_status(job.state, errors_occurred=job.errors_occurred),
        end_reason=job.end_reason,
        attempt=job.attempt,
        envelope_id=job.envelope_id,
        envelope_name=envelope_name,
        project_id=job.project_id,
        project_code=job.project_code,
        file=str(job.parameters.get("file_name", "")),
        queued_at=job.queued_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        cancel_requested_at=job.cancel_requested_at,
        # a running job's grows: its row would be another one with every look
        peak_memory_bytes=None if job.state == JobState.RUNNING else job.peak_memory_bytes,
        error_message=job.error_message,
        headline_count=None if headline is None else int(headline),
        progress=job.progress,
    )


def _rows(found: Iterable[Any]) -> list[JobRow]:
    return [_row(columns, columns.envelope__name or "", columns.headline) for columns in found]


def _columns_of(jobs: QuerySet[Job]) -> QuerySet[Job, Any]:
    headline = RawSQL(_headline_sql(connection.vendor), ())  # noqa: S611 - made of names in this file alone
    return jobs.annotate(headline=headline).values_list(*_COLUMNS, "headline", named=True)


def _chains() -> QuerySet[Job, Any]:
    return _columns_of(Job.objects.filter(given_one_of("envelope_id", "keys")).order_by("chain_position", "pk"))


_CHAINS = KeptQuery(_chains)
_BY_KEY = KeptQuery(lambda: _columns_of(Job.objects.filter(given_one_of("pk", "keys"))))


@cache
def _headline_sql(vendor: str) -> str:
    """Return the one number that is taken out of a job's statistics; the ORM would take long to write it."""
    table = Job._meta.db_table  # noqa: SLF001
    taken = "{table}.statistics ->> '{key}'"
    if vendor == "sqlite":
        taken = "json_extract({table}.statistics, '$.{key}')"
    cases = (f"WHEN '{kind}' THEN {taken.format(table=table, key=key)}" for kind, key in HEADLINE_KEYS.items())
    return f"CASE {table}.kind {' '.join(cases)} END"
