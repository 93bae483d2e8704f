"""Cancel an Envelope: a dialog that names its effect, and the act itself."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.errors import LinkwrightError
from linkwright.services.cancel_envelope import cancel_envelope, may_cancel
from linkwright.store.models import JobState
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, envelope_or_404, signed_in
from linkwright.web.dialogs import dialog_done, show_dialog
from linkwright.web.formatting import count_words


@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, envelope_id: int) -> HttpResponse:
    """Ask, then cancel."""
    envelope = envelope_or_404(signed_in(request), envelope_id)
    access_of(request).demand(Permission.CANCEL, envelope.project_id)
    refusal = ""
    if request.method == "POST":
        try:
            cancel_envelope(envelope_id, actor_of(request), request.POST.get("reason", "").strip())
        except LinkwrightError as error:
            refusal = str(error)
        else:
            return dialog_done(request, f"{envelope.name} is being cancelled.", reverse("envelopes"))
    queued_count = envelope.jobs.filter(state=JobState.QUEUED).count()
    context = {
        "envelope": envelope,
        "may_cancel": may_cancel(envelope),
        "running": envelope.jobs.filter(state=JobState.RUNNING).first(),
        "queued": count_words(queued_count, "queued job"),
        "queued_count": queued_count,
    }
    return show_dialog(request, "web/dialogs/cancel.html", f"Cancel {envelope.name}?", context, refusal=refusal)
