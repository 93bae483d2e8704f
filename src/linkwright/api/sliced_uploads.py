"""Uploads in slices: begin, send slice after slice at the offset that is expected, finish; resume after a cut.

Answers of an upload that is there carry its offset in the header Upload-Offset, errors among them.
"""

import re
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Header, Path, Router, Schema, Status
from ninja.errors import HttpError
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.envelopes import EnvelopeDetailAnswer, envelope_detail
from linkwright.api.paging import MAX_KEY, NO_ZERO, NOT_BLANK
from linkwright.api.rights import Caller, caller_of, envelope_or_404, project_or_404
from linkwright.api.uploads import Checksum
from linkwright.config import load_config
from linkwright.envelopes.manifest import RequestType
from linkwright.services.begin_upload import LONGEST_NAME, begin_upload
from linkwright.services.finish_upload import AsDataFile, finish_upload
from linkwright.services.receive_slice import SLICE_LIMIT_BYTES, Slice, receive_slice
from linkwright.services.upload_folder import Upload, abandon_upload, find_upload, uploads_of
from linkwright.store.permissions import Permission

router = Router(tags=["uploads"])

OFFSET_HEADER = "Upload-Offset"
UploadId = Annotated[str, Path(max_length=100, description="The upload's id.")]
Offset = Annotated[
    int, Header(alias=OFFSET_HEADER, ge=0, le=MAX_KEY, description="Where in the file the slice begins, in bytes.")
]
_SLICE_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}}
        },
    }
}


class UploadAnswer(Schema):
    """A file on its way in."""

    id: str
    name: str = Field(description="What the Envelope will be called; empty: as the file.")
    file_name: str
    size_bytes: int
    sha256: str = Field(description="Of the whole file, as announced; empty if it was not.")
    offset_bytes: int = Field(description="How much has come, and where the next slice begins.")
    slice_limit_bytes: int = Field(description="The largest slice that is taken.")
    expires_at: datetime = Field(description="When it is deleted, unless it is touched before.")
    envelope_id: int | None = Field(description="What became of it once it was finished.")


class UploadsAnswer(Schema):
    """One's uploads that are not finished, the one touched last first."""

    items: list[UploadAnswer]


class BeginUploadForm(Schema):
    """What will be sent."""

    file_name: str = Field(
        min_length=1, max_length=LONGEST_NAME, pattern=NOT_BLANK, description="What the sender calls the file."
    )
    size_bytes: int = Field(ge=1, le=MAX_KEY, description="Of the whole file.")
    name: str = Field(
        "", max_length=255, pattern=NO_ZERO, description="Of the Envelope; the file's name if left out."
    )
    sha256: str = Field(
        "",
        pattern="^([0-9a-fA-F]{64})?$",
        description="Of the whole file in hexadecimal digits; if given, it must be right in the end.",
    )


class FinishUploadForm(Schema):
    """What the file is; an Envelope, if all is left out."""

    name: str = Field(
        "", max_length=255, pattern=NO_ZERO, description="Of the Envelope; as announced if left out."
    )
    project_code: str = Field(
        "", max_length=255, pattern=NO_ZERO, description="For a single data file: its project. Else empty."
    )
    action: RequestType = Field(RequestType.SUBMIT_LINKAGE, description="The data action of a single data file.")
    event_type: str = Field(
        "",
        max_length=50,
        pattern=NO_ZERO,
        description="The Event Type of a single data file; may be left out for a quality review.",
    )


@router.post(
    "",
    response={201: UploadAnswer, **possible_errors(409, 415, 507)},
    summary="Begin an upload in slices",
)
def begin(request: HttpRequest, response: HttpResponse, form: BeginUploadForm) -> Status[UploadAnswer]:
    """Announce a file. It is refused now if it is too large, or if there is no room for it."""
    caller = caller_of(request)
    upload = begin_upload(
        form.file_name, form.size_bytes, caller.actor, load_config(), name=form.name, sha256=form.sha256
    )
    return Status(201, _answer(response, upload))


@router.get("", response={200: UploadsAnswer, **possible_errors()}, summary="List one's uploads")
def list_uploads(request: HttpRequest) -> UploadsAnswer:
    """List the uploads that you have begun and not finished: to go on with one after a cut."""
    return UploadsAnswer(items=[_shown(each) for each in uploads_of(caller_of(request).actor, load_config())])


@router.get("/{upload_id}", response={200: UploadAnswer, **possible_errors()}, summary="Ask how much has come")
def read(request: HttpRequest, response: HttpResponse, upload_id: UploadId) -> UploadAnswer:
    """Say where the next slice begins."""
    return _answer(response, find_upload(upload_id, caller_of(request).actor, load_config()))


@router.put(
    "/{upload_id}",
    response={200: UploadAnswer, **possible_errors(408, 409, 411, 413, 415, 423, 503, 507)},
    openapi_extra=_SLICE_BODY,
    summary="Send a slice",
)
def send_slice(
    request: HttpRequest, response: HttpResponse, upload_id: UploadId, offset: Offset, checksum: Checksum = ""
) -> UploadAnswer:
    """Add the next bytes of the file, which are the body. The slice counts whole or not at all.

    With another offset than the one that is expected, it is refused (409), and the header Upload-Offset says which
    one is. 423 and 503 ask to send it again in a moment.
    """
    size_bytes = _content_length(request)
    if (request.content_type or "").startswith("multipart/"):
        raise HttpError(415, "A slice is sent as the body itself, not as a form.")
    piece = Slice(offset, size_bytes, request.read, checksum)
    return _answer(response, receive_slice(upload_id, piece, caller_of(request).actor, load_config()))


@router.delete(
    "/{upload_id}", response={200: UploadsAnswer, **possible_errors(409, 423)}, summary="Abandon an upload"
)
def abandon(request: HttpRequest, upload_id: UploadId) -> UploadsAnswer:
    """Delete what has come; the answer lists what is left.

    An upload that was finished stays the Envelope that it is.
    """
    actor, config = caller_of(request).actor, load_config()
    abandon_upload(upload_id, actor, config)
    return UploadsAnswer(items=[_shown(each) for each in uploads_of(actor, config)])


@router.post(
    "/{upload_id}/finish",
    response={201: EnvelopeDetailAnswer, **possible_errors(409, 415, 423, 507)},
    summary="Finish an upload",
)
def finish(
    request: HttpRequest, upload_id: UploadId, form: FinishUploadForm | None = None
) -> Status[EnvelopeDetailAnswer]:
    """Make the file an Envelope, once every byte has come; asked again, the answer is the same Envelope.

    It says whether it is Queued, or Corrupt and why. With a project_code, the file is a single data file.
    """
    caller = caller_of(request)
    wanted = form or FinishUploadForm.model_validate({})
    envelope = finish_upload(
        upload_id, caller.actor, load_config(), name=wanted.name, data_file=_data_file(caller, wanted)
    )
    # asked again, perhaps by somebody who has left its project since
    return Status(201, envelope_detail(caller, envelope_or_404(caller, envelope.pk)))


def _data_file(caller: Caller, form: FinishUploadForm) -> AsDataFile | None:
    if not form.project_code:
        return None
    project = project_or_404(caller, form.project_code)
    caller.demand(Permission.SUBMIT, project)
    return AsDataFile(project.code, form.action, form.event_type)


def _content_length(request: HttpRequest) -> int:
    text = str(request.META.get("CONTENT_LENGTH", ""))
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise HttpError(411, f"Send the header Content-Length: at most {SLICE_LIMIT_BYTES:,} bytes a slice.")
    return int(text)


def _answer(response: HttpResponse, upload: Upload) -> UploadAnswer:
    response.headers[OFFSET_HEADER] = str(upload.about.offset_bytes)
    return _shown(upload)


def _shown(upload: Upload) -> UploadAnswer:
    about = upload.about
    return UploadAnswer(
        id=upload.id,
        name=about.name,
        file_name=about.file_name,
        size_bytes=about.size_bytes,
        sha256=about.sha256,
        offset_bytes=about.offset_bytes,
        slice_limit_bytes=SLICE_LIMIT_BYTES,
        expires_at=upload.expires_at,
        envelope_id=about.envelope_id or None,
    )
