"""For each kind of job: what is done before it is the next in the queue, and which files it reads.

Project P1 goes the same way as P2, and meets no fault: it says what the outcome must be.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from django.db.models import Q

from linkwright.engine.extraction import ExtractionColumn
from linkwright.envelopes.builder import SourceFile, build_package
from linkwright.envelopes.manifest import RequestType
from linkwright.jobs.context import project_folder
from linkwright.services.create_extraction_project import NewExtractionProject, create_extraction_project
from linkwright.services.extraction_faults import ExtractionForm
from linkwright.services.roll_back_envelope import RollbackScope, roll_back_envelope
from linkwright.services.start_backup import start_backup
from linkwright.services.start_compact import start_compact
from linkwright.services.start_estimation import start_estimation
from linkwright.services.start_extraction import start_extraction
from linkwright.services.start_purge import start_purge
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    Batch,
    BatchKind,
    BatchState,
    Envelope,
    ExtractionFormat,
    ExtractionKind,
    ExtractionProject,
    Job,
    JobKind,
    JobState,
    LinkageProject,
)
from tests.integration.pipeline.conftest import PROJECT_YAML, Row, System

FIRST: list[Row] = [
    (f"a{number}", given, surname, f"19{60 + number}-01-02", "2000")
    for number, (given, surname) in enumerate(
        (given, surname) for given in ("Anna", "Carl", "Dora") for surname in ("Berg", "Cole", "Dunn", "Eck")
    )
]
SECOND: list[Row] = [
    *((f"b{number}", *row[1:]) for number, row in enumerate(FIRST[:6])),
    ("b9", "Nils", "Falk", "1990-05-06", "3000"),
]


def two_projects() -> str:
    """Return a project file with P1 and P2, alike."""
    content = yaml.safe_load(PROJECT_YAML)
    (project,) = content["projects"]
    content["projects"] = [project, {**project, "code": "P2", "name": "The same once more"}]
    return yaml.safe_dump(content, sort_keys=False)


def project_of(code: str) -> LinkageProject:
    return LinkageProject.objects.get(code=code)


def send_rows(system: System, code: str, name: str, rows: list[Row]) -> Envelope:
    return system.submit(system.build(f"{name}-{code}", rows, project=code))


def send_lines(system: System, code: str, request_type: RequestType, lines: list[str]) -> Envelope:
    content = {"ADM": "".join(f"{line}\n" for line in lines).encode()}
    name = f"{request_type.value}-{code}"
    return system.submit(system.build_raw(name, content, project=code, request_type=request_type))


def _second(system: System, code: str) -> None:
    send_rows(system, code, "second", SECOND)


def _deletion(system: System, code: str) -> None:
    send_lines(system, code, RequestType.SUBMIT_DELETION, ["a1", "a2"])


def _review(system: System, code: str) -> None:
    lines = [f"{code},a1,ADM,x", f"{code},a2,ADM,x"]
    send_lines(system, code, RequestType.SUBMIT_QUALITY_REVIEW, lines)


def _estimation(_system: System, code: str) -> None:
    start_estimation(project_of(code), COMMAND_LINE)


def _rollback(system: System, code: str) -> None:
    _second(system, code)
    system.drain()
    first = Envelope.objects.get(name=f"first-{code}")
    roll_back_envelope(first.pk, COMMAND_LINE, reason="a test", scope=RollbackScope.ALONE)


def _extraction_project(code: str, kind: ExtractionKind) -> ExtractionProject:
    columns = [(ExtractionColumn.PERSON_KEY.value, "key"), (ExtractionColumn.SOURCE_UNIQUE_ID.value, "id")]
    form = ExtractionForm("A study", "HREC 2026/17", columns, ExtractionFormat.CSV, keep_results_days=30)
    new = NewExtractionProject("X1", kind, ["ADM"], form)
    return create_extraction_project(project_of(code), new, COMMAND_LINE)


def _snapshot(_system: System, code: str) -> None:
    _extraction_project(code, ExtractionKind.SNAPSHOT)


def _extraction(system: System, code: str) -> None:
    made = _extraction_project(code, ExtractionKind.ENDURING)
    start_extraction(made, COMMAND_LINE)
    system.drain()
    # its keys are compared with those of the first
    start_extraction(made, COMMAND_LINE)


def _extraction_of_a_list(system: System, code: str) -> None:
    _snapshot(system, code)
    system.drain()
    path = system.folder / f"list-{code}.txt"
    path.write_text("a1\na2\n")
    package = build_package(
        system.folder / f"extraction-{code}.zip",
        linkage_project=code,
        sender="HOSP",
        request_type=RequestType.SUBMIT_EXTRACTION,
        extraction_project="X1",
        data=[SourceFile(path=path, event_type_code="ADM")],
    )
    system.submit(package)


def _compact(system: System, code: str) -> None:
    _second(system, code)
    system.drain()
    assert start_compact(project_of(code), COMMAND_LINE) is not None


def _purge(system: System, code: str) -> None:
    _deletion(system, code)
    system.drain()
    assert start_purge(project_of(code), COMMAND_LINE, reason="a test", older_than_days=0) is not None


def _backup(system: System, _code: str) -> None:
    # an earlier one knows what the files must be
    start_backup(COMMAND_LINE)
    system.drain()
    start_backup(COMMAND_LINE)


@dataclass(frozen=True)
class Scenario:
    """One kind of job.

    Args:
        kind: of the job.
        begin: submits or starts what brings it; the first Envelope has been loaded before.
        reads: of which kinds the bulk files are that it reads; of each, it reads the newest.
        whose: of which Envelopes: 'first' or 'second'; what belongs to no Envelope is the project's.
        writes: whether it writes files, so that a full disk stops it.
        name: of the scenario, where a kind has several.
    """

    kind: JobKind
    begin: Callable[[System, str], None]
    reads: tuple[BatchKind, ...] = ()
    whose: str = "first"
    writes: bool = True
    name: str = ""

    def bring(self, system: System, code: str) -> tuple[Job, dict[str, int]]:
        """Let the job be the next one in the queue; returns it, and the map that must stay while it fails."""
        send_rows(system, code, "first", FIRST)
        system.drain()
        before = system.group_ids(code)
        self.begin(system, code)
        if self.kind == JobKind.MATCH:
            # else it reads that alone, and makes it again from the records
            system.drain(limit=2)
            Batch.objects.filter(kind=BatchKind.INDEX, project__code=code).update(state=BatchState.REMOVED)
        while (job := self.waiting()) is None:
            assert system.drain(limit=1), f"no {self.kind} job came"
        return job, before if job.envelope else system.group_ids(code)

    def waiting(self) -> Job | None:
        """Return the job, if it is the next one in the queue."""
        job = Job.objects.filter(state=JobState.QUEUED).order_by("queue_rank", "chain_position", "pk").first()
        return job if job is not None and job.kind == self.kind else None

    def bulk_files(self, system: System, code: str) -> Iterator[Path]:
        """Return the bulk files that the job reads, one of each kind."""
        for kind in self.reads:
            batches = Batch.objects.filter(project__code=code, kind=kind).exclude(state=BatchState.REMOVED)
            theirs = Q(envelope=None) | Q(envelope__name__in=[f"{self.whose}-{code}", f"SubmitDeletion-{code}"])
            batch = batches.filter(theirs).order_by("-pk")[0]
            yield project_folder(system.config, batch.project) / batch.file_name


SCENARIOS = (
    Scenario(JobKind.VALIDATE, _second, writes=False),
    Scenario(JobKind.LOAD, _second, (BatchKind.RECORDS,)),
    Scenario(JobKind.MATCH, _second, (BatchKind.RECORDS,), whose="second"),
    Scenario(JobKind.GROUP, _second, (BatchKind.PAIRS,), whose="second"),
    Scenario(JobKind.REPORT, _second, (BatchKind.RECORDS,), whose="second", writes=False),
    Scenario(JobKind.DELETE, _deletion, (BatchKind.RECORDS,)),
    Scenario(JobKind.REVIEW, _review, (BatchKind.RECORDS,)),
    Scenario(JobKind.ESTIMATE, _estimation, (BatchKind.RECORDS,), writes=False),
    Scenario(JobKind.ROLLBACK, _rollback, (BatchKind.RECORDS,)),
    Scenario(JobKind.SNAPSHOT, _snapshot, (BatchKind.RECORDS, BatchKind.ASSIGNMENTS)),
    Scenario(JobKind.EXTRACT, _extraction, (BatchKind.RECORDS, BatchKind.ASSIGNMENTS, BatchKind.LEDGER)),
    Scenario(JobKind.EXTRACT, _extraction_of_a_list, (BatchKind.SNAPSHOT,), name="Extract by an Envelope"),
    Scenario(JobKind.COMPACT, _compact, (BatchKind.RECORDS, BatchKind.PAIRS, BatchKind.ASSIGNMENTS)),
    Scenario(JobKind.PURGE, _purge, (BatchKind.RECORDS, BatchKind.ENDS)),
    Scenario(JobKind.BACKUP, _backup, (BatchKind.RECORDS,)),
)


READS_ITS_ENVELOPE = {JobKind.VALIDATE, JobKind.LOAD, JobKind.DELETE, JobKind.REVIEW, JobKind.EXTRACT}


def input_files(system: System, scenario: Scenario, job: Job) -> Iterator[Path]:
    """Return the files without which the job cannot be done."""
    if job.envelope is not None and job.kind in READS_ITS_ENVELOPE:
        yield system.config.incoming_folder / job.envelope.file_name
    yield from scenario.bulk_files(system, "P2" if job.project is None else job.project.code)
