"""Compact or purge a project: dialogs that say in numbers what would happen, and the acts themselves."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.errors import LinkwrightError
from linkwright.services.start_compact import start_compact, why_not_compact
from linkwright.services.start_purge import MOST_DAYS, PurgePreview, PurgeRefusedError, preview_purge, start_purge
from linkwright.store.models import LinkageProject
from linkwright.store.permissions import Permission
from linkwright.store.queries.project_storage import read_project_storage
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.dialogs import dialog_done, show_dialog

LISTED_FIXED = 10


@require_http_methods(["GET", "POST"])
def compact(request: HttpRequest, code: str) -> HttpResponse:
    """Ask, then queue the Compact job."""
    project = _configured_project(request, code)
    refusal = ""
    if request.method == "POST":
        job = start_compact(project, actor_of(request))
        if job is not None:
            return dialog_done(request, f"Job {job.pk} (Compact) is queued.", reverse("project", args=[code]))
        refusal = why_not_compact(project)
    context = {
        "project": project,
        "storage": read_project_storage(project),
        "nothing_to_do": why_not_compact(project),
    }
    return show_dialog(request, "web/dialogs/compact.html", f"Compact {code}?", context, refusal=refusal)


@require_http_methods(["GET", "POST"])
def purge(request: HttpRequest, code: str) -> HttpResponse:
    """Ask, then queue the Purge job."""
    project = _configured_project(request, code)
    refusal, days, reason = "", request.POST.get("days", "0"), request.POST.get("reason", "")
    if request.method == "POST":
        try:
            older_than_days = _read_days(days)
            job = start_purge(project, actor_of(request), reason=reason, older_than_days=older_than_days)
            if job is not None:
                return dialog_done(request, f"Job {job.pk} (Purge) is queued.", reverse("project", args=[code]))
            refusal = preview_purge(project, older_than_days).refusal
        except LinkwrightError as error:
            refusal = str(error)
    # for the numbers: all that ended until now, whatever days were asked for
    preview: PurgePreview = preview_purge(project, 0)
    context = {
        "project": project,
        "preview": preview,
        "listed": preview.fixed[:LISTED_FIXED],
        "unlisted_count": max(0, len(preview.fixed) - LISTED_FIXED),
        "days": days,
        "most_days": MOST_DAYS,
        "reason": reason,
    }
    return show_dialog(
        request, "web/dialogs/purge.html", f"Purge the ended records of {code}?", context, refusal=refusal
    )


def _configured_project(request: HttpRequest, code: str) -> LinkageProject:
    project = project_or_404(signed_in(request), code)
    access_of(request).demand(Permission.CONFIGURE_PROJECTS, project.pk)
    return project


def _read_days(text: str) -> int:
    """Read a number of days.

    Raises:
        PurgeRefusedError: if it is none.
    """
    if not text.strip().isdecimal() or len(text) > len(str(MOST_DAYS)):
        raise PurgeRefusedError(f"The number of days is {text[:20]!r}; allowed is 0 to {MOST_DAYS:,}.")
    return int(text)
