"""A PostgreSQL that goes away under a working worker: nothing runs twice, and the work goes on when it is back."""

import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import pytest
from django.db import connection, transaction

from linkwright.engine.extraction import ExtractionColumn
from linkwright.queue.claim import claim_next
from linkwright.services.create_extraction_project import NewExtractionProject, create_extraction_project
from linkwright.services.extraction_faults import ExtractionForm
from linkwright.services.receive_envelope import receive_envelope
from linkwright.services.start_extraction import start_extraction
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    Batch,
    BatchKind,
    Envelope,
    EnvelopeState,
    ExtractionFormat,
    ExtractionKind,
    ExtractionResult,
    Job,
    JobEvent,
    JobKind,
    JobState,
    LinkageProject,
)
from linkwright.worker.child import run_attempt
from tests.live_system import LiveSystem, WorkerProcess, machine_slowdown, wait_until
from tests.servers import postgres_server
from tests.small_envelopes import build_envelope, build_small_envelope

pytestmark = pytest.mark.postgres

LONG_COPIES = 20
# sleeps, so that a worker at least once tries in vain
AWAY_S = 2.0
LONG_AWAY_S = 10.0
KILLED_WITHIN_S = 10.0


def submit_long(folder: Path) -> Envelope:
    path = build_envelope(folder, "long", "TA", {"FEBRL-A": (0, 5000)}, copies=LONG_COPIES)
    return receive_envelope(path, name="", actor=COMMAND_LINE)


def wait_for_load() -> Job:
    def loads() -> bool:
        return Job.objects.filter(state=JobState.RUNNING, kind="Load", progress__done__gt=0).exists()

    wait_until(loads, "a Load job to report progress")
    return Job.objects.get(state=JobState.RUNNING)


def database_name(system: LiveSystem) -> str:
    return system.database_url.split("?")[0].rsplit("/", 1)[1]


ALL = "TRUE"
OF_THE_LOCK = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)"
# its look for a cancel, five times a second
OF_THE_WORKER = "query LIKE '%%cancel_requested_at%%' AND query LIKE '%%IS NOT NULL%%'"


def end_sessions(system: LiveSystem, which: str) -> int:
    """End sessions of a system's processes, this one excepted; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = %s AND pid <> pg_backend_pid() AND {which}",
            [database_name(system)],
        )
        return len(cursor.fetchall())


def allow_connections(system: LiveSystem, *, allowed: bool) -> None:
    with psycopg.connect(postgres_server().get_uri(), autocommit=True) as session:
        session.execute(f"ALTER DATABASE {database_name(system)} WITH ALLOW_CONNECTIONS {str(allowed).lower()}")


class Watch:
    """Counts the job processes of workers until told to stop."""

    def __init__(self, *workers: WorkerProcess) -> None:
        self.most = 0
        self._workers = workers
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            servers = [server for worker in self._workers if (server := worker.fork_server())]
            count = sum(len([child for child in server.children() if child.is_running()]) for server in servers)
            self.most = max(self.most, count)

    def stop(self) -> int:
        """Return the most job processes that were seen at once."""
        self._stop.set()
        self._thread.join()
        return self.most


@pytest.mark.parametrize("away", [False, True])
def test_a_worker_whose_database_goes_away_kills_its_job_and_runs_it_again_later(
    on_postgres: LiveSystem, tmp_path: Path, away: bool
) -> None:
    worker = on_postgres.start_worker()
    envelope = submit_long(tmp_path)
    job = wait_for_load()
    process = worker.job()
    assert process is not None
    watch = Watch(worker)
    if away:
        allow_connections(on_postgres, allowed=False)
    assert end_sessions(on_postgres, ALL) >= 3
    connection.close()
    wait_until(
        lambda: not process.is_running(),
        "the job's process to be killed",
        within_s=KILLED_WITHIN_S * machine_slowdown(),
    )
    if away:
        threading.Event().wait(LONG_AWAY_S)
        allow_connections(on_postgres, allowed=True)
    wait_until(lambda: Job.objects.filter(pk=job.pk, attempt=2).exists(), "the second attempt")

    def succeeded() -> bool:
        envelope.refresh_from_db()
        return envelope.state == EnvelopeState.SUCCESS

    wait_until(succeeded, "the Envelope to succeed")
    assert watch.stop() == 1
    assert worker.is_alive()
    assert worker.has_said("the database cannot be used")


def test_a_worker_that_loses_its_lock_alone_gives_way_and_no_job_is_run_twice_at_once(
    on_postgres: LiveSystem, tmp_path: Path
) -> None:
    first = on_postgres.start_worker()
    first.wait_for("Worker: working")
    second = on_postgres.start_worker()
    second.wait_for("standing by")
    envelopes = [
        submit_long(tmp_path),
        receive_envelope(build_small_envelope(tmp_path, 1), name="", actor=COMMAND_LINE),
    ]
    job = wait_for_load()
    process = first.job()
    assert process is not None
    assert end_sessions(on_postgres, OF_THE_LOCK) == 1
    second.wait_for("Worker: working")
    wait_until(
        lambda: not process.is_running(),
        "the first worker to kill its job",
        within_s=KILLED_WITHIN_S * machine_slowdown(),
    )
    first.wait_for("the worker's lock was lost")

    def succeeded() -> bool:
        return all(Envelope.objects.get(pk=envelope.pk).state == EnvelopeState.SUCCESS for envelope in envelopes)

    wait_until(succeeded, "the Envelopes to succeed")
    job.refresh_from_db()
    assert (job.attempt, job.crash_count) == (2, 1)
    assert JobEvent.objects.filter(job=job, entered=JobState.SUCCESS).count() == 1
    assert first.is_alive()


def test_a_standby_asks_for_the_lock_on_one_lasting_connection(on_postgres: LiveSystem) -> None:
    on_postgres.start_worker().wait_for("Worker: working")
    standby = on_postgres.start_worker()
    standby.wait_for("standing by")

    def sessions_count() -> int:
        sessions = "SELECT sessions FROM pg_stat_database WHERE datname = %s"
        with psycopg.connect(postgres_server().get_uri(), autocommit=True) as session:
            row = session.execute(sessions, (database_name(on_postgres),)).fetchone()
        assert row is not None
        return int(row[0])

    threading.Event().wait(1.0)
    before = sessions_count()
    # ten tries a second
    threading.Event().wait(2.0)
    assert sessions_count() - before < 5


def test_a_worker_that_loses_its_own_session_leaves_no_job_running_unwatched(
    on_postgres: LiveSystem, tmp_path: Path
) -> None:
    worker = on_postgres.start_worker()
    submit_long(tmp_path)
    job = wait_for_load()
    process = worker.job()
    assert process is not None
    # it shall not end for another reason
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: end_sessions(on_postgres, OF_THE_WORKER) == 1, "the worker to look at its job")
    wait_until(
        lambda: not process.is_running(),
        "the job's process to be killed",
        within_s=KILLED_WITHIN_S * machine_slowdown(),
    )
    wait_until(lambda: Job.objects.filter(pk=job.pk, attempt=2).exists(), "the second attempt")


def run_here(kinds: Sequence[JobKind]) -> None:
    """Run the next jobs in this process; they must be of these kinds."""
    for kind in kinds:
        job = claim_next()
        assert job is not None
        assert job.kind == kind
        run_attempt(Job.objects.select_related("envelope__project", "project").get(pk=job.pk), job.attempt)


def bring_load(folder: Path) -> None:
    receive_envelope(build_small_envelope(folder, 0), name="", actor=COMMAND_LINE)
    # in its commit it names the project for the first time
    run_here([JobKind.VALIDATE])


def bring_extract(folder: Path) -> None:
    bring_load(folder)
    run_here([JobKind.LOAD, JobKind.MATCH, JobKind.GROUP, JobKind.REPORT])
    columns = [(ExtractionColumn.PERSON_KEY.value, "key"), (ExtractionColumn.SOURCE_UNIQUE_ID.value, "id")]
    form = ExtractionForm("A study", "HREC 2026/17", columns, ExtractionFormat.CSV, keep_results_days=30)
    new = NewExtractionProject("X1", ExtractionKind.ENDURING, ["FEBRL-A"], form)
    start_extraction(
        create_extraction_project(LinkageProject.objects.get(code="TA"), new, COMMAND_LINE), COMMAND_LINE
    )


def is_in_its_commit(system: LiveSystem) -> bool:
    with connection.cursor() as cursor:
        # within a transaction it is looked at once, else
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'",
            [database_name(system)],
        )
        return cursor.fetchone() is not None


@pytest.mark.parametrize(
    ("kind", "bring", "written"),
    [(JobKind.LOAD, bring_load, BatchKind.RECORDS), (JobKind.EXTRACT, bring_extract, BatchKind.LEDGER)],
)
def test_a_job_that_loses_the_database_in_its_commit_is_done_once_when_that_is_back(
    on_postgres: LiveSystem, tmp_path: Path, kind: JobKind, bring: Callable[[Path], None], written: BatchKind
) -> None:
    bring(tmp_path)
    with transaction.atomic():
        # whoever names the project in a new row waits: no job does before its commit
        LinkageProject.objects.select_for_update().get(code="TA")
        worker = on_postgres.start_worker()
        wait_until(lambda: is_in_its_commit(on_postgres), "a job to be in its commit")
        job = Job.objects.get(state=JobState.RUNNING)
        process = worker.job()
        assert (job.kind, process is not None) == (kind, True)
        allow_connections(on_postgres, allowed=False)
        assert end_sessions(on_postgres, ALL) >= 3
    connection.close()
    assert process is not None
    wait_until(
        lambda: not process.is_running(), "the job's process to end", within_s=KILLED_WITHIN_S * machine_slowdown()
    )
    threading.Event().wait(AWAY_S)
    allow_connections(on_postgres, allowed=True)

    def succeeded() -> bool:
        return Job.objects.filter(pk=job.pk, state=JobState.SUCCESS).exists()

    wait_until(succeeded, "the job to succeed")
    job.refresh_from_db()
    assert (job.attempt, job.crash_count) == (2, 1)
    assert JobEvent.objects.filter(job=job, entered=JobState.SUCCESS).count() == 1
    assert Batch.objects.filter(job=job, kind=written).count() == 1
    assert ExtractionResult.objects.filter(job=job).count() == (1 if kind == JobKind.EXTRACT else 0)
