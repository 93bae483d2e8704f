"""Apply an estimation: a dialog that names its effect, and the act itself."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.errors import LinkwrightError
from linkwright.services.apply_estimation import apply_estimation, changed_text, preview_apply
from linkwright.store.models import Estimation, Job, JobKind, JobState
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, signed_in
from linkwright.web.address import read_key
from linkwright.web.dialogs import is_fragment_request, show_dialog
from linkwright.web.flash import add_flash
from linkwright.web.formatting import count_words
from linkwright.web.pages.estimation import estimation_or_404


@require_http_methods(["GET", "POST"])
def apply(request: HttpRequest, code: str, estimation_id: int) -> HttpResponse:
    """Ask, then apply."""
    estimation = estimation_or_404(signed_in(request), code, estimation_id)
    access_of(request).demand(Permission.CONFIGURE_PROJECTS, estimation.project_id)
    refusal = ""
    if request.method == "POST":
        replace_version = read_key(request.POST.get("replace_version", ""))
        try:
            version = apply_estimation(estimation.pk, actor_of(request), replace_version=replace_version)
        except LinkwrightError as error:
            refusal = str(error)
        else:
            add_flash(request, "success", f"{code} has version {version.version} of its match configuration.")
            return _back(request, estimation)
    return _dialog(request, estimation, refusal)


def _dialog(request: HttpRequest, estimation: Estimation, refusal: str) -> HttpResponse:
    try:
        preview = preview_apply(estimation)
    except LinkwrightError as error:
        title = f"Apply estimation {estimation.pk}?"
        context = {"estimation": estimation, "why_not": str(error)}
        return show_dialog(request, "web/dialogs/apply_estimation.html", title, context, refusal=refusal)
    waiting = Job.objects.filter(project=estimation.project, kind=JobKind.MATCH, state=JobState.QUEUED).count()
    context = {
        "estimation": estimation,
        "why_not": preview.refusal,
        "version": preview.version,
        "replaced": preview.replaced,
        "changed": changed_text(estimation, preview.replaced) if preview.replaced else "",
        "lacks_frequencies": preview.lacks_frequencies,
        "waiting": count_words(waiting, "queued Match job"),
        "waiting_count": waiting,
    }
    title = f"Apply estimation {estimation.pk} as version {preview.version}?"
    return show_dialog(request, "web/dialogs/apply_estimation.html", title, context, refusal=refusal)


def _back(request: HttpRequest, estimation: Estimation) -> HttpResponse:
    """Return to the page, which has changed throughout: with a script as well it is loaded anew."""
    here = reverse("estimation", args=[estimation.project.code, estimation.pk])
    if not is_fragment_request(request):
        return HttpResponseRedirect(here)
    response = HttpResponse(status=204)
    response.headers["HX-Redirect"] = here
    return response
