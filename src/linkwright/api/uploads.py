"""Ways in, by one request: an Envelope, or a single data file of a project. In slices: sliced_uploads.py."""

from pathlib import Path as FilePath
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Header, Query, Router, Schema, Status
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.envelopes import EnvelopeDetailAnswer, envelope_detail
from linkwright.api.envelopes import router as envelope_router
from linkwright.api.paging import NO_ZERO, NOT_BLANK, refuse_unknown
from linkwright.api.projects import ProjectCode
from linkwright.api.receiving import CHECKSUM_HEADER, FORM_FIELD, received_file
from linkwright.api.rights import caller_of, project_or_404
from linkwright.envelopes.manifest import RequestType
from linkwright.services.receive_envelope import receive_envelope
from linkwright.services.submit_data_file import DataFileSubmission, submit_data_file
from linkwright.services.submit_rights import demand_submit
from linkwright.store.permissions import Permission

router = Router(tags=["uploads"])

UNNAMED = "upload"
_BINARY = {"schema": {"type": "string", "format": "binary", "minLength": 1}}
_FORM = {
    "schema": {
        "type": "object",
        "properties": {FORM_FIELD: _BINARY["schema"]},
        "required": [FORM_FIELD],
        "additionalProperties": False,
    }
}
Checksum = Annotated[
    str,
    Header(
        alias=CHECKSUM_HEADER,
        pattern="^([0-9a-fA-F]{64})?$",
        description="SHA-256 of the file in hexadecimal digits; if given, it must be right.",
    ),
]


def described_body(media_type: str) -> dict[str, Any]:
    """Describe a body that is the file itself, or a form that holds it."""
    content = {media_type: _BINARY, "multipart/form-data": _FORM}
    return {"requestBody": {"required": True, "content": content}}


class EnvelopeUploadQuery(Schema):
    """What the Envelope is called."""

    name: str = Field(
        "", max_length=255, pattern=NO_ZERO, description="Of the Envelope; the file's name if left out."
    )


class DataFileUploadQuery(EnvelopeUploadQuery):
    """What the file is, and what is asked for."""

    action: RequestType = Field(RequestType.SUBMIT_LINKAGE, description="The data action.")
    event_type: str = Field(
        "", max_length=50, pattern=NO_ZERO, description="Code; may be left out for a quality review."
    )
    file_name: str = Field(
        "data",
        min_length=1,
        max_length=200,
        pattern=NOT_BLANK,
        description="What the file is called in the Envelope.",
    )


# beside the list, whose path it shares: Django finds one view a path
@envelope_router.post(
    "",
    response={201: EnvelopeDetailAnswer, **possible_errors(409, 411, 413, 415, 507)},
    openapi_extra=described_body("application/zip"),
    tags=["uploads"],
    summary="Send an Envelope",
)
def send_envelope(
    request: HttpRequest, query: Query[EnvelopeUploadQuery], checksum: Checksum = ""
) -> Status[EnvelopeDetailAnswer]:
    """Take in an Envelope: the zip as the body, or as the field `file` of a form.

    The answer says whether it is Queued, or Corrupt and why. An unknown project, or one that you do not belong to,
    is told by its Validate job.
    """
    del checksum  # described here, read where the file is received
    caller = caller_of(request)
    refuse_unknown(request, EnvelopeUploadQuery)
    demand_submit(caller.actor)
    with received_file(request) as file:
        name = query.name.strip() or FilePath(file.sent_name).stem or UNNAMED
        envelope = receive_envelope(file.path, name=name, actor=caller.actor, moves=file.may_be_moved)
    return Status(201, envelope_detail(caller, envelope))


@router.post(
    "/projects/{code}/data-files",
    response={201: EnvelopeDetailAnswer, **possible_errors(409, 411, 413, 415, 507)},
    openapi_extra=described_body("application/octet-stream"),
    summary="Send a data file",
)
def send_data_file(
    request: HttpRequest, code: ProjectCode, query: Query[DataFileUploadQuery], checksum: Checksum = ""
) -> Status[EnvelopeDetailAnswer]:
    """Take in a single data file as an Envelope of its own: plain, gzip or Parquet, by the Import Format."""
    del checksum  # described here, read where the file is received
    caller = caller_of(request)
    refuse_unknown(request, DataFileUploadQuery)
    project = project_or_404(caller, code)
    caller.demand(Permission.SUBMIT, project)
    with received_file(request) as file:
        submission = DataFileSubmission(
            path=file.path,
            file_name=file.sent_name or query.file_name,
            project_code=project.code,
            request_type=query.action,
            event_type_code=query.event_type,
            name=query.name,
        )
        envelope = submit_data_file(submission, caller.actor)
    return Status(201, envelope_detail(caller, envelope))
