"""The match configuration that new projects start with: read by everybody, changed by Administrators.

Its pages are those of a project's match configuration; here is who may see them, and what only the default has.
"""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from linkwright.errors import LinkwrightError
from linkwright.services.default_match import read_default_version
from linkwright.services.save_default_match import restore_built_in
from linkwright.services.save_match import PAGE
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.dialogs import dialog_left, show_dialog
from linkwright.web.match_home import DefaultMatch
from linkwright.web.pages.catalog import catalog_counts
from linkwright.web.pages.match_configuration import download_match, show_differences, show_match
from linkwright.web.pages.match_edit import check_match, edit_match, upload_match
from linkwright.web.pages.match_try import try_draft

LONGEST_NOTE = 1000


@require_GET
def default_match(request: HttpRequest) -> HttpResponse:
    """Show a version, the one in force unless another is asked for, and the history."""
    may_change = signed_in(request).is_superuser
    context = {
        **catalog_counts(request),
        "may_configure": may_change,
        "may_restore": may_change and not read_default_version().is_built_in,
    }
    return show_match(request, DefaultMatch(), context)


@require_GET
def default_match_differences(request: HttpRequest) -> HttpResponse:
    """Show what differs between two versions."""
    return show_differences(request, DefaultMatch())


@require_GET
def default_match_download(request: HttpRequest) -> HttpResponse:
    """Send what is in force: Linkwright's own form, or a strategy as the JSON that Splink loads."""
    return download_match(request, DefaultMatch())


@require_http_methods(["GET", "POST"])
def default_match_edit(request: HttpRequest) -> HttpResponse:
    """Show the editor; take a step in it; save the draft."""
    access_of(request).demand_administrator()
    return edit_match(request, DefaultMatch())


@require_POST
def default_match_check(request: HttpRequest) -> HttpResponse:
    """Check the draft as it is typed."""
    access_of(request).demand_administrator()
    return check_match(request, DefaultMatch())


@require_POST
def default_match_upload(request: HttpRequest) -> HttpResponse:
    """Show the editor with what a file holds."""
    access_of(request).demand_administrator()
    return upload_match(request, DefaultMatch())


@never_cache
@require_POST
def default_match_try(request: HttpRequest) -> HttpResponse:
    """Try the draft on the records of a project."""
    access_of(request).demand_administrator()
    return try_draft(request, project_or_404(signed_in(request), request.POST.get("trial_project", "")))


@require_http_methods(["GET", "POST"])
def default_match_built_in(request: HttpRequest) -> HttpResponse:
    """Ask, then go back to the built-in default."""
    access_of(request).demand_administrator()
    refusal, note = "", request.POST.get("note", "")[:LONGEST_NOTE]
    if request.method == "POST":
        try:
            version = restore_built_in(actor_of(request), source=PAGE, note=note)
        except LinkwrightError as error:
            refusal = str(error)
        else:
            told = "is in force" if version else "was in force already"
            return dialog_left(request, f"The built-in default {told}.", reverse("default-match"))
    title = "Go back to the built-in default?"
    context = {"newest": read_default_version().row.version, "note": note}
    return show_dialog(request, "web/dialogs/built_in_match.html", title, context, refusal=refusal)
