"""The rows of Envelopes and jobs that fill the lists, as tuples in the order of `ENVELOPE_COLUMNS`, `JOB_COLUMNS`.

Three years of work, one Envelope after the other. Says nothing of how rows get into a database.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from linkwright.store.models import EndReason, EnvelopeState, JobKind, JobState, Series, searchable
from tests.benchmarks.list_world import SEED, ListWorld
from tests.integration.web.seed_statistics import STATISTICS

ENVELOPE_COLUMNS = (
    *("id", "name", "state", "errors_occurred", "request_type", "project_code", "sender_code", "event_type_codes"),
    *("project_id", "file_name", "size_bytes", "sha256", "records_count", "received_at", "received_by_id"),
    *("processing_started_at", "processed_at", "series_id", "search_text", "ran_s"),
)
JOB_COLUMNS = (
    *("id", "kind", "envelope_id", "project_id", "project_code", "series_id", "parameters", "state", "end_reason"),
    *("attempt", "crash_count", "errors_occurred", "error_message", "queue_rank", "chain_position", "queued_at"),
    *("started_at", "ended_at", "progress", "statistics", "peak_memory_bytes"),
)
YEARS = 3
# the rest succeeded
STATES = (
    (EnvelopeState.ERRORS, 0.03),
    (EnvelopeState.CANCELLED, 0.02),
    (EnvelopeState.CORRUPT, 0.01),
    (EnvelopeState.ROLLED_BACK, 0.005),
)
QUEUED_COUNT = 40
SYSTEM_EVERY = 150
_TEXTS = {kind: json.dumps(values) for kind, values in STATISTICS.items()}
_AFTER_LOAD = {
    "SubmitLinkage": (JobKind.MATCH, JobKind.GROUP, JobKind.REPORT),
    "SubmitDeletion": (JobKind.DELETE, JobKind.GROUP, JobKind.REPORT),
    "SubmitQualityReview": (JobKind.REVIEW, JobKind.GROUP, JobKind.REPORT),
    "EstimateProbabilities": (JobKind.ESTIMATE, JobKind.REPORT),
}
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Received:
    """One Envelope with its jobs, system jobs that ran after it among them."""

    envelope: Row
    jobs: list[Row]


@dataclass(frozen=True)
class _Job:
    """What a job is of."""

    kind: JobKind
    state: JobState
    envelope_id: int | None
    series: Series


class Draw:
    """Draws Envelopes, oldest first, until there are enough of them and of jobs."""

    def __init__(self, world: ListWorld, *, envelopes_count: int, jobs_count: int) -> None:
        self._world = world
        self._random = random.Random(SEED)
        self._envelopes_count = envelopes_count
        self._jobs_count = jobs_count
        self._jobs_made = 0
        self._now = datetime.now(UTC)
        self._step = timedelta(days=365 * YEARS) / envelopes_count
        patterns = world.patterns
        self._chosen = iter(
            self._random.choices(
                [one.series for one in patterns], [one.weight for one in patterns], k=envelopes_count
            )
        )

    def all(self) -> Iterator[Received]:
        """Yield every Envelope with its jobs."""
        for number in range(1, self._envelopes_count + 1):
            yield self._one(number)

    def _state_of(self, number: int) -> EnvelopeState:
        left = self._envelopes_count - number
        if left <= QUEUED_COUNT:
            return EnvelopeState.QUEUED
        draw = self._random.random()
        for state, share in STATES:
            if draw < share:
                return state
            draw -= share
        return EnvelopeState.SUCCESS

    def _series_of(self, state: EnvelopeState) -> Series:
        series = next(self._chosen)
        if state == EnvelopeState.CORRUPT:
            return self._world.corrupt
        if state == EnvelopeState.ERRORS and self._random.random() < 0.02:
            return self._world.unknown
        return series

    def _one(self, number: int) -> Received:
        state = self._state_of(number)
        series = self._series_of(state)
        received = self._now - self._step * (self._envelopes_count - number + 1)
        kind = series.event_type_codes[0].split("-")[0] if series.event_type_codes else "DATA"
        name = f"{kind}-{received:%Y-%m}-{series.sender_code[-2:] or 'xx'}-{number:06}"
        if number % 5000 == 17:
            name = f"Überprüfung {name}"
        jobs = self._jobs_of(number, state, series, received)
        self._jobs_made += len(jobs)
        times = [row[16] for row in jobs if row[16] is not None and row[2] == number]
        ended = [row[17] for row in jobs if row[17] is not None and row[2] == number]
        envelope = (
            number,
            name,
            state.value,
            state in (EnvelopeState.ERRORS, EnvelopeState.CORRUPT),
            series.request_type,
            series.project_code,
            series.sender_code,
            json.dumps(series.event_type_codes),
            series.project_id,
            "" if state == EnvelopeState.ROLLED_BACK else f"{number:032x}.zip",
            40_000 + number,
            f"{number:064x}",
            number * 7 % 50_000 if state in (EnvelopeState.SUCCESS, EnvelopeState.ROLLED_BACK) else None,
            received,
            series.owner_id or self._world.member.pk,
            min(times) if times else None,
            None if state == EnvelopeState.QUEUED else max(ended, default=received),
            series.pk,
            searchable(name),
            float(45 * len(ended)),
        )
        return Received(envelope, jobs)

    def _jobs_of(self, number: int, state: EnvelopeState, series: Series, received: datetime) -> list[Row]:
        jobs = [] if state == EnvelopeState.CORRUPT else self._chain(number, state, series, received)
        if number % SYSTEM_EVERY == 0:
            system = self._random.choice(self._world.system)
            at = received + self._step * 0.9
            kind = self._random.choice((JobKind.ROLLBACK, JobKind.ESTIMATE))
            place = (self._jobs_made + len(jobs) + 1, number, 0)
            jobs.append(self._row(_Job(kind, JobState.SUCCESS, None, system), place, at))
        return jobs

    def _kinds(self, series: Series) -> list[JobKind]:
        # beside its Loads a chain has four jobs, and some Envelopes have none
        loads = max(self._jobs_count / self._envelopes_count * 1.02 - 3.9, 1.0)
        whole = 1 + int(self._random.random() * 2 * (loads - 0.5))
        return [JobKind.VALIDATE, *[JobKind.LOAD] * whole, *_AFTER_LOAD[series.request_type or "SubmitLinkage"]]

    def _chain(self, number: int, state: EnvelopeState, series: Series, received: datetime) -> list[Row]:
        kinds = self._kinds(series)
        failing = self._random.randrange(len(kinds)) if state == EnvelopeState.ERRORS else len(kinds)
        if state in (EnvelopeState.QUEUED, EnvelopeState.CANCELLED):
            failing = -1
        rows = []
        for position, kind in enumerate(kinds):
            job_state = JobState.SUCCESS if position < failing else JobState.HELD
            if position == failing:
                job_state = JobState.ERRORS
            elif failing == -1:
                job_state = JobState.QUEUED if state == EnvelopeState.QUEUED else JobState.ERRORS
            started = received + self._step * (0.8 * (position + 1) / (len(kinds) + 1))
            has_started = failing >= position
            place = (self._jobs_made + position + 1, number, position)
            rows.append(
                self._row(_Job(kind, job_state, number, series), place, started if has_started else None, received)
            )
        return rows

    def _row(
        self, job: _Job, place: tuple[int, int, int], started: datetime | None, queued: datetime | None = None
    ) -> Row:
        job_id, rank, position = place
        kind, state, envelope_id, series = job.kind, job.state, job.envelope_id, job.series
        failed = state == JobState.ERRORS
        reason = "" if not failed else EndReason.FAILED if started else EndReason.CANCELLED
        return (
            job_id,
            kind.value,
            envelope_id,
            series.project_id,
            series.project_code,
            series.pk,
            json.dumps({"file_name": f"part-{position}.csv"}) if kind == JobKind.LOAD else "{}",
            state.value,
            str(reason),
            0 if started is None else 1,
            0,
            failed and started is not None,
            "births.csv, line 8: the row has 11 columns, but Import Format CSV expects 12." if failed else "",
            rank,
            position,
            queued or started,
            started,
            started + self._step * 0.05 if started else self._now if failed else None,
            "{}",
            _TEXTS.get(kind, "{}") if state == JobState.SUCCESS else "{}",
            200_000_000 if started else None,
        )
