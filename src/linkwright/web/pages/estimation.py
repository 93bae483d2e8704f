"""One estimation: current and proposed parameters, what thresholds would do, plots; and its download."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from linkwright.services.download_estimation import pack_estimation
from linkwright.store.models import Estimation, User
from linkwright.store.permissions import Permission
from linkwright.store.queries.estimations import complete_estimations
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.estimation_view import view_estimation


@require_GET
def estimation_page(request: HttpRequest, code: str, estimation_id: int) -> HttpResponse:
    """Show the estimation."""
    estimation = estimation_or_404(signed_in(request), code, estimation_id)
    newest = estimation.project.match_configurations.order_by("-version")[0]
    may_apply = access_of(request).may(Permission.CONFIGURE_PROJECTS, estimation.project_id)
    context = {
        "project": estimation.project,
        "estimation": estimation,
        "view": view_estimation(estimation.results),
        "may_apply": may_apply and estimation.applied_version is None,
        "newest": newest,
        "next_version": newest.version + 1,
    }
    return render(request, "web/pages/estimation.html", context)


@require_GET
def download(request: HttpRequest, code: str, estimation_id: int) -> HttpResponse:
    """Send the estimation as an Envelope: it holds nothing of a person, so whoever sees the page may have it."""
    estimation = estimation_or_404(signed_in(request), code, estimation_id)
    packed = pack_estimation(estimation, actor_of(request))
    response = HttpResponse(packed.content, content_type="application/zip")
    disposition = content_disposition_header(as_attachment=True, filename=packed.name)
    response.headers["Content-Disposition"] = disposition or "attachment"
    return response


def estimation_or_404(user: User, code: str, estimation_id: int) -> Estimation:
    """Return an estimation of a project that the person belongs to."""
    project = project_or_404(user, code)
    estimation = complete_estimations().filter(project=project, pk=estimation_id).first()
    if estimation is None:
        raise Http404(f"There is no estimation {estimation_id} of {code}.")
    return estimation
