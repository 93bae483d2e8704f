"""The numbers of Linkage Projects for pages and API, from their latest reports. Never writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from linkwright.store.models import (
    ATTACHED,
    AttachedEventType,
    Envelope,
    EnvelopeReport,
    EnvelopeState,
    LinkageProject,
)


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
    key = _reported(project.pk).values_list("report", flat=True).first()
    return EnvelopeReport.objects.select_related("envelope").filter(pk=key).first() if key else None


def read_project_summaries(projects: Iterable[LinkageProject]) -> list[ProjectSummary]:
    """Return one line a project, in the order given."""
    wanted = list(projects)
    newest = Envelope.objects.filter(project=OuterRef("pk")).order_by("-pk")
    found = LinkageProject.objects.filter(pk__in=[project.pk for project in wanted]).annotate(
        last_received_at=Subquery(newest.values("received_at")[:1]),
        report_id=Subquery(_reported(OuterRef("pk")).values("report")[:1]),
    )
    lines = {key: (at, report) for key, at, report in found.values_list("pk", "last_received_at", "report_id")}
    reports = EnvelopeReport.objects.defer("plots").in_bulk([report for _at, report in lines.values() if report])
    codes: dict[int, list[str]] = {}
    attached = AttachedEventType.objects.filter(ATTACHED, project__in=lines).order_by("event_type__code")
    for key, code in attached.values_list("project", "event_type__code"):
        codes.setdefault(key, []).append(code)
    return [
        _summary(project, lines[project.pk][0], reports.get(lines[project.pk][1]), codes.get(project.pk, []))
        for project in wanted
        if project.pk in lines
    ]


def _reported(project: int | OuterRef) -> QuerySet[Envelope]:
    """Return the Envelopes of a project that have a report that counts, the latest first.

    The Envelopes of one project are processed in the order of their keys, as far as they succeed: a failed one can
    be retried only until a later one has run.
    """
    return Envelope.objects.filter(
        project=project, state=EnvelopeState.SUCCESS, report__isnull=False, estimations=None
    ).order_by("-pk")


def _summary(
    project: LinkageProject, last_received_at: datetime | None, report: EnvelopeReport | None, codes: Sequence[str]
) -> ProjectSummary:
    numbers: dict[str, Any] = report.statistics.get("project", {}) if report else {}
    return ProjectSummary(
        code=project.code,
        name=project.name,
        description=project.description,
        event_type_codes=tuple(codes),
        records_count=numbers.get("records_count"),
        groups_count=numbers.get("groups_count"),
        last_received_at=last_received_at,
    )
