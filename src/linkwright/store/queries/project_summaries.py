"""The numbers of Linkage Projects for pages and API, from their latest reports. Never writes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max

from linkwright.store.models import Envelope, EnvelopeReport, EnvelopeState, LinkageProject
from linkwright.store.queries.attachments import attached_event_types


@dataclass(frozen=True)
class ProjectSummary:
    """One line of the list of projects; counts are None before the first report."""

    code: str
    name: str
    description: str
    event_type_codes: tuple[str, ...]
    records_count: int | None
    groups_count: int | None
    last_received_at: datetime | None


def read_latest_report(project: LinkageProject) -> EnvelopeReport | None:
    """Return the report of the latest Envelope that succeeded and is part of the linkage map.

    One that was rolled back does not count, nor one whose records were used for an estimation only.
    """
    reports = EnvelopeReport.objects.filter(
        envelope__project=project, envelope__state=EnvelopeState.SUCCESS, envelope__estimations=None
    )
    return reports.select_related("envelope").order_by("-pk").first()


def read_project_summaries(projects: Iterable[LinkageProject]) -> list[ProjectSummary]:
    """Return one line a project, in the order given."""
    wanted = list(projects)
    received = dict(
        Envelope.objects.filter(project__in=wanted)
        .order_by()
        .values_list("project_id")
        .annotate(last=Max("received_at"))
    )
    return [_summary(project, received.get(project.pk)) for project in wanted]


def _summary(project: LinkageProject, last_received_at: datetime | None) -> ProjectSummary:
    report = read_latest_report(project)
    numbers: dict[str, Any] = report.statistics.get("project", {}) if report else {}
    return ProjectSummary(
        code=project.code,
        name=project.name,
        description=project.description,
        event_type_codes=tuple(attached_event_types(project).values_list("code", flat=True)),
        records_count=numbers.get("records_count"),
        groups_count=numbers.get("groups_count"),
        last_received_at=last_received_at,
    )
