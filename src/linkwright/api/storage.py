"""What a project's data takes on disk: compact many small files, purge ended records."""

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.envelopes import NamedEnvelopeAnswer, named_envelope
from linkwright.api.jobs import JobDetailAnswer, job_detail
from linkwright.api.paging import refuse_unknown
from linkwright.api.projects import ProjectCode
from linkwright.api.queue import ReasonForm
from linkwright.api.rights import Caller, caller_of, project_or_404, reader_of
from linkwright.services.start_compact import CompactRefusedError, start_compact, why_not_compact
from linkwright.services.start_purge import MOST_DAYS, PurgeRefusedError, preview_purge, start_purge
from linkwright.store.models import LinkageProject
from linkwright.store.permissions import Permission

router = Router(tags=["storage"])

FIXED_SHOWN = 100


class PurgeQuery(Schema):
    """Which ended records."""

    older_than_days: int = Field(
        0, ge=0, le=MOST_DAYS, description="Only records that ended at least so long ago; 0: all until now."
    )


class PurgeForm(ReasonForm):
    """Why, and which ended records. What was purged cannot be restored."""

    older_than_days: int = Field(
        ge=0, le=MOST_DAYS, description="Only records that ended at least so long ago; 0: all until now."
    )


class PurgePreviewAnswer(Schema):
    """What a Purge would blank now."""

    refusal: str = Field(description="Why none can be started now; empty if one can.")
    records_count: int = Field(description="Ended records that it would blank.")
    younger_count: int = Field(description="Ended records that it would leave: they ended later.")
    fixed_count: int = Field(description="Envelopes that could not be rolled back any more: they ended them.")
    fixed: list[NamedEnvelopeAnswer] = Field(description=f"The first {FIXED_SHOWN} of these.")


@router.post(
    "/{code}/compact", response={202: JobDetailAnswer, **possible_errors(409)}, summary="Compact a project"
)
def compact(request: HttpRequest, code: ProjectCode) -> Status[JobDetailAnswer]:
    """Queue a Compact job, which makes few files of many small ones. Nothing visible changes."""
    caller = caller_of(request)
    project = _configured(caller, code)
    job = start_compact(project, caller.actor)
    if job is None:
        raise CompactRefusedError(why_not_compact(project))
    return Status(202, job_detail(caller, job))


@router.get("/{code}/purge", response={200: PurgePreviewAnswer, **possible_errors()}, summary="Preview a purge")
def preview(request: HttpRequest, code: ProjectCode, query: Query[PurgeQuery]) -> PurgePreviewAnswer:
    """Say what a Purge would blank, and whether one can be started now."""
    caller = reader_of(request)
    refuse_unknown(request, PurgeQuery)
    found = preview_purge(_configured(caller, code), query.older_than_days)
    return PurgePreviewAnswer(
        refusal=found.refusal,
        records_count=found.records_count,
        younger_count=found.younger_count,
        fixed_count=len(found.fixed),
        fixed=[named_envelope(one) for one in found.fixed[:FIXED_SHOWN]],
    )


@router.post(
    "/{code}/purge",
    response={202: JobDetailAnswer, **possible_errors(409, 413, 415)},
    summary="Purge a project's ended records",
)
def purge(request: HttpRequest, code: ProjectCode, form: PurgeForm) -> Status[JobDetailAnswer]:
    """Queue a Purge job, which blanks the identifying values of ended records on disk. It cannot be undone."""
    caller = caller_of(request)
    project = _configured(caller, code)
    job = start_purge(project, caller.actor, reason=form.reason, older_than_days=form.older_than_days)
    if job is None:
        raise PurgeRefusedError(preview_purge(project, form.older_than_days).refusal)
    return Status(202, job_detail(caller, job))


def _configured(caller: Caller, code: str) -> LinkageProject:
    project = project_or_404(caller, code)
    caller.demand(Permission.CONFIGURE_PROJECTS, project)
    return project
