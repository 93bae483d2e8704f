"""Estimations of a project: list, one, start, apply; and the building of its term frequencies."""

from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.jobs import JobDetailAnswer, job_detail
from linkwright.api.paging import PageAnswer, PageQuery, links, newest_first, refuse_unknown
from linkwright.api.projects import ProjectCode
from linkwright.api.rights import Caller, caller_of, project_or_404, reader_of
from linkwright.services.apply_estimation import apply_estimation
from linkwright.services.start_estimation import start_building_frequencies, start_estimation
from linkwright.store.models import Estimation
from linkwright.store.permissions import Permission
from linkwright.store.queries.estimations import complete_estimations

router = Router(tags=["estimations"])

EstimationId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The estimation's number.")]


class EstimationAnswer(Schema):
    """One estimation: what an Estimate job proposes."""

    id: int
    job_id: int
    envelope_id: int | None = Field(description="The Envelope whose records were used beside the held ones.")
    created_at: datetime
    base_version: int = Field(description="The version of the match configuration that it started from.")
    applied_version: int | None


class EstimationDetailAnswer(EstimationAnswer):
    """One estimation with what it found."""

    definition: dict[str, Any] = Field(description="The proposed match configuration.")
    results: dict[str, Any] = Field(description="Tables: parameters, thresholds, rules, unlinkables, notes.")


class EstimationPageAnswer(PageAnswer):
    """Estimations, newest first."""

    items: list[EstimationAnswer]


class ApplyForm(Schema):
    """Consent to replace a version that was made since."""

    replace_version: int | None = Field(
        None, ge=1, le=2_147_483_647, description="The version made since, which is replaced."
    )


class AppliedAnswer(Schema):
    """The new version of the match configuration."""

    version: int


@router.get(
    "/{code}/estimations", response={200: EstimationPageAnswer, **possible_errors()}, summary="List estimations"
)
def list_all(request: HttpRequest, code: ProjectCode, query: Query[PageQuery]) -> EstimationPageAnswer:
    """List a project's estimations, newest first."""
    caller = reader_of(request)
    refuse_unknown(request, PageQuery)
    project = project_or_404(caller, code)
    found = complete_estimations().filter(project=project).defer("plots", "definition", "results")
    rows, cursor = newest_first(found, query)
    return EstimationPageAnswer(items=[EstimationAnswer(**_values(row)) for row in rows], **links(request, cursor))


@router.post(
    "/{code}/estimations", response={202: JobDetailAnswer, **possible_errors(409)}, summary="Start an estimation"
)
def start(request: HttpRequest, code: ProjectCode) -> Status[JobDetailAnswer]:
    """Queue an Estimate job over the held records. It proposes, and changes nothing."""
    caller = caller_of(request)
    project = project_or_404(caller, code)
    caller.demand(Permission.CONFIGURE_PROJECTS, project)
    return Status(202, job_detail(caller, start_estimation(project, caller.actor)))


@router.post(
    "/{code}/frequencies",
    response={202: JobDetailAnswer, **possible_errors(409)},
    summary="Build term frequencies",
)
def build_frequencies(request: HttpRequest, code: ProjectCode) -> Status[JobDetailAnswer]:
    """Queue an Estimate job that counts how frequent values are; the counts come with the next version."""
    caller = caller_of(request)
    project = project_or_404(caller, code)
    caller.demand(Permission.CONFIGURE_PROJECTS, project)
    return Status(202, job_detail(caller, start_building_frequencies(project, caller.actor)))


@router.get(
    "/{code}/estimations/{estimation_id}",
    response={200: EstimationDetailAnswer, **possible_errors()},
    summary="Read an estimation",
)
def read_one(request: HttpRequest, code: ProjectCode, estimation_id: EstimationId) -> EstimationDetailAnswer:
    """Read one estimation with what it found."""
    found = estimation_or_404(reader_of(request), code, estimation_id)
    return EstimationDetailAnswer(**_values(found), definition=found.definition, results=found.results)


@router.post(
    "/{code}/estimations/{estimation_id}/apply",
    response={201: AppliedAnswer, **possible_errors(409, 413, 415)},
    summary="Apply an estimation",
)
def apply(
    request: HttpRequest, code: ProjectCode, estimation_id: EstimationId, form: ApplyForm | None = None
) -> Status[AppliedAnswer]:
    """Make the proposal the next version of the match configuration; later Envelopes use it."""
    caller = caller_of(request)
    found = estimation_or_404(caller, code, estimation_id)
    caller.demand(Permission.CONFIGURE_PROJECTS, found.project)
    replaced = form.replace_version if form else None
    version = apply_estimation(found.pk, caller.actor, replace_version=replaced)
    return Status(201, AppliedAnswer(version=version.version))


def estimation_or_404(caller: Caller, code: str, estimation_id: int) -> Estimation:
    """Return an estimation of a project that the person belongs to."""
    project = project_or_404(caller, code)
    estimation = complete_estimations().filter(project=project, pk=estimation_id).first()
    if estimation is None:
        raise Http404(f"There is no estimation {estimation_id} of {code}.")
    return estimation


def _values(row: Estimation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "job_id": row.job_id,
        "envelope_id": row.envelope_id,
        "created_at": row.created_at,
        "base_version": row.base_version.version,
        "applied_version": row.applied_version.version if row.applied_version else None,
    }
