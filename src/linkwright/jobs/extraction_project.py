"""What every job and service must know of an Extraction Project before it extracts."""

from linkwright.jobs.context import JobContext, JobError
from linkwright.store import batch_catalog
from linkwright.store.models import BatchKind, ExtractionProject, JobState, LinkageProject
from linkwright.warehouse.live_files import LiveFiles

RELATED = ("project", "snapshot_job", "extract_job")
"""What is read together with an Extraction Project."""

EXTRACTION_PROJECT = "extraction_project"
"""Parameter of a Snapshot job, and of an Extract job without an Envelope: the key of the Extraction Project."""


def find_extraction_project(project: LinkageProject, code: str) -> ExtractionProject | None:
    """Return an Extraction Project of a project by its code."""
    return ExtractionProject.objects.filter(project=project, code=code).select_related(*RELATED).first()


def extraction_project_of(context: JobContext) -> ExtractionProject:
    """Return the Extraction Project that a job's parameters name.

    Raises:
        JobError: if there is none.
    """
    key = context.job.parameters.get(EXTRACTION_PROJECT)
    found = ExtractionProject.objects.filter(pk=key, project=context.project)
    extraction_project = found.select_related(*RELATED).first()
    if extraction_project is None:
        raise JobError(f"The job names Extraction Project {key}, which {context.project.code} does not have.")
    return extraction_project


def event_type_codes(extraction_project: ExtractionProject) -> tuple[str, ...]:
    """Return the codes of the Event Types that an Extraction Project shows, sorted."""
    return tuple(sorted(extraction_project.event_types.values_list("code", flat=True)))


def why_not_extract(extraction_project: ExtractionProject) -> str:
    """Return the sentence that says why nothing can be extracted now, or '' if it can."""
    code = extraction_project.code
    if extraction_project.closed_at is not None:
        return (
            f"Extraction Project {code!r} was closed on {extraction_project.closed_at:%Y-%m-%d}. Create a new "
            "one; its keys are others."
        )
    if not extraction_project.is_snapshot or extraction_project.kept_at is not None:
        return ""
    job = extraction_project.snapshot_job
    if job is not None and job.state in (JobState.QUEUED, JobState.RUNNING):
        return f"The snapshot of Extraction Project {code!r} is not made yet: wait until job {job.pk} has ended."
    number = f"job {job.pk}" if job is not None else "its job"
    return (
        f"The snapshot of Extraction Project {code!r} was not made: {number} ended in Errors. Retry that job; if "
        "that is no longer possible, close the Extraction Project and create a new one."
    )


def live_files(context: JobContext, without: list[int]) -> LiveFiles:
    """Return the project's live data, without that of some Envelopes."""
    # a compacted file does not tell whose data it holds
    batches = batch_catalog.original_batches if without else batch_catalog.live_batches
    return LiveFiles(
        *(
            context.paths(batches(context.project, kind).exclude(envelope__in=without))
            for kind in (BatchKind.RECORDS, BatchKind.PAIRS, BatchKind.ASSIGNMENTS, BatchKind.ENDS)
        )
    )
