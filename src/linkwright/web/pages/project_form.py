"""The form that creates a Linkage Project or changes its words; a refused one comes back as it was filled in."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.services.change_project import change_project
from linkwright.services.create_project import NewProject, create_project
from linkwright.services.default_match import list_default_versions
from linkwright.services.project_form import ProjectForm, ProjectRefusedError
from linkwright.store.models import EventType, LinkageProject
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.dialogs import REFUSED_STATUS
from linkwright.web.first_steps import leads_to_next_step
from linkwright.web.flash import Flash, add_flash


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Show the empty form; create the project. For Administrators: a project belongs to nobody yet."""
    access_of(request).demand_administrator()
    if request.method == "GET":
        return _show(request, None, {})
    sent = request.POST
    new = NewProject(
        code=sent.get("code", "").strip(),
        form=_read_form(sent),
        event_types=sent.getlist("event_type"),
        like=sent.get("like", ""),
    )
    try:
        made = create_project(new, actor_of(request))
    except ProjectRefusedError as error:
        return _show(request, None, sent.dict(), error)
    told = f"Linkage Project {made.code} is there. Add the people who work on it."
    add_flash(request, "success", told, leads_to=leads_to_next_step(signed_in(request)))
    return HttpResponseRedirect(reverse("project", args=[made.code]))


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, code: str) -> HttpResponse:
    """Show the form with what is stored; change it."""
    project = project_or_404(signed_in(request), code)
    access_of(request).demand(Permission.CONFIGURE_PROJECTS, project.pk)
    if request.method == "GET":
        names = ("name", "description", "notification_email")
        return _show(request, project, {name: getattr(project, name) for name in names})
    try:
        is_changed = change_project(project.pk, _read_form(request.POST), actor_of(request))
    except ProjectRefusedError as error:
        return _show(request, project, request.POST.dict(), error)
    told = "is changed." if is_changed else "is as it was: nothing differed."
    add_flash(request, "success", f"Linkage Project {project.code} {told}")
    return HttpResponseRedirect(reverse("project", args=[project.code]))


def _read_form(sent: QueryDict) -> ProjectForm:
    return ProjectForm(
        name=sent.get("name", "").strip(),
        # a browser sends its lines with both of the old line ends
        description=sent.get("description", "").replace("\r\n", "\n").strip(),
        notification_email=sent.get("notification_email", "").strip(),
    )


def _show(
    request: HttpRequest,
    project: LinkageProject | None,
    values: Mapping[str, Any],
    error: ProjectRefusedError | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "project": project,
        "values": values,
        "refused": None if error is None else Flash("error", error.summary, error.faults),
    }
    if project is None:
        context |= {
            "event_types": EventType.objects.select_related("provider").order_by("code"),
            "chosen": request.POST.getlist("event_type"),
            "default_line": list_default_versions()[0],
            "others": LinkageProject.objects.order_by("code").values_list("code", "name"),
        }
    status = 200 if error is None else REFUSED_STATUS
    return render(request, "web/pages/project_form.html", context, status=status)
