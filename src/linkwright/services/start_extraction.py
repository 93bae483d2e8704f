"""Starts an Extract job from the page or the command line. What can be seen beforehand is refused at once."""

from django.db import transaction

from linkwright.jobs.extract import WITH_CHANGES
from linkwright.jobs.extraction_project import EXTRACTION_PROJECT, find_extraction_project, why_not_extract
from linkwright.queue.enqueue import Step, enqueue_job
from linkwright.queue.order import queue_state
from linkwright.services.extraction_faults import ExtractionRefusedError
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import ExtractionProject, Job, JobKind
from linkwright.store.queries.extractions import open_extract_job


def start_extraction(extraction_project: ExtractionProject, actor: Actor, *, with_changes: bool = True) -> Job:
    """Queue the extraction of all records that an Extraction Project shows.

    Args:
        extraction_project: the one.
        actor: who asks for it.
        with_changes: whether results of an enduring one come with the list of keys that changed since the latest
            extraction.

    Raises:
        ExtractionRefusedError: if it is closed, its snapshot is not made, or an Extract job of it waits or runs.
    """
    with transaction.atomic():
        # two people who ask at once: the second sees the job of the first
        queue_state(lock=True)
        found = find_extraction_project(extraction_project.project, extraction_project.code)
        refusal = why_not_start(found) if found else f"There is no Extraction Project {extraction_project.code}."
        if refusal:
            raise ExtractionRefusedError(refusal, [])
        parameters = {EXTRACTION_PROJECT: extraction_project.pk, WITH_CHANGES: with_changes}
        job = enqueue_job(Step(JobKind.EXTRACT, parameters), extraction_project.project)
        ExtractionProject.objects.filter(pk=extraction_project.pk).update(extract_job=job)
        record_action(
            actor,
            "extract",
            extraction_project.code,
            project_code=extraction_project.project.code,
            detail={"job": job.pk, "with_changes": with_changes},
        )
    return job


def why_not_start(extraction_project: ExtractionProject) -> str:
    """Return the sentence that says why no extraction can be started now, or '' if one can."""
    refusal = why_not_extract(extraction_project)
    if refusal:
        return refusal
    waiting = open_extract_job(extraction_project)
    if waiting is not None:
        return (
            f"Job {waiting.pk} (Extract) of {extraction_project.code} is queued or runs already. Wait "
            "until it has ended."
        )
    return ""
