"""The live list of a project's estimations, with the Estimate job that runs or waits."""

from dataclasses import dataclass
from datetime import datetime

from linkwright.store.models import Estimation, Job, JobState, LinkageProject, User
from linkwright.store.permissions import visible_projects
from linkwright.store.queries.estimations import list_estimations, read_estimate_jobs
from linkwright.web.formatting import format_probability
from linkwright.web.live import Piece, Shown, make_piece
from linkwright.web.progress_view import view_progress


@dataclass(frozen=True)
class EstimationRow:
    """One line of the list."""

    id: int
    created_at: datetime
    source: str
    records_count: int
    base_version: int
    current_prior: str
    proposed_prior: str
    applied_version: int | None


def estimations_piece(project: LinkageProject) -> Piece:
    """Return the list of a project's newest estimations."""
    rows = [_row(one) for one in list_estimations(project)]
    jobs = read_estimate_jobs(project)
    job, failed = jobs.open, jobs.failed
    progress = view_progress(job.progress) if job and job.state == JobState.RUNNING else None
    if failed and rows and failed.ended_at and rows[0].created_at > failed.ended_at:
        # another one has succeeded since
        failed = None
    context = {"project": project, "estimations": rows, "job": job, "progress": progress, "failed": failed}
    return make_piece(
        f"estimations-{project.pk}",
        "web/partials/estimations.html",
        context,
        rows,
        _state_of(job),
        progress,
        _state_of(failed),
    )


def shown_estimations(user: User, shown: Shown) -> list[Piece]:
    """Look up again the lists that a browser shows."""
    keys = shown.keys("estimations")
    found = visible_projects(user).filter(pk__in=keys) if keys else []
    return [estimations_piece(project) for project in found]


def _row(one: Estimation) -> EstimationRow:
    return EstimationRow(
        id=one.pk,
        created_at=one.created_at,
        source=one.envelope.name if one.envelope else "",
        records_count=one.results["records_count"],
        base_version=one.base_version.version,
        current_prior=format_probability(one.results["current_prior"]),
        proposed_prior=format_probability(one.results["estimated_prior"]),
        applied_version=one.applied_version.version if one.applied_version else None,
    )


def _state_of(job: Job | None) -> tuple[int, str] | None:
    return (job.pk, job.state) if job else None
