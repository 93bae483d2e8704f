"""The stored reports of Envelopes: which count, the latest of a project, lines of lists, points of plots.

Never writes. A report counts while its Envelope is part of the linkage map: not after a rollback, and not for an
estimation.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from linkwright.store.models import Envelope, EnvelopeReport, EnvelopeState, LinkageProject


@dataclass(frozen=True)
class HistoryPoint:
    """The project after one Envelope; `linked_share` (0-1) is of the records that this one brought, if any."""

    envelope_name: str
    at: datetime
    records_count: int
    groups_count: int
    linked_share: float | None
    records_per_s: float | None


@dataclass(frozen=True)
class ReportLine:
    """One report in a list: the Envelope's own numbers, and those of its project at that moment."""

    envelope_id: int
    envelope_name: str
    event_type_codes: Sequence[str]
    at: datetime
    own_records_count: int
    linked_share: float | None
    marked: Sequence[str]
    records_count: int
    groups_count: int
    flagged_groups_count: int


def reported_envelopes(project: int | OuterRef) -> QuerySet[Envelope]:
    """Return the Envelopes of a project that have a report that counts, the latest first.

    The Envelopes of one project are processed in the order of their keys, as far as they succeed: a failed one can
    be retried only until a later one has run.
    """
    return Envelope.objects.filter(
        project=project, state=EnvelopeState.SUCCESS, report__isnull=False, estimations=None
    ).order_by("-pk")


def read_latest_report(project: LinkageProject) -> EnvelopeReport | None:
    """Return the report of the latest Envelope that succeeded and is part of the linkage map."""
    key = reported_envelopes(project.pk).values_list("report", flat=True).first()
    return EnvelopeReport.objects.select_related("envelope").filter(pk=key).first() if key else None


def read_report(project: LinkageProject, envelope_id: int) -> EnvelopeReport | None:
    """Return the report of one Envelope of a project, whether it counts or not; not that of an estimation."""
    found = EnvelopeReport.objects.select_related("envelope")
    return found.filter(envelope=envelope_id, envelope__project=project, envelope__estimations=None).first()


def read_project_history(project: LinkageProject, limit: int = 100) -> list[HistoryPoint]:
    """Return the numbers of the latest reports that count, oldest first: the plots over time show them."""
    rows = reported_envelopes(project.pk)[:limit].values_list(
        "name",
        "processing_started_at",
        "processed_at",
        "report__created_at",
        "report__statistics__project__records_count",
        "report__statistics__project__groups_count",
        "report__statistics__envelope__records_count",
        "report__statistics__envelope__new_groups_count",
    )
    return [
        HistoryPoint(name, at, records, groups, _linked_share(own, begun), _rate(own, started, ended))
        for name, started, ended, at, records, groups, own, begun in reversed(rows)
        if records is not None and groups is not None
    ]


def read_report_lines(project: LinkageProject, *, before: int | None = None, limit: int) -> list[ReportLine]:
    """Return the latest reports of a project that count, newest first; from behind an Envelope's key, if given."""
    found = reported_envelopes(project.pk)
    if before is not None:
        found = found.filter(pk__lt=before)
    return _lines(found.values_list("report", flat=True)[:limit])


def read_latest_lines(projects: Iterable[LinkageProject]) -> dict[int, ReportLine]:
    """Return the line of the latest report of each project that has one, by the project's key."""
    latest = Subquery(reported_envelopes(OuterRef("pk")).values("report")[:1])
    wanted = LinkageProject.objects.filter(pk__in=[project.pk for project in projects]).annotate(report_id=latest)
    of_project = dict(wanted.exclude(report_id=None).values_list("report_id", "pk"))
    envelopes = dict(EnvelopeReport.objects.filter(pk__in=of_project).values_list("envelope", "pk"))
    return {of_project[envelopes[line.envelope_id]]: line for line in _lines(list(of_project))}


def _lines(keys: Iterable[int]) -> list[ReportLine]:
    # of the statistics these alone: the rest is long
    rows = EnvelopeReport.objects.filter(pk__in=list(keys)).order_by("-envelope")
    found = rows.values_list(
        "envelope",
        "envelope__name",
        "envelope__event_type_codes",
        "created_at",
        "statistics__envelope__records_count",
        "statistics__envelope__new_groups_count",
        "statistics__envelope__drift",
        "statistics__project__records_count",
        "statistics__project__groups_count",
        "statistics__project__flagged_groups_count",
    )
    return [
        ReportLine(
            envelope_id=key,
            envelope_name=name,
            event_type_codes=codes,
            at=at,
            own_records_count=own or 0,
            linked_share=_linked_share(own, begun),
            marked=[row["measure"] for row in drift or [] if row["is_marked"]],
            records_count=records or 0,
            groups_count=groups or 0,
            flagged_groups_count=flagged or 0,
        )
        for key, name, codes, at, own, begun, drift, records, groups, flagged in found
    ]


def _linked_share(records_count: int | None, new_groups_count: int | None) -> float | None:
    """Return the share of an Envelope's records that were linked: all but those that began a group."""
    if not records_count or new_groups_count is None:
        return None
    return round(max(0.0, 1 - new_groups_count / records_count), 4)


def _rate(records_count: int | None, started: datetime | None, ended: datetime | None) -> float | None:
    """Return the records processed a second, from the Envelope's first job to its last; None for no records."""
    if not records_count or started is None or ended is None or ended <= started:
        return None
    return round(records_count / (ended - started).total_seconds(), 1)
