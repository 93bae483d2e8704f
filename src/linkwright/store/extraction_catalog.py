"""The rules of files and results of Extraction Projects: how they come to count, what a rollback takes of them.

Rows only; the files themselves are written by `warehouse` and swept by services/sweep_files.py.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from linkwright.engine.masking import Floor, with_floor
from linkwright.store.batch_catalog import NewBatch, add_apart, live_batches, next_id
from linkwright.store.models import (
    Batch,
    BatchKind,
    BatchState,
    ExtractionKind,
    ExtractionProject,
    ExtractionResult,
    Job,
    JobKind,
    JobState,
    LinkageProject,
    ResultEnd,
)


@dataclass(frozen=True)
class ExtractedSince:
    """What was made for Extraction Projects from data that is rolled back.

    Args:
        snapshots: Extraction Projects whose snapshot may hold records of it.
        ledgers: Extraction Projects whose ledger may.
        results: results that are still kept and may show it.
    """

    snapshots: QuerySet[ExtractionProject]
    ledgers: QuerySet[ExtractionProject]
    results: QuerySet[ExtractionResult]


def floors_of(project: LinkageProject) -> tuple[Floor, ...]:
    """Return from which group ids on ids were given out anew."""
    return tuple(Floor(*one) for one in project.group_id_floors)


def record_floor(job: Job) -> None:
    """Write down that ids may be given out anew; call it in the commit of a Rollback, after its files went.

    Raises:
        ValueError: if the job has no project.
    """
    if job.project_id is None:
        raise ValueError(f"job {job.pk} has no project: there are no ids to give out")
    project = LinkageProject.objects.get(pk=job.project_id)
    free = next_id(live_batches(project, BatchKind.ASSIGNMENTS))
    floors = with_floor(floors_of(project), free, job.pk)
    LinkageProject.objects.filter(pk=project.pk).update(group_id_floors=[list(floor) for floor in floors])


def set_snapshot(extraction_project: ExtractionProject, job: Job, new: NewBatch, sha256: str) -> None:
    """Name a file as the snapshot, in place of any earlier one; call it in the transaction that ends the job."""
    _give_up(extraction_project.snapshot_id)
    rows = ExtractionProject.objects.filter(pk=extraction_project.pk)
    rows.update(snapshot=add_apart(job, new), snapshot_sha256=sha256)


def set_ledger(extraction_project: ExtractionProject, job: Job, new: NewBatch) -> None:
    """Name a file as the ledger, in place of any earlier one; call it in the transaction that ends the job."""
    _give_up(extraction_project.ledger_id)
    ExtractionProject.objects.filter(pk=extraction_project.pk).update(ledger=add_apart(job, new))


def envelopes_grouped_after(project: LinkageProject, moment: datetime) -> list[int]:
    """Return the ids of the Envelopes whose data was not yet the project's at a moment."""
    grouped = Job.objects.filter(project=project, kind=JobKind.GROUP, state=JobState.SUCCESS, ended_at__gt=moment)
    return [key for key in grouped.values_list("envelope", flat=True) if key is not None]


def extracted_since(project: LinkageProject, envelope_ids: Collection[int]) -> ExtractedSince:
    """Return what may hold or show data of Envelopes: all that was made since the first of them was grouped.

    A snapshot that was created before holds nothing of them, and so do the results of it.
    """
    grouped = Job.objects.filter(envelope__in=envelope_ids, kind=JobKind.GROUP, state=JobState.SUCCESS)
    since = grouped.aggregate(at=Min("ended_at"))["at"]
    own = ExtractionProject.objects.filter(project=project)
    kept = ExtractionResult.objects.filter(extraction_project__project=project, removed_at=None)
    if since is None:
        return ExtractedSince(own.none(), own.none(), kept.none())
    is_newer = Q(extraction_project__kind=ExtractionKind.ENDURING) | Q(extraction_project__created_at__gt=since)
    return ExtractedSince(
        snapshots=own.exclude(snapshot=None).filter(created_at__gt=since).select_related("snapshot"),
        ledgers=own.exclude(ledger=None).filter(ledger__created_at__gt=since).select_related("ledger"),
        results=kept.filter(is_newer, created_at__gt=since),
    )


def withdraw(results: QuerySet[ExtractionResult], job: Job) -> int:
    """Give up results that a Rollback takes; the rows stay and say why. Returns how many."""
    return results.update(removed_at=timezone.now(), removed_why=ResultEnd.WITHDRAWN, removed_by_job=job)


def give_up_expired() -> int:
    """Give up results whose time is over; returns how many."""
    now = timezone.now()
    expired = ExtractionResult.objects.filter(removed_at=None, expires_at__lte=now)
    return expired.update(removed_at=now, removed_why=ResultEnd.EXPIRED)


def kept_result_names() -> set[str]:
    """Return the names of all results that are kept."""
    return set(ExtractionResult.objects.filter(removed_at=None).values_list("file_name", flat=True))


def _give_up(batch_id: int | None) -> None:
    if batch_id is not None:
        Batch.objects.filter(pk=batch_id).update(state=BatchState.REMOVED)
