"""Extraction Projects of P1 for tests: made, extracted from, and their results read."""

import csv
import io
import zipfile
from collections.abc import Sequence

from linkwright.engine.extraction import ExtractionColumn
from linkwright.envelopes.builder import SourceFile, build_package
from linkwright.envelopes.manifest import RequestType
from linkwright.services.create_extraction_project import NewExtractionProject, create_extraction_project
from linkwright.services.extraction_faults import ExtractionForm
from linkwright.services.start_extraction import start_extraction
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    Envelope,
    ExtractionProject,
    ExtractionResult,
    Job,
    JobState,
    LinkageProject,
)
from tests.integration.pipeline.acting import person
from tests.integration.pipeline.conftest import System

KEY, IDENTIFIER = ExtractionColumn.PERSON_KEY, ExtractionColumn.SOURCE_UNIQUE_ID


D = person("d", "Dora", "Dunn", "1990-09-10")


def form(**changes: object) -> ExtractionForm:
    values = {
        "name": "A study",
        "approval_reference": "HREC 2026/17",
        "columns": ((KEY, "key"), (IDENTIFIER, "id")),
        "file_format": "csv",
        "keep_results_days": 30,
    }
    return ExtractionForm(**{**values, **changes})  # type: ignore[arg-type]


def create(
    code: str = "X1", kind: str = "enduring", event_types: Sequence[str] = ("ADM",), **changes: object
) -> ExtractionProject:
    """Create an Extraction Project of P1; the job of a snapshot is queued, and not run."""
    new = NewExtractionProject(code, kind, event_types, form(**changes))
    return create_extraction_project(LinkageProject.objects.get(code="P1"), new, COMMAND_LINE)


def extract(system: System, code: str = "X1", *, with_changes: bool = True) -> Job:
    """Extract, as from the page."""
    extraction_project = ExtractionProject.objects.select_related("project").get(code=code)
    job = start_extraction(extraction_project, COMMAND_LINE, with_changes=with_changes)
    system.drain()
    job.refresh_from_db()
    return job


def package(system: System, job: Job, event_type: str = "ADM") -> bytes:
    """Return the result Envelope of a job."""
    result = ExtractionResult.objects.get(job=job, event_type__code=event_type)
    return (system.config.results_folder / result.file_name).read_bytes()


def rows(system: System, job: Job, name: str = "data-extract.csv", event_type: str = "ADM") -> list[list[str]]:
    """Return the lines of a data file of a result, the header first."""
    assert job.state == JobState.SUCCESS, job.error_message
    with zipfile.ZipFile(io.BytesIO(package(system, job, event_type))) as archive:
        return list(csv.reader(io.StringIO(archive.read(name).decode(), newline="")))


def keys(system: System, code: str = "X1") -> dict[str, str]:
    """Extract, and return the Person Key of each record."""
    return {identifier: key for key, identifier in rows(system, extract(system, code))[1:]}


def changes(system: System, code: str = "X1") -> list[tuple[str, str, str]]:
    """Extract, and return the changes since the extraction before."""
    header, *found = rows(system, extract(system, code), "data-changes.csv")
    assert header == ["old_key", "new_key", "reason"]
    return [(old, new, reason) for old, new, reason in found]


def ask(
    system: System, name: str, code: str = "X1", lists: dict[str, Sequence[str]] | None = None, project: str = "P1"
) -> Envelope:
    """Submit an extraction Envelope, with or without lists of records, and process it."""
    sources = []
    for event_type, lines in (lists or {}).items():
        path = system.folder / f"{name}-{event_type}.txt"
        path.write_text("".join(f"{line}\n" for line in lines))
        sources.append(SourceFile(path=path, event_type_code=event_type))
    built = build_package(
        system.folder / f"{name}.zip",
        linkage_project=project,
        sender="HOSP",
        request_type=RequestType.SUBMIT_EXTRACTION,
        extraction_project=code,
        data=sources,
    )
    envelope = system.submit(built)
    system.drain()
    envelope.refresh_from_db()
    return envelope
