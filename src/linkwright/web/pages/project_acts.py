"""Archive a project, take it out of the archive, delete it: dialogs that say what would happen, and the acts."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.config import load_config
from linkwright.errors import LinkwrightError
from linkwright.services.archive_project import archive_project, unarchive_project, why_not_archive
from linkwright.services.delete_project import delete_project, preview_delete
from linkwright.services.project_form import ProjectStateError
from linkwright.store.models import LinkageProject
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.dialogs import dialog_done, show_dialog
from linkwright.web.formatting import count_words


@require_http_methods(["GET", "POST"])
def archive(request: HttpRequest, code: str) -> HttpResponse:
    """Ask for the reason, then archive the project."""
    project, refusal = _configured(request, code), ""
    if request.method == "POST":
        try:
            archive_project(project.pk, actor_of(request), reason=request.POST.get("reason", ""))
        except ProjectStateError as error:
            refusal = str(error)
        else:
            return dialog_done(request, f"{code} is archived.", "", leads_to=reverse("project", args=[code]))
    context = {
        "project": project,
        "why_not": why_not_archive(project),
        "reason": request.POST.get("reason", ""),
    }
    return show_dialog(request, "web/dialogs/archive_project.html", f"Archive {code}?", context, refusal=refusal)


@require_http_methods(["GET", "POST"])
def unarchive(request: HttpRequest, code: str) -> HttpResponse:
    """Ask, then take the project out of the archive."""
    project, refusal = _configured(request, code), ""
    if request.method == "POST":
        try:
            unarchive_project(project.pk, actor_of(request))
        except ProjectStateError as error:
            refusal = str(error)
        else:
            return dialog_done(
                request, f"{code} takes Envelopes again.", "", leads_to=reverse("project", args=[code])
            )
    title = f"Take {code} out of the archive?"
    return show_dialog(request, "web/dialogs/unarchive_project.html", title, {"project": project}, refusal=refusal)


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, code: str) -> HttpResponse:
    """Ask for the code and the reason, then delete the project for good."""
    project, refusal = project_or_404(signed_in(request), code), ""
    access_of(request).demand_administrator()
    if request.method == "POST":
        typed, reason = request.POST.get("typed", ""), request.POST.get("reason", "")
        try:
            files_count = delete_project(load_config(), project.pk, actor_of(request), typed=typed, reason=reason)
        except (LinkwrightError, LinkageProject.DoesNotExist) as error:
            refusal = str(error)
        else:
            told = f"{code} is deleted; {count_words(files_count, 'file')} went with it."
            return dialog_done(request, told, "", leads_to=reverse("projects"))
    context = {
        "project": project,
        "preview": preview_delete(project),
        "reason": request.POST.get("reason", ""),
    }
    return show_dialog(request, "web/dialogs/delete_project.html", f"Delete {code}?", context, refusal=refusal)


def _configured(request: HttpRequest, code: str) -> LinkageProject:
    project = project_or_404(signed_in(request), code)
    access_of(request).demand(Permission.CONFIGURE_PROJECTS, project.pk)
    return project
