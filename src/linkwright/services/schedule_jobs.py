"""Queues system jobs when their Settings say that they are due.

Due times are counted in whole steps from a fixed moment, not from the last run: so every worker, after any
restart, counts the same ones. What has been seen to is written down in the transaction that queues the job. Of
several due times that were missed, one job comes. While the queue is paused, due jobs are queued all the same, and
wait with the others: never more than one of a kind.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db import transaction

from linkwright.errors import LinkwrightError
from linkwright.queue.order import queue_state
from linkwright.services.start_backup import start_backup
from linkwright.services.start_compact import start_compact
from linkwright.services.start_purge import start_purge
from linkwright.store.audit_log import SYSTEM, Actor
from linkwright.store.models import Job, JobKind, LinkageProject, ScheduleState
from linkwright.store.queries.open_jobs import open_system_job
from linkwright.store.settings import read_setting

logger = logging.getLogger(__name__)

# a Monday: 168 hours are due on Mondays
_COUNTED_FROM = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Schedule:
    """One kind of job that is started by schedule.

    Args:
        name: in the Settings `Schedule.<name>.EveryHours` and `Schedule.<name>.At`.
        queue: queues what does not wait or run already; returns the jobs.
    """

    name: str
    queue: Callable[[], list[Job]]


@dataclass(frozen=True)
class Plan:
    """When a schedule is due, by the Settings in force; `every_hours` is at least 1."""

    every_hours: int
    at: str

    @property
    def step(self) -> timedelta:
        """The time from one due time to the next."""
        return timedelta(hours=self.every_hours)

    def latest_due(self, now: datetime) -> datetime:
        """Return the latest due time that is not after `now`."""
        hours, minutes = (int(part) for part in (self.at or "00:00").split(":"))
        counted_from = _COUNTED_FROM + timedelta(hours=hours, minutes=minutes)
        return counted_from + (now - counted_from) // self.step * self.step

    def __str__(self) -> str:
        return f"every {self.every_hours} h from {self.at or '00:00'}"


def once(kind: JobKind, start: Callable[[Actor], Job]) -> Callable[[], list[Job]]:
    """Return what queues one job of the whole system."""

    def queue() -> list[Job]:
        return [] if open_system_job(kind) else _started(kind, [partial(start, SYSTEM)])

    return queue


def in_each_project(
    kind: JobKind, start: Callable[[LinkageProject, Actor], Job | None]
) -> Callable[[], list[Job]]:
    """Return what queues a job for each project, except where the service refuses to start one."""

    def queue() -> list[Job]:
        projects = [one for one in LinkageProject.objects.order_by("pk") if not open_system_job(kind, one)]
        return _started(kind, [partial(start, project, SYSTEM) for project in projects])

    return queue


SCHEDULES: tuple[Schedule, ...] = (
    Schedule("Backup", once(JobKind.BACKUP, start_backup)),
    Schedule("Compact", in_each_project(JobKind.COMPACT, start_compact)),
    Schedule("Purge", in_each_project(JobKind.PURGE, start_purge)),
)


def read_plan(name: str) -> Plan | None:
    """Return the plan of a schedule, or None if it is off."""
    every_hours = int(read_setting(f"Schedule.{name}.EveryHours"))
    return Plan(every_hours, str(read_setting(f"Schedule.{name}.At"))) if every_hours else None


def queue_due_jobs(now: datetime, schedules: Iterable[Schedule] = SCHEDULES) -> list[Job]:
    """Queue what is due; returns the jobs. Only the holder of the worker lock has a reason to call it."""
    return [job for schedule in schedules for job in _queue_due(schedule, now)]


def _queue_due(schedule: Schedule, now: datetime) -> list[Job]:
    plan, state = read_plan(schedule.name), ScheduleState.objects.filter(name=schedule.name).first()
    # asked every few seconds: the queue's row is locked only if something is to be written
    if _seen_to(plan, state, now) is None:
        return []
    with transaction.atomic():
        # a worker that has lost its lock without knowing it may look at the same time
        queue_state(lock=True)
        state = ScheduleState.objects.filter(name=schedule.name).first()
        seen_to = _seen_to(plan, state, now)
        if seen_to is None:
            return []
        if plan is None:
            ScheduleState.objects.filter(name=schedule.name).delete()
            return []
        is_due = state is not None and state.plan == str(plan) and state.seen_to < seen_to
        ScheduleState.objects.update_or_create(
            name=schedule.name, defaults={"plan": str(plan), "seen_to": seen_to}
        )
        return schedule.queue() if is_due else []


def _seen_to(plan: Plan | None, state: ScheduleState | None, now: datetime) -> datetime | None:
    """Return up to which due time is to be written down as seen to, or None if nothing is to be written.

    A new plan begins with its next due time: whoever sets one at noon for the night wants nothing at noon.
    """
    if plan is None:
        return now if state else None
    due = plan.latest_due(now)
    if state is None or state.plan != str(plan) or state.seen_to < due:
        return due
    # the clock ran ahead, and was put back: else nothing would be due until it gets there again
    is_lost = state.seen_to > now + plan.step
    return due if is_lost else None


def _started(kind: JobKind, starts: Iterable[Callable[[], Job | None]]) -> list[Job]:
    jobs: list[Job] = []
    for start in starts:
        try:
            with transaction.atomic():
                job = start()
        except LinkwrightError as error:
            logger.warning("%s was due, and was not started: %s", kind.label, error)
            continue
        if job is not None:
            jobs.append(job)
    return jobs
