"""What is swept, and what a job's end is called that its process did not live to see."""

import os
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from linkwright.config import ServerConfig, load_config, prepare_home
from linkwright.jobs.context import JobResult, attempt_scratch_folder, project_folder
from linkwright.queue.claim import claim_next
from linkwright.queue.enqueue import Step, enqueue_chain
from linkwright.services.end_job import complete_job
from linkwright.services.sweep_files import sweep_files
from linkwright.store.batch_catalog import NewBatch, add_batches
from linkwright.store.models import AuditMessage, BatchKind, Envelope, Job, JobKind, JobState, LinkageProject
from linkwright.worker.housekeeping import Housekeeping
from linkwright.worker.supervise import Ended, _settle, run_in_child

pytestmark = pytest.mark.django_db

Claim = Callable[[], Job]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServerConfig:
    monkeypatch.setenv("LINKWRIGHT_HOME", str(tmp_path / "home"))
    own = load_config()
    prepare_home(own)
    return own


@pytest.fixture
def claim(config: ServerConfig, tables: None) -> Claim:
    """Return a function that starts the next job of an Envelope with a Load and a Match."""
    project = LinkageProject.objects.create(code="P1", name="P1")
    envelope = Envelope.objects.create(
        name="a", project=project, project_code="P1", file_name="a.zip", received_at="2026-01-01T00:00:00Z"
    )
    enqueue_chain(envelope, [Step(JobKind.LOAD), Step(JobKind.MATCH)])
    project_folder(config, project).mkdir(parents=True)

    def start() -> Job:
        job = claim_next()
        assert job is not None
        return job

    return start


@pytest.fixture
def tables(db: None) -> None:
    """Let fixtures above use the database."""


def write(config: ServerConfig, job: Job, ending: str = "records.parquet") -> Path:
    """Write a file of a job's attempt, and scratch."""
    assert job.project is not None
    path = project_folder(config, job.project) / f"e{job.envelope_id}-j{job.pk}-a{job.attempt}-{ending}"
    path.write_bytes(b"x")
    scratch = attempt_scratch_folder(config, job)
    scratch.mkdir(exist_ok=True)
    (scratch / "spool.csv").write_text("Anna")
    return path


def succeed(job: Job, name: str | None = None) -> None:
    def commit() -> None:
        if name:
            add_batches(job, [NewBatch(BatchKind.RECORDS, name, 1, 1)])

    complete_job(job, attempt=job.attempt, result=JobResult(commit=commit), raised=(), peak_memory_bytes=1)


def test_the_files_of_the_attempt_that_runs_are_never_swept(config: ServerConfig, claim: Claim) -> None:
    job = claim()
    path = write(config, job)
    # by a worker, say, that has lost its lock without knowing it
    assert sweep_files(config).files_count == 0
    assert path.exists()
    assert attempt_scratch_folder(config, job).exists()


def test_the_files_of_an_attempt_that_was_given_up_are_swept_while_the_next_one_runs(
    config: ServerConfig, claim: Claim
) -> None:
    job = claim()
    given_up = write(config, job)
    Job.objects.filter(pk=job.pk).update(attempt=2)
    job.refresh_from_db()
    current = write(config, job)
    assert sweep_files(config).files_count == 2
    assert (given_up.exists(), current.exists()) == (False, True)
    assert [path.name for path in config.scratch_folder.iterdir()] == [f"job-{job.pk}-attempt-2"]


@pytest.mark.parametrize("command", ["estimate", "explain"])
def test_what_a_killed_command_left_is_swept_after_a_day_and_not_before(
    config: ServerConfig, tables: None, command: str
) -> None:
    fresh, old = (config.scratch_folder / f"{command}-{name}" for name in ("fresh", "old"))
    for folder in (fresh, old):
        folder.mkdir()
        (folder / "records.parquet").write_text("Anna")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    assert sweep_files(config).files_count == 1
    assert (fresh.exists(), old.exists()) == (True, False)


def test_a_process_killed_after_its_commit_leaves_no_scratch(config: ServerConfig, claim: Claim) -> None:
    job = claim()
    path = write(config, job)
    housekeeping = Housekeeping(config)
    housekeeping.before_claim()
    succeed(job, path.name)
    ended = _settle(job, job.attempt, Ended.BY_ITSELF, "Its process was killed by SIGKILL")
    assert ended is Ended.KILLED_AFTER_COMMIT
    housekeeping.after_job(job, ended)
    assert path.exists()
    assert list(config.scratch_folder.iterdir()) == []


def test_a_job_that_ends_well_inside_its_chain_costs_no_sweep(
    config: ServerConfig, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = claim()
    housekeeping = Housekeeping(config)
    housekeeping.before_claim()
    succeed(job)
    swept: list[object] = []
    monkeypatch.setattr("linkwright.worker.housekeeping.sweep_files", lambda *about: swept.append(about))
    assert _settle(job, job.attempt, Ended.BY_ITSELF, "") is Ended.BY_ITSELF
    housekeeping.after_job(job, Ended.BY_ITSELF)
    housekeeping.before_claim()
    assert swept == []
    last = claim()
    succeed(last)
    housekeeping.after_job(last, Ended.BY_ITSELF)
    assert swept == [(config, last.project)]


@pytest.mark.parametrize("error", [EOFError("unexpected EOF"), ConnectionRefusedError(111, "Connection refused")])
def test_a_job_whose_process_cannot_be_started_counts_as_crashed_and_is_queued_again(
    claim: Claim, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_process: ForkServerProcess) -> None:
        raise error

    job = claim()
    monkeypatch.setattr(ForkServerProcess, "start", fail)
    ended = run_in_child(get_context("forkserver"), job, threading.Event(), still_ours=lambda: True)
    assert ended is Ended.CRASHED
    job.refresh_from_db()
    assert (job.state, job.crash_count) == (JobState.QUEUED, 1)
    assert "could not be started" in AuditMessage.objects.get(job=job).text
