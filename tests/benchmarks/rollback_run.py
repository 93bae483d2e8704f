"""Rolls the latest Envelope of a project back and prints what the jobs took; in a process of its own.

    LINKWRIGHT_HOME=FOLDER python -m tests.benchmarks.rollback_run HELD LATEST

Loads HELD generated records, then LATEST in a second Envelope, and rolls that back; then loads it again, makes a
snapshot, extracts it and the current map, and rolls it back again. Jobs run in this process. FOLDER must be new.
"""

import json
import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "linkwright.django_settings"
django.setup()

# Django must be set up before its models are imported
import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.csv  # noqa: E402

from linkwright.config import load_config, prepare_home  # noqa: E402
from linkwright.services.create_extraction_project import (  # noqa: E402
    NewExtractionProject,
    create_extraction_project,
)
from linkwright.services.prepare_database import prepare_database  # noqa: E402
from linkwright.services.roll_back_envelope import RollbackScope, roll_back_envelope  # noqa: E402
from linkwright.services.start_extraction import start_extraction  # noqa: E402
from linkwright.store.audit_log import COMMAND_LINE  # noqa: E402
from linkwright.store.models import (  # noqa: E402
    Envelope,
    EnvelopeState,
    ExtractionKind,
    Job,
    JobKind,
    JobState,
    LinkageProject,
)
from tests.benchmarks.envelopes_run import COLUMNS, write_project_file  # noqa: E402
from tests.benchmarks.people import SEED, make_people  # noqa: E402
from tests.integration.pipeline.conftest import System  # noqa: E402
from tests.integration.pipeline.extracting import form  # noqa: E402


def main() -> None:
    """Print one JSON object."""
    held_count, latest_count = map(int, sys.argv[1:3])
    config = load_config()
    prepare_home(config)
    prepare_database(config)
    system = System(config, config.home.parent)
    system.apply(write_project_file(system.folder, after_batches=0).read_text(encoding="utf-8"))
    people = make_people(held_count + latest_count, np.random.default_rng(SEED)).select(COLUMNS)
    _load(system, "first", people.slice(0, held_count))
    latest = _load(system, "latest", people.slice(held_count))
    plain_s = _roll_back(system, latest)
    latest = _load(system, "again", people.slice(held_count))
    _extract(system, "SNAP", ExtractionKind.SNAPSHOT)
    _extract(system, "LIVE", ExtractionKind.ENDURING)
    told = {
        "held": held_count,
        "rolled_back": latest.records_count,
        "rollback_ms": round(plain_s * 1000),
        "rollback_after_extractions_ms": round(_roll_back(system, latest) * 1000),
        "snapshot_ms": round(_seconds(Job.objects.get(kind=JobKind.SNAPSHOT)) * 1000),
        "extract_ms": [round(_seconds(job) * 1000) for job in Job.objects.filter(kind=JobKind.EXTRACT)],
    }
    print(json.dumps(told))  # noqa: T201 - read by the test


def _load(system: System, name: str, rows: pa.Table) -> Envelope:
    source = system.folder / f"{name}.csv"
    pyarrow.csv.write_csv(rows, source)
    package = system.build_raw(name, {"EVENT": source.read_bytes()}, project="BENCH", sender="BENCH")
    source.unlink()
    envelope = system.submit(package)
    package.unlink()
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.SUCCESS, envelope.notifications.last()
    return envelope


def _extract(system: System, code: str, kind: ExtractionKind) -> None:
    project = LinkageProject.objects.get(code="BENCH")
    new = NewExtractionProject(code, kind, ["EVENT"], form())
    extraction_project = create_extraction_project(project, new, COMMAND_LINE)
    system.drain()
    job = start_extraction(extraction_project, COMMAND_LINE)
    system.drain()
    job.refresh_from_db()
    assert job.state == JobState.SUCCESS, job.error_message


def _roll_back(system: System, envelope: Envelope) -> float:
    """Roll the latest Envelope back; returns the seconds from the job's start to its end."""
    job = roll_back_envelope(envelope.pk, COMMAND_LINE, reason="a benchmark", scope=RollbackScope.ALONE)
    system.drain()
    job = Job.objects.get(pk=job.pk)
    assert job.state == JobState.SUCCESS, job.error_message
    assert "groups_after_count" not in job.statistics, "it was not the latest"
    return _seconds(job)


def _seconds(job: Job) -> float:
    assert job.started_at is not None
    assert job.ended_at is not None
    return (job.ended_at - job.started_at).total_seconds()


if __name__ == "__main__":
    main()
