"""The list of Linkage Projects: those that take Envelopes, and on request the archived ones as well."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from linkwright.store.permissions import visible_projects
from linkwright.store.queries.project_summaries import read_project_summaries
from linkwright.web.access import signed_in


def projects(request: HttpRequest) -> HttpResponse:
    """Show the projects that the person belongs to, with their numbers."""
    user = signed_in(request)
    found = visible_projects(user).order_by("code")
    shows_archived = request.GET.get("archived") == "1"
    context = {
        "projects": read_project_summaries(found if shows_archived else found.filter(archived_at=None)),
        "shows_archived": shows_archived,
        "archived_count": found.exclude(archived_at=None).count(),
        "may_create": user.is_superuser,
    }
    return render(request, "web/pages/projects.html", context)
