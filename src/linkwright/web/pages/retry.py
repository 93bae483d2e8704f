"""Retry a failed job: a dialog that names its effect, and the act itself."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.errors import LinkwrightError
from linkwright.services.retry_job import retry_job, why_not_retry
from linkwright.store.models import Job, JobState
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, job_or_404, signed_in
from linkwright.web.dialogs import dialog_done, show_dialog
from linkwright.web.formatting import count_words


@require_http_methods(["GET", "POST"])
def retry(request: HttpRequest, job_id: int) -> HttpResponse:
    """Ask, then retry."""
    job = job_or_404(signed_in(request), job_id)
    access = access_of(request)
    access.demand(Permission.RETRY, job.project_id)
    refusal = ""
    if request.method == "POST":
        try:
            retry_job(job_id, actor_of(request))
        except LinkwrightError as error:
            refusal = str(error)
        else:
            return dialog_done(
                request, f"Job {job.pk} ({job.kind}) is queued again, at the front.", reverse("jobs")
            )
    held_count = (
        Job.objects.filter(envelope=job.envelope_id, state=JobState.HELD).count() if job.envelope_id else 0
    )
    context = {
        "job": job,
        "shows_values": access.may_see_values(job.project_id),
        "why_not": why_not_retry(job),
        "next_attempt": job.attempt + 1,
        "held": count_words(held_count, "held job"),
        "held_count": held_count,
    }
    return show_dialog(
        request, "web/dialogs/retry.html", f"Retry job {job.pk} ({job.kind})?", context, refusal=refusal
    )
