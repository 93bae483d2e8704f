"""Loads many small Envelopes one after the other and prints what each took; in a process of its own.

    LINKWRIGHT_HOME=FOLDER python -m tests.benchmarks.envelopes_run ENVELOPES AFTER_BATCHES COMPARED

Each Envelope has a hundred generated records. Jobs run in this process, so that what is timed is the work of the
jobs and not the start of their processes. With AFTER_BATCHES 0 nothing is compacted. Beside the chain, the sweep
after it and the two pages that an operator has open are timed.

The last Envelopes, as many as COMPARED says, alternate with the first ones of a project that is empty until then:
a machine is not equally fast from one quarter of an hour to the next.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "linkwright.django_settings"
django.setup()

# Django must be set up before its models are imported
import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.csv  # noqa: E402
import yaml  # noqa: E402
from django.test import Client  # noqa: E402

from linkwright.config import ServerConfig, load_config, prepare_home  # noqa: E402
from linkwright.envelopes.builder import SourceFile, build_package  # noqa: E402
from linkwright.envelopes.manifest import RequestType  # noqa: E402
from linkwright.queue.claim import claim_next  # noqa: E402
from linkwright.services.apply_project_file import apply_project_file  # noqa: E402
from linkwright.services.prepare_database import prepare_database  # noqa: E402
from linkwright.services.project_file import read_project_file  # noqa: E402
from linkwright.services.receive_envelope import receive_envelope  # noqa: E402
from linkwright.services.sweep_files import sweep_files  # noqa: E402
from linkwright.store.audit_log import COMMAND_LINE  # noqa: E402
from linkwright.store.batch_catalog import live_batches  # noqa: E402
from linkwright.store.models import BatchKind, Job, LinkageProject, User  # noqa: E402
from linkwright.worker.child import run_attempt  # noqa: E402
from tests.benchmarks.configuration import benchmark_definition  # noqa: E402
from tests.benchmarks.people import SEED, make_people  # noqa: E402

RECORDS_PER_ENVELOPE = 100
COLUMNS = (
    "source_unique_id",
    "given_name",
    "surname",
    "date_of_birth",
    "sex",
    "address_line_1",
    "street_number",
    "suburb",
    "postcode",
    "state",
)
READ_KINDS = (BatchKind.RECORDS, BatchKind.PAIRS, BatchKind.ASSIGNMENTS)
PAGES = {"envelopes": "/jobs/envelopes/", "project": "/projects/BENCH/"}


@dataclass(frozen=True)
class Bench:
    """A server, the records to load, and a folder to make Envelopes in."""

    config: ServerConfig
    client: Client
    people: pa.Table
    folder: Path

    def load(self, project: str, number: int) -> dict[str, Any]:
        """Load Envelope `number`; returns what it took."""
        self._submit(project, number)
        cpu_started_s = time.process_time()
        seconds, compact_s = _drain()
        cpu_s = time.process_time() - cpu_started_s
        row = LinkageProject.objects.get(code=project)
        sweep_s = _timed(lambda: sweep_files(self.config, row))
        pages = {page: _timed(partial(self.client.get, url)) for page, url in PAGES.items()}
        return {
            "chain_s": sum(seconds.values()),
            "cpu_s": 0.0 if compact_s else cpu_s,
            "compact_s": compact_s,
            "sweep_s": sweep_s,
            **{f"{kind}_s": spent for kind, spent in seconds.items()},
            **{f"{page}_page_s": spent for page, spent in pages.items()},
            "files_count": sum(live_batches(row, kind).count() for kind in READ_KINDS),
        }

    def _submit(self, project: str, number: int) -> None:
        source = self.folder / f"people-{number}.csv"
        rows = self.people.slice(number * RECORDS_PER_ENVELOPE, RECORDS_PER_ENVELOPE)
        pyarrow.csv.write_csv(rows, source)
        package = build_package(
            self.folder / f"{project}-{number}.zip",
            linkage_project=project,
            sender="BENCH",
            request_type=RequestType.SUBMIT_LINKAGE,
            data=[SourceFile(path=source, event_type_code="EVENT")],
        )
        receive_envelope(package, name="", actor=COMMAND_LINE)
        for path in (source, package):
            path.unlink()


def run(envelopes_count: int, after_batches: int, compared_count: int) -> dict[str, list[dict[str, Any]]]:
    """Load the Envelopes; returns what each took, in order, and what those of the fresh project took."""
    config = load_config()
    prepare_home(config)
    prepare_database(config)
    people = make_people(envelopes_count * RECORDS_PER_ENVELOPE, np.random.default_rng(SEED))
    order = np.random.default_rng(SEED).permutation(people.num_rows)
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.create(username="bench", is_superuser=True))
    measured: dict[str, list[dict[str, Any]]] = {"BENCH": [], "FRESH": []}
    with TemporaryDirectory() as name:
        bench = Bench(config, client, people.select(COLUMNS).take(pa.array(order)), Path(name))
        apply_project_file(read_project_file(write_project_file(bench.folder, after_batches)), COMMAND_LINE)
        for number in range(envelopes_count):
            measured["BENCH"].append(bench.load("BENCH", number))
            if number >= envelopes_count - compared_count:
                measured["FRESH"].append(bench.load("FRESH", number - envelopes_count + compared_count))
    return measured


def write_project_file(folder: Path, after_batches: int) -> Path:
    """Write a project file with the projects BENCH and FRESH; returns its path."""
    columns = {column: column for column in COLUMNS}
    content = {
        "providers": [{"code": "BENCH", "organisation": "A bench"}],
        "import_formats": [
            {"code": "people", "kind": "delimited", "columns": columns, "date_formats": ["%Y-%m-%d"]}
        ],
        "event_types": [{"code": "EVENT", "provider": "BENCH", "import_format": "people"}],
        "projects": [
            {"code": code, "name": code, "event_types": ["EVENT"], "match": benchmark_definition()}
            for code in ("BENCH", "FRESH")
        ],
        "settings": {"Worker.Compact.AfterBatches": after_batches, "Worker.Load.MaxRejectedRows": 100},
    }
    path = folder / "project.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def _drain() -> tuple[dict[str, float], float]:
    """Run what is queued; returns the seconds of each kind of the chain, and those of a Compact."""
    seconds: dict[str, float] = defaultdict(float)
    while (claimed := claim_next()) is not None:
        job = Job.objects.select_related("envelope__project", "project").get(pk=claimed.pk)
        run_attempt(job, job.attempt)
        job.refresh_from_db()
        if job.state != "Success" or job.started_at is None or job.ended_at is None:
            raise RuntimeError(f"{job}: {job.error_message}")
        seconds[job.kind] += (job.ended_at - job.started_at).total_seconds()
    compact_s = seconds.pop("Compact", 0.0)
    return dict(seconds), compact_s


def _timed(work: Callable[[], object]) -> float:
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s


if __name__ == "__main__":
    json.dump(run(*map(int, sys.argv[1:4])), sys.stdout)
