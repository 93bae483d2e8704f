"""One Extraction Project: what it shows, its results and their download."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from linkwright.engine.extraction import parse_columns
from linkwright.jobs.extraction_project import event_type_codes, find_extraction_project
from linkwright.services.download_extraction_result import NoResultError, take_result
from linkwright.store.models import ExtractionProject, User
from linkwright.store.permissions import Permission
from linkwright.store.queries.extractions import find_result, snapshot_records_count
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.extraction_pieces import results_piece
from linkwright.web.frame import queue_view_of
from linkwright.web.live import page_token


@require_GET
def extraction_page(request: HttpRequest, code: str, extraction_code: str) -> HttpResponse:
    """Show the Extraction Project."""
    user, access = signed_in(request), access_of(request)
    token = page_token(user, request)
    extraction = extraction_or_404(user, code, extraction_code)
    may_extract = access.may(Permission.EXTRACT, extraction.project_id)
    context = {
        "project": extraction.project,
        "extraction": extraction,
        "event_types": event_type_codes(extraction),
        "snapshot_count": snapshot_records_count(extraction),
        "columns": parse_columns(extraction.columns),
        "may_change": may_extract and extraction.closed_at is None,
        "results": results_piece(extraction, access),
        "live_token": token,
        "is_active": queue_view_of(request).is_active,
    }
    return render(request, "web/pages/extraction.html", context)


@require_GET
def download(request: HttpRequest, code: str, extraction_code: str, result_id: int) -> HttpResponseBase:
    """Send a result; it is counted."""
    extraction = extraction_or_404(signed_in(request), code, extraction_code)
    access_of(request).demand(Permission.EXTRACT, extraction.project_id)
    result = find_result(extraction, result_id)
    if result is None:
        raise Http404(f"There is no result {result_id} of {extraction.code}.")
    try:
        taken = take_result(result, actor_of(request))
        stream = taken.path.open("rb")
    except (NoResultError, FileNotFoundError) as error:
        raise Http404(str(error)) from error
    return FileResponse(stream, as_attachment=True, filename=taken.name, content_type="application/zip")


def extraction_or_404(user: User, code: str, extraction_code: str) -> ExtractionProject:
    """Return an Extraction Project of a project that the person belongs to."""
    found = find_extraction_project(project_or_404(user, code), extraction_code)
    if found is None:
        raise Http404(f"There is no Extraction Project {extraction_code} of {code}.")
    return found
