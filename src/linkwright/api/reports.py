"""Reports of a project's Envelopes: those that count, and one whole, with what its plots show."""

from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.paging import PageAnswer, PageQuery, cut_page, links, refuse_unknown
from linkwright.api.projects import ProjectCode
from linkwright.api.rights import project_or_404, reader_of
from linkwright.services.hidden_values import without_values
from linkwright.store.permissions import Permission
from linkwright.store.queries.reports import ReportLine, read_report, read_report_lines

router = Router(tags=["reports"])

ReportedId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The Envelope's number.")]


class ReportAnswer(Schema):
    """The report of one Envelope, in a line."""

    envelope_id: int
    envelope_name: str
    event_type_codes: list[str]
    reported_at: datetime
    envelope_records_count: int = Field(description="Records that it brought.")
    linked_share: float | None = Field(description="The share of them that were linked to another, 0 to 1.")
    unlike_before: list[str] = Field(description="Measures that differ much from earlier Envelopes of its kind.")
    records_count: int = Field(description="Records of the project after it.")
    groups_count: int = Field(description="Groups of the project after it.")
    flagged_groups_count: int


class ReportPageAnswer(PageAnswer):
    """Reports of the Envelopes that are part of the linkage map, newest first."""

    items: list[ReportAnswer]


class ReportDetailAnswer(Schema):
    """One whole report."""

    envelope_id: int
    envelope_name: str
    envelope_status: str = Field(description="RolledBack: it is no longer part of the linkage map.")
    reported_at: datetime
    envelope: dict[str, Any] = Field(description="Numbers of the Envelope, `completeness` and `drift` among them.")
    project: dict[str, Any] = Field(description="Numbers of the project after it.")
    plots: list[dict[str, Any]] = Field(description="What each plot shows: name, title, columns, rows.")


@router.get(
    "/{code}/reports", response={200: ReportPageAnswer, **possible_errors()}, summary="List reports of a project"
)
def list_all(request: HttpRequest, code: ProjectCode, query: Query[PageQuery]) -> ReportPageAnswer:
    """List the reports of a project's Envelopes, newest first."""
    caller = reader_of(request)
    refuse_unknown(request, PageQuery)
    before = int(query.cursor) if query.cursor else None
    rows = read_report_lines(project_or_404(caller, code), before=before, limit=query.limit + 1)
    shown, cursor = cut_page(rows, query.limit, lambda row: str(row.envelope_id))
    return ReportPageAnswer(items=[_answer(row) for row in shown], **links(request, cursor))


@router.get(
    "/{code}/reports/{envelope_id}",
    response={200: ReportDetailAnswer, **possible_errors()},
    summary="Read a report",
)
def read_one(request: HttpRequest, code: ProjectCode, envelope_id: ReportedId) -> ReportDetailAnswer:
    """Read the report of one Envelope."""
    caller = reader_of(request)
    project = project_or_404(caller, code)
    report = read_report(project, envelope_id)
    if report is None:
        raise Http404(f"The project {code} has no report of an Envelope {envelope_id}.")
    own, numbers = (report.statistics.get(part, {}) for part in ("envelope", "project"))
    if not caller.may(Permission.SEE_IDENTIFYING_VALUES, project):
        own, numbers = without_values(own), without_values(numbers)
    return ReportDetailAnswer(
        envelope_id=report.envelope_id,
        envelope_name=report.envelope.name,
        envelope_status=report.envelope.state,
        reported_at=report.created_at,
        envelope=own,
        project=numbers,
        plots=[{name: plot[name] for name in ("name", "title", "columns", "rows")} for plot in report.plots],
    )


def _answer(line: ReportLine) -> ReportAnswer:
    return ReportAnswer(
        envelope_id=line.envelope_id,
        envelope_name=line.envelope_name,
        event_type_codes=list(line.event_type_codes),
        reported_at=line.at,
        envelope_records_count=line.own_records_count,
        linked_share=line.linked_share,
        unlike_before=list(line.marked),
        records_count=line.records_count,
        groups_count=line.groups_count,
        flagged_groups_count=line.flagged_groups_count,
    )
