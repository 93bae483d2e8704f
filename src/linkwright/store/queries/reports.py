"""The stored reports of Envelopes: which count, the latest of a project, lines of lists, points of plots.

Never writes. A report counts while its Envelope is part of the linkage map: not after a rollback, and not for an
estimation.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from linkwright.store.kept_query import Given, KeptQuery
from linkwright.store.models import ESTIMATION, Envelope, EnvelopeReport, EnvelopeState, LinkageProject
from linkwright.store.one_look import once


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


def reported_envelopes(project: int | OuterRef | Given) -> QuerySet[Envelope]:
    """Return the Envelopes of a project that have a report that counts, the latest first.

    The Envelopes of one project are processed in the order of their keys, as far as they succeed: a failed one can
    be retried only until a later one has run.
    """
    # by the action, not by its estimation: PostgreSQL then goes by key and stops, instead of joining all of them
    succeeded = Envelope.objects.filter(project=project, state=EnvelopeState.SUCCESS, report__isnull=False)
    return succeeded.exclude(request_type=ESTIMATION).order_by("-pk")


def _latest() -> QuerySet[EnvelopeReport]:
    latest = Subquery(reported_envelopes(Given("project")).values("report")[:1])
    return EnvelopeReport.objects.select_related("envelope").filter(pk=latest)


_LATEST = KeptQuery(_latest)


@cache
def _history(limit: int) -> KeptQuery[tuple[Any, ...]]:
    columns = ("name", "ran_s", "report__created_at", "report__summary")
    return KeptQuery(lambda: reported_envelopes(Given("project"))[:limit].values_list(*columns))


def read_latest_report(project: LinkageProject) -> EnvelopeReport | None:
    """Return the report of the latest Envelope that succeeded and is part of the linkage map.

    Read once in an answer that changes nothing: a project's page shows it in three places.
    """
    return once(("latest report", project.pk), lambda: _read_latest_report(project))


def _read_latest_report(project: LinkageProject) -> EnvelopeReport | None:
    return _LATEST.first(project=project.pk)


def read_report(project: LinkageProject, envelope_id: int) -> EnvelopeReport | None:
    """Return the report of one Envelope of a project, whether it counts or not; not that of an estimation."""
    found = EnvelopeReport.objects.select_related("envelope").exclude(envelope__request_type=ESTIMATION)
    return found.filter(envelope=envelope_id, envelope__project=project).first()


def read_project_history(project: LinkageProject, limit: int = 100) -> list[HistoryPoint]:
    """Return the numbers of the latest reports that count, oldest first: the plots over time show them."""
    rows = _history(limit).rows(project=project.pk)
    return [
        HistoryPoint(
            name,
            at,
            summary["records_count"],
            summary["groups_count"],
            _linked_share(summary),
            _rate(summary["own_records_count"], seconds),
        )
        for name, seconds, at, summary in reversed(rows)
        if summary["records_count"] is not None and summary["groups_count"] is not None
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
    rows = EnvelopeReport.objects.filter(pk__in=list(keys)).order_by("-envelope")
    found = rows.values_list(
        "envelope",
        "envelope__name",
        "envelope__event_type_codes",
        "created_at",
        "summary",
    )
    return [
        ReportLine(
            envelope_id=key,
            envelope_name=name,
            event_type_codes=codes,
            at=at,
            own_records_count=summary["own_records_count"] or 0,
            linked_share=_linked_share(summary),
            marked=summary["marked"],
            records_count=summary["records_count"] or 0,
            groups_count=summary["groups_count"] or 0,
            flagged_groups_count=summary["flagged_groups_count"] or 0,
        )
        for key, name, codes, at, summary in found
    ]


def _linked_share(summary: Mapping[str, Any]) -> float | None:
    """Return the share of an Envelope's records that were linked: all but those that began a group."""
    records_count, new_groups_count = summary["own_records_count"], summary["new_groups_count"]
    if not records_count or new_groups_count is None:
        return None
    return round(max(0.0, 1.0 - float(new_groups_count) / float(records_count)), 4)


def _rate(records_count: int | None, seconds: float | None) -> float | None:
    """Return the records processed a second, over all of the Envelope's jobs; None for no records."""
    if not records_count or seconds is None or seconds <= 0:
        return None
    return round(records_count / seconds, 1)
