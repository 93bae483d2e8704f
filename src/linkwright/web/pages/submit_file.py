"""Submit a single data file to a project: choose, look at the first rows, confirm. One Envelope comes of it.

Nothing is queued before the confirmation; until then the file waits in a private folder, and only the person who
sent it can see its rows.
"""

from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from linkwright.config import load_config
from linkwright.envelopes.manifest import RequestType
from linkwright.errors import FaultsError, LinkwrightError
from linkwright.services.finish_upload import whole_file
from linkwright.services.preview_data_file import preview_submission
from linkwright.services.submit_data_file import SINGLE_FILE_ACTIONS, DataFileSubmission, default_name
from linkwright.services.upload_errors import UploadError
from linkwright.services.waiting_data_file import (
    DataFileGoneError,
    WaitingDataFile,
    cancel_waiting,
    confirm_waiting,
    find_waiting,
    keep_waiting,
)
from linkwright.store.models import Envelope, LinkageProject
from linkwright.store.permissions import Permission
from linkwright.store.queries.attachments import attached_event_types
from linkwright.store.settings import read_setting
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.dialogs import REFUSED_STATUS, is_fragment_request
from linkwright.web.flash import Flash, add_flash
from linkwright.web.formatting import count_words
from linkwright.web.upload_answers import answers_upload_errors
from linkwright.web.words import DATA_ACTIONS

# tells the upload script where the browser goes next
NEXT_HEADER = "Linkwright-Next"
ACTION_HELP = {
    RequestType.SUBMIT_LINKAGE: "Its records are loaded and linked.",
    RequestType.SUBMIT_DELETION: "One Source Unique ID a line; these records end.",
    RequestType.ESTIMATE_PROBABILITIES: "Its records are looked at, not linked, and not kept.",
    RequestType.SUBMIT_QUALITY_REVIEW: "Four columns: project, Source Unique ID, Event Type, target group.",
}


@require_http_methods(["GET", "POST"])
@answers_upload_errors
def submit_file(request: HttpRequest, code: str) -> HttpResponse:
    """Show the form; or take a file and go on to its preview."""
    project = _project(request, code)
    if request.method == "GET":
        return render(request, "web/pages/submit_file.html", _form_context(request, project))
    try:
        waiting = _take(request, project)
    except UploadError:
        # the script may ask again, and needs to know
        raise
    except LinkwrightError as error:
        return _refused(request, code, _flash_of(error))
    except OSError as error:
        text = f"The file could not be kept ({error.strerror}). Free space in the data folder and send it again."
        return _refused(request, code, Flash("error", text))
    target = reverse("submit-confirm", args=[code, waiting.id])
    if is_fragment_request(request):
        return HttpResponse(headers={NEXT_HEADER: target})
    return HttpResponseRedirect(target)


@require_http_methods(["GET", "POST"])
def confirm_file(request: HttpRequest, code: str, waiting_id: str) -> HttpResponse:
    """Show the first rows and the summary; or queue the file."""
    project = _project(request, code)
    try:
        waiting = find_waiting(waiting_id, load_config(), signed_in(request), project)
        if waiting.envelope_id:
            return _queued(request, code, confirm_waiting(waiting, "", actor_of(request)))
        context = _confirm_context(project, waiting)
        if request.method == "POST" and context["fault"] is None:
            envelope = confirm_waiting(waiting, request.POST.get("name", ""), actor_of(request))
            return _queued(request, code, envelope)
    except DataFileGoneError as error:
        return _gone(request, code, error)
    except LinkwrightError as error:
        flash = _flash_of(error)
        add_flash(request, flash.level, flash.text, flash.details)
        return HttpResponseRedirect(reverse("submit-confirm", args=[code, waiting_id]))
    status = REFUSED_STATUS if request.method == "POST" else 200
    return render(request, "web/pages/confirm_file.html", context, status=status)


@require_POST
def cancel_file(request: HttpRequest, code: str, waiting_id: str) -> HttpResponse:
    """Delete a file that waits, and return to the form."""
    project = _project(request, code)
    try:
        waiting = find_waiting(waiting_id, load_config(), signed_in(request), project)
        if waiting.envelope_id:
            # from another browser, say: what is queued is cancelled on the JOBS tab
            return _queued(request, code, confirm_waiting(waiting, "", actor_of(request)))
        cancel_waiting(waiting)
    except DataFileGoneError as error:
        return _gone(request, code, error)
    add_flash(request, "success", "The file was deleted. Nothing was queued.")
    return HttpResponseRedirect(reverse("submit", args=[code]))


def _project(request: HttpRequest, code: str) -> LinkageProject:
    project = project_or_404(signed_in(request), code)
    access_of(request).demand(Permission.SUBMIT, project.pk)
    return project


def _form_context(request: HttpRequest, project: LinkageProject) -> dict[str, Any]:
    chosen = request.GET.get("action", RequestType.SUBMIT_LINKAGE.value)
    return {
        "project": project,
        "actions": [
            {
                "value": action.value,
                "label": DATA_ACTIONS[action.value],
                "help": ACTION_HELP[action],
                "is_chosen": action.value == chosen,
            }
            for action in SINGLE_FILE_ACTIONS
        ],
        "event_types": list(attached_event_types(project).select_related("provider")),
        "chosen_event_type": request.GET.get("event_type", ""),
    }


def _take(request: HttpRequest, project: LinkageProject) -> WaitingDataFile:
    """Take the file of the form, or the one that was sent in slices before it."""
    config, user, upload_id = load_config(), signed_in(request), request.POST.get("upload", "")
    if upload_id:
        with whole_file(upload_id, actor_of(request), config) as upload:
            submission = _asked(request, project, upload.data, upload.about.file_name)
            return keep_waiting(submission, config, user, project)
    file = request.FILES.get("file")
    if not isinstance(file, TemporaryUploadedFile):
        raise LinkwrightError("No file was sent. Choose a data file and upload it again.")
    submission = _asked(request, project, Path(file.temporary_file_path()), file.name or "data")
    return keep_waiting(submission, config, user, project)


def _asked(request: HttpRequest, project: LinkageProject, path: Path, file_name: str) -> DataFileSubmission:
    try:
        action = RequestType(request.POST.get("action", ""))
    except ValueError as error:
        raise LinkwrightError("No data action was chosen. Choose one and upload the file again.") from error
    event_type_code = request.POST.get("event_type", "")
    if action is RequestType.SUBMIT_QUALITY_REVIEW:
        # its rows name their own
        event_type_code = ""
    elif not event_type_code:
        raise LinkwrightError("No Event Type was chosen. Choose one and upload the file again.")
    return DataFileSubmission(
        path=path,
        file_name=file_name,
        project_code=project.code,
        request_type=action,
        event_type_code=event_type_code,
    )


def _confirm_context(project: LinkageProject, waiting: WaitingDataFile) -> dict[str, Any]:
    submission = waiting.submission
    preview, encoding, fault = None, "", None
    try:
        preview, encoding = preview_submission(submission, load_config())
    except LinkwrightError as error:
        fault = _flash_of(error)
    event_type = (
        attached_event_types(project).select_related("provider").filter(code=submission.event_type_code).first()
    )
    return {
        "project": project,
        "waiting": waiting,
        "submission": submission,
        "action": DATA_ACTIONS[submission.request_type.value],
        "event_type": event_type,
        "preview": preview,
        "encoding": encoding,
        "fault": fault,
        "most_rejected": read_setting("Worker.Load.MaxRejectedRows"),
        "default_name": default_name(submission.file_name),
    }


def _queued(request: HttpRequest, code: str, envelope: Envelope) -> HttpResponse:
    jobs = count_words(envelope.jobs.count(), "job")
    add_flash(request, "success", f"{envelope.name} is queued with {jobs}.")
    return HttpResponseRedirect(reverse("project", args=[code]))


def _gone(request: HttpRequest, code: str, error: DataFileGoneError) -> HttpResponse:
    add_flash(request, "error", str(error))
    return HttpResponseRedirect(reverse("submit", args=[code]))


def _refused(request: HttpRequest, code: str, flash: Flash) -> HttpResponse:
    if is_fragment_request(request):
        return render(request, "web/partials/flash.html", {"flash": flash})
    add_flash(request, flash.level, flash.text, flash.details)
    return HttpResponseRedirect(reverse("submit", args=[code]))


def _flash_of(error: LinkwrightError) -> Flash:
    if isinstance(error, FaultsError):
        return Flash("error", error.summary, error.faults)
    return Flash("error", str(error))
