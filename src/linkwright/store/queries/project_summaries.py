"""The numbers of Linkage Projects for pages and API, from their latest reports. Never writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from linkwright.store.kept_query import KeptQuery, given_one_of
from linkwright.store.models import (
    ATTACHED,
    AttachedEventType,
    Envelope,
    EnvelopeReport,
    LinkageProject,
)
from linkwright.store.queries.reports import reported_envelopes


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
    last_name: str
    last_state: str
    archived_at: datetime | None


def read_project_summaries(projects: Iterable[LinkageProject]) -> list[ProjectSummary]:
    """Return one line a project, in the order given."""
    wanted = list(projects)
    lines = {key: (last, report) for key, last, report in _LATEST.among(project.pk for project in wanted)}
    last = {one.pk: one for one in _ENVELOPES.among(one for one, _report in lines.values() if one)}
    counts = {
        key: (summary["records_count"], summary["groups_count"])
        for key, summary in _NUMBERS.among(report for _last, report in lines.values() if report)
    }
    codes: dict[int, list[str]] = {}
    for key, code in _CODES.among(lines):
        codes.setdefault(key, []).append(code)
    return [
        _summary(
            project,
            last.get(lines[project.pk][0]),
            counts.get(lines[project.pk][1], (None, None)),
            codes.get(project.pk, []),
        )
        for project in wanted
        if project.pk in lines
    ]


def _latest() -> QuerySet[LinkageProject, Any]:
    newest = Envelope.objects.filter(project=OuterRef("pk")).order_by("-pk")
    found = LinkageProject.objects.filter(given_one_of("pk", "keys")).annotate(
        last_id=Subquery(newest.values("pk")[:1]),
        report_id=Subquery(reported_envelopes(OuterRef("pk")).values("report")[:1]),
    )
    return found.values_list("pk", "last_id", "report_id")


def _codes() -> QuerySet[AttachedEventType, Any]:
    found = AttachedEventType.objects.filter(ATTACHED, given_one_of("project_id", "keys"))
    return found.order_by("event_type__code").values_list("project", "event_type__code")


_LATEST, _CODES = KeptQuery(_latest), KeptQuery(_codes)
_ENVELOPES = KeptQuery(
    lambda: Envelope.objects.filter(given_one_of("pk", "keys")).order_by().only("name", "state", "received_at")
)
_NUMBERS = KeptQuery(
    lambda: EnvelopeReport.objects.filter(given_one_of("pk", "keys")).values_list("pk", "summary")
)


def _summary(
    project: LinkageProject,
    last: Envelope | None,
    counts: tuple[int | None, int | None],
    codes: Sequence[str],
) -> ProjectSummary:
    return ProjectSummary(
        code=project.code,
        name=project.name,
        description=project.description,
        event_type_codes=tuple(codes),
        records_count=counts[0],
        groups_count=counts[1],
        last_received_at=last.received_at if last else None,
        last_name=last.name if last else "",
        last_state=last.state if last else "",
        archived_at=project.archived_at,
    )
