"""ALL JOBS: what runs and waits, with its steering, and the list of all jobs by processing start."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from linkwright.store.models import User
from linkwright.store.permissions import visible_projects
from linkwright.store.queries.job_lists import JobFilter, JobRow, list_jobs, read_jobs
from linkwright.store.queries.paging import Page
from linkwright.store.queries.shown_status import JOB_STATUSES, ShownStatus
from linkwright.web.access import Access, access_of, job_or_404, signed_in
from linkwright.web.address import ListAddress, read_address
from linkwright.web.dialogs import is_fragment_request
from linkwright.web.frame import frame_pieces, queue_view_of
from linkwright.web.inbox_view import inbox_piece
from linkwright.web.job_pieces import job_group, job_row_piece, statistics_pieces
from linkwright.web.live import (
    Piece,
    RowGroup,
    Shown,
    changes_response,
    list_swaps,
    not_modified,
    page_token,
    read_shown,
)
from linkwright.web.open_dialogs import open_dialog_pieces
from linkwright.web.queue_panel import queue_panel_pieces

TABLE_ID = "jobs"


def jobs_page(request: HttpRequest) -> HttpResponse:
    """Show the page; `toggle` opens or closes a row where no script runs."""
    user, access = signed_in(request), access_of(request)
    address = read_address(request, reverse("jobs"))
    if "toggle" in request.GET:
        row = request.GET["toggle"]
        return HttpResponseRedirect(f"{address.toggled(row).url}#{row}")
    token = page_token(user, request)
    page = _read_page(user, address)
    queue = queue_view_of(request)
    context = {
        "address": address,
        "queue_pieces": [*queue_panel_pieces(queue), inbox_piece(access, queue.status)],
        "live_url": reverse("jobs-live"),
        "live_token": token,
        "is_active": queue.is_active,
        "groups": _groups(access, address, page.rows),
        "table_id": TABLE_ID,
        "statuses": JOB_STATUSES,
        "projects": list(visible_projects(user).order_by("code")),
        "newer_url": address.with_changes(before="", after=page.newer).url if page.newer else "",
        "older_url": address.with_changes(after="", before=page.older).url if page.older else "",
        "first_url": address.with_changes(before="", after="").url,
    }
    return render(request, "web/pages/jobs.html", context)


def jobs_live(request: HttpRequest) -> HttpResponse:
    """Answer a poll of the page."""
    user = signed_in(request)
    token = page_token(user, request)
    unchanged = not_modified(request, token)
    if unchanged:
        return unchanged
    access, shown = access_of(request), read_shown(request)
    address = read_address(request, reverse("jobs"))
    queue = queue_view_of(request)
    pieces = [*frame_pieces(queue), *queue_panel_pieces(queue), inbox_piece(access, queue.status)]
    pieces += open_dialog_pieces(user, shown)
    listed = list(_read_page(user, address).rows) if address.is_first_page else []
    pieces += _shown_rows(user, access, shown, listed)
    swaps: list[str] = []
    shown_rows = [f"job-{key}" for key in shown.keys("job")]
    if address.is_first_page and [f"job-{row.id}" for row in listed] != shown_rows:
        swaps = list_swaps(_groups(access, address, listed), shown_rows, TABLE_ID)
    return changes_response(token, pieces, shown, is_active=queue.is_active, extra=swaps)


def job_statistics(request: HttpRequest, job_id: int) -> HttpResponse:
    """Return what opens below a job's row; without a script, the list with the row open."""
    user = signed_in(request)
    job = job_or_404(user, job_id)
    if not is_fragment_request(request):
        return HttpResponseRedirect(job_url(job_id))
    piece = statistics_pieces(read_jobs(user, [job.pk]), access_of(request))[0]
    return HttpResponse(piece.render())


def job_url(job_id: int) -> str:
    """Return the address that shows one job, opened."""
    address = ListAddress(reverse("jobs"), text=str(job_id))
    return f"{address.toggled(f'job-{job_id}').url}#job-{job_id}"


def _read_page(user: User, address: ListAddress) -> Page[JobRow]:
    status = ShownStatus(address.status) if address.status in JOB_STATUSES else None
    wanted = JobFilter(status, address.project, address.text)
    return list_jobs(user, wanted, before=address.before, after=address.after)


def _groups(access: Access, address: ListAddress, rows: Sequence[JobRow]) -> list[RowGroup]:
    opened = [row for row in rows if row.id in address.open_keys("job")]
    statistics = dict(zip([row.id for row in opened], statistics_pieces(opened, access), strict=True))
    return [job_group(row, access, statistics.get(row.id)) for row in rows]


def _shown_rows(user: User, access: Access, shown: Shown, listed: Sequence[JobRow]) -> list[Piece]:
    """Look up again what the browser shows of the list: rows and statistics."""
    known = {row.id for row in listed}
    missing = [key for key in shown.keys("job") if key not in known]
    rows = [*listed, *read_jobs(user, missing)] if missing else listed
    details = set(shown.keys("statistics"))
    pieces = [job_row_piece(row, access, prefix="job", is_open=row.id in details) for row in rows]
    return pieces + statistics_pieces([row for row in rows if row.id in details], access)
