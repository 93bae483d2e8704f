"""Takes an Envelope from the upload form: as the file of the form, or, where scripts run, as one sent in slices.

The file is on disk already when this runs: it never fills memory.
"""

from collections.abc import Callable
from pathlib import Path

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from linkwright.config import load_config
from linkwright.errors import FaultsError, LinkwrightError
from linkwright.services.finish_upload import finish_upload
from linkwright.services.receive_envelope import receive_envelope
from linkwright.services.submit_rights import SubmitRefusedError
from linkwright.services.upload_errors import UploadError
from linkwright.services.upload_folder import find_upload
from linkwright.store.models import Envelope, EnvelopeState
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of
from linkwright.web.dialogs import is_fragment_request
from linkwright.web.flash import Flash, add_flash
from linkwright.web.formatting import count_words
from linkwright.web.upload_answers import answers_upload_errors


@require_POST
@answers_upload_errors
def upload(request: HttpRequest) -> HttpResponse:
    """Receive one Envelope: queued, or refused with all reasons."""
    access_of(request).demand(Permission.SUBMIT)
    upload_id = request.POST.get("upload", "")
    flash = _finish(request, upload_id) if upload_id else _receive(request, request.FILES.get("envelope"))
    if is_fragment_request(request):
        return render(request, "web/partials/flash.html", {"flash": flash})
    add_flash(request, flash.level, flash.text, flash.details)
    return HttpResponseRedirect(reverse("envelopes"))


def _receive(request: HttpRequest, file: object) -> Flash:
    if not isinstance(file, TemporaryUploadedFile):
        return Flash(
            "error", "No file was sent. Choose an Envelope (a zip with a manifest.xml) and upload it again."
        )
    path = Path(file.temporary_file_path())
    name = request.POST.get("name", "").strip() or Path(file.name or "Envelope").stem
    # the request's own file is kept: Gigabytes are not copied a second time
    return _told(name, lambda: receive_envelope(path, name=name, actor=actor_of(request), moves=True))


def _finish(request: HttpRequest, upload_id: str) -> Flash:
    actor, config, name = actor_of(request), load_config(), request.POST.get("name", "").strip()
    shown = name or Path(find_upload(upload_id, actor, config).about.file_name).stem
    return _told(shown, lambda: finish_upload(upload_id, actor, config, name=name))


def _told(name: str, submit: Callable[[], Envelope]) -> Flash:
    """Submit an Envelope, and tell what became of it."""
    try:
        envelope = submit()
    except UploadError:
        # the script may ask again, and needs to know
        raise
    except SubmitRefusedError as error:
        raise PermissionDenied(str(error)) from error
    except FaultsError as error:
        return Flash("error", f"{name} was refused: {error.summary}", error.faults)
    except LinkwrightError as error:
        return Flash("error", f"{name} was refused: {error}")
    return _outcome(envelope)


def _outcome(envelope: Envelope) -> Flash:
    if envelope.state == EnvelopeState.CORRUPT:
        raised = envelope.notifications.order_by("pk").values_list("text", flat=True)
        lines = [line.removeprefix("- ") for text in raised for line in text.splitlines() if line.strip()]
        return Flash("error", f"{envelope.name} is Corrupt: it cannot be used.", tuple(lines))
    jobs = count_words(envelope.jobs.count(), "job")
    return Flash("success", f"{envelope.name} is queued with {jobs}.")
