"""The live pieces that show jobs: rows of the list, steps of an Envelope's chain, and what opens below them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from html import escape
from typing import Any

from django.urls import reverse

from linkwright.services.download_rejects import has_rejects
from linkwright.services.retry_job import why_not_retry_each
from linkwright.store.models import EndReason, EnvelopeReport, Job, JobKind
from linkwright.store.permissions import Permission
from linkwright.store.queries.estimations import complete_estimations
from linkwright.store.queries.job_lists import JobRow, read_statistics
from linkwright.store.queries.shown_status import ShownStatus
from linkwright.web.access import Access
from linkwright.web.address import envelopes_url
from linkwright.web.formatting import NO_VALUE, count_words
from linkwright.web.group_view import group_url
from linkwright.web.job_plots import drawn_keys, job_plots
from linkwright.web.live import Piece, RowGroup, drawn_piece, make_piece, row_group
from linkwright.web.progress_view import view_progress
from linkwright.web.row_parts import (
    Option,
    duration_html,
    elapsed_html,
    moment_html,
    options_html,
    project_html,
    size_html,
    status_html,
    toggle_button,
)
from linkwright.web.statistics_view import Links, view_statistics

STATISTICS_TEMPLATE = "web/partials/job_statistics.html"
_SHORT_ERROR = 200
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


COLUMNS_COUNT = {"job": 11, "step": 9}


@dataclass(frozen=True)
class JobOptions:
    """What may be done with a job; `retry_refusal` says why it cannot be retried, where somebody might ask."""

    may_retry: bool
    retry_refusal: str
    may_cancel: bool


def job_row_piece(
    row: JobRow, access: Access, *, prefix: str, is_open: bool, refusals: Mapping[int, str]
) -> Piece:
    """Return a job's row: `prefix` is 'job' in the list of all jobs, 'step' in an Envelope's chain.

    `refusals` is what `retry_refusals` says of the rows that are shown together.
    """
    options = _options(row, access, refusals)
    draw = partial(_row_html, row, options, prefix, is_open)
    return drawn_piece(f"{prefix}-{row.id}", draw, row.shown, options)


def _row_html(row: JobRow, options: JobOptions, prefix: str, is_open: bool, attributes: str) -> str:
    """Return the <tr> of a job; an Envelope's chain says neither the Envelope nor the project again."""
    is_listed, row_id, here = prefix == "job", f"{prefix}-{row.id}", f"{_jobs_url()}{row.id}/"
    called, is_over = f"job {row.id} ({row.kind})", row.ended_at is not None
    told = ""
    if row.status is ShownStatus.ERRORS and is_over:
        told = f' data-announce="Job {row.id} ({row.kind}): {escape(row.end_reason)}"'
    toggle = toggle_button(row_id, f"{here}statistics/", f"Statistics of {called}", is_open=is_open)
    number = f'<span class="code muted job-number">{row.id}</span> ' if is_listed else ""
    file = f' <span class="code muted">{escape(row.file)}</span>' if row.file else ""
    runs_since = row.started_at if row.status.is_active else None
    why_not = f'<div class="why-not">No retry: {escape(options.retry_refusal)}</div>' * bool(options.retry_refusal)
    return (
        f'<tr {attributes} class="row row-{row.status.lower()}"{told}>'
        f'<td class="cell-plus">{toggle}</td>'
        f'<td class="cell-status">{status_html(row.status, _status_extra(row))}</td>'
        f'<th scope="row" class="cell-name">{number}<span class="name">{row.kind}</span>{file}</th>'
        f"{_whose_html(row) if is_listed else ''}"
        f'<td class="cell-result"><div class="clip">{_result_html(row)}</div>{why_not}</td>'
        f'<td class="number">{row.attempt or NO_VALUE}</td>'
        f'<td class="time">{moment_html(row.started_at)}</td>'
        f'<td class="number">{elapsed_html(runs_since) if runs_since else duration_html(row.duration_s)}</td>'
        f'<td class="number">{size_html(row.peak_memory_bytes)}</td>'
        f'<td class="cell-options"><div class="options">{_options_html(options, called, row_id, here)}</div></td>'
        "</tr>"
    )


def _options_html(options: JobOptions, called: str, row_id: str, here: str) -> str:
    links = [Option("audit", "Audit", f"Audit of {called}", icon="list")]
    if options.may_cancel:
        links.append(Option("cancel", "Cancel", f"Cancel {called}", icon="cancelled"))
    if options.may_retry:
        links.append(Option("retry", "Retry", f"Retry {called}", icon="retry"))
    why_not = ""
    if options.retry_refusal:
        # shown where the result has no room for it
        why_not = (
            f'<a class="option why-not-link" id="{row_id}-why-not" href="{here}retry/" data-dialog '
            f'aria-label="Why no retry of {called}">Why no retry</a>'
        )
    return f"{options_html(row_id, here, links)}{why_not}"


def _status_extra(row: JobRow) -> str:
    """Return what stands behind the status word: why a job ended in Errors, or that it is being cancelled."""
    if row.status is ShownStatus.ERRORS and row.end_reason != EndReason.FAILED:
        return row.end_reason
    return "cancelling" if row.cancel_requested_at and row.status.is_active else ""


def _whose_html(row: JobRow) -> str:
    """Return the cells of a job's Envelope and project."""
    envelope = '<span class="muted">system</span>'
    if row.envelope_id is not None:
        name, url = escape(row.envelope_name), f"{envelopes_url()}{row.envelope_id}/jobs/"
        envelope = f'<a class="name" href="{url}" title="{name}">{name}</a>'
    project = project_html(row.project_id, row.project_code)
    return f'<td class="cell-name">{envelope}</td><td class="code">{project}</td>'


def _result_html(row: JobRow) -> str:
    headline = headline_of(row)
    if headline:
        return escape(headline)
    if row.status is ShownStatus.ERRORS and row.error_message:
        short = row.error_message
        if len(short) > _SHORT_ERROR:
            short = f"{short[: _SHORT_ERROR - 1]}…"
        return f'<span class="error-text" title="{escape(row.error_message)}">{escape(short)}</span>'
    return f'<span class="muted">{NO_VALUE}</span>'


@cache
def _jobs_url() -> str:
    """Return the address below which every job has its own."""
    return reverse("job-audit", args=[0]).removesuffix("0/audit/")


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
    is_reported = row.kind == JobKind.REPORT and row.status is ShownStatus.SUCCESS and estimation is None
    context = {
        "row": row,
        "error": error,
        "estimation": estimation,
        "is_reported": is_reported,
        "may_download_rejects": may_download_rejects,
        "view": view_statistics(
            statistics, hide_values=hide_values, links=_links_of(row), drawn=drawn_keys(row.kind, statistics)
        ),
        "progress": progress,
        # drawn only where the piece is rendered
        "plots": plots or partial(job_plots, row.kind, statistics),
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

    return statistics_links(row.project_code)


def statistics_links(project_code: str) -> Links:
    """Return where the groups and records of a project lead that its statistics name."""

    def to_group(group_id: int) -> str:
        return group_url(project_code, group_id)

    def to_record(record_id: int) -> str:
        return f"{reverse('records', args=[project_code])}?record={record_id}"

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


def job_group(row: JobRow, access: Access, statistics: Piece | None, refusals: Mapping[int, str]) -> RowGroup:
    """Return a row of the list of all jobs with its place for statistics, filled if it is open."""
    piece = job_row_piece(row, access, prefix="job", is_open=statistics is not None, refusals=refusals)
    return row_group(piece, statistics.render() if statistics else "", columns_count=COLUMNS_COUNT["job"])


def headline_of(row: JobRow) -> str:
    """Return the figure that sums a finished job up: '5 000 rows loaded', '' if there is none."""
    if row.status is not ShownStatus.SUCCESS or row.headline_count is None:
        return ""
    return count_words(row.headline_count, *_HEADLINE_NOUNS[row.kind])


def retry_refusals(rows: Iterable[JobRow], access: Access) -> Mapping[int, str]:
    """Return why the failed ones among these jobs cannot be retried, '' if they can; asked for all at once."""
    keys = [row.id for row in rows if _may_ask_for_retry(row, access)]
    return why_not_retry_each(keys) if keys else {}


def _may_ask_for_retry(row: JobRow, access: Access) -> bool:
    failed = row.status is ShownStatus.ERRORS and row.end_reason in _RETRIABLE
    return failed and access.may(Permission.RETRY, row.project_id)


def _options(row: JobRow, access: Access, refusals: Mapping[int, str]) -> JobOptions:
    if not _may_ask_for_retry(row, access) or row.id not in refusals:
        return JobOptions(may_retry=False, retry_refusal="", may_cancel=_may_cancel(row, access))
    return JobOptions(may_retry=not refusals[row.id], retry_refusal=refusals[row.id], may_cancel=False)


def _may_cancel(row: JobRow, access: Access) -> bool:
    """Tell whether to offer it: jobs of an Envelope are cancelled with that, and no job twice."""
    is_open = row.status is ShownStatus.QUEUED or row.status.is_active
    is_wanted = is_open and row.envelope_id is None and row.cancel_requested_at is None
    return is_wanted and access.may(Permission.CANCEL, row.project_id)
