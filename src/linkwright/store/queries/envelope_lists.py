"""Lists of Envelopes for pages and API: filtered, newest first, keyset paging, no exact counts. Never writes.

A person sees the Envelopes of the projects they belong to, and those that they sent themselves: an Envelope
which names an unknown project belongs to none.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from linkwright.store.models import Envelope, EnvelopeState, Notification, Severity, User
from linkwright.store.permissions import visible_projects
from linkwright.store.queries.paging import PAGE_SIZE, Page
from linkwright.store.queries.shown_status import (
    QueueActivity,
    ShownStatus,
    envelopes_shown_as,
    read_activity,
    shown_envelope_status,
)

RECENT_ERRORS_COUNT = 5


@dataclass(frozen=True)
class EnvelopeFilter:
    """What a list is narrowed to; an empty field narrows nothing."""

    status: ShownStatus | None = None
    project_code: str = ""
    text: str = ""
    sender_code: str = ""
    request_type: str = ""
    received_from: datetime | None = None
    received_before: datetime | None = None


@dataclass(frozen=True)
class EnvelopeRow:
    """One line of the list: everything that is shown, and nothing that changes without being shown."""

    id: int
    name: str
    status: ShownStatus
    project_id: int | None
    project_code: str
    sender_code: str
    request_type: str
    event_type_codes: tuple[str, ...]
    size_bytes: int
    records_count: int | None
    received_at: datetime
    received_by: str
    started_at: datetime | None
    processed_at: datetime | None
    infos_count: int
    warnings_count: int
    errors_count: int

    @property
    def notifications_count(self) -> int:
        """All that was raised."""
        return self.infos_count + self.warnings_count + self.errors_count

    @property
    def duration_s(self) -> float | None:
        """From the first job's start to the end; None while it is not over or if it never ran."""
        if self.started_at is None or self.processed_at is None:
            return None
        return (self.processed_at - self.started_at).total_seconds()


def visible_envelopes(user: User) -> QuerySet[Envelope]:
    """Return the Envelopes that exist for a person."""
    if user.is_superuser:
        return Envelope.objects.all()
    return Envelope.objects.filter(Q(project__in=visible_projects(user)) | Q(project=None, received_by=user))


def list_envelopes(
    user: User,
    wanted: EnvelopeFilter,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = PAGE_SIZE,
) -> Page[EnvelopeRow]:
    """Return a page of Envelopes, newest first.

    `before`: only those older than this key; `after`: those just newer than it. Costs one index range, whatever
    the number of Envelopes.
    """
    activity = read_activity()
    found = _narrowed(visible_envelopes(user), wanted, activity)
    if after is not None:
        envelopes = list(found.filter(pk__gt=after).order_by("pk")[: limit + 1])
        has_newer, envelopes = len(envelopes) > limit, envelopes[:limit][::-1]
        has_older = True
    else:
        older = found.filter(pk__lt=before) if before is not None else found
        envelopes = list(older.order_by("-pk")[: limit + 1])
        has_older, envelopes = len(envelopes) > limit, envelopes[:limit]
        has_newer = before is not None
    rows = _rows(envelopes, activity)
    return Page(
        rows,
        newer=str(rows[0].id) if rows and has_newer else "",
        older=str(rows[-1].id) if rows and has_older else "",
    )


def read_envelopes(user: User, keys: Iterable[int]) -> list[EnvelopeRow]:
    """Return the rows of the Envelopes with these keys, as far as they exist for the person; newest first."""
    found = visible_envelopes(user).filter(pk__in=list(keys)).order_by("-pk")
    return _rows(list(found), read_activity())


def read_active_envelope(user: User, activity: QueueActivity) -> EnvelopeRow | None:
    """Return the Envelope that is processing, if there is one and it exists for the person."""
    if activity.active_envelope_id is None:
        return None
    rows = _rows(list(visible_envelopes(user).filter(pk=activity.active_envelope_id)), activity)
    return rows[0] if rows and rows[0].status.is_active else None


def read_recent_errors(user: User, activity: QueueActivity, *, since: datetime) -> list[EnvelopeRow]:
    """Return the latest Envelopes that ended in Errors or as Corrupt, newest first."""
    failed = Q(state=EnvelopeState.ERRORS) | Q(state=EnvelopeState.CORRUPT)
    found = visible_envelopes(user).filter(failed, received_at__gte=since).order_by("-pk")
    return _rows(list(found[:RECENT_ERRORS_COUNT]), activity)


def read_last_errors(keys: Iterable[int]) -> dict[int, str]:
    """Return the text of the last error Notification of each of these Envelopes."""
    raised = Notification.objects.filter(envelope_id__in=list(keys), severity=Severity.ERROR).order_by("pk")
    return dict(raised.values_list("envelope_id", "text"))


def _narrowed(
    envelopes: QuerySet[Envelope], wanted: EnvelopeFilter, activity: QueueActivity
) -> QuerySet[Envelope]:
    if wanted.status is not None:
        envelopes = envelopes.filter(envelopes_shown_as(wanted.status, activity))
    if wanted.project_code:
        envelopes = envelopes.filter(project_code=wanted.project_code)
    if wanted.text:
        envelopes = envelopes.filter(Q(name__icontains=wanted.text) | Q(sender_code__icontains=wanted.text))
    if wanted.sender_code:
        envelopes = envelopes.filter(sender_code=wanted.sender_code)
    if wanted.request_type:
        envelopes = envelopes.filter(request_type=wanted.request_type)
    if wanted.received_from is not None:
        envelopes = envelopes.filter(received_at__gte=wanted.received_from)
    if wanted.received_before is not None:
        envelopes = envelopes.filter(received_at__lt=wanted.received_before)
    return envelopes


def _rows(envelopes: list[Envelope], activity: QueueActivity) -> list[EnvelopeRow]:
    keys = [envelope.pk for envelope in envelopes]
    counts: dict[tuple[int, str], int] = {}
    if keys:
        counted = Notification.objects.filter(envelope_id__in=keys).order_by()
        for envelope_id, severity, count in counted.values_list("envelope_id", "severity").annotate(
            count=Count("id")
        ):
            counts[envelope_id, severity] = count
    names = dict(
        User.objects.filter(pk__in={envelope.received_by_id for envelope in envelopes}).values_list(
            "pk", "username"
        )
    )
    return [_row(envelope, activity, counts, names) for envelope in envelopes]


def _row(
    envelope: Envelope,
    activity: QueueActivity,
    counts: dict[tuple[int, str], int],
    names: dict[int, str],
) -> EnvelopeRow:
    return EnvelopeRow(
        id=envelope.pk,
        name=envelope.name,
        status=shown_envelope_status(
            envelope.state,
            errors_occurred=envelope.errors_occurred,
            is_active=envelope.pk == activity.active_envelope_id,
        ),
        project_id=envelope.project_id,
        project_code=envelope.project_code,
        sender_code=envelope.sender_code,
        request_type=envelope.request_type,
        event_type_codes=tuple(envelope.event_type_codes),
        size_bytes=envelope.size_bytes,
        records_count=envelope.records_count,
        received_at=envelope.received_at,
        received_by=names.get(envelope.received_by_id or 0, ""),
        started_at=envelope.processing_started_at,
        processed_at=envelope.processed_at,
        infos_count=counts.get((envelope.pk, Severity.INFO), 0),
        warnings_count=counts.get((envelope.pk, Severity.WARNING), 0),
        errors_count=counts.get((envelope.pk, Severity.ERROR), 0),
    )
