"""Fills an empty database with Envelopes, jobs and all that hangs on them, for tests and benchmarks of the lists.

`python -m tests.benchmarks.seed_lists --envelopes 100000 --jobs 1000000` fills the database of `DATABASE_URL` or
`LINKWRIGHT_HOME`. Rows go in by the fastest way that each database has: into tables without indexes, on PostgreSQL
by COPY; events, messages and Notifications are made out of the jobs inside the database. What is measured finds
indexes and statistics as in a database that has run for years.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

import linkwright.cli.bootstrap  # noqa: F401 - first of all: models can be imported from here on
from linkwright.config import load_config
from linkwright.services.prepare_database import prepare_database
from linkwright.store.models import (
    AuditMessage,
    Envelope,
    EnvelopeReport,
    Job,
    JobEvent,
    JobState,
    Notification,
    QueueState,
    WorkerPresence,
    WorkerRole,
)
from linkwright.store.report_summary import report_summary
from tests.benchmarks.list_rows import ENVELOPE_COLUMNS, JOB_COLUMNS, Draw
from tests.benchmarks.list_world import ListWorld, make_list_world
from tests.integration.web.seed_statistics import ENVELOPE_NUMBERS, PROJECT_NUMBERS

ROWS_AT_ONCE = 5000
# statistics, and all on disk: a server that still writes a gigabyte away takes the caches of whoever is measured
SETTLE = {
    "sqlite": ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"),
    "postgresql": ("VACUUM ANALYZE", "CHECKPOINT"),
}
Say = Callable[[str], None]


def _silent(_text: str) -> None:
    """Say nothing."""


def seed_lists(*, envelopes_count: int, jobs_count: int, say: Say = _silent) -> ListWorld:
    """Seed the present database, which has its tables and no Envelope in them."""
    with _without_indexes(Envelope, Job, JobEvent, AuditMessage, Notification):
        world = insert_lists(envelopes_count=envelopes_count, jobs_count=jobs_count, say=say)
    say("indexes")
    with connection.cursor() as cursor:
        for statement in SETTLE[connection.vendor]:
            cursor.execute(statement)
    say("statistics")
    return world


def insert_lists(*, envelopes_count: int, jobs_count: int, say: Say = _silent) -> ListWorld:
    """Put the rows in, whatever indexes there are: enough for a few thousand."""
    with transaction.atomic():
        world = make_list_world()
        _insert_envelopes_and_jobs(Draw(world, envelopes_count=envelopes_count, jobs_count=jobs_count))
        say("Envelopes and jobs")
        _insert_what_hangs_on_them()
        say("events, audit messages, Notifications, reports")
        _start_one_job()
    return world


def _insert_envelopes_and_jobs(draw: Draw) -> None:
    found = draw.all()
    while piece := list(islice(found, ROWS_AT_ONCE)):
        _insert(Envelope, ENVELOPE_COLUMNS, [one.envelope for one in piece])
        _insert(Job, JOB_COLUMNS, [job for one in piece for job in one.jobs])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for table in (_table(Envelope), _table(Job)):
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))"
                )


def _insert(model: type[Model], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    others = _left_out(model, columns)
    constants = tuple(others.values())
    names = ", ".join(f'"{column}"' for column in (*columns, *others))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {_table(model)} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row((*row, *constants))
            return
        places = ", ".join(["%s"] * (len(columns) + len(constants)))
        adapted = [(*map(_adapted, row), *constants) for row in rows]
        cursor.executemany(f"INSERT INTO {_table(model)} ({names}) VALUES ({places})", adapted)


def _left_out(model: type[Model], columns: Sequence[str]) -> dict[str, Any]:
    """Return the columns that rows say nothing of and that must not be empty, with what the model gives them."""
    found = {}
    for one in model._meta.concrete_fields:
        if one.attname not in columns and not one.null and not one.primary_key:
            value = one.get_default()
            found[one.attname] = json.dumps(value) if isinstance(value, dict | list) else value
    return found


def _adapted(value: Any) -> Any:
    """Return a value as Django writes it into SQLite: a moment as text, in UTC."""
    return str(value.replace(tzinfo=None)) if hasattr(value, "tzinfo") else value


def _insert_what_hangs_on_them() -> None:
    """Make three events and two audit messages a job that ended, Notifications, reports."""
    job, envelope = _table(Job), _table(Envelope)
    started = f"FROM {job} WHERE started_at IS NOT NULL"
    statistics = {"envelope": ENVELOPE_NUMBERS, "project": PROJECT_NUMBERS}
    numbers, summary = json.dumps(statistics), json.dumps(report_summary(statistics))
    events = ("job_id", "attempt", "left", "entered", "reason", "at")
    messages = ("job_id", "attempt", "at", "text")
    raised = ("envelope_id", "severity", "text", "raised_at")
    for model, columns, values in (
        (JobEvent, events, f"id, 0, '', 'Queued', 'queued', queued_at FROM {job}"),
        (JobEvent, events, f"id, 1, 'Queued', 'Running', 'claimed', started_at {started}"),
        (JobEvent, events, f"id, 1, 'Running', state, 'finished', ended_at {started}"),
        (AuditMessage, messages, f"id, 1, started_at, kind || ' started.' {started}"),
        (AuditMessage, messages, f"id, 1, ended_at, kind || ' ended: 48 213 records, 11.4 s.' {started}"),
        (
            Notification,
            raised,
            f"id, 'error', 'births.csv, line 8.', processed_at FROM {envelope} WHERE errors_occurred",
        ),
        (
            Notification,
            raised,
            f"id, 'warning', '3 rows were rejected.', received_at FROM {envelope} WHERE id % 10 = 3",
        ),
        (
            Notification,
            raised,
            f"id, 'info', 'Match kept 61 902 pairs.', received_at FROM {envelope} WHERE id % 4 = 1",
        ),
        (
            EnvelopeReport,
            ("envelope_id", "statistics", "summary", "plots", "created_at"),
            f"id, '{numbers}', '{summary}', '[]', processed_at FROM {envelope} WHERE state = 'Success'",
        ),
    ):
        _insert_from(model, columns, values)


def _insert_from(model: type[Model], columns: Sequence[str], selected: str) -> None:
    """Make rows out of others: `selected` is what stands behind SELECT, in the order of their keys."""
    others = _left_out(model, columns)
    names = ", ".join(f'"{column}"' for column in (*others, *columns))
    places = "".join("%s, " for _other in others)
    with connection.cursor() as cursor:
        statement = (
            f"INSERT INTO {_table(model)} ({names}) SELECT {places}{selected.replace('%', '%%')} ORDER BY id"
        )
        cursor.execute(statement, list(others.values()))


def _start_one_job() -> None:
    """Let the first queued job run, beside a worker that is always there."""
    now = timezone.now()
    job = Job.objects.filter(state=JobState.QUEUED).order_by("queue_rank", "chain_position")[0]
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, attempt=1, started_at=now)
    assert job.envelope_id is not None
    Envelope.objects.filter(pk=job.envelope_id).update(processing_started_at=now, running_since=now)
    QueueState.objects.update(active_envelope=job.envelope_id)
    WorkerPresence.objects.create(
        host="bench", pid=1, role=WorkerRole.ACTIVE, started_at=now, seen_at=now.replace(year=now.year + 1)
    )


@contextmanager
def _without_indexes(*models: type[Model]) -> Iterator[None]:
    """Take the indexes off for a while: building one is much cheaper than keeping it through a million inserts."""
    tables = [_table(model) for model in models]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("PRAGMA cache_size=-200000")
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
                f"AND tbl_name IN ({', '.join(['%s'] * len(tables))})",
                tables,
            )
        else:
            cursor.execute(
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT IN "
                "(SELECT conname FROM pg_constraint)",
                [tables],
            )
        found = cursor.fetchall()
        for name, _definition in found:
            cursor.execute(f'DROP INDEX "{name}"')
    yield
    with connection.cursor() as cursor:
        for _name, definition in found:
            cursor.execute(definition)
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA cache_size=-2000")
            cursor.execute("PRAGMA synchronous=FULL")


def _table(model: type[Model]) -> str:
    return str(model._meta.db_table)


def main() -> None:
    """Seed the database of LINKWRIGHT_HOME or DATABASE_URL, which must be empty."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--envelopes", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    arguments = parser.parse_args()
    prepare_database(load_config())
    if Envelope.objects.exists():
        parser.error("the database holds Envelopes already; name an empty one in DATABASE_URL or LINKWRIGHT_HOME")
    started_s = time.perf_counter()
    seed_lists(
        envelopes_count=arguments.envelopes,
        jobs_count=arguments.jobs,
        say=lambda text: print(f"{time.perf_counter() - started_s:6.1f} s  {text}"),  # noqa: T201
    )
    print(f"{Envelope.objects.count()} Envelopes, {Job.objects.count()} jobs")  # noqa: T201


if __name__ == "__main__":
    main()
