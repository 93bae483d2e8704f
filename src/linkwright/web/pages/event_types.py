"""The Event Types of a project: dialogs to attach and detach one, and to change its update mode."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.config import load_config
from linkwright.engine.update_mode import UpdateMode
from linkwright.errors import LinkwrightError
from linkwright.services.attach_event_type import AttachRefusedError, attach_event_type, change_update_mode
from linkwright.services.detach_event_type import DetachRefusedError, detach_event_type, preview_detach
from linkwright.store.models import AttachedEventType, LinkageProject
from linkwright.store.permissions import Permission
from linkwright.store.queries.attachments import find_attachment
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.dialogs import dialog_done, show_dialog
from linkwright.web.event_type_pieces import UPDATE_WORDS, attachable_event_types

LISTED_WAITING = 10


@require_http_methods(["GET", "POST"])
def attach(request: HttpRequest, code: str) -> HttpResponse:
    """Ask which, then attach it."""
    project = _configured(request, code)
    refusal, chosen = "", request.POST.get("event_type", request.GET.get("event_type", ""))
    if request.method == "POST":
        try:
            if not chosen:
                raise AttachRefusedError("No Event Type was chosen. Choose one.")
            attach_event_type(project, chosen, actor_of(request), updates=_mode(request))
        except LinkwrightError as error:
            refusal = str(error)
        else:
            return dialog_done(request, f"{chosen} is attached to {code}.", reverse("project", args=[code]))
    context = {
        "project": project,
        "event_types": attachable_event_types(project),
        "chosen": chosen,
        **_modes(request.POST.get("updates", UpdateMode.REJECT)),
    }
    title = f"Attach an Event Type to {code}?"
    return show_dialog(request, "web/dialogs/attach_event_type.html", title, context, refusal=refusal)


@require_http_methods(["GET", "POST"])
def updates(request: HttpRequest, code: str, event_type: str) -> HttpResponse:
    """Ask how, then change what is done with records that come again."""
    project = _configured(request, code)
    attached = _attachment_or_404(project, event_type)
    refusal = ""
    if request.method == "POST":
        mode = _mode(request)
        try:
            change_update_mode(project, event_type, actor_of(request), updates=mode)
        except LinkwrightError as error:
            refusal = str(error)
        else:
            message = f"{event_type}: records that come again: {mode.value}."
            return dialog_done(request, message, reverse("project", args=[code]))
    context = {"project": project, "attached": attached, **_modes(request.POST.get("updates", attached.updates))}
    title = f"What is done with records of {event_type} that come again?"
    return show_dialog(request, "web/dialogs/update_mode.html", title, context, refusal=refusal)


@require_http_methods(["GET", "POST"])
def detach(request: HttpRequest, code: str, event_type: str) -> HttpResponse:
    """Say what it would end, then queue the Envelope that detaches it."""
    project = _configured(request, code)
    attached = _attachment_or_404(project, event_type)
    refusal = ""
    if request.method == "POST":
        try:
            if request.POST.get("typed", "").strip() != event_type:
                raise DetachRefusedError(f"Type the code {event_type} to confirm; nothing was detached.")
            envelope = detach_event_type(
                project, event_type, actor_of(request), reason=request.POST.get("reason", "")
            )
        except LinkwrightError as error:
            refusal = str(error)
        else:
            message = f"{envelope.name} is queued; no new data of it is taken."
            return dialog_done(request, message, reverse("project", args=[code]))
    preview = preview_detach(load_config(), project, event_type)
    context = {
        "project": project,
        "attached": attached,
        "preview": preview,
        "listed": preview.waiting[:LISTED_WAITING],
        "unlisted_count": max(0, len(preview.waiting) - LISTED_WAITING),
        "reason": request.POST.get("reason", ""),
    }
    title = f"Detach {event_type} from {code}?"
    return show_dialog(request, "web/dialogs/detach_event_type.html", title, context, refusal=refusal)


def _configured(request: HttpRequest, code: str) -> LinkageProject:
    project = project_or_404(signed_in(request), code)
    access_of(request).demand(Permission.CONFIGURE_PROJECTS, project.pk)
    return project


def _attachment_or_404(project: LinkageProject, code: str) -> AttachedEventType:
    attached = find_attachment(project, code)
    if attached is None:
        raise Http404(f"{project.code} has no Event Type {code}.")
    return attached


def _mode(request: HttpRequest) -> UpdateMode:
    wanted = request.POST.get("updates", "")
    return UpdateMode(wanted) if wanted in set(UpdateMode) else UpdateMode.REJECT


def _modes(chosen: str) -> dict[str, object]:
    return {"modes": [(mode.value, words) for mode, words in UPDATE_WORDS.items()], "chosen_mode": str(chosen)}
