"""The people of one project: their roles, changed by its Owners; somebody new is added or invited."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from linkwright.errors import LinkwrightError
from linkwright.services.change_role import RoleRefusedError, change_role
from linkwright.services.invite_person import invite_person
from linkwright.store.models import LinkageProject, Membership, Role, User
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.dialogs import dialog_left, show_dialog
from linkwright.web.pages.people import show_link


@require_GET
def members(request: HttpRequest, code: str) -> HttpResponse:
    """List the members of a project."""
    project = _managed(request, code)
    found = Membership.objects.filter(project=project).select_related("user").order_by("user__username")
    return render(request, "web/pages/members.html", {"project": project, "memberships": found})


@never_cache
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, code: str) -> HttpResponse:
    """Ask who and as what: who is there gets the role, who is not is invited."""
    project, refusal, given = _managed(request, code), "", request.POST
    if request.method == "POST":
        name, role, actor = given.get("username", "").strip(), given.get("role", ""), actor_of(request)
        person = User.objects.filter(username=name).first()
        try:
            if not role:
                raise RoleRefusedError("No role was chosen. Choose one.")
            if person is None:
                invited = invite_person(name, actor, email=given.get("email", ""), project=project, role=role)
                return show_link(request, invited)
            change_role(person, project, role, actor)
        except LinkwrightError as error:
            refusal = str(error)
        else:
            return dialog_left(request, f"{name} is {role} of {code}.", reverse("members", args=[code]))
    context = {"project": project, "roles": Role.values, "given": given, "refusal": refusal}
    return render(request, "web/pages/member_add.html", context, status=409 if refusal else 200)


@require_http_methods(["GET", "POST"])
def role(request: HttpRequest, code: str, person_id: int) -> HttpResponse:
    """Ask for another role of a member, or none."""
    project, refusal = _managed(request, code), ""
    held = Membership.objects.filter(project=project, user=person_id).select_related("user").first()
    if held is None:
        raise Http404(f"There is no member {person_id} of {code}.")
    back = reverse("members", args=[code])
    if request.method == "POST":
        try:
            if "role" not in request.POST:
                raise RoleRefusedError("No role was chosen. Choose one.")
            change_role(held.user, project, request.POST["role"], actor_of(request))
        except LinkwrightError as error:
            refusal = str(error)
        else:
            return dialog_left(request, f"The role of {held.user.username} is changed.", back)
    context = {
        "action": request.path,
        "back": back,
        "projects": [project],
        "roles": Role.values,
        "held": held.role,
        "may_remove": True,
    }
    title = f"Role of {held.user.username} in {code}"
    return show_dialog(request, "web/dialogs/role.html", title, context, refusal=refusal)


def _managed(request: HttpRequest, code: str) -> LinkageProject:
    project = project_or_404(signed_in(request), code)
    access_of(request).demand(Permission.MANAGE_PEOPLE, project.pk)
    return project
