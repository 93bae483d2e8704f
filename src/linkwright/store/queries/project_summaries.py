"""The numbers of Linkage Projects for pages and API, from their latest reports. Never writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

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
    last_name: str
    last_state: str
    archived_at: datetime | None


@dataclass(frozen=True)
class HistoryPoint:
    """The project after one Envelope; `linked_share` (0-1) is of the records that this one brought, if any."""

    envelope_name: str
    at: datetime
    records_count: int
    groups_count: int
    linked_share: float | None


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
        last_id=Subquery(newest.values("pk")[:1]),
        report_id=Subquery(_reported(OuterRef("pk")).values("report")[:1]),
    )
    lines = {key: (last, report) for key, last, report in found.values_list("pk", "last_id", "report_id")}
    last = Envelope.objects.only("name", "state", "received_at").in_bulk(
        [one for one, _report in lines.values() if one]
    )
    # of the statistics these two alone: the rest is long
    numbers = EnvelopeReport.objects.filter(pk__in=[report for _last, report in lines.values() if report])
    counts = {
        key: (records, groups)
        for key, records, groups in numbers.values_list(
            "pk", "statistics__project__records_count", "statistics__project__groups_count"
        )
    }
    codes: dict[int, list[str]] = {}
    attached = AttachedEventType.objects.filter(ATTACHED, project__in=lines).order_by("event_type__code")
    for key, code in attached.values_list("project", "event_type__code"):
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


def _reported(project: int | OuterRef) -> QuerySet[Envelope]:
    """Return the Envelopes of a project that have a report that counts, the latest first.

    The Envelopes of one project are processed in the order of their keys, as far as they succeed: a failed one can
    be retried only until a later one has run.
    """
    return Envelope.objects.filter(
        project=project, state=EnvelopeState.SUCCESS, report__isnull=False, estimations=None
    ).order_by("-pk")


def read_project_history(project: LinkageProject, limit: int = 100) -> list[HistoryPoint]:
    """Return the numbers of the latest reports that count, oldest first: the plots over time show them."""
    rows = _reported(project.pk)[:limit].values_list(
        "name",
        "report__created_at",
        "report__statistics__project__records_count",
        "report__statistics__project__groups_count",
        "report__statistics__envelope__records_count",
        "report__statistics__envelope__new_groups_count",
    )
    return [
        HistoryPoint(name, at, records, groups, _linked_share(own, begun))
        for name, at, records, groups, own, begun in reversed(rows)
        if records is not None and groups is not None
    ]


def _linked_share(records_count: int | None, new_groups_count: int | None) -> float | None:
    """Return the share of an Envelope's records that were linked: all but those that began a group."""
    if not records_count or new_groups_count is None:
        return None
    return round(max(0.0, 1 - new_groups_count / records_count), 4)


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
