"""The catalog's rules for compacted files: how one comes to be read in the place of many, and how it is given up.

A compacted file is derived, as a match index is: its originals stay, hidden from ordinary reading, for history,
replay and undo. Rows only; see docs/decisions/0019.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from linkwright.engine.compaction import Piece, plan_compaction
from linkwright.errors import LinkwrightError
from linkwright.store.models import Batch, BatchKind, BatchState, Job, LinkageProject

COMPACTED_KINDS = (
    BatchKind.RECORDS,
    BatchKind.PAIRS,
    BatchKind.ASSIGNMENTS,
    BatchKind.ENDS,
    BatchKind.DECISIONS,
)
"""What is read as a whole. Columns kept apart (aux) and rejected rows are looked up one file at a time."""


class StaleRunError(LinkwrightError):
    """What was compacted is no longer what counts."""


@dataclass(frozen=True)
class CompactedFile:
    """A file that stands for many.

    Args:
        kind: of all of them.
        originals: ids of the batches that it stands for, the oldest first; compacted already or not.
        file_name: in the project's folder.
        rows_count: of the file.
        bytes_count: of the file.
    """

    kind: BatchKind
    originals: tuple[int, ...]
    file_name: str
    rows_count: int
    bytes_count: int


def compacted_batches(project: LinkageProject) -> QuerySet[Batch]:
    """Return the compacted files of a project."""
    return Batch.objects.filter(project=project, state=BatchState.LIVE, position__isnull=False)


def plan_project(project: LinkageProject, damaged: Collection[int] = ()) -> dict[BatchKind, list[list[Piece]]]:
    """Say which files of a project become one, by kind; kinds without any are left out.

    Args:
        project: whose files.
        damaged: ids of compacted files that are not to be read any more; what they stand for is compacted anew.
    """
    live = Batch.objects.filter(project=project, state=BatchState.LIVE).exclude(pk__in=damaged)
    live = live.filter(Q(compacted_into=None) | Q(compacted_into__in=damaged))
    pieces: dict[str, list[Piece]] = {kind: [] for kind in COMPACTED_KINDS}
    for key, kind, rows_count, is_compacted in (
        live.filter(kind__in=COMPACTED_KINDS)
        .annotate(files_count=Count("originals"))
        .values_list("pk", "kind", "rows_count", "files_count")
    ):
        pieces[kind].append(Piece(key, rows_count, is_compacted))
    plans = {kind: plan_compaction(pieces[kind]) for kind in COMPACTED_KINDS}
    return {kind: runs for kind, runs in plans.items() if runs}


def originals_of(pieces: Collection[Piece]) -> QuerySet[Batch]:
    """Return the original batches of some pieces, the oldest first."""
    compacted = [piece.key for piece in pieces if piece.files_count]
    single = [piece.key for piece in pieces if not piece.files_count]
    return Batch.objects.filter(compacted_into__in=compacted) | Batch.objects.filter(pk__in=single)


def add_compacted(job: Job, project: LinkageProject, made: CompactedFile) -> Batch:
    """Have a compacted file read from now on; call it in the transaction that ends the job.

    Compacted files that stood for some of its originals are given up, and so are the originals' match indexes.

    Raises:
        StaleRunError: if an original no longer counts.
    """
    originals = Batch.objects.filter(project=project, pk__in=made.originals)
    counts = originals.filter(kind=made.kind, state=BatchState.LIVE, position=None)
    first_ids, last_ids = zip(*counts.values_list("first_id", "last_id"), strict=True)
    if len(last_ids) != len(made.originals):
        raise StaleRunError(
            f"{len(made.originals) - len(last_ids)} of {len(made.originals)} files of {project.code} no longer "
            "count: they were given up while they were compacted. Nothing was changed; compact again."
        )
    give_up_compacted(originals)
    compacted = Batch.objects.create(
        project=project,
        job=job,
        kind=made.kind,
        state=BatchState.LIVE,
        file_name=made.file_name,
        rows_count=made.rows_count,
        bytes_count=made.bytes_count,
        first_id=min((one for one in first_ids if one is not None), default=None),
        last_id=max((one for one in last_ids if one is not None), default=None),
        position=max(made.originals),
        created_at=timezone.now(),
    )
    originals.update(compacted_into=compacted)
    indexes = Batch.objects.filter(derived_from__in=originals, kind=BatchKind.INDEX)
    indexes.exclude(state=BatchState.REMOVED).update(state=BatchState.REMOVED)
    return compacted


def give_up_compacted(batches: QuerySet[Batch]) -> None:
    """Give up the compacted files that stand for any of these: all that they stand for is read again itself."""
    found = batches.exclude(compacted_into=None).order_by().values_list("compacted_into", flat=True)
    give_up({key for key in found if key is not None})


def give_up(keys: Collection[int]) -> None:
    """Give up these compacted files, with their match indexes."""
    if not keys:
        return
    Batch.objects.filter(compacted_into__in=keys).update(compacted_into=None)
    Batch.objects.filter(pk__in=keys).update(state=BatchState.REMOVED)
    Batch.objects.filter(derived_from__in=keys, kind=BatchKind.INDEX).update(state=BatchState.REMOVED)
