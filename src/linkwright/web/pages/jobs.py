"""ALL JOBS: what runs and waits, with its steering, and the list of all jobs by processing start."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from linkwright.store.models import Job, User
from linkwright.store.queries.job_lists import JobRow, list_jobs, read_jobs
from linkwright.store.queries.job_search import place_above
from linkwright.store.queries.paging import Page
from linkwright.web.access import Access, access_of, job_or_404, signed_in
from linkwright.web.address import ListAddress, export_url, read_address
from linkwright.web.dialogs import is_fragment_request
from linkwright.web.frame import frame_pieces, queue_view_of
from linkwright.web.inbox_view import inbox_piece
from linkwright.web.job_pieces import job_group, job_row_piece, retry_refusals, statistics_pieces
from linkwright.web.list_filters import job_filter, job_filters
from linkwright.web.list_paging import paging_piece, to_the_first_page
from linkwright.web.live import (
    Piece,
    RowGroup,
    Shown,
    changes_response,
    groups_html,
    list_swaps,
    not_modified,
    page_token,
    read_shown,
    surplus_rows,
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
    elsewhere = to_the_first_page(address, page)
    if elsewhere:
        return elsewhere
    queue = queue_view_of(request)
    context = {
        "address": address,
        "queue_pieces": [*queue_panel_pieces(queue), inbox_piece(access, queue.status)],
        "live_url": reverse("jobs-live"),
        "live_token": token,
        "is_active": queue.is_active,
        "rows_html": groups_html(_groups(access, address, page.rows)),
        "table_id": TABLE_ID,
        "filters": job_filters(user, address),
        "paging": _paging(address, page),
        "is_partial": page.is_partial,
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
    page = _read_page(user, address) if address.is_first_page else None
    listed = list(page.rows) if page else []
    pieces += _shown_rows(user, access, shown, listed)
    swaps: list[str] = []
    shown_rows, wanted = [f"job-{key}" for key in shown.keys("job")], [f"job-{row.id}" for row in listed]
    if page:
        pieces.append(_paging(address, page))
    if page and wanted != shown_rows:
        surplus = surplus_rows(wanted, shown_rows, address.open_rows)
        swaps = list_swaps(_groups(access, address, listed), shown_rows, TABLE_ID, surplus)
    return changes_response(token, pieces, shown, is_active=queue.is_active, extra=swaps)


def job_statistics(request: HttpRequest, job_id: int) -> HttpResponse:
    """Return what opens below a job's row; without a script, the list with the row open."""
    user = signed_in(request)
    job = job_or_404(user, job_id)
    if not is_fragment_request(request):
        return HttpResponseRedirect(job_url(job))
    piece = statistics_pieces(read_jobs(user, [job.pk]), access_of(request))[0]
    return HttpResponse(piece.render())


def job_url(job: Job) -> str:
    """Return the address of the page that begins with one job, opened."""
    address = ListAddress(reverse("jobs"), before=place_above(job).text)
    return f"{address.toggled(f'job-{job.pk}').url}#job-{job.pk}"


def _read_page(user: User, address: ListAddress) -> Page[JobRow]:
    return list_jobs(user, job_filter(address), before=address.before, after=address.after)


def _paging(address: ListAddress, page: Page[JobRow]) -> Piece:
    url = export_url(reverse("jobs-export"), address)
    return paging_piece(address, page, export_url=url, searched_word="started")


def _groups(access: Access, address: ListAddress, rows: Sequence[JobRow]) -> list[RowGroup]:
    opened = [row for row in rows if row.id in address.open_keys("job")]
    statistics = dict(zip([row.id for row in opened], statistics_pieces(opened, access), strict=True))
    refusals = retry_refusals(rows, access)
    return [job_group(row, access, statistics.get(row.id), refusals) for row in rows]


def _shown_rows(user: User, access: Access, shown: Shown, listed: Sequence[JobRow]) -> list[Piece]:
    """Look up again what the browser shows of the list: rows and statistics."""
    known = {row.id for row in listed}
    missing = [key for key in shown.keys("job") if key not in known]
    rows = [*listed, *read_jobs(user, missing)] if missing else listed
    details = set(shown.keys("statistics"))
    refusals = retry_refusals(rows, access)
    pieces = [
        job_row_piece(row, access, prefix="job", is_open=row.id in details, refusals=refusals) for row in rows
    ]
    return pieces + statistics_pieces([row for row in rows if row.id in details], access)
