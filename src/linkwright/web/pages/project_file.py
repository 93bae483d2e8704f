"""The project file of everything, or of one project, to download."""

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from linkwright.services.export_project_file import FILE_NAME, export_project_file
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in


@require_GET
def of_everything(request: HttpRequest) -> HttpResponse:
    """Send everything that a project file can hold: what concerns every project is for Administrators."""
    access_of(request).demand_administrator()
    return _file(export_project_file(actor_of(request)), FILE_NAME)


@require_GET
def of_one(request: HttpRequest, code: str) -> HttpResponse:
    """Send one project with the catalog entries that it needs."""
    project = project_or_404(signed_in(request), code)
    access_of(request).demand(Permission.CONFIGURE_PROJECTS, project.pk)
    return _file(export_project_file(actor_of(request), project), f"{project.code}.yaml")


def _file(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    disposition = content_disposition_header(as_attachment=True, filename=name)
    response.headers["Content-Disposition"] = disposition or "attachment"
    return response
