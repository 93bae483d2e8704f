"""The rules of files and results of Extraction Projects: how they come to count, what a rollback takes of them.

Rows only; the files themselves are written by `warehouse` and swept by services/sweep_files.py.
"""

from collections.abc import Collection, Iterable
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
    KeptPart,
    LinkageProject,
    ResultEnd,
)

Ids = tuple[int, int]
"""The first and the last record id of a range."""


@dataclass(frozen=True)
class NewPart:
    """A part of a snapshot or a ledger as written: the files that it has, and the checksum of `records`."""

    records: NewBatch | None
    groups: NewBatch | None
    sha256: str


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


def set_parts(extraction_project: ExtractionProject, job: Job, new: Iterable[NewPart]) -> None:
    """Let files be the snapshot or the ledger, in place of an earlier one; call it in the commit of the job."""
    old = parts_of(extraction_project)
    KeptPart.objects.filter(extraction_project=extraction_project).delete()
    _give_up(key for part in old for key in (part.records_id, part.groups_id))
    for part in new:
        _add_part(extraction_project.pk, job, part)
    ExtractionProject.objects.filter(pk=extraction_project.pk).update(kept_at=timezone.now())


def parts_of(extraction_project: ExtractionProject) -> list[KeptPart]:
    """Return the parts of the snapshot or the ledger, with their files, in their order."""
    rows = KeptPart.objects.filter(extraction_project=extraction_project)
    return list(rows.select_related("records", "groups").order_by("pk"))


def parts_at_borders(extraction_project: ExtractionProject, gone: Iterable[Ids]) -> list[KeptPart]:
    """Return the parts that may hold records of ranges of record ids, and others."""
    found: dict[int, KeptPart] = {}
    for first_id, last_id in gone:
        meets = Q(records__first_id__lte=last_id, records__last_id__gte=first_id)
        goes_on = Q(records__first_id__lt=first_id) | Q(records__last_id__gt=last_id)
        # what was written before there were parts does not say which records it holds
        is_unknown = Q(records__isnull=False, records__first_id=None)
        rows = KeptPart.objects.filter(meets & goes_on | is_unknown, extraction_project=extraction_project)
        found |= {part.pk: part for part in rows.select_related("records")}
    return [found[key] for key in sorted(found)]


def parts_inside(extraction_project: ExtractionProject, ids: Ids) -> QuerySet[KeptPart]:
    """Return the parts that hold records of a range of record ids and no others."""
    first_id, last_id = ids
    return KeptPart.objects.filter(
        extraction_project=extraction_project, records__first_id__gte=first_id, records__last_id__lte=last_id
    )


def replace_part(part: KeptPart, job: Job, new: Iterable[NewPart]) -> None:
    """Let what was written anew take the place of a part; call it in the commit of the job.

    The groups of the part go on to what stays of it: they are read only once that is rolled back as well.
    """
    groups_id = part.groups_id
    KeptPart.objects.filter(pk=part.pk).delete()
    _give_up([part.records_id])
    for one in new:
        if groups_id is not None and one.records is not None:
            _add_part(part.extraction_project_id, job, one, groups_id)
            groups_id = None
        else:
            _add_part(part.extraction_project_id, job, one)
    _give_up([groups_id])


def drop_records(parts: QuerySet[KeptPart]) -> None:
    """Give the records of parts up; call it in the commit of the job.

    Of a ledger, the groups are read in their place. Statements on all at once: there may be thousands.
    """
    Batch.objects.filter(pk__in=parts.order_by().values("records")).update(state=BatchState.REMOVED)
    parts.filter(groups=None).delete()
    parts.update(records=None, sha256="")


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
        snapshots=own.exclude(kept_at=None).filter(kind=ExtractionKind.SNAPSHOT, created_at__gt=since),
        ledgers=own.filter(kind=ExtractionKind.ENDURING, kept_at__gt=since),
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


def _add_part(extraction_project_id: int, job: Job, new: NewPart, groups_id: int | None = None) -> None:
    records = None if new.records is None else add_apart(job, new.records)
    groups = None if new.groups is None else add_apart(job, new.groups)
    KeptPart.objects.create(
        extraction_project_id=extraction_project_id,
        records=records,
        groups_id=groups_id if groups is None else groups.pk,
        sha256=new.sha256,
    )


def _give_up(batch_ids: Iterable[int | None]) -> None:
    found = [key for key in batch_ids if key is not None]
    Batch.objects.filter(pk__in=found).update(state=BatchState.REMOVED)
