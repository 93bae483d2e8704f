"""Finds the jobs that a list shows, as keys in its order: by processing start, newest first. Never writes.

Jobs that have not started have no place in that order; they follow behind the others, newest first. The two parts
are walked apart, because databases disagree on where an index puts NULL. What `text` means is written in
envelope_search.py; here, the name of a kind of job finds the jobs of that kind, too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from linkwright.store.models import Envelope, Job, JobKind, JobState, User
from linkwright.store.queries.envelope_search import find_named, name_condition, number_in
from linkwright.store.queries.keyset import (
    Sql,
    Walk,
    Way,
    microseconds,
    moment_of,
    one_of,
    read_best,
)
from linkwright.store.queries.series_sets import MANY_LANES, SeriesFilter, in_series, matching_series
from linkwright.store.queries.shown_status import ShownStatus

_TABLE, _ENVELOPES = Job._meta.db_table, Envelope._meta.db_table  # noqa: SLF001 - Django's documented model API
_STARTED = "started_at"
_CURSOR = re.compile(r"s(\d{1,17})-(\d{1,18})|u(\d{1,18})")
_KINDS = {kind.casefold(): kind for kind in JobKind.values}
_LAST_KEY = 10**18 - 1
# fewer Envelopes than this that fit a text are named one by one
FEW_ENVELOPES = 100
# to know them all is worth more than to have looked at some jobs
NAMES_PATIENCE_S = 0.015
JOBS_PATIENCE_S = 0.006


@dataclass(frozen=True)
class JobFilter:
    """What a list is narrowed to; an empty field narrows nothing. `started_before` is not part of the range."""

    status: ShownStatus | None = None
    project_code: str = ""
    text: str = ""
    kind: str = ""
    envelope_id: int | None = None
    sender_code: str = ""
    request_type: str = ""
    event_type_code: str = ""
    started_from: datetime | None = None
    started_before: datetime | None = None

    @property
    def is_dated(self) -> bool:
        """Whether only jobs count that have started."""
        return self.started_from is not None or self.started_before is not None


@dataclass(frozen=True)
class Place:
    """A place in the list: the processing start in microseconds (None: not started), and the key."""

    started_us: int | None
    key: int

    @property
    def text(self) -> str:
        """The place as an address holds it."""
        return f"u{self.key}" if self.started_us is None else f"s{self.started_us}-{self.key}"

    @property
    def at(self) -> datetime | None:
        """The processing start."""
        return None if self.started_us is None else moment_of(self.started_us)


@dataclass(frozen=True)
class FoundJobs:
    """Keys in the order of the walk. `reached`: how far it has looked, if it stopped before it had enough."""

    keys: Sequence[int]
    reached: Place | None = None


def read_cursor(text: str) -> Place | None:
    """Return the place that a text names, or None."""
    match = _CURSOR.fullmatch(text)
    if match is None:
        return None
    started_us, started_key, unstarted_key = match.groups()
    if unstarted_key:
        return Place(None, int(unstarted_key))
    try:
        moment_of(int(started_us))
    except OverflowError:
        return None
    return Place(int(started_us), int(started_key))


def place_above(job: Job) -> Place:
    """Return the place from which a page begins with this job."""
    return Place(None if job.started_at is None else microseconds(job.started_at), job.pk + 1)


def find_jobs(
    user: User, wanted: JobFilter, *, start: Place | None = None, is_upward: bool = False, limit: int
) -> FoundJobs:
    """Return the keys of the next jobs from behind `start` on, as far as they exist for the person."""
    ways = _ways(user, _with_kind(wanted))
    # what has started, then what has not; a range of dates is one of starts
    parts = [True] if wanted.is_dated else [False, True] if is_upward else [True, False]
    begun = None if start is None else start.started_us is not None
    if begun in parts:
        parts = parts[parts.index(begun) :]
    keys: list[int] = []
    for is_started in parts:
        walk = _walk(wanted, is_started=is_started, is_upward=is_upward)
        ways_here = ways if is_started else [_unstarted(way) for way in ways]
        position = (start.started_us or 0, start.key) if start is not None and begun is is_started else None
        found = read_best(walk, ways_here, position, limit - len(keys), patience_s=JOBS_PATIENCE_S)
        keys += found.keys
        if found.reached is not None:
            return FoundJobs(keys, _reached(found.reached, is_started=is_started, is_upward=is_upward))
        if len(keys) >= limit:
            break
    return FoundJobs(keys)


def _with_kind(wanted: JobFilter) -> JobFilter:
    """Return the filter with a text that is the name of a kind of job turned into that kind."""
    kind = _KINDS.get(wanted.text.strip().casefold())
    if kind is None or wanted.kind not in {"", kind}:
        return wanted
    return replace(wanted, text="", kind=kind)


def _walk(wanted: JobFilter, *, is_started: bool, is_upward: bool) -> Walk:
    if not is_started:
        return Walk(_TABLE, "", is_upward=is_upward)
    lowest = None if wanted.started_from is None else microseconds(wanted.started_from)
    highest = None if wanted.started_before is None else microseconds(wanted.started_before) - 1
    return Walk(_TABLE, _STARTED, lowest=lowest, highest=highest, is_upward=is_upward)


def _unstarted(way: Way) -> Way:
    return replace(way, also=[*way.also, Sql(f"{_STARTED} IS NULL")])


def _reached(position: int, *, is_started: bool, is_upward: bool) -> Place:
    """Return the place from which the next page goes on."""
    if not is_started:
        return Place(None, position - 1 if is_upward else position)
    return Place(position - 1, _LAST_KEY) if is_upward else Place(position, 0)


def _ways(user: User, wanted: JobFilter) -> list[Way]:
    """Return the ways in which the list can be walked, the most selective first."""
    narrowed = SeriesFilter(wanted.project_code, wanted.sender_code, wanted.request_type, wanted.event_type_code)
    series = matching_series(user, narrowed)
    of_series, of_state = in_series(series), _state_conditions(wanted)
    of_kind = [Sql("kind = %s", (wanted.kind,))] if wanted.kind else []
    few, of_text = _text(series, wanted.text)
    ways = []
    if wanted.envelope_id is not None:
        rest = [*of_series, *of_state, *of_kind, *of_text]
        ways.append(Way(("envelope_id",), [(wanted.envelope_id,)], [], rest, is_sorted=False))
        of_text = [*of_text, Sql("envelope_id = %s", (wanted.envelope_id,))]
    if few is not None:
        rest = [*of_series, *of_state, *of_kind, *of_text]
        ways.append(Way((), [()], [few], rest, is_sorted=False))
        of_text = [*of_text, few]
    return [*ways, *_sorted_ways(series, wanted, of_state, of_text)]


def _sorted_ways(
    series: Sequence[int] | None, wanted: JobFilter, of_state: Sequence[Sql], rest: Sequence[Sql]
) -> list[Way]:
    """Return the ways in which an index goes on in the list's order, the most selective first."""
    of_kind = _of_kind(wanted)
    if wanted.status is not None and wanted.status.is_active:
        # one job at most
        return [Way((), [()], of_state, [*in_series(series), *of_kind, *rest], is_sorted=False)]
    kinds = [wanted.kind] if wanted.kind else JobKind.values
    states = [wanted.status.value] if wanted.status else JobState.values
    by_kind = [(kind, state) for kind in kinds for state in states] if wanted.kind or wanted.status else []
    if series is None:
        return [Way(("kind", "state"), by_kind, [], rest) if by_kind else Way(wanted=rest)]
    narrowed = [*in_series(series), *rest]
    if len(series) > MANY_LANES:
        return [Way(("kind", "state"), by_kind, [], narrowed) if by_kind else Way(wanted=narrowed)]
    ways = [Way(("kind", "state"), by_kind, [], narrowed)] if wanted.kind else []
    if wanted.status:
        lanes = [(key, wanted.status.value) for key in series]
        return [*ways, Way(("series_id", "state"), lanes, [], [*of_kind, *rest])]
    return [*ways, Way(("series_id",), [(key,) for key in series], [], [*of_kind, *rest])]


def _of_kind(wanted: JobFilter) -> list[Sql]:
    return [Sql("kind = %s", (wanted.kind,))] if wanted.kind else []


def _state_conditions(wanted: JobFilter) -> list[Sql]:
    if wanted.status is None:
        return []
    if wanted.status.is_active:
        has_errors = wanted.status is ShownStatus.ERRORS_ACTIVE
        return [Sql("state = %s AND errors_occurred = %s", (JobState.RUNNING.value, has_errors))]
    return [Sql("state = %s", (wanted.status.value,))]


def _text(series: Sequence[int] | None, text: str) -> tuple[Sql | None, list[Sql]]:
    """Return the condition of the few jobs that fit a text (None: they are not few), or that of each job."""
    if not text.strip():
        return None, []
    number = number_in(text)
    found = find_named(series, text, FEW_ENVELOPES + 1, patience_s=NAMES_PATIENCE_S)
    if found.reached is None and len(found.keys) <= FEW_ENVELOPES:
        listed = one_of("envelope_id", found.keys)
        if number is None:
            return listed, []
        return Sql(f"id = %s OR {listed.text}", (number, *listed.values)), []
    named, words = name_condition(text)
    # the Envelopes were looked through newest first: no later one fits
    newest = found.keys[0] if found.keys else found.reached
    # a subselect that gives a value is looked up row by row; a semi-join would read all Envelopes first
    fits = f"(SELECT {named} FROM {_ENVELOPES} AS named WHERE named.id = envelope_id)"
    either = "id = %s OR " if number is not None else ""
    values = (*([number] if number is not None else []), newest, *words)
    # the plus keeps PostgreSQL from reading half an index for this
    return None, [Sql(f"{either}(+envelope_id <= %s AND {fits})", values)]
