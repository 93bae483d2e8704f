"""ALL ENVELOPES: upload, what is active or failed lately, and the list of Envelopes with their jobs."""

from collections.abc import Collection, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from linkwright.store.models import User
from linkwright.store.permissions import Permission
from linkwright.store.queries.envelope_lists import EnvelopeRow, find_attention, list_envelopes, read_envelopes
from linkwright.store.queries.job_lists import read_jobs
from linkwright.store.queries.paging import Page
from linkwright.store.queries.shown_status import QueueActivity
from linkwright.web.access import Access, access_of, envelope_or_404, signed_in
from linkwright.web.address import ListAddress, export_url, read_address, read_key
from linkwright.web.dialogs import is_fragment_request
from linkwright.web.envelope_pieces import (
    attention_pieces,
    envelope_group,
    envelope_row_piece,
    read_open_chains,
)
from linkwright.web.estimation_pieces import shown_estimations
from linkwright.web.event_type_pieces import shown_event_types
from linkwright.web.extraction_pieces import shown_extractions
from linkwright.web.frame import frame_pieces, queue_view_of
from linkwright.web.job_pieces import job_row_piece, retry_refusals, statistics_pieces
from linkwright.web.list_filters import envelope_filter, envelope_filters, paging_context
from linkwright.web.list_paging import PAGING_ID, paging_piece, to_the_first_page
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
from linkwright.web.map_pieces import shown_map_pieces
from linkwright.web.open_dialogs import open_dialog_pieces

TABLE_ID = "envelopes"


def envelopes_page(request: HttpRequest) -> HttpResponse:
    """Show the page; `toggle` opens or closes a row where no script runs."""
    user, access = signed_in(request), access_of(request)
    address = read_address(request, reverse("envelopes"))
    if "toggle" in request.GET:
        row = request.GET["toggle"]
        return HttpResponseRedirect(f"{address.toggled(row).url}#{row}")
    token = page_token(user, request)
    activity = queue_view_of(request).activity
    page = read_page(user, address, activity, beside=find_attention(user, activity))
    elsewhere = to_the_first_page(address, page)
    if elsewhere:
        return elsewhere
    context = {
        "address": address,
        "may_upload": access.may(Permission.SUBMIT),
        "attention": attention_pieces(access, page.beside),
        "live_url": reverse("envelopes-live"),
        "live_token": token,
        "is_active": queue_view_of(request).is_active,
        "filters": envelope_filters(user, address),
        "paging": _paging(address, page),
        **list_context(access, address, page),
    }
    return render(request, "web/pages/envelopes.html", context)


def envelopes_live(request: HttpRequest) -> HttpResponse:
    """Answer a poll of the page, or of any page that shows a list of Envelopes."""
    user = signed_in(request)
    token = page_token(user, request)
    unchanged = not_modified(request, token)
    if unchanged:
        return unchanged
    access, shown = access_of(request), read_shown(request)
    address = read_address(request, reverse("envelopes"))
    queue = queue_view_of(request)
    pieces = [*frame_pieces(queue), *open_dialog_pieces(user, shown)]
    activity = queue_view_of(request).activity
    attention = find_attention(user, activity) if "active-envelope" in shown.versions else None
    page = read_page(user, address, activity, beside=attention or ()) if address.is_first_page else None
    listed = list(page.rows) if page else []
    if attention is not None:
        pieces += attention_pieces(access, page.beside if page else read_envelopes(user, attention))
    pieces += [
        *shown_estimations(user, shown),
        *shown_extractions(access, shown),
        *shown_event_types(user, shown),
        *shown_map_pieces(user, shown),
    ]
    pieces += _shown_rows(user, access, shown, listed)
    if page and PAGING_ID in shown.versions:
        pieces.append(_paging(address, page))
    swaps = _list_swaps(access, address, shown, listed) if page else []
    return changes_response(token, pieces, shown, is_active=queue.is_active, extra=swaps)


def envelope_jobs(request: HttpRequest, envelope_id: int) -> HttpResponse:
    """Return the jobs of an Envelope as what opens below its row; without a script, the page with the row open."""
    user = signed_in(request)
    envelope = envelope_or_404(user, envelope_id)
    if not is_fragment_request(request):
        address = ListAddress(reverse("envelopes"), before=str(envelope.pk + 1))
        return HttpResponseRedirect(address.toggled(f"envelope-{envelope.pk}").url)
    address = read_address(request, reverse("envelopes"))
    chains = read_open_chains([envelope.pk], address.open_keys("step"), access_of(request))
    context = {"chain": chains[envelope.pk], "envelope": envelope}
    return render(request, "web/partials/envelope_chain.html", context)


def read_page(
    user: User, address: ListAddress, activity: QueueActivity | None = None, *, beside: Collection[int] = ()
) -> Page[EnvelopeRow]:
    """Read the page of Envelopes that an address names, and along with it those that stand beside the list."""
    return list_envelopes(
        user,
        envelope_filter(address),
        before=read_key(address.before),
        after=read_key(address.after),
        activity=activity,
        beside=beside,
    )


def list_context(access: Access, address: ListAddress, page: Page[EnvelopeRow]) -> dict[str, Any]:
    """Return what the list partial needs."""
    return {
        "rows_html": groups_html(_groups(access, address, page.rows)),
        "table_id": TABLE_ID,
        **paging_context(address, page),
    }


def _groups(access: Access, address: ListAddress, rows: Sequence[EnvelopeRow]) -> list[RowGroup]:
    opened = address.open_keys("envelope")
    chains = read_open_chains([row.id for row in rows if row.id in opened], address.open_keys("step"), access)
    return [envelope_group(row, access, chains.get(row.id)) for row in rows]


def _shown_rows(user: User, access: Access, shown: Shown, listed: Sequence[EnvelopeRow]) -> list[Piece]:
    """Look up again what the browser shows of the list: rows, steps and statistics."""
    known = {row.id: row for row in listed}
    missing = [key for key in shown.keys("envelope") if key not in known]
    rows = [*listed, *read_envelopes(user, missing)] if missing else listed
    opened = set(shown.keys("chain"))
    pieces = [envelope_row_piece(row, access, is_open=row.id in opened) for row in rows]
    steps = shown.keys("step")
    if not steps:
        return pieces
    jobs = read_jobs(user, steps)
    details = set(shown.keys("statistics"))
    refusals = retry_refusals(jobs, access)
    pieces += [
        job_row_piece(job, access, prefix="step", is_open=job.id in details, refusals=refusals) for job in jobs
    ]
    return pieces + statistics_pieces([job for job in jobs if job.id in details], access)


def _list_swaps(access: Access, address: ListAddress, shown: Shown, listed: Sequence[EnvelopeRow]) -> list[str]:
    shown_rows = [f"envelope-{key}" for key in shown.keys("envelope")]
    wanted = [f"envelope-{row.id}" for row in listed]
    if wanted == shown_rows:
        return []
    # where the link to older rows stays as it is, the rows before it have to stay too
    surplus = surplus_rows(wanted, shown_rows, address.open_rows) if PAGING_ID in shown.versions else []
    return list_swaps(_groups(access, address, listed), shown_rows, TABLE_ID, surplus)


def _paging(address: ListAddress, page: Page[EnvelopeRow]) -> Piece:
    url = export_url(reverse("envelopes-export"), address)
    return paging_piece(address, page, export_url=url, searched_word="was received")
