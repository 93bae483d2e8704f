"""The list of Linkage Projects."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from linkwright.store.permissions import visible_projects
from linkwright.store.queries.project_summaries import read_project_summaries
from linkwright.web.access import signed_in


def projects(request: HttpRequest) -> HttpResponse:
    """Show the projects that the person belongs to, with their numbers."""
    found = visible_projects(signed_in(request)).order_by("code")
    return render(request, "web/pages/projects.html", {"projects": read_project_summaries(found)})
