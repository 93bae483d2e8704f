"""Backs a system up and restores it, and prints what that took.

    LINKWRIGHT_HOME=FOLDER python -m tests.benchmarks.backup_run RECORDS JOBS

Makes a project of so many records from one Envelope, with all that its chain writes, and so many rows of jobs
beside those; then a backup, and a restore from it. FOLDER must be new.
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linkwright.django_settings")
django.setup()

from django.utils import timezone  # noqa: E402 - Django must be set up first

from linkwright.config import load_config  # noqa: E402
from linkwright.engine.progress import silent  # noqa: E402
from linkwright.services.prepare_database import prepare_database  # noqa: E402
from linkwright.services.restore_backup import restore_backup  # noqa: E402
from linkwright.services.start_backup import start_backup  # noqa: E402
from linkwright.store.audit_log import COMMAND_LINE  # noqa: E402
from linkwright.store.models import EnvelopeState, Job, JobKind, JobState  # noqa: E402
from tests.benchmarks.load_run import COLUMNS, make  # noqa: E402
from tests.benchmarks.peak_memory import peak_mib  # noqa: E402
from tests.integration.pipeline.conftest import System  # noqa: E402
from tests.live_system import LiveSystem, new_sqlite_database  # noqa: E402

PROJECT = """
providers: [{{code: HOSP, organisation: A hospital}}]
import_formats:
  - {{code: people, kind: delimited, columns: {columns}, date_formats: ["%Y-%m-%d", "%d/%m/%Y"]}}
event_types: [{{code: ADM, provider: HOSP, import_format: people}}]
projects: [{{code: P1, name: Many people, event_types: [ADM], match: default}}]
"""
JOBS_AT_ONCE = 10_000
STATISTICS = {"new_records_count": 100, "rules": [{"rule": number, "pairs_count": 7} for number in range(8)]}


def fill(system: System, records_count: int, jobs_count: int) -> None:
    """Make the project and the rows."""
    prepare_database(system.config)
    system.apply(PROJECT.format(columns=json.dumps(COLUMNS)))
    source = system.folder / "people.csv"
    make(source, records_count, "plain")
    envelope = system.submit(system.build_raw("people", {"ADM": source.read_bytes()}))
    source.unlink()
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.SUCCESS, envelope.notifications.last()
    now = timezone.now()
    for start in range(0, jobs_count, JOBS_AT_ONCE):
        Job.objects.bulk_create(
            Job(
                kind=JobKind.MATCH,
                envelope=envelope,
                project=envelope.project,
                project_code="P1",
                state=JobState.SUCCESS,
                attempt=1,
                queue_rank=number,
                queued_at=now,
                started_at=now,
                ended_at=now,
                statistics=STATISTICS,
            )
            for number in range(start, min(start + JOBS_AT_ONCE, jobs_count))
        )


def main() -> None:
    """Print one JSON object."""
    records_count, jobs_count = int(sys.argv[1]), int(sys.argv[2])
    config = load_config()
    folder = config.home.parent
    system = System(config, folder)
    fill(system, records_count, jobs_count)
    before_mib = peak_mib()
    job = start_backup(COMMAND_LINE)
    began_s = time.perf_counter()
    system.drain()
    backup_s = time.perf_counter() - began_s
    job.refresh_from_db()
    assert job.state == JobState.SUCCESS, job.error_message
    backup = config.backups_folder / job.statistics["name"]
    home = folder / "restored"
    target = LiveSystem(home, new_sqlite_database(home))
    with target.entered():
        began_s = time.perf_counter()
        restore_backup(backup, target.config, COMMAND_LINE, silent)
        restore_s = time.perf_counter() - began_s
        assert Job.objects.count() >= jobs_count
    mib = job.statistics["size_bytes"] / 1024**2
    told = {
        "records": records_count,
        "rows": job.statistics["rows_count"],
        "files": job.statistics["files_count"],
        "mib": round(mib, 1),
        "stages": job.statistics["stages"],
        "backup_s": round(backup_s, 2),
        "backup_mib_per_s": round(mib / backup_s),
        "restore_s": round(restore_s, 2),
        "restore_mib_per_s": round(mib / restore_s),
        "peak_mib_before": before_mib,
        "peak_mib": peak_mib(),
    }
    print(json.dumps(told))  # noqa: T201 - read by the test
    for left in (home, Path(backup)):
        shutil.rmtree(left)


if __name__ == "__main__":
    main()
