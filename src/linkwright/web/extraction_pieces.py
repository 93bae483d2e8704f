"""The live lists of Extraction Projects and of their results, with the jobs that run or wait for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from linkwright.jobs.extraction_project import RELATED, why_not_extract
from linkwright.services.start_extraction import why_not_start
from linkwright.store.models import ExtractionProject, ExtractionResult, Job, JobState, LinkageProject
from linkwright.store.permissions import Permission, visible_projects
from linkwright.store.queries.extractions import (
    ExtractionLine,
    last_failed_extract_job,
    list_extraction_projects,
    list_results,
    open_extract_job,
    read_key_numbers,
)
from linkwright.web.access import Access
from linkwright.web.live import Piece, Shown, make_piece
from linkwright.web.progress_view import ProgressView, view_progress

_OPEN = (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True)
class ExtractionRow:
    """One Extraction Project in the list; `state` is one word of its own for people."""

    code: str
    name: str
    kind: str
    event_types: Sequence[str]
    approval_reference: str
    created_at: datetime
    results_count: int
    state: str


@dataclass(frozen=True)
class ResultRow:
    """One result; `ended` says why its file is no longer kept, '' if it is."""

    id: int
    event_type: str
    job_id: int
    envelope: str
    created_at: datetime
    records_count: int
    persons_count: int
    changes_count: int | None
    bytes_count: int
    downloads_count: int
    expires_at: datetime
    ended: str
    rollback_id: int | None


def extractions_piece(project: LinkageProject) -> Piece:
    """Return the list of a project's Extraction Projects."""
    rows = [_line(one) for one in list_extraction_projects(project)]
    context = {"project": project, "rows": rows}
    return make_piece(f"extractions-{project.pk}", "web/partials/extractions.html", context, rows)


def results_piece(extraction_project: ExtractionProject, access: Access) -> Piece:
    """Return an Extraction Project's results, what runs for it, and what became of its keys."""
    may_extract = access.may(Permission.EXTRACT, extraction_project.project_id)
    rows = [_result(one) for one in list_results(extraction_project)]
    job, progress = _open_job(extraction_project)
    failed = None if job else last_failed_extract_job(extraction_project)
    if failed and rows and failed.ended_at and rows[0].created_at > failed.ended_at:
        # another one has succeeded since
        failed = None
    refusal = why_not_extract(extraction_project)
    may_start = may_extract and not why_not_start(extraction_project)
    numbers = read_key_numbers(extraction_project)
    context = {
        "extraction": extraction_project,
        "rows": rows,
        "job": job,
        "progress": progress,
        "failed": failed,
        "refusal": "" if job else refusal,
        "may_extract": may_extract,
        "may_start": may_start,
        "numbers": numbers,
    }
    return make_piece(
        f"results-{extraction_project.pk}",
        "web/partials/extraction_results.html",
        context,
        rows,
        progress,
        (job.pk, job.state) if job else None,
        failed.pk if failed else None,
        refusal,
        may_extract,
        may_start,
        numbers,
    )


def shown_extractions(access: Access, shown: Shown) -> list[Piece]:
    """Look up again the lists that a browser shows."""
    projects = shown.keys("extractions")
    keys = shown.keys("results")
    if not projects and not keys:
        return []
    visible = visible_projects(access.user)
    pieces = [extractions_piece(project) for project in visible.filter(pk__in=projects)]
    found = ExtractionProject.objects.filter(pk__in=keys, project__in=visible)
    return pieces + [results_piece(one, access) for one in found.select_related(*RELATED)]


def _line(one: ExtractionLine) -> ExtractionRow:
    found = one.extraction_project
    return ExtractionRow(
        code=found.code,
        name=found.name,
        kind=found.get_kind_display(),
        event_types=one.event_types,
        approval_reference=found.approval_reference,
        created_at=found.created_at,
        results_count=one.results_count,
        state=_state(found, one.job),
    )


def _state(found: ExtractionProject, job: Job | None) -> str:
    if found.closed_at is not None:
        return "closed"
    if job is not None:
        return "extracting" if job.state == JobState.RUNNING else "extraction queued"
    if not why_not_extract(found):
        return "ready"
    made = found.snapshot_job
    return "snapshot queued" if made is not None and made.state in _OPEN else "no snapshot"


def _result(one: ExtractionResult) -> ResultRow:
    is_over = one.removed_at is None and one.expires_at <= timezone.now()
    return ResultRow(
        id=one.pk,
        event_type=one.event_type.code,
        job_id=one.job_id,
        envelope=one.envelope.name if one.envelope else "",
        created_at=one.created_at,
        records_count=one.records_count,
        persons_count=one.persons_count,
        changes_count=one.changes_count,
        bytes_count=one.bytes_count,
        downloads_count=one.downloads_count,
        expires_at=one.expires_at,
        ended="expired" if is_over else one.removed_why,
        rollback_id=one.removed_by_job_id,
    )


def _open_job(extraction_project: ExtractionProject) -> tuple[Job | None, ProgressView | None]:
    """Return the Snapshot or Extract job that runs or waits, and how far it is."""
    made = extraction_project.snapshot_job
    job = made if made is not None and made.state in _OPEN else open_extract_job(extraction_project)
    return job, view_progress(job.progress) if job and job.state == JobState.RUNNING else None
