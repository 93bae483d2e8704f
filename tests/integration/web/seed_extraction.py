"""Extraction Projects for the pages: one that is enduring with results in each state, a snapshot that waits."""

from datetime import timedelta

from django.utils import timezone

from linkwright.config import load_config
from linkwright.store.models import (
    ExtractionProject,
    ExtractionResult,
    Job,
    JobKind,
    JobState,
    LinkageProject,
    ResultEnd,
    User,
)

RESULT_CONTENT = b"an Envelope"
STATISTICS = {
    "extraction_project": "DIABETES",
    "records_count": 48_213,
    "package_bytes": 1_204_318,
    "new_keys_count": 1_204,
    "kept_keys_count": 30_811,
    "retired_keys_count": 12,
    "event_types": [
        {"event_type": "HOSP", "records_count": 48_213, "persons_count": 32_015, "package_bytes": 1_204_318}
    ],
    "changed_keys": [{"reason": "merged", "keys_count": 11}, {"reason": "moved by review", "keys_count": 2}],
}


def add_extraction_project(
    project: LinkageProject, by: User, code: str = "DIABETES", kind: str = "enduring"
) -> ExtractionProject:
    """Make an Extraction Project of HOSP."""
    made = ExtractionProject.objects.create(
        project=project,
        code=code,
        name="Diabetes outcomes",
        approval_reference="HREC 2026/17",
        kind=kind,
        columns=[
            {"column": "person_key", "name": "PERSON"},
            {"column": "source_unique_id", "name": "source_unique_id"},
        ],
        keep_results_days=90,
        secret_version=1,
        secret_fingerprint="0" * 16,
        created_at=timezone.now() - timedelta(days=9),
        created_by=by,
    )
    made.event_types.set(project.event_types.filter(code="HOSP"))
    return made


def add_results(extraction_project: ExtractionProject) -> ExtractionResult:
    """Make an expired result, a withdrawn one and one that is kept; returns the last, whose file is there."""
    folder = load_config().results_folder
    folder.mkdir(parents=True, exist_ok=True)
    project, now = extraction_project.project, timezone.now()
    results = []
    for number, ended in enumerate((ResultEnd.EXPIRED, ResultEnd.WITHDRAWN, "")):
        made_at = now - timedelta(days=3 - number)
        job = Job.objects.create(
            kind=JobKind.EXTRACT,
            project=project,
            project_code=project.code,
            parameters={"extraction_project": extraction_project.pk},
            state=JobState.SUCCESS,
            attempt=1,
            queue_rank=0,
            queued_at=made_at,
            started_at=made_at,
            ended_at=made_at + timedelta(seconds=4),
            statistics=STATISTICS,
        )
        name = f"s-j{job.pk}-a1-{number}.zip"
        (folder / name).write_bytes(RESULT_CONTENT)
        results.append(
            ExtractionResult.objects.create(
                extraction_project=extraction_project,
                event_type=extraction_project.event_types.get(),
                job=job,
                file_name=name,
                records_count=48_213,
                persons_count=32_015,
                changes_count=None if ended else 13,
                bytes_count=len(RESULT_CONTENT),
                sha256="0" * 64,
                created_at=made_at,
                expires_at=made_at + timedelta(days=90),
                downloads_count=3 * number,
                removed_at=now if ended else None,
                removed_why=ended,
                removed_by_job=job if ended == ResultEnd.WITHDRAWN else None,
            )
        )
    return results[-1]
