"""Extract from an Extraction Project, or close it: dialogs that say what happens, and the acts themselves."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.errors import LinkwrightError
from linkwright.jobs.extraction_project import event_type_codes
from linkwright.services.change_extraction_project import close_extraction_project
from linkwright.services.start_extraction import start_extraction, why_not_start
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, signed_in
from linkwright.web.dialogs import dialog_done, is_fragment_request, show_dialog
from linkwright.web.flash import add_flash
from linkwright.web.formatting import count_words
from linkwright.web.pages.extraction import extraction_or_404


@require_http_methods(["GET", "POST"])
def extract(request: HttpRequest, code: str, extraction_code: str) -> HttpResponse:
    """Ask, then queue the Extract job."""
    extraction = extraction_or_404(signed_in(request), code, extraction_code)
    access_of(request).demand(Permission.EXTRACT, extraction.project_id)
    refusal = ""
    if request.method == "POST":
        with_changes = request.POST.get("with_changes") == "yes"
        try:
            job = start_extraction(extraction, actor_of(request), with_changes=with_changes)
        except LinkwrightError as error:
            refusal = str(error)
        else:
            here = reverse("extraction", args=[code, extraction.code])
            return dialog_done(request, f"Job {job.pk} (Extract) is queued. Its results will stand here.", here)
    codes = event_type_codes(extraction)
    context = {
        "extraction": extraction,
        "project": extraction.project,
        "why_not": "" if refusal else why_not_start(extraction),
        "event_types": codes,
        "results": count_words(len(codes), "result"),
        "is_compared": not extraction.is_snapshot and extraction.kept_at is not None,
    }
    title = f"Extract {extraction.code} now?"
    return show_dialog(request, "web/dialogs/extract.html", title, context, refusal=refusal)


@require_http_methods(["GET", "POST"])
def close(request: HttpRequest, code: str, extraction_code: str) -> HttpResponse:
    """Ask for the reason, then close it."""
    extraction = extraction_or_404(signed_in(request), code, extraction_code)
    access_of(request).demand(Permission.EXTRACT, extraction.project_id)
    refusal = ""
    if request.method == "POST":
        try:
            close_extraction_project(extraction.pk, actor_of(request), reason=request.POST.get("reason", ""))
        except LinkwrightError as error:
            refusal = str(error)
        else:
            add_flash(request, "success", f"Extraction Project {extraction.code} is closed.")
            return _back(request, reverse("extraction", args=[code, extraction.code]))
    kept_count = extraction.results.filter(removed_at=None).count()
    context = {
        "extraction": extraction,
        "project": extraction.project,
        "kept": count_words(kept_count, "result"),
        "kept_count": kept_count,
        "reason": request.POST.get("reason", ""),
    }
    title = f"Close {extraction.code}?"
    return show_dialog(request, "web/dialogs/close_extraction.html", title, context, refusal=refusal)


def _back(request: HttpRequest, here: str) -> HttpResponse:
    """Return to the page, which has changed throughout: with a script as well it is loaded anew."""
    if not is_fragment_request(request):
        return HttpResponseRedirect(here)
    response = HttpResponse(status=204)
    response.headers["HX-Redirect"] = here
    return response
