"""Everything that was raised for one Envelope."""

from django.http import HttpRequest, HttpResponse

from linkwright.web.access import access_of, envelope_or_404, signed_in
from linkwright.web.dialogs import show_dialog
from linkwright.web.open_dialogs import SEVERITIES, notifications_piece


def notifications(request: HttpRequest, envelope_id: int) -> HttpResponse:
    """Show the Notifications."""
    envelope = envelope_or_404(signed_in(request), envelope_id)
    listed = notifications_piece(envelope, access_of(request))
    context = {"envelope": envelope, "listed": listed, "severities": SEVERITIES}
    return show_dialog(request, "web/dialogs/notifications.html", f"Notifications of {envelope.name}", context)
