"""The live list of a project's Event Types: live records, state, what is done with records that come again."""

from dataclasses import dataclass

from linkwright.engine.update_mode import UpdateMode
from linkwright.jobs.format_fit import why_not_load
from linkwright.store.models import AttachedEventType, EventType, LinkageProject, User
from linkwright.store.permissions import Permission, is_allowed, visible_projects
from linkwright.store.queries.attachments import read_attachments
from linkwright.store.queries.reports import read_latest_report
from linkwright.web.live import Piece, Shown, make_piece

UPDATE_WORDS = {
    UpdateMode.REJECT: "The row is rejected",
    UpdateMode.SKIP: "The row is passed over",
    UpdateMode.REPLACE: "The row replaces the record",
}


@dataclass(frozen=True)
class EventTypeRow:
    """One line of the list; `records_count` after the latest report, None before the first.

    `misfit` says why no data of it can be loaded, or is ''.
    """

    code: str
    description: str
    provider: str
    records_count: int | None
    updates: str
    state: str
    detached_by: str
    misfit: str


def event_types_piece(project: LinkageProject, user: User) -> Piece:
    """Return the list of the Event Types that a project takes or took."""
    counts = _records_counts(project)
    rows = [_row(project, one, counts) for one in read_attachments(project)]
    may_configure = is_allowed(user, Permission.CONFIGURE_PROJECTS, project)
    return make_piece(
        f"event-types-{project.pk}",
        "web/partials/event_types.html",
        {"project": project, "event_types": rows, "may_configure": may_configure},
        rows,
        may_configure,
    )


def shown_event_types(user: User, shown: Shown) -> list[Piece]:
    """Look up again the lists that a browser shows."""
    keys = shown.keys("event-types")
    found = visible_projects(user).filter(pk__in=keys) if keys else []
    return [event_types_piece(project, user) for project in found]


def attachable_event_types(project: LinkageProject) -> list[EventType]:
    """Return the Event Types of the catalog that can be attached now, by code."""
    never = EventType.objects.exclude(attachments__project=project).select_related("provider")
    detached = AttachedEventType.objects.filter(project=project).select_related(
        "event_type__provider", "detached_by"
    )
    again = [one.event_type for one in detached if not one.is_attached]
    return sorted([*never, *again], key=lambda event_type: event_type.code)


def _records_counts(project: LinkageProject) -> dict[str, int] | None:
    """Return the live records by Event Type, as the latest report has them; None before the first."""
    report = read_latest_report(project)
    if report is None:
        return None
    rates = report.statistics.get("project", {}).get("linking_rates", [])
    return {rate["event_type"]: rate["records_count"] for rate in rates}


def _row(project: LinkageProject, one: AttachedEventType, counts: dict[str, int] | None) -> EventTypeRow:
    event_type = one.event_type
    return EventTypeRow(
        code=event_type.code,
        description=event_type.description,
        provider=event_type.provider.code,
        records_count=None if counts is None else counts.get(event_type.code, 0),
        updates=one.updates,
        state=one.state,
        detached_by=str(one.detached_by) if one.is_being_detached else "",
        misfit=why_not_load(project, event_type) if one.is_attached else "",
    )
