"""Linkage Projects: list, one, its numbers."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.paging import NO_ZERO, CodePageQuery, PageAnswer, by_code, links, refuse_unknown
from linkwright.api.rights import project_or_404, reader_of
from linkwright.services.hidden_values import without_values
from linkwright.store.models import LinkageProject
from linkwright.store.permissions import Permission, visible_projects
from linkwright.store.queries.project_summaries import read_project_summaries
from linkwright.store.queries.reports import read_latest_report

router = Router(tags=["projects"])

ProjectCode = Annotated[
    str, Path(min_length=1, max_length=255, pattern=NO_ZERO, description="The project's code.")
]


class ProjectAnswer(Schema):
    """One Linkage Project; counts are null before its first report."""

    code: str
    name: str
    description: str
    event_type_codes: list[str]
    records_count: int | None
    groups_count: int | None
    last_received_at: datetime | None
    archived_at: datetime | None = Field(description="Since when it takes no Envelopes; null if it takes them.")


class ProjectDetailAnswer(ProjectAnswer):
    """One Linkage Project with its set-up."""

    own_fields: dict[str, Any] = Field(description="Linkage fields beside the standard ones: name and type.")
    grouping: dict[str, Any]
    keep_unused_columns: bool
    notification_email: str
    created_at: datetime
    match_configuration_version: int | None


class ProjectPageAnswer(PageAnswer):
    """Linkage Projects by code."""

    items: list[ProjectAnswer]


class ProjectNumbersAnswer(Schema):
    """The numbers of the latest report; null and empty before the first."""

    envelope_id: int | None = Field(description="The Envelope whose report it is.")
    reported_at: datetime | None
    numbers: dict[str, Any]


@router.get("", response={200: ProjectPageAnswer, **possible_errors()}, summary="List projects")
def list_all(request: HttpRequest, query: Query[CodePageQuery]) -> ProjectPageAnswer:
    """List the Linkage Projects that one belongs to, by code."""
    caller = reader_of(request)
    refuse_unknown(request, CodePageQuery)
    rows, cursor = by_code(visible_projects(caller.user), query)
    items = [ProjectAnswer(**_values(project)) for project in rows]
    return ProjectPageAnswer(items=items, **links(request, cursor))


@router.get("/{code}", response={200: ProjectDetailAnswer, **possible_errors()}, summary="Read a project")
def read_one(request: HttpRequest, code: ProjectCode) -> ProjectDetailAnswer:
    """Read one Linkage Project with its set-up."""
    return project_detail(project_or_404(reader_of(request), code))


def project_detail(project: LinkageProject) -> ProjectDetailAnswer:
    """Return all that is said of one project."""
    newest = project.match_configurations.order_by("-version").values_list("version", flat=True).first()
    return ProjectDetailAnswer(
        **_values(project),
        own_fields=project.own_fields,
        grouping=project.grouping,
        keep_unused_columns=project.keep_unused_columns,
        notification_email=project.notification_email,
        created_at=project.created_at,
        match_configuration_version=newest,
    )


@router.get(
    "/{code}/numbers",
    response={200: ProjectNumbersAnswer, **possible_errors()},
    summary="Read a project's numbers",
)
def read_numbers(request: HttpRequest, code: ProjectCode) -> ProjectNumbersAnswer:
    """Read the numbers of the linkage map, as of its latest report."""
    caller = reader_of(request)
    project = project_or_404(caller, code)
    report = read_latest_report(project)
    if report is None:
        return ProjectNumbersAnswer(envelope_id=None, reported_at=None, numbers={})
    numbers = report.statistics.get("project", {})
    if not caller.may(Permission.SEE_IDENTIFYING_VALUES, project):
        numbers = without_values(numbers)
    return ProjectNumbersAnswer(envelope_id=report.envelope_id, reported_at=report.created_at, numbers=numbers)


def _values(project: LinkageProject) -> dict[str, Any]:
    (summary,) = read_project_summaries([project])
    return {
        "code": summary.code,
        "name": summary.name,
        "description": summary.description,
        "event_type_codes": list(summary.event_type_codes),
        "records_count": summary.records_count,
        "groups_count": summary.groups_count,
        "last_received_at": summary.last_received_at,
        "archived_at": summary.archived_at,
    }
