"""Jobs: list, one with its statistics, its audit messages, retry, cancel."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from linkwright.api.answers import VALUES_HIDDEN, possible_errors
from linkwright.api.paging import (
    JOB_CURSOR,
    NO_ZERO,
    Key,
    PageAnswer,
    PageQuery,
    Text,
    links,
    oldest_first,
    refuse_unknown,
)
from linkwright.api.rights import Caller, caller_of, job_or_404, reader_of
from linkwright.services.cancel_job import cancel_job
from linkwright.services.hidden_values import without_values
from linkwright.services.retry_job import retry_job, why_not_retry
from linkwright.store.models import AuditMessage, EndReason, Job, JobKind, JobState
from linkwright.store.permissions import Permission
from linkwright.store.queries.job_lists import JobRow, list_jobs, read_jobs
from linkwright.store.queries.job_search import JobFilter
from linkwright.store.queries.shown_status import ShownStatus

router = Router(tags=["jobs"])

JobId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The job's number.")]
# JOB_STATUSES, in a form that can be described
JobStatus = Literal["Queued", "Held", "SuccessActive", "ErrorsActive", "Success", "Errors"]
_RETRIABLE = (EndReason.FAILED, EndReason.CRASHED)


class ProgressAnswer(Schema):
    """How far a running job is; `total` is null while the length is unknown."""

    stage: str
    done: float
    total: float | None
    unit: str
    stage_started_at: datetime | None
    reported_at: datetime | None


class JobAnswer(Schema):
    """One job."""

    id: int
    kind: JobKind
    status: ShownStatus
    end_reason: str = Field(
        description="Why it ended in Errors: failed, crashed, cancelled or cleared; else empty."
    )
    attempt: int
    envelope_id: int | None
    envelope_name: str
    project_code: str
    file_name: str = Field(description="The data file that a Load reads; else empty.")
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    duration_s: float | None
    cancel_requested_at: datetime | None
    peak_memory_bytes: int | None
    error_message: str = Field(
        description="In lists with `[hidden]` in the place of identifying values; read alone, those who may see "
        "them get them."
    )
    progress: ProgressAnswer | None = Field(description="While it runs; else null.")


class JobDetailAnswer(JobAnswer):
    """One job with its statistics."""

    statistics: dict[str, Any] = Field(
        description="Numbers and tables, by kind. Identifying values read 'hidden' for whoever may not see them."
    )
    retry_refusal: str | None = Field(
        description="Why a failed job cannot be retried; empty if it can; null if there is nothing to retry."
    )


class JobPageAnswer(PageAnswer):
    """Jobs: those that started last first; behind them those that have not started."""

    items: list[JobAnswer]


class JobQuery(PageQuery):
    """What the list is narrowed to."""

    cursor: str = Field(
        "", max_length=40, pattern=JOB_CURSOR, description="From `next_cursor` of the page before; opaque."
    )
    status: JobStatus | None = None
    project_code: Text = ""
    kind: JobKind | None = None
    envelope_id: Key | None = None
    started_from: datetime | None = Field(None, description="Started at or after this time.")
    started_before: datetime | None = Field(None, description="Started before this time.")
    text: Text = Field("", description="Words that stand in the Envelope's name, or a kind, or a job's number.")


class AuditMessageAnswer(Schema):
    """One audit message."""

    id: int
    attempt: int
    at: datetime
    text: str = Field(description=VALUES_HIDDEN)


class AuditMessagePageAnswer(PageAnswer):
    """Audit messages of all attempts, oldest first."""

    items: list[AuditMessageAnswer]


class CancelForm(Schema):
    """Why; may be left out."""

    reason: str = Field("", max_length=500, pattern=NO_ZERO)


@router.get("", response={200: JobPageAnswer, **possible_errors()}, summary="List jobs")
def list_all(request: HttpRequest, query: Query[JobQuery]) -> JobPageAnswer:
    """List the jobs of one's projects, system jobs too, the one that started last first."""
    caller = reader_of(request)
    refuse_unknown(request, JobQuery)
    wanted = JobFilter(
        status=ShownStatus(query.status) if query.status else None,
        project_code=query.project_code,
        text=query.text,
        kind=query.kind or "",
        envelope_id=query.envelope_id,
        started_from=query.started_from,
        started_before=query.started_before,
    )
    page = list_jobs(caller.user, wanted, before=query.cursor, limit=query.limit)
    return JobPageAnswer(items=[job_answer(row) for row in page.rows], **links(request, page.older))


@router.get("/{job_id}", response={200: JobDetailAnswer, **possible_errors()}, summary="Read a job")
def read_one(request: HttpRequest, job_id: JobId) -> JobDetailAnswer:
    """Read one job with its statistics."""
    caller = reader_of(request)
    return _detail(caller, job_or_404(caller, job_id))


@router.get(
    "/{job_id}/audit-messages",
    response={200: AuditMessagePageAnswer, **possible_errors()},
    summary="List a job's audit messages",
)
def list_audit_messages(request: HttpRequest, job_id: JobId, query: Query[PageQuery]) -> AuditMessagePageAnswer:
    """List what a job said, all attempts, oldest first."""
    caller = reader_of(request)
    refuse_unknown(request, PageQuery)
    job = job_or_404(caller, job_id)
    rows, cursor = oldest_first(AuditMessage.objects.filter(job=job), query)
    may_see = caller.may(Permission.SEE_IDENTIFYING_VALUES, job.project)
    items = [
        AuditMessageAnswer(
            id=row.pk, attempt=row.attempt, at=row.at, text=(may_see and row.with_values) or row.text
        )
        for row in rows
    ]
    return AuditMessagePageAnswer(items=items, **links(request, cursor))


@router.post("/{job_id}/retry", response={202: JobDetailAnswer, **possible_errors(409)}, summary="Retry a job")
def retry(request: HttpRequest, job_id: JobId) -> Status[JobDetailAnswer]:
    """Queue a failed job at the front as a new attempt, with the held jobs of its Envelope behind it."""
    caller = caller_of(request)
    job = job_or_404(caller, job_id)
    caller.demand(Permission.RETRY, job.project)
    retry_job(job.pk, caller.actor)
    return Status(202, _detail(caller, job_or_404(caller, job_id)))


@router.post(
    "/{job_id}/cancel", response={202: JobDetailAnswer, **possible_errors(409, 413, 415)}, summary="Cancel a job"
)
def cancel(request: HttpRequest, job_id: JobId, form: CancelForm | None = None) -> Status[JobDetailAnswer]:
    """Cancel a queued or running job that belongs to no Envelope; a running one stops within seconds.

    The jobs of an Envelope are cancelled with it: `/api/v1/envelopes/{envelope_id}/cancel`.
    """
    caller = caller_of(request)
    job = job_or_404(caller, job_id)
    caller.demand(Permission.CANCEL, job.project)
    cancel_job(job.pk, caller.actor, form.reason.strip() if form else "")
    return Status(202, _detail(caller, job_or_404(caller, job_id)))


def job_answer(row: JobRow) -> JobAnswer:
    """Return a job as the API shows it."""
    return JobAnswer(**_values(row))


def job_detail(caller: Caller, job: Job) -> JobDetailAnswer:
    """Return a job with its statistics as the API shows it."""
    return _detail(caller, job)


def _detail(caller: Caller, job: Job) -> JobDetailAnswer:
    (row,) = read_jobs(caller.user, [job.pk])
    may_see = caller.may(Permission.SEE_IDENTIFYING_VALUES, job.project)
    statistics = job.statistics if may_see else without_values(job.statistics)
    has_failed = job.state == JobState.ERRORS and job.end_reason in _RETRIABLE
    asks = has_failed and caller.may(Permission.RETRY, job.project)
    told = {"error_message": (may_see and job.error_with_values) or job.error_message}
    return JobDetailAnswer(
        **_values(row) | told, statistics=statistics, retry_refusal=why_not_retry(job) if asks else None
    )


def _values(row: JobRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": JobKind(row.kind),
        "status": row.status,
        "end_reason": row.end_reason,
        "attempt": row.attempt,
        "envelope_id": row.envelope_id,
        "envelope_name": row.envelope_name,
        "project_code": row.project_code,
        "file_name": row.file,
        "queued_at": row.queued_at,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "duration_s": row.duration_s,
        "cancel_requested_at": row.cancel_requested_at,
        "peak_memory_bytes": row.peak_memory_bytes,
        "error_message": row.error_message,
        "progress": _progress(row.progress) if row.status.is_active else None,
    }


def _progress(progress: dict[str, Any]) -> ProgressAnswer:
    return ProgressAnswer(
        stage=str(progress.get("stage") or "Starting"),
        done=progress.get("done") or 0,
        total=progress.get("total"),
        unit=str(progress.get("unit") or ""),
        stage_started_at=progress.get("stage_started_at"),
        reported_at=progress.get("reported_at"),
    )
