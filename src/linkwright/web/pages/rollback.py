"""Roll an Envelope back: a dialog that says what it would undo, with the two offers, and the act itself."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.errors import LinkwrightError
from linkwright.services.roll_back_envelope import RollbackScope, preview_rollback, roll_back_envelope
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, envelope_or_404, signed_in
from linkwright.web.dialogs import dialog_done, show_dialog

LISTED_LATER = 10
# what a person decided is undone: they may want to see all of it
LISTED_REVIEWS = 200


@require_http_methods(["GET", "POST"])
def rollback(request: HttpRequest, envelope_id: int) -> HttpResponse:
    """Ask, then queue the Rollback job."""
    envelope = envelope_or_404(signed_in(request), envelope_id)
    access_of(request).demand(Permission.ROLL_BACK, envelope.project_id)
    refusal = ""
    if request.method == "POST":
        try:
            roll_back_envelope(
                envelope_id,
                actor_of(request),
                reason=request.POST.get("reason", ""),
                scope=_scope(request),
            )
        except LinkwrightError as error:
            refusal = str(error)
        else:
            return dialog_done(request, f"{envelope.name} is being rolled back.", reverse("envelopes"))
    preview = preview_rollback(envelope)
    reviews = preview.reviews
    context = {
        "envelope": envelope,
        "preview": preview,
        "reviews": reviews[:LISTED_REVIEWS],
        "unlisted_reviews_count": max(0, len(reviews) - LISTED_REVIEWS),
        "listed": preview.later[:LISTED_LATER],
        "unlisted_count": max(0, len(preview.later) - LISTED_LATER),
        "reason": request.POST.get("reason", ""),
    }
    return show_dialog(
        request, "web/dialogs/rollback.html", f"Roll {envelope.name} back?", context, refusal=refusal
    )


def _scope(request: HttpRequest) -> RollbackScope:
    wanted = request.POST.get("scope", RollbackScope.ALONE)
    return RollbackScope(wanted) if wanted in set(RollbackScope) else RollbackScope.ALONE
