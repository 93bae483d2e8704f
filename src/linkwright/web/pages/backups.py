"""Backups: the finished ones, the one on its way, and a button that starts one. For Administrators alone."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from linkwright.errors import LinkwrightError
from linkwright.services.start_backup import start_backup
from linkwright.web.access import access_of, actor_of, signed_in
from linkwright.web.backup_pieces import backups_piece, read_backup_plan
from linkwright.web.dialogs import dialog_done, show_dialog
from linkwright.web.frame import frame_pieces, queue_view_of
from linkwright.web.live import changes_response, not_modified, page_token, read_shown


@require_GET
def backups_page(request: HttpRequest) -> HttpResponse:
    """Show the page."""
    access_of(request).demand_administrator()
    context = {
        "plan": read_backup_plan(),
        "backups": backups_piece(),
        "live_url": reverse("backups-live"),
        "live_token": page_token(signed_in(request), request),
        "is_active": queue_view_of(request).is_active,
    }
    return render(request, "web/pages/backups.html", context)


@require_GET
def backups_live(request: HttpRequest) -> HttpResponse:
    """Answer a poll of the page."""
    access_of(request).demand_administrator()
    token = page_token(signed_in(request), request)
    unchanged = not_modified(request, token)
    if unchanged:
        return unchanged
    queue = queue_view_of(request)
    pieces = [*frame_pieces(queue), backups_piece()]
    return changes_response(token, pieces, read_shown(request), is_active=queue.is_active)


@require_http_methods(["GET", "POST"])
def back_up(request: HttpRequest) -> HttpResponse:
    """Ask, then start a backup."""
    access_of(request).demand_administrator()
    refusal = ""
    if request.method == "POST":
        try:
            job = start_backup(actor_of(request))
        except LinkwrightError as error:
            refusal = str(error)
        else:
            return dialog_done(request, f"{job} is queued.", reverse("backups"))
    context = {"plan": read_backup_plan()}
    return show_dialog(request, "web/dialogs/backup.html", "Back up everything now?", context, refusal=refusal)
