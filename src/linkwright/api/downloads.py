"""Files to take away: an Envelope as received, rejected rows, an estimation, a match configuration.

Who takes what holds something of persons stands in the audit log. Results of extractions: extraction_results.py.
"""

from typing import Any, Literal

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from ninja import Query, Router, Schema
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.envelopes import EnvelopeId
from linkwright.api.estimations import EstimationId, estimation_or_404
from linkwright.api.jobs import JobId
from linkwright.api.paging import Text, refuse_unknown
from linkwright.api.projects import ProjectCode
from linkwright.api.receiving import CHECKSUM_HEADER
from linkwright.api.rights import envelope_or_404, job_or_404, project_or_404, reader_of
from linkwright.services.download_envelope import EnvelopeFileGoneError, download_envelope
from linkwright.services.download_estimation import pack_estimation
from linkwright.services.download_rejects import NoRejectsError, read_rejects
from linkwright.services.export_match import export_match, export_splink_settings
from linkwright.store.permissions import Permission

router = Router()


_BINARY = {"type": "string", "format": "binary"}
_OBJECT = {"type": "object"}


def _file(description: str, **schemas: dict[str, str]) -> dict[str, Any]:
    content = {media_type.replace("_", "/"): {"schema": schema} for media_type, schema in schemas.items()}
    return {"responses": {200: {"description": description, "content": content}}}


class MatchFileQuery(Schema):
    """In which form."""

    form: Literal["linkwright", "splink"] = Field(
        "linkwright",
        description="`linkwright`: YAML, as `match` of a project file; `splink`: JSON that Splink loads.",
    )
    strategy: Text = Field("", description="For Splink, where several have comparisons: which one.")


@router.get(
    "/envelopes/{envelope_id}/file",
    response=possible_errors(409),
    openapi_extra=_file(f"The Envelope; the header {CHECKSUM_HEADER} has its SHA-256.", application_zip=_BINARY),
    tags=["envelopes"],
    summary="Download an Envelope",
)
def envelope_file(request: HttpRequest, envelope_id: EnvelopeId) -> FileResponse:
    """Send an Envelope as it was received. Asks for 'see identifying values'; it stands in the audit log."""
    caller = reader_of(request)
    envelope = envelope_or_404(caller, envelope_id)
    caller.demand(Permission.SEE_IDENTIFYING_VALUES, envelope.project)
    try:
        found = download_envelope(envelope, caller.actor)
        stream = found.path.open("rb")
    except (EnvelopeFileGoneError, FileNotFoundError) as error:
        raise Http404(str(error)) from error
    response = FileResponse(stream, as_attachment=True, filename=found.name, content_type="application/zip")
    response.headers[CHECKSUM_HEADER] = envelope.sha256
    return response


@router.get(
    "/jobs/{job_id}/rejects",
    response=possible_errors(409),
    openapi_extra=_file("CSV: line, reason, Source Unique ID.", text_csv=_BINARY),
    tags=["jobs"],
    summary="Download rejected rows",
)
def rejects(request: HttpRequest, job_id: JobId) -> FileResponse:
    """Send the rows that a Load job rejected. Asks for 'submit'; it stands in the audit log."""
    caller = reader_of(request)
    job = job_or_404(caller, job_id)
    caller.demand(Permission.SUBMIT, job.project)
    try:
        found = read_rejects(job, caller.actor)
        stream = found.path.open("rb")
    except (NoRejectsError, FileNotFoundError) as error:
        raise Http404(str(error)) from error
    return FileResponse(stream, as_attachment=True, filename=found.name, content_type="text/csv")


@router.get(
    "/projects/{code}/estimations/{estimation_id}/file",
    response=possible_errors(409),
    openapi_extra=_file("The Envelope: proposed configuration, tables and plots.", application_zip=_BINARY),
    tags=["estimations"],
    summary="Download an estimation",
)
def estimation_file(request: HttpRequest, code: ProjectCode, estimation_id: EstimationId) -> HttpResponse:
    """Send an estimation as an Envelope; it holds nothing of a person."""
    caller = reader_of(request)
    packed = pack_estimation(estimation_or_404(caller, code, estimation_id), caller.actor)
    return _attached(packed.content, packed.name, "application/zip")


@router.get(
    "/projects/{code}/match-configuration/file",
    response=possible_errors(409),
    openapi_extra=_file("The newest version.", application_yaml=_OBJECT, application_json=_OBJECT),
    tags=["projects"],
    summary="Download a match configuration",
)
def match_file(request: HttpRequest, code: ProjectCode, query: Query[MatchFileQuery]) -> HttpResponse:
    """Send the newest version as a file: Linkwright's own form, or one strategy as Splink loads it."""
    caller = reader_of(request)
    refuse_unknown(request, MatchFileQuery)
    project = project_or_404(caller, code)
    if query.form == "splink":
        text, ending, kind = (
            export_splink_settings(project.code, query.strategy or None),
            "json",
            "application/json",
        )
    else:
        text, ending, kind = export_match(project.code), "yaml", "application/yaml"
    return _attached(text.encode(), f"{project.code}-match.{ending}", kind)


def _attached(content: bytes, name: str, media_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    disposition = content_disposition_header(as_attachment=True, filename=name)
    response.headers["Content-Disposition"] = disposition or "attachment"
    return response
