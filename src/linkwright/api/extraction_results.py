"""Results of an Extraction Project: list, and the Envelope itself, whose every download is counted and logged."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import FileResponse, Http404, HttpRequest
from django.utils import timezone
from ninja import Path, Query, Router, Schema
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.extractions import ExtractionCode, extraction_or_404
from linkwright.api.paging import PageAnswer, PageQuery, links, newest_first, refuse_unknown
from linkwright.api.projects import ProjectCode
from linkwright.api.receiving import CHECKSUM_HEADER
from linkwright.api.rights import caller_of, reader_of
from linkwright.services.download_extraction_result import NoResultError, take_result
from linkwright.store.models import ExtractionResult
from linkwright.store.permissions import Permission
from linkwright.store.queries.extractions import find_result, results_of

router = Router(tags=["extractions"])

ResultId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The result's number.")]
# ResultEnd, and that it is kept
ResultState = Literal["kept", "expired", "withdrawn"]
_FILE: dict[str, Any] = {
    "responses": {
        200: {
            "description": f"The Envelope; the header {CHECKSUM_HEADER} has its SHA-256.",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
}


class ExtractionResultAnswer(Schema):
    """What one extraction gave for one Event Type: an Envelope."""

    id: int
    event_type_code: str
    job_id: int
    envelope_id: int | None = Field(description="The Envelope that asked for it; null if none did.")
    created_at: datetime
    records_count: int
    persons_count: int
    changes_count: int | None = Field(
        description="Rows of its list of keys that changed; null: it has no such list."
    )
    size_bytes: int
    sha256: str
    downloads_count: int
    expires_at: datetime
    state: ResultState = Field(description="Only what is kept can be downloaded.")
    withdrawn_by_job_id: int | None = Field(description="The Rollback that withdrew it.")


class ExtractionResultPageAnswer(PageAnswer):
    """Results, newest first."""

    items: list[ExtractionResultAnswer]


@router.get(
    "/{code}/extraction-projects/{extraction_code}/results",
    response={200: ExtractionResultPageAnswer, **possible_errors()},
    summary="List an Extraction Project's results",
)
def list_all(
    request: HttpRequest, code: ProjectCode, extraction_code: ExtractionCode, query: Query[PageQuery]
) -> ExtractionResultPageAnswer:
    """List its results, kept or not, newest first."""
    caller = reader_of(request)
    refuse_unknown(request, PageQuery)
    found = extraction_or_404(caller, code, extraction_code)
    rows, cursor = newest_first(results_of(found), query)
    return ExtractionResultPageAnswer(items=[_answer(row) for row in rows], **links(request, cursor))


@router.get(
    "/{code}/extraction-projects/{extraction_code}/results/{result_id}/file",
    response=possible_errors(409),
    openapi_extra=_FILE,
    summary="Download a result",
)
def download(
    request: HttpRequest, code: ProjectCode, extraction_code: ExtractionCode, result_id: ResultId
) -> FileResponse:
    """Send a result's Envelope, with its data file and manifest; the download is counted, and in the audit log."""
    caller = caller_of(request)
    found = extraction_or_404(caller, code, extraction_code)
    caller.demand(Permission.EXTRACT, found.project)
    result = find_result(found, result_id)
    if result is None:
        raise Http404(f"There is no result {result_id} of {found.code}.")
    taken = take_result(result, caller.actor)
    try:
        stream = taken.path.open("rb")
    except FileNotFoundError as error:
        # it expired between the two
        raise NoResultError(f"{taken.name} is no longer kept. Extract again.") from error
    response = FileResponse(stream, as_attachment=True, filename=taken.name, content_type="application/zip")
    response.headers[CHECKSUM_HEADER] = result.sha256
    return response


def _answer(row: ExtractionResult) -> ExtractionResultAnswer:
    return ExtractionResultAnswer(
        id=row.pk,
        event_type_code=row.event_type.code,
        job_id=row.job_id,
        envelope_id=row.envelope_id,
        created_at=row.created_at,
        records_count=row.records_count,
        persons_count=row.persons_count,
        changes_count=row.changes_count,
        size_bytes=row.bytes_count,
        sha256=row.sha256,
        downloads_count=row.downloads_count,
        expires_at=row.expires_at,
        state=_state(row),
        withdrawn_by_job_id=row.removed_by_job_id,
    )


def _state(row: ExtractionResult) -> ResultState:
    if row.removed_at is None and row.expires_at > timezone.now():
        return "kept"
    return "withdrawn" if row.removed_why == "withdrawn" else "expired"
