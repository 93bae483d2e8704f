"""Every kind of job meets every fault that disks, files and databases have.

Each time it must end in Errors with a text that says what to do, change nothing, leave nothing; and once the fault
is mended, a retry must come to the same result as if there had been none.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError

from linkwright.config import load_config, prepare_home
from linkwright.engine.progress import silent
from linkwright.jobs import estimate as estimate_job
from linkwright.jobs import report as report_job
from linkwright.queue.claim import claim_next
from linkwright.services.recover_jobs import recover_orphans
from linkwright.services.retry_job import retry_job
from linkwright.services.sweep_files import sweep_files
from linkwright.services.verify_backup import verify_backup
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.backup.folder import list_backups
from linkwright.store.backup.manifest import read_manifest
from linkwright.store.batch_catalog import counted_file_names
from linkwright.store.models import (
    AuditMessage,
    Batch,
    BatchState,
    Envelope,
    EnvelopeState,
    Estimation,
    ExtractionResult,
    Job,
    JobKind,
    JobState,
    LinkageProject,
)
from linkwright.worker.child import run_attempt
from tests.integration.pipeline import faults
from tests.integration.pipeline.conftest import System
from tests.integration.pipeline.fault_scenarios import (
    FIRST,
    SCENARIOS,
    SECOND,
    Scenario,
    input_files,
    send_rows,
    two_projects,
)
from tests.small_disk import mounted_disk, only_root

pytestmark = [
    # a backup reads on a connection of its own, and sees what is committed
    pytest.mark.django_db(transaction=True),
    only_root,
]

DISK_MIB = 24


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a small file system."""
    with mounted_disk(tmp_path / "disk", DISK_MIB) as folder:
        yield folder


@pytest.fixture
def system(disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    """Return a system on the small disk, its database elsewhere."""
    monkeypatch.setenv("LINKWRIGHT_HOME", str(disk / "home"))
    for job in (report_job, estimate_job):
        monkeypatch.setattr(job, "drawn_plot", lambda plot: {"name": plot.name})
    config = load_config()
    prepare_home(config)
    made = System(config, tmp_path)
    made.apply(two_projects())
    return made


def left_behind(system: System) -> list[str]:
    """Return the files that lie about although nothing names them."""
    sweep_files(system.config)
    named = {name for project in LinkageProject.objects.all() for name in counted_file_names(project)}
    config = system.config
    found = [path for path in config.warehouse_folder.rglob("*") if path.is_file() and path.name not in named]
    found += [path for path in config.scratch_folder.rglob("*") if path.is_file()]
    kept = set(ExtractionResult.objects.values_list("file_name", flat=True))
    if config.results_folder.is_dir():
        found += [path for path in config.results_folder.iterdir() if path.name not in kept]
    if config.backups_folder.is_dir():
        found += [path for path in config.backups_folder.iterdir() if path.name.startswith("unfinished")]
    return [str(path.relative_to(config.home)) for path in found]


def outcome(code: str, system: System) -> dict[str, Any]:
    """Return what a project has become: map, files by size, Envelopes, estimations, results."""
    batches = Batch.objects.filter(project__code=code)
    return {
        "groups": system.group_ids(code),
        "batches": sorted(batches.exclude(state=BatchState.REMOVED).values_list("kind", "state", "rows_count")),
        "estimations": Estimation.objects.filter(project__code=code).count(),
        "envelopes": list(
            Envelope.objects.filter(project_code=code).values_list("state", "records_count").order_by("pk")
        ),
        "results": list(
            ExtractionResult.objects.filter(extraction_project__project__code=code)
            .values_list("records_count", "persons_count", "changes_count")
            .order_by("pk")
        ),
    }


def files_of(code: str) -> set[str]:
    """Return the names of the files of a project that count, staged ones among them."""
    return counted_file_names(LinkageProject.objects.get(code=code))


def demand_told(job: Job, *words: str) -> None:
    """Make sure that a failed job says what happened and what to do."""
    job.refresh_from_db()
    assert job.state == JobState.ERRORS, f"{job} is {job.state}"
    text = job.error_message
    assert "nobody foresaw" not in text, text
    for word in words:
        assert word.lower() in text.lower(), text
    if job.envelope is not None:
        job.envelope.refresh_from_db()
        assert job.envelope.state == EnvelopeState.ERRORS, text


def demand_unchanged(system: System, groups: dict[str, int], files: set[str]) -> None:
    """Make sure that a failed attempt has changed nothing for its project, and left nothing."""
    assert left_behind(system) == []
    assert system.group_ids("P2") == groups
    assert files_of("P2") <= files


def in_the_way(name: str, disk: Path, path: Path | None) -> AbstractContextManager[None]:
    """Return one of the faults, for the file that it is about."""
    if path is None:
        return faults.full_disk(disk) if name == "full disk" else faults.refused_commit()
    if name == "vanished":
        return faults.vanished(path)
    return faults.changed(path, faults.cut if name == "cut" else faults.overwritten)


def met(system: System, scenario: Scenario, job: Job) -> Iterator[tuple[str, Path | None, tuple[str, ...]]]:
    """Return the faults that a kind of job can meet, each with the file it is about, and what must be said."""
    if scenario.writes:
        yield "full disk", None, ("no space left", "free space", "retry")
    for path in input_files(system, scenario, job):
        yield "vanished", path, (path.name, "backup", "retry")
        if path.suffix == ".parquet":
            yield "cut", path, (path.name, "damaged", "backup", "retry")
            yield "overwritten", path, (path.name, "damaged", "backup", "retry")
    yield "commit refused", None, ("lost the database", "check that it runs", "retry")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name or scenario.kind)
def test_every_fault_is_told_leaves_nothing_and_is_undone_by_a_retry(
    system: System, disk: Path, scenario: Scenario
) -> None:
    scenario.bring(system, "P1")
    system.drain()
    job, before = scenario.bring(system, "P2")
    files = files_of("P2")
    for name, path, words in met(system, scenario, job):
        with in_the_way(name, disk, path):
            assert system.drain(limit=1) == [job], name
        demand_told(job, *words)
        demand_unchanged(system, before, files)
        retry_job(job.pk, COMMAND_LINE)
    for fault in (faults.locked_database, faults.killed):
        claimed = claim_next()
        assert claimed == job
        with pytest.raises((DatabaseError, faults.KilledError)), fault():
            run_attempt(Job.objects.select_related("envelope__project", "project").get(pk=job.pk), claimed.attempt)
        # the attempt could not even say that it failed: it is found when a worker looks
        assert recover_orphans() == [job]
        demand_unchanged(system, before, files)
    system.drain()
    job.refresh_from_db()
    assert job.state == JobState.SUCCESS, job.error_message
    assert job.statistics
    assert AuditMessage.objects.filter(job=job, attempt=job.attempt).exists()
    assert left_behind(system) == []
    assert outcome("P2", system) == outcome("P1", system)


def test_every_kind_of_job_meets_them() -> None:
    assert {scenario.kind for scenario in SCENARIOS} == set(JobKind)


def test_a_backup_that_met_every_fault_is_whole(system: System, disk: Path) -> None:
    (scenario,) = (one for one in SCENARIOS if one.kind == JobKind.BACKUP)
    job, _before = scenario.bring(system, "P2")
    with faults.full_disk(disk):
        system.drain(limit=1)
    retry_job(job.pk, COMMAND_LINE)
    system.drain()
    found = list_backups(system.config.backups_folder)
    assert [one.fault for one in found] == ["", ""]
    for one in found:
        manifest = read_manifest(system.config.backups_folder / one.name)
        verify_backup(system.config.backups_folder / one.name, manifest, system.config, silent)


def test_a_match_index_that_is_damaged_is_made_again(system: System) -> None:
    (scenario,) = (one for one in SCENARIOS if one.kind == JobKind.GROUP)
    scenario.bring(system, "P1")
    system.drain()
    send_rows(system, "P2", "first", FIRST)
    system.drain()
    send_rows(system, "P2", "second", SECOND)
    system.drain(limit=2)
    for index in system.config.warehouse_folder.rglob("*.index"):
        index.write_bytes(faults.cut(index.read_bytes()))
    system.drain()
    assert outcome("P2", system) == outcome("P1", system)
