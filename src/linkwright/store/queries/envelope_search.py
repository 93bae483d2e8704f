"""Finds the Envelopes that a list shows, as keys in its order: newest first. Never writes.

What `text` means, on both databases and in both views: every word of it stands somewhere in the Envelope's name,
whatever its case; a number also finds the Envelope (or job) of that number.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from linkwright.store.models import Envelope, EnvelopeState, User, searchable
from linkwright.store.queries.keyset import Keys, Sql, Walk, Way, read_best
from linkwright.store.queries.series_sets import MANY_LANES, SeriesFilter, in_series, matching_series
from linkwright.store.queries.shown_status import QueueActivity, ShownStatus

MAX_WORDS = 10
_TABLE = Envelope._meta.db_table  # noqa: SLF001 - Django's documented model API
_NUMBER = re.compile(r"\d{1,18}")
# an Envelope gets its key within this time of its receipt: so dates bound keys
_KEYED_WITHIN = timedelta(days=1)
# so few are looked at whole
_FEW_KEYS = 2000


@dataclass(frozen=True)
class EnvelopeFilter:
    """What a list is narrowed to; an empty field narrows nothing. `received_before` is not part of the range."""

    status: ShownStatus | None = None
    project_code: str = ""
    text: str = ""
    sender_code: str = ""
    request_type: str = ""
    event_type_code: str = ""
    received_from: datetime | None = None
    received_before: datetime | None = None


def find_envelopes(
    user: User,
    wanted: EnvelopeFilter,
    activity: QueueActivity,
    *,
    start: int | None = None,
    is_upward: bool = False,
    limit: int,
) -> Keys:
    """Return the keys of the next Envelopes from behind `start` on, as far as they exist for the person."""
    narrowed = SeriesFilter(wanted.project_code, wanted.sender_code, wanted.request_type, wanted.event_type_code)
    series = matching_series(user, narrowed)
    rest = [*text_conditions(wanted.text), *_dates(wanted)]
    lowest, highest = _key_range(wanted)
    walk = Walk(_TABLE, "", lowest=lowest, highest=highest, is_upward=is_upward)
    ways = _ways(series, wanted.status, activity, rest)
    return read_best(walk, ways, None if start is None else (0, start), limit)


def find_in_states(user: User, states: Sequence[EnvelopeState], limit: int) -> Keys:
    """Return the keys of the newest Envelopes that are stored with one of these states."""
    series = matching_series(user, SeriesFilter())
    return read_best(Walk(_TABLE, ""), [_state_way(series, [state.value for state in states])], None, limit)


def _ways(
    series: Sequence[int] | None, status: ShownStatus | None, activity: QueueActivity, rest: Sequence[Sql]
) -> list[Way]:
    """Return the ways in which the list can be walked, the most selective first."""
    if status is not None and status.is_active:
        # one Envelope at most
        if activity.active_envelope_id is None:
            return [Way(("id",), [])]
        has_errors = status is ShownStatus.ERRORS_ACTIVE
        one = Sql("state = %s AND errors_occurred = %s", (EnvelopeState.QUEUED.value, has_errors))
        return [Way(("id",), [(activity.active_envelope_id,)], [], [one, *in_series(series), *rest])]
    also = []
    if status is ShownStatus.QUEUED and activity.active_envelope_id is not None:
        also.append(Sql("id <> %s", (activity.active_envelope_id,)))
    if status is not None:
        return [_state_way(series, [status.value], also, rest)]
    if series is None or len(series) > MANY_LANES:
        return [Way(wanted=[*in_series(series), *rest])]
    return [Way(("series_id",), [(key,) for key in series], [], rest)]


def _state_way(
    series: Sequence[int] | None, states: Sequence[str], also: Sequence[Sql] = (), rest: Sequence[Sql] = ()
) -> Way:
    if series is None or len(series) * len(states) > MANY_LANES:
        return Way(("state",), [(state,) for state in states], also, [*in_series(series), *rest])
    return Way(("series_id", "state"), [(key, state) for key in series for state in states], also, rest)


def text_conditions(text: str) -> list[Sql]:
    """Return the condition that a row of Envelopes fits a text; none for an empty one."""
    if not text.strip():
        return []
    named, words = name_condition(text)
    number = number_in(text)
    if number is not None:
        return [Sql(f"id = %s OR ({named})", (number, *words))]
    return [Sql(named, words)]


def find_named(series: Sequence[int] | None, text: str, limit: int, *, patience_s: float) -> Keys:
    """Return the keys of the newest Envelopes of these series in whose name the words of a text stand."""
    nothing_runs = QueueActivity(None, None, None, is_paused=True)
    ways = _ways(series, None, nothing_runs, [Sql(*name_condition(text))])
    return read_best(Walk(_TABLE, ""), ways, None, limit, patience_s=patience_s)


def name_condition(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the condition, and its values, that the words of a text stand in an Envelope's name."""
    words = tuple(searchable(text).split()[:MAX_WORDS])
    position = "strpos" if connection.vendor == "postgresql" else "instr"
    return " AND ".join([f"{position}(search_text, %s) > 0"] * len(words)), words


def number_in(text: str) -> int | None:
    """Return the number that a text is, if it is one."""
    return int(text) if _NUMBER.fullmatch(text.strip()) else None


def _dates(wanted: EnvelopeFilter) -> list[Sql]:
    adapt = connection.ops.adapt_datetimefield_value
    found = []
    if wanted.received_from is not None:
        found.append(Sql("received_at >= %s", (adapt(wanted.received_from),)))
    if wanted.received_before is not None:
        found.append(Sql("received_at < %s", (adapt(wanted.received_before),)))
    return found


def _key_range(wanted: EnvelopeFilter) -> tuple[int | None, int | None]:
    """Return the keys between which everything lies that was received in the range: wider than that by a day."""
    lowest = highest = None
    is_dated = wanted.received_from is not None or wanted.received_before is not None
    if not is_dated or not Envelope.objects.filter(pk__gt=_FEW_KEYS).exists():
        return None, None
    received = Envelope.objects.order_by("received_at", "pk").values_list("pk", flat=True)
    if wanted.received_from is not None:
        before = received.filter(received_at__lt=wanted.received_from - _KEYED_WITHIN)
        lowest = before.reverse().first()
    if wanted.received_before is not None:
        highest = received.filter(received_at__gte=wanted.received_before + _KEYED_WITHIN).first()
    return lowest, highest
