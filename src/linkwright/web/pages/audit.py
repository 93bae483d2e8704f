"""The audit messages of one job, every attempt; live while it runs."""

from django.http import HttpRequest, HttpResponse

from linkwright.web.access import access_of, job_or_404, signed_in
from linkwright.web.dialogs import show_dialog
from linkwright.web.open_dialogs import audit_piece


def audit(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show the messages."""
    job = job_or_404(signed_in(request), job_id)
    return show_dialog(
        request,
        "web/dialogs/audit.html",
        f"Audit of job {job.pk} ({job.kind})",
        {"job": job, "messages": audit_piece(job, access_of(request))},
    )
