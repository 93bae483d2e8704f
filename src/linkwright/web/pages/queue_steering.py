"""Pause, resume and clear the Job Queue: each a dialog that names its effect in numbers, and the act itself."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.errors import LinkwrightError
from linkwright.services.clear_queue import clear_queue, preview_clear
from linkwright.services.pause_queue import pause_queue, resume_queue
from linkwright.services.queue_status import read_queue_status
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of
from linkwright.web.dialogs import dialog_done, show_dialog
from linkwright.web.formatting import count_words
from linkwright.web.frame import queue_view_of

REASON_MISSING = "A reason is needed: whoever finds the queue like this must know why. Give one and try again."


@require_http_methods(["GET", "POST"])
def pause(request: HttpRequest) -> HttpResponse:
    """Ask, then pause."""
    access_of(request).demand(Permission.PAUSE_AND_RESUME)
    refusal = ""
    if request.method == "POST":
        try:
            pause_queue(actor_of(request), request.POST.get("reason", ""))
        except LinkwrightError as error:
            refusal = str(error)
        else:
            return dialog_done(request, "The Job Queue is paused.", reverse("jobs"))
    queue = queue_view_of(request)
    waiting = count_words(queue.status.queued_count, "queued job waits", "queued jobs wait")
    running = queue.running
    context = {"waiting": waiting, "running": running, "is_busy": queue.status.running is not None}
    return show_dialog(request, "web/dialogs/pause.html", "Pause the Job Queue?", context, refusal=refusal)


@require_http_methods(["GET", "POST"])
def resume(request: HttpRequest) -> HttpResponse:
    """Ask, then resume."""
    access_of(request).demand(Permission.PAUSE_AND_RESUME)
    refusal = ""
    if request.method == "POST":
        try:
            resume_queue(actor_of(request))
        except LinkwrightError as error:
            refusal = str(error)
        else:
            return dialog_done(request, "The Job Queue goes on.", reverse("jobs"))
    queue = queue_view_of(request)
    first = queue.queued[0] if queue.queued else None
    context = {
        "waiting": count_words(queue.status.queued_count, "queued job", "queued jobs"),
        "is_empty": not queue.status.queued_count,
        "is_one": queue.status.queued_count == 1,
        "first": first,
        "queue": queue,
    }
    return show_dialog(request, "web/dialogs/resume.html", "Resume the Job Queue?", context, refusal=refusal)


@require_http_methods(["GET", "POST"])
def clear(request: HttpRequest) -> HttpResponse:
    """Ask, then clear."""
    access_of(request).demand(Permission.CLEAR)
    refusal = ""
    if request.method == "POST":
        reason = request.POST.get("reason", "").strip()
        if not reason:
            refusal = REASON_MISSING
        else:
            try:
                cleared = clear_queue(actor_of(request), reason)
            except LinkwrightError as error:
                refusal = str(error)
            else:
                jobs = count_words(cleared.jobs_count, "job was", "jobs were")
                return dialog_done(request, f"{jobs} removed from the Job Queue.", reverse("jobs"))
    effect = preview_clear()
    context = {
        "jobs": count_words(effect.jobs_count, "job"),
        "queued_jobs": count_words(effect.jobs_count, "queued job"),
        "envelopes": count_words(effect.envelopes_count, "Envelope"),
        "is_one": effect.jobs_count == 1,
        "is_empty": effect.jobs_count == 0,
        "is_busy": read_queue_status().running is not None,
    }
    return show_dialog(request, "web/dialogs/clear.html", "Clear the Job Queue?", context, refusal=refusal)
