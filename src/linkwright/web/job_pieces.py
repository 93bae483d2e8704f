"""The live pieces that show jobs: rows of the list, steps of an Envelope's chain, and what opens below them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from linkwright.services.download_rejects import has_rejects
from linkwright.services.retry_job import why_not_retry
from linkwright.store.models import EndReason, EnvelopeReport, Job, JobKind
from linkwright.store.permissions import Permission
from linkwright.store.queries.estimations import complete_estimations
from linkwright.store.queries.job_lists import JobRow, read_statistics
from linkwright.store.queries.shown_status import ShownStatus
from linkwright.web.access import Access
from linkwright.web.formatting import count_words
from linkwright.web.group_view import group_url
from linkwright.web.live import Piece, RowGroup, make_piece
from linkwright.web.progress_view import view_progress
from linkwright.web.statistics_view import Links, view_statistics

ROW_TEMPLATE = "web/partials/job_row.html"
STATISTICS_TEMPLATE = "web/partials/job_statistics.html"
_RETRIABLE = (EndReason.FAILED, EndReason.CRASHED)

# what a kind's headline number counts
_HEADLINE_NOUNS: Mapping[str, tuple[str, str]] = {
    JobKind.VALIDATE: ("file checked", "files checked"),
    JobKind.LOAD: ("row loaded", "rows loaded"),
    JobKind.MATCH: ("pair kept", "pairs kept"),
    JobKind.GROUP: ("group", "groups"),
    JobKind.REPORT: ("plot", "plots"),
    JobKind.ROLLBACK: ("record undone", "records undone"),
    JobKind.DELETE: ("record ended", "records ended"),
    JobKind.REVIEW: ("record reviewed", "records reviewed"),
    JobKind.ESTIMATE: ("record used", "records used"),
    JobKind.SNAPSHOT: ("record kept", "records kept"),
    JobKind.EXTRACT: ("record extracted", "records extracted"),
    JobKind.COMPACT: ("file compacted", "files compacted"),
    JobKind.PURGE: ("record purged", "records purged"),
    JobKind.BACKUP: ("file copied", "files copied"),
}


@dataclass(frozen=True)
class JobOptions:
    """What may be done with a job; `retry_refusal` says why it cannot be retried, where somebody might ask."""

    may_retry: bool
    retry_refusal: str
    may_cancel: bool


def job_row_piece(row: JobRow, access: Access, *, prefix: str, is_open: bool) -> Piece:
    """Return a job's row: `prefix` is 'job' in the list of all jobs, 'step' in an Envelope's chain."""
    options = _options(row, access)
    context = {
        "row": row,
        "options": options,
        "headline": headline_of(row),
        "is_open": is_open,
        "prefix": prefix,
        "columns_count": 9 if prefix == "step" else 11,
    }
    return make_piece(f"{prefix}-{row.id}", ROW_TEMPLATE, context, row, options, context["headline"])


def statistics_pieces(rows: Iterable[JobRow], access: Access) -> list[Piece]:
    """Return what opens below these jobs: error, progress, statistics, and the plots of a Report."""
    wanted = list(rows)
    reported = {
        row.envelope_id
        for row in wanted
        if row.kind == JobKind.REPORT and row.status is ShownStatus.SUCCESS and row.envelope_id is not None
    }
    plots = (
        dict(EnvelopeReport.objects.filter(envelope_id__in=reported).values_list("envelope_id", "plots"))
        if reported
        else {}
    )
    statistics = read_statistics([row.id for row in wanted]) if wanted else {}
    # a list shows the short text; here it is told in full to those who may see values
    failed = [row.id for row in wanted if row.error_message and access.may_see_values(row.project_id)]
    errors = dict(Job.objects.filter(pk__in=failed).values_list("pk", "error_with_values")) if failed else {}
    return [
        _statistics_piece(
            row,
            statistics.get(row.id, {}),
            access,
            plots.get(row.envelope_id or 0, []) if row.kind == JobKind.REPORT else [],
            error=errors.get(row.id) or row.error_message,
        )
        for row in wanted
    ]


def _statistics_piece(
    row: JobRow, statistics: Mapping[str, Any], access: Access, plots: Sequence[Any], *, error: str
) -> Piece:
    hide_values = not access.may_see_values(row.project_id)
    progress = view_progress(row.progress) if row.status.is_active else None
    may_download_rejects = (
        bool(statistics.get("rows_rejected_count"))
        and access.may(Permission.SUBMIT, row.project_id)
        and has_rejects(row.id)
    )
    estimation = _estimation_of(row)
    context = {
        "row": row,
        "error": error,
        "estimation": estimation,
        "may_download_rejects": may_download_rejects,
        "view": view_statistics(statistics, hide_values=hide_values, links=_links_of(row)),
        "progress": progress,
        "plots": plots,
        "plot_prefix": f"job-{row.id}",
    }
    return make_piece(
        f"statistics-{row.id}",
        STATISTICS_TEMPLATE,
        context,
        row,
        progress,
        len(plots),
        hide_values,
        may_download_rejects,
        estimation,
        error,
    )


def _links_of(row: JobRow) -> Links:
    """Return where the groups and records that statistics name lead."""
    if row.status is not ShownStatus.SUCCESS or row.project_id is None:
        return {}

    def to_group(group_id: int) -> str:
        return group_url(row.project_code, group_id)

    def to_record(record_id: int) -> str:
        return f"{reverse('records', args=[row.project_code])}?record={record_id}"

    return {
        "group_id": to_group,
        "other_group_id": to_group,
        "record_id": to_record,
        "other_record_id": to_record,
    }


def _estimation_of(row: JobRow) -> int | None:
    """Return the number of the estimation that a job has made or reported, once it can be looked at."""
    if row.status is not ShownStatus.SUCCESS or row.kind not in {JobKind.ESTIMATE, JobKind.REPORT}:
        return None
    found = complete_estimations()
    if row.kind == JobKind.ESTIMATE:
        found = found.filter(job=row.id)
    elif row.envelope_id is not None:
        found = found.filter(envelope=row.envelope_id)
    return found.values_list("pk", flat=True).first()


def job_group(row: JobRow, access: Access, statistics: Piece | None) -> RowGroup:
    """Return a row of the list of all jobs with its place for statistics, filled if it is open."""
    piece = job_row_piece(row, access, prefix="job", is_open=statistics is not None)
    body = Piece(
        f"{piece.id}-group", "", "web/partials/job_group.html", {"row_piece": piece, "statistics": statistics}
    )
    return RowGroup(piece.id, body.render())


def headline_of(row: JobRow) -> str:
    """Return the figure that sums a finished job up: '5 000 rows loaded', '' if there is none."""
    if row.status is not ShownStatus.SUCCESS or row.headline_count is None:
        return ""
    return count_words(row.headline_count, *_HEADLINE_NOUNS[row.kind])


def _options(row: JobRow, access: Access) -> JobOptions:
    failed = row.status is ShownStatus.ERRORS and row.end_reason in _RETRIABLE
    if not failed or not access.may(Permission.RETRY, row.project_id):
        return JobOptions(may_retry=False, retry_refusal="", may_cancel=_may_cancel(row, access))
    job = Job.objects.select_related("envelope").get(pk=row.id)
    refusal = why_not_retry(job)
    return JobOptions(may_retry=not refusal, retry_refusal=refusal, may_cancel=False)


def _may_cancel(row: JobRow, access: Access) -> bool:
    """Tell whether to offer it: jobs of an Envelope are cancelled with that, and no job twice."""
    is_open = row.status is ShownStatus.QUEUED or row.status.is_active
    is_wanted = is_open and row.envelope_id is None and row.cancel_requested_at is None
    return is_wanted and access.may(Permission.CANCEL, row.project_id)
