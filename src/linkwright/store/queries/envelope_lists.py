"""Lists of Envelopes for pages and API: filtered, newest first, keyset paging, no exact counts. Never writes.

A person sees the Envelopes of the projects they belong to, and those that they sent themselves: an Envelope
which names an unknown project belongs to none.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db.models import Count, Q, QuerySet

from linkwright.store.kept_query import KeptQuery, given_one_of
from linkwright.store.models import Envelope, EnvelopeState, Notification, Severity, User
from linkwright.store.permissions import held_roles
from linkwright.store.queries.envelope_search import EnvelopeFilter, find_envelopes, find_in_states
from linkwright.store.queries.paging import PAGE_SIZE, Page
from linkwright.store.queries.processing_time import ProcessingTime, processing_time_of
from linkwright.store.queries.shown_status import (
    QueueActivity,
    ShownStatus,
    read_activity,
    shown_envelope_status,
)

RECENT_ERRORS_COUNT = 5
# an Envelope that failed last need not have come last: it may have waited long, or was retried
_ERRORS_LOOKED_AT_COUNT = 20
_COLUMNS = (
    *("id", "name", "state", "errors_occurred", "project_id", "project_code", "sender_code", "request_type"),
    *("event_type_codes", "size_bytes", "records_count", "received_at", "received_by__username"),
    *("processing_started_at", "processed_at", "ran_s", "running_since", "file_name"),
)


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
    # stays out of `repr`: it ticks with every job, and the row looks the same
    processing: ProcessingTime | None = field(default=None, repr=False)
    has_file: bool = True

    @property
    def shown(self) -> tuple[object, ...]:
        """All that the looks of a row depend on: two that are equal look the same."""
        return _SHOWN_OF(self)

    @property
    def notifications_count(self) -> int:
        """All that was raised."""
        return self.infos_count + self.warnings_count + self.errors_count

    @property
    def duration_s(self) -> float | None:
        """The time of processing, all attempts; None while it is not over or if it never ran."""
        return None if self.processed_at is None or self.processing is None else self.processing.seconds

    def counted_from(self, now: datetime) -> datetime | None:
        """Return since when it had been processed by now, had it never waited; None if it never ran."""
        return None if self.processing is None else self.processing.counted_from(now)


_SHOWN_OF = attrgetter(*(part.name for part in fields(EnvelopeRow) if part.repr))


def visible_envelopes(user: User) -> QuerySet[Envelope]:
    """Return the Envelopes that exist for a person."""
    if user.is_superuser:
        return Envelope.objects.all()
    return Envelope.objects.filter(Q(project__in=list(held_roles(user))) | Q(project=None, received_by=user))


def exists_for(user: User, row: EnvelopeRow) -> bool:
    """Tell of a row that has been read what `visible_envelopes` tells in a statement."""
    if user.is_superuser:
        return True
    return row.received_by == user.username if row.project_id is None else row.project_id in held_roles(user)


def list_envelopes(
    user: User,
    wanted: EnvelopeFilter,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = PAGE_SIZE,
    activity: QueueActivity | None = None,
    beside: Collection[int] = (),
) -> Page[EnvelopeRow]:
    """Return a page of Envelopes, newest first.

    `before`: only those older than this key; `after`: those just newer than it. Costs about the same, whatever the
    number of Envelopes; where the filters together are rare, the page may end early, see `Page`. `beside`: keys of
    other Envelopes to be read along, as far as they exist for the person.
    """
    activity = activity or read_activity()
    is_upward = after is not None
    start = after if is_upward else before
    found = find_envelopes(user, wanted, activity, start=start, is_upward=is_upward, limit=limit + 1)
    keys = list(found.keys)
    is_full, shown = len(keys) > limit, keys[:limit]
    in_order = shown[::-1] if is_upward else shown
    of_key = {row.id: row for row in read_envelope_rows(list({*shown, *beside}), activity)}
    rows = [of_key[key] for key in in_order if key in of_key]
    reached = None if is_full else found.reached
    goes_on = str(shown[-1]) if is_full else ""
    if reached is not None:
        goes_on = str(reached - 1 if is_upward else reached)
    turns_back = "" if start is None else str(shown[0] if shown else start)
    return Page(
        rows,
        newer=goes_on if is_upward else turns_back,
        older=turns_back if is_upward else goes_on,
        is_partial=reached is not None,
        searched_to=None if reached is None else _received_at(reached),
        beside=[of_key[key] for key in beside if key in of_key and exists_for(user, of_key[key])],
    )


def read_envelopes(user: User, keys: Iterable[int]) -> list[EnvelopeRow]:
    """Return the rows of the Envelopes with these keys, as far as they exist for the person; newest first."""
    found = visible_envelopes(user).filter(pk__in=list(keys)).order_by("-pk")
    return _rows(_columns_of(found), read_activity())


@dataclass(frozen=True)
class Attention:
    """What an operator should look at: the Envelope that is processing, and those that failed lately."""

    active: EnvelopeRow | None
    errored: Sequence[EnvelopeRow]
    # whether more have failed lately than are named
    is_cut: bool


def find_attention(user: User, activity: QueueActivity) -> list[int]:
    """Return the keys of what `attention_of` may name: the active Envelope, and the newest that failed."""
    states = [EnvelopeState.ERRORS, EnvelopeState.CORRUPT]
    errored = find_in_states(user, states, _ERRORS_LOOKED_AT_COUNT).keys
    return [*([activity.active_envelope_id] if activity.active_envelope_id else []), *errored]


def attention_of(rows: Iterable[EnvelopeRow], *, since: datetime) -> Attention:
    """Return what to look at among the rows that `find_attention` named, the latest errors first."""
    rows = list(rows)
    active = next((row for row in rows if row.status.is_active), None)
    failed = (row for row in rows if row.status in (ShownStatus.ERRORS, ShownStatus.CORRUPT))
    recent = [row for row in failed if _failed_at(row) >= since]
    recent.sort(key=lambda row: (_failed_at(row), row.id), reverse=True)
    return Attention(
        active,
        recent[:RECENT_ERRORS_COUNT],
        is_cut=len(recent) > RECENT_ERRORS_COUNT,
    )


def _failed_at(row: EnvelopeRow) -> datetime:
    return row.processed_at or row.received_at


def read_last_errors(keys: Iterable[int]) -> dict[int, str]:
    """Return the text of the last error Notification of each of these Envelopes."""
    return dict(_ERRORS.among(keys))


def read_envelope_rows(keys: Sequence[int], activity: QueueActivity) -> list[EnvelopeRow]:
    """Return the rows of the Envelopes with these keys, in this order, whoever asks."""
    found = {row.id: row for row in _rows(_BY_KEY.among(keys), activity)}
    return [found[key] for key in keys if key in found]


def _received_at(key: int) -> datetime | None:
    """Return when the Envelope with a key, or the next one, was received."""
    return Envelope.objects.filter(pk__gte=key).order_by("pk").values_list("received_at", flat=True).first()


def _columns_of(found: QuerySet[Envelope]) -> QuerySet[Envelope, Any]:
    # columns, not models: fifty of these would take longer than the statement
    return found.values_list(*_COLUMNS, named=True)


def _counted(found: QuerySet[Notification]) -> QuerySet[Notification, Any]:
    return found.order_by().values_list("envelope_id", "severity").annotate(count=Count("id"))


def _errors() -> QuerySet[Notification, Any]:
    raised = Notification.objects.filter(given_one_of("envelope_id", "keys"), severity=Severity.ERROR)
    return raised.order_by("pk").values_list("envelope_id", "text")


_ERRORS = KeptQuery(_errors)
_BY_KEY = KeptQuery(lambda: _columns_of(Envelope.objects.filter(given_one_of("pk", "keys")).order_by()))
_COUNTS = KeptQuery(lambda: _counted(Notification.objects.filter(given_one_of("envelope_id", "keys"))))


def _rows(found: Iterable[Any], activity: QueueActivity) -> list[EnvelopeRow]:
    envelopes = list(found)
    counted = _COUNTS.among(envelope.id for envelope in envelopes)
    counts = {(envelope_id, severity): count for envelope_id, severity, count in counted}
    return [_row(envelope, activity, counts) for envelope in envelopes]


def _row(
    envelope: Any,
    activity: QueueActivity,
    counts: dict[tuple[int, str], int],
) -> EnvelopeRow:
    return EnvelopeRow(
        id=envelope.id,
        name=envelope.name,
        status=shown_envelope_status(
            envelope.state,
            errors_occurred=envelope.errors_occurred,
            is_active=envelope.id == activity.active_envelope_id,
        ),
        project_id=envelope.project_id,
        project_code=envelope.project_code,
        sender_code=envelope.sender_code,
        request_type=envelope.request_type,
        event_type_codes=tuple(envelope.event_type_codes),
        size_bytes=envelope.size_bytes,
        records_count=envelope.records_count,
        received_at=envelope.received_at,
        received_by=envelope.received_by__username or "",
        started_at=envelope.processing_started_at,
        processed_at=envelope.processed_at,
        infos_count=counts.get((envelope.id, Severity.INFO), 0),
        warnings_count=counts.get((envelope.id, Severity.WARNING), 0),
        errors_count=counts.get((envelope.id, Severity.ERROR), 0),
        processing=processing_time_of(envelope),
        has_file=bool(envelope.file_name),
    )
