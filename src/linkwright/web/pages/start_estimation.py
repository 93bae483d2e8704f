"""Start an Estimate job of a project: a dialog that says what it does, and the act itself."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.errors import LinkwrightError
from linkwright.services.start_estimation import (
    held_records_count,
    start_building_frequencies,
    start_estimation,
)
from linkwright.store.audit_log import Actor
from linkwright.store.models import Job, LinkageProject, MatchConfigurationVersion
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.dialogs import dialog_done, show_dialog
from linkwright.web.formatting import count_words


@dataclass(frozen=True)
class _Start:
    title: str
    template: str
    act: Callable[[LinkageProject, Actor], Job]
    done: str


_ESTIMATE = _Start(
    "Estimate the parameters of {code}?",
    "web/dialogs/estimate.html",
    start_estimation,
    "Job {job} (Estimate) is queued. Its result will stand under Estimations.",
)
_FREQUENCIES = _Start(
    "Build the term frequencies of {code}?",
    "web/dialogs/frequencies.html",
    start_building_frequencies,
    "Job {job} (Estimate) is queued. The term frequencies come with version {version}.",
)


@require_http_methods(["GET", "POST"])
def estimate(request: HttpRequest, code: str) -> HttpResponse:
    """Ask, then start an estimation."""
    return _ask(request, code, _ESTIMATE)


@require_http_methods(["GET", "POST"])
def frequencies(request: HttpRequest, code: str) -> HttpResponse:
    """Ask, then start the counting of term frequencies."""
    return _ask(request, code, _FREQUENCIES)


def _ask(request: HttpRequest, code: str, start: _Start) -> HttpResponse:
    project = project_or_404(signed_in(request), code)
    access_of(request).demand(Permission.CONFIGURE_PROJECTS, project.pk)
    newest = MatchConfigurationVersion.objects.filter(project=project).first()
    next_version = newest.version + 1 if newest else 1
    refusal = ""
    if request.method == "POST":
        try:
            job = start.act(project, actor_of(request))
        except LinkwrightError as error:
            refusal = str(error)
        else:
            message = start.done.format(job=job.pk, version=next_version)
            return dialog_done(request, message, reverse("project", args=[code]))
    context = {
        "project": project,
        "records": count_words(held_records_count(project), "held record"),
        "version": newest.version if newest else None,
        "next_version": next_version,
    }
    return show_dialog(request, start.template, start.title.format(code=code), context, refusal=refusal)
