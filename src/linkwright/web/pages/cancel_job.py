"""Cancel a job that belongs to no Envelope: a dialog that names its effect, and the act itself."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.errors import LinkwrightError
from linkwright.services.cancel_job import cancel_job, why_not_cancel
from linkwright.store.models import JobState
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, job_or_404, signed_in
from linkwright.web.dialogs import dialog_done, show_dialog


@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, job_id: int) -> HttpResponse:
    """Ask, then cancel."""
    job = job_or_404(signed_in(request), job_id)
    access_of(request).demand(Permission.CANCEL, job.project_id)
    refusal = ""
    if request.method == "POST":
        try:
            cancel_job(job_id, actor_of(request), request.POST.get("reason", "").strip())
        except LinkwrightError as error:
            refusal = str(error)
        else:
            return dialog_done(request, f"{job} is being cancelled.", reverse("jobs"))
    context = {"job": job, "why_not": why_not_cancel(job), "is_running": job.state == JobState.RUNNING}
    title = f"Cancel job {job.pk} ({job.kind})?"
    return show_dialog(request, "web/dialogs/cancel_job.html", title, context, refusal=refusal)
