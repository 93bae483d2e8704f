"""Jobs by schedule: each due time once, whatever restarts, clocks and workers do."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from linkwright.errors import LinkwrightError
from linkwright.queue.enqueue import Step, enqueue_job
from linkwright.services import schedule_jobs
from linkwright.services.pause_queue import pause_queue
from linkwright.services.schedule_jobs import Plan, Schedule, in_each_project, queue_due_jobs, read_plan
from linkwright.store.audit_log import COMMAND_LINE, Actor
from linkwright.store.models import AuditLogEntry, Job, JobKind, JobState, LinkageProject, ScheduleState
from linkwright.store.settings import SettingError, change_setting
from linkwright.worker.due_jobs import DueJobs

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def plan(every_hours: int, at: str = "") -> None:
    change_setting("Schedule.Backup.EveryHours", every_hours, COMMAND_LINE)
    change_setting("Schedule.Backup.At", at, COMMAND_LINE)


def end_jobs() -> None:
    Job.objects.update(state=JobState.SUCCESS)


@pytest.mark.parametrize(
    ("every_hours", "at", "now", "due"),
    [
        (24, "", "2026-03-04T12:00", "2026-03-04T00:00"),
        (24, "02:30", "2026-03-04T02:29", "2026-03-03T02:30"),
        (24, "02:30", "2026-03-04T02:30", "2026-03-04T02:30"),
        (6, "01:00", "2026-03-04T12:59", "2026-03-04T07:00"),
        (168, "20:00", "2026-03-04T12:00", "2026-03-02T20:00"),
        (1, "00:15", "2026-03-04T00:14", "2026-03-03T23:15"),
    ],
)
def test_due_times_are_counted_from_a_time_of_day(every_hours: int, at: str, now: str, due: str) -> None:
    moments = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, due)]
    assert Plan(every_hours, at).latest_due(moments[0]) == moments[1]


def test_nothing_is_scheduled_unless_somebody_asks_for_it() -> None:
    assert read_plan("Backup") is None
    assert queue_due_jobs(NOON) == []
    assert not ScheduleState.objects.exists()


@pytest.mark.parametrize("at", ["24:00", "2:30", "02:60", "noon", "02:30\n", " ", 5])
def test_a_time_of_day_that_is_none_is_refused(at: object) -> None:
    with pytest.raises(SettingError, match=r"allowed is a time of day in UTC, as 02:30, or nothing for midnight"):
        change_setting("Schedule.Backup.At", at, COMMAND_LINE)


def test_each_due_time_queues_one_job_and_the_system_stands_in_the_audit_log() -> None:
    plan(24, "02:00")
    assert queue_due_jobs(NOON) == []
    assert queue_due_jobs(NOON + 13 * HOUR) == []
    (job,) = queue_due_jobs(NOON + 14 * HOUR)
    assert (job.kind, job.project, job.envelope, job.state) == (JobKind.BACKUP, None, None, JobState.QUEUED)
    entry = AuditLogEntry.objects.get(action="back up")
    assert (entry.user, entry.origin, entry.target) == (None, "system", str(job))
    end_jobs()
    # again and again, by whichever worker
    assert [queue_due_jobs(NOON + hours * HOUR) for hours in (14, 15, 30, 37)] == [[], [], [], []]
    assert len(queue_due_jobs(NOON + 38 * HOUR)) == 1


def test_of_many_due_times_that_were_missed_one_job_comes() -> None:
    plan(1)
    queue_due_jobs(NOON)
    assert len(queue_due_jobs(NOON + 100 * HOUR)) == 1
    end_jobs()
    assert queue_due_jobs(NOON + 100.9 * HOUR) == []
    assert len(queue_due_jobs(NOON + 101 * HOUR)) == 1


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
def test_a_due_time_passes_while_the_same_job_waits_or_runs(state: JobState) -> None:
    plan(1)
    queue_due_jobs(NOON)
    enqueue_job(Step(JobKind.BACKUP))
    Job.objects.update(state=state)
    assert queue_due_jobs(NOON + HOUR) == []
    end_jobs()
    assert queue_due_jobs(NOON + 1.5 * HOUR) == []
    assert len(queue_due_jobs(NOON + 2 * HOUR)) == 1


def test_while_the_queue_is_paused_one_due_job_waits_with_the_others() -> None:
    plan(1)
    queue_due_jobs(NOON)
    pause_queue(COMMAND_LINE, "a new disk")
    assert [len(queue_due_jobs(NOON + hours * HOUR)) for hours in (1, 2, 3)] == [1, 0, 0]


def test_a_new_plan_begins_with_its_next_due_time_and_so_does_one_that_was_off() -> None:
    plan(24, "02:00")
    queue_due_jobs(NOON)
    plan(24, "11:00")
    assert queue_due_jobs(NOON) == []
    plan(0)
    assert queue_due_jobs(NOON + 48 * HOUR) == []
    assert not ScheduleState.objects.exists()
    plan(24, "11:00")
    assert queue_due_jobs(NOON + 72 * HOUR) == []
    assert len(queue_due_jobs(NOON + 95 * HOUR)) == 1


def test_a_clock_that_is_put_back_repeats_no_due_time() -> None:
    plan(2)
    queue_due_jobs(NOON)
    assert len(queue_due_jobs(NOON + 2 * HOUR)) == 1
    end_jobs()
    assert [queue_due_jobs(NOON + hours * HOUR) for hours in (1, 2, 3)] == [[], [], []]
    assert len(queue_due_jobs(NOON + 4 * HOUR)) == 1


def test_a_clock_that_ran_years_ahead_does_not_stop_the_schedule_once_it_is_right_again() -> None:
    plan(2)
    queue_due_jobs(NOON)
    assert len(queue_due_jobs(NOON.replace(year=2050))) == 1
    end_jobs()
    assert queue_due_jobs(NOON + HOUR) == []
    assert len(queue_due_jobs(NOON + 2 * HOUR)) == 1


def test_a_job_that_is_refused_neither_stops_the_others_nor_is_tried_again_before_its_time() -> None:
    for code in ("A", "B", "C"):
        LinkageProject.objects.create(code=code, name=code)
    calls: list[str] = []

    def start(project: LinkageProject, actor: Actor) -> Job:
        calls.append(project.code)
        job = enqueue_job(Step(JobKind.ESTIMATE), project)
        if project.code == "B":
            raise LinkwrightError("There is nothing to do.")
        return job

    schedules = [Schedule("Backup", in_each_project(JobKind.ESTIMATE, start))]
    plan(24)
    queue_due_jobs(NOON, schedules)
    jobs = queue_due_jobs(NOON + 24 * HOUR, schedules)
    assert [job.project_code for job in jobs] == ["A", "C"]
    assert list(Job.objects.order_by("pk").values_list("project_code", flat=True)) == ["A", "C"]
    # those that wait still are passed over
    assert len(queue_due_jobs(NOON + 48 * HOUR, schedules)) == 0
    assert calls == ["A", "B", "C", "B"]


def test_what_was_seen_to_is_written_with_the_job_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    plan(24)
    queue_due_jobs(NOON)

    def die() -> list[Job]:
        enqueue_job(Step(JobKind.BACKUP))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        queue_due_jobs(NOON + 24 * HOUR, [Schedule("Backup", die)])
    assert not Job.objects.exists()
    assert len(queue_due_jobs(NOON + 24 * HOUR)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_both_believe_to_hold_the_lock_queue_one_job(monkeypatch: pytest.MonkeyPatch) -> None:
    plan(24)
    queue_due_jobs(NOON)
    barrier = threading.Barrier(2)
    seen_to = schedule_jobs._seen_to

    def look_together(*arguments: object) -> datetime | None:
        found = seen_to(*arguments)  # type: ignore[arg-type]
        if not transaction.get_connection().in_atomic_block:
            barrier.wait(20)
        return found

    monkeypatch.setattr(schedule_jobs, "_seen_to", look_together)
    results: list[list[Job]] = []

    def work() -> None:
        results.append(queue_due_jobs(NOON + 24 * HOUR))
        transaction.get_connection().close()

    threads = [threading.Thread(target=work) for _worker in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(len(jobs) for jobs in results) == [0, 1]
    assert Job.objects.count() == 1


def test_a_worker_looks_at_once_and_then_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    plan(1)
    ScheduleState.objects.create(name="Backup", plan=str(read_plan("Backup")), seen_to=timezone.now() - 3 * HOUR)
    clock_s = [100.0]
    monkeypatch.setattr("linkwright.worker.due_jobs.time.monotonic", lambda: clock_s[0])
    due_jobs = DueJobs()
    due_jobs.before_claim()
    assert Job.objects.count() == 1
    end_jobs()
    ScheduleState.objects.update(seen_to=timezone.now() - 3 * HOUR)
    clock_s[0] += 9
    due_jobs.before_claim()
    assert Job.objects.count() == 1
    clock_s[0] += 2
    due_jobs.before_claim()
    assert Job.objects.count() == 2
