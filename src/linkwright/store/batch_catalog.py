"""The catalog's rules: which files a job may see, and how files come to count and cease to.

Rows only; the files themselves are written by `warehouse` and swept by services/sweep_files.py.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, Max, Q, QuerySet, Value
from django.utils import timezone

from linkwright.store.compacted_batches import give_up_compacted
from linkwright.store.models import (
    Batch,
    BatchKind,
    BatchState,
    Envelope,
    Estimation,
    Job,
    LinkageProject,
    MatchConfigurationVersion,
)

_ASIDE = (BatchKind.INDEX, BatchKind.SNAPSHOT, BatchKind.LEDGER, BatchKind.LEDGER_GROUPS)
"""What is worked out from the linkage data, and is no part of it."""
_AT_ONCE = 500


@dataclass(frozen=True)
class NewBatch:
    """A file that a job has written and wants to have counted."""

    kind: BatchKind
    file_name: str
    rows_count: int
    bytes_count: int
    first_id: int | None = None
    last_id: int | None = None


def add_batches(job: Job, batches: Iterable[NewBatch]) -> list[Batch]:
    """Name files as staged; call it in the transaction that ends the job. Returns their rows, in order.

    Those of a job without an Envelope are live at once: no later job of a chain has to make them so.
    """
    project = _project_of(job)
    state = BatchState.LIVE if job.envelope is None else BatchState.STAGED
    return [_add(job, project, batch, state, job.envelope_id) for batch in batches]


def add_on_account(job: Job, envelope_id: int, batch: NewBatch) -> Batch:
    """Name a file that a job without an Envelope wrote as one of a live Envelope's: it goes with that Envelope."""
    return _add(job, _project_of(job), batch, BatchState.LIVE, envelope_id)


def add_apart(job: Job, batch: NewBatch) -> Batch:
    """Name a file, such as a snapshot, that counts at once and goes with no Envelope, whichever job wrote it."""
    return _add(job, _project_of(job), batch, BatchState.LIVE, None)


def _project_of(job: Job) -> LinkageProject:
    if job.project is None:
        raise ValueError(f"job {job.pk} has no project: its files belong to nobody")
    return job.project


def _add(job: Job, project: LinkageProject, batch: NewBatch, state: BatchState, envelope_id: int | None) -> Batch:
    return Batch.objects.create(
        project=project,
        envelope_id=envelope_id,
        job=job,
        kind=batch.kind,
        state=state,
        file_name=batch.file_name,
        rows_count=batch.rows_count,
        bytes_count=batch.bytes_count,
        first_id=batch.first_id,
        last_id=batch.last_id,
        created_at=timezone.now(),
    )


def add_index(job: Job, records: Batch, file_name: str, bytes_count: int) -> None:
    """Name a file as the match index of a records batch, in place of any other; call it as `add_batches`.

    It follows the records batch: whoever gives that up gives up its index.
    """
    now = timezone.now()
    Batch.objects.filter(derived_from=records, kind=BatchKind.INDEX).update(state=BatchState.REMOVED)
    Batch.objects.create(
        project=records.project,
        envelope=records.envelope,
        job=job,
        kind=BatchKind.INDEX,
        state=records.state,
        file_name=file_name,
        rows_count=records.rows_count,
        bytes_count=bytes_count,
        derived_from=records,
        created_at=now,
    )


def index_names(records: Iterable[Batch]) -> dict[str, str]:
    """Return the file name of the match index by the file name of its records batch, as far as there are any."""
    found = Batch.objects.filter(derived_from__in=list(records), kind=BatchKind.INDEX).exclude(
        state=BatchState.REMOVED
    )
    return dict(found.values_list("derived_from__file_name", "file_name"))


def live_batches(project: LinkageProject, kind: BatchKind) -> QuerySet[Batch]:
    """Return the files that are the project, oldest first: what pages and other Envelopes see.

    A compacted file comes in the place of those that it stands for: who brought what cannot be seen from it.
    """
    return Batch.objects.filter(project=project, kind=kind, state=BatchState.LIVE, compacted_into=None)


def original_batches(project: LinkageProject, kind: BatchKind) -> QuerySet[Batch]:
    """Return the project's files as its jobs wrote them, oldest first, compacted since or not.

    For history, replay and undo, which must know the Envelopes apart. The current state is the same, but read from
    many more files.
    """
    return Batch.objects.filter(project=project, kind=kind, state=BatchState.LIVE, position=None)


def own_batches(envelope: Envelope, kind: BatchKind) -> QuerySet[Batch]:
    """Return an Envelope's own files, staged or live, oldest first; as they were written, compacted or not."""
    return Batch.objects.filter(envelope=envelope, kind=kind, state__in=[BatchState.STAGED, BatchState.LIVE])


def held_batches(envelope: Envelope, kind: BatchKind) -> QuerySet[Batch]:
    """Return the project's live files that are not this Envelope's, oldest first: what it is linked against."""
    held = Batch.objects.filter(project=envelope.project, kind=kind, state=BatchState.LIVE, compacted_into=None)
    return held.exclude(envelope=envelope)


def held_originals(envelope: Envelope, kind: BatchKind) -> QuerySet[Batch]:
    """Return the project's live files that are not this Envelope's, as `original_batches`."""
    held = Batch.objects.filter(project=envelope.project, kind=kind, state=BatchState.LIVE, position=None)
    return held.exclude(envelope=envelope)


def visible_batches(envelope: Envelope, kind: BatchKind) -> QuerySet[Batch]:
    """Return what one Envelope's job sees: the live files and its own staged ones, oldest first."""
    return Batch.objects.filter(project=envelope.project, kind=kind, compacted_into=None).filter(
        Q(state=BatchState.LIVE) | Q(state=BatchState.STAGED, envelope=envelope)
    )


def next_id(batches: QuerySet[Batch]) -> int:
    """Return the first free record id or group id, counted from 1, after batches of kind records or assignments.

    Worked out from the files that count, so that undoing an Envelope gives its numbers back.
    """
    last = batches.aggregate(last=Max("last_id"))["last"]
    return 1 if last is None else int(last) + 1


def stand_last(project: LinkageProject, envelope_ids: Collection[int]) -> bool:
    """Tell whether nothing was written to the project after these Envelopes' files: dropping them undoes it."""
    # an index or a compacted file is made anew at any time, and files of extractions are mended: nothing is built
    # upon them
    live = Batch.objects.filter(project=project, state=BatchState.LIVE, position=None)
    live = live.exclude(kind__in=_ASIDE)
    first = live.filter(envelope__in=envelope_ids).order_by("pk").first()
    if first is None:
        return True
    later = live.filter(pk__gt=first.pk).filter(Q(envelope=None) | ~Q(envelope__in=envelope_ids))
    return not later.exists()


def promote(envelope: Envelope) -> None:
    """Make an Envelope's staged files the project's: from here on everybody sees them."""
    Batch.objects.filter(envelope=envelope, state=BatchState.STAGED).update(state=BatchState.LIVE)


def demote(envelope: Envelope) -> None:
    """Hide an Envelope's files again until a retry: it failed, and must have changed nothing."""
    give_up_compacted(Batch.objects.filter(envelope=envelope))
    Batch.objects.filter(envelope=envelope, state=BatchState.LIVE).update(state=BatchState.STAGED)


def remove(envelope: Envelope) -> None:
    """Give up all of an Envelope's files, and what was estimated from them; the sweep deletes them from disk.

    Exact as long as no later Envelope of the project has been grouped since: the chain that is under way, or the
    last one.
    """
    remove_files(envelope)
    Estimation.objects.filter(envelope=envelope, applied_version=None).delete()


def with_files(envelopes: Sequence[Envelope]) -> list[Envelope]:
    """Return those Envelopes for which files were written, or an estimation."""
    written: set[int | None] = set()
    for start in range(0, len(envelopes), _AT_ONCE):
        keys = [envelope.pk for envelope in envelopes[start : start + _AT_ONCE]]
        written.update(Batch.objects.filter(envelope__in=keys).values_list("envelope", flat=True))
        written.update(Estimation.objects.filter(envelope__in=keys).values_list("envelope", flat=True))
    return [envelope for envelope in envelopes if envelope.pk in written]


def remove_files(envelope: Envelope) -> None:
    """Give up all of an Envelope's files, but not what was estimated from them."""
    give_up_compacted(Batch.objects.filter(envelope=envelope))
    Batch.objects.filter(envelope=envelope).update(state=BatchState.REMOVED)


def remove_staged_of_others(envelope: Envelope) -> None:
    """Give up what failed Envelopes of the project left staged: once another one runs, no retry can use it."""
    Batch.objects.filter(project=envelope.project, state=BatchState.STAGED).exclude(envelope=envelope).update(
        state=BatchState.REMOVED
    )


def naming_rows() -> tuple[QuerySet[Any, tuple[Any, ...]], ...]:
    """Return all rows that make a file count, of every project: batches, staged or live, and term frequencies.

    Each gives the project's key, the file's name and its size in bytes, or None where that is not kept. What is
    not among them is swept, and is in no backup.
    """
    columns = ("project_id", "file_name", "bytes_count")
    batches = Batch.objects.exclude(state=BatchState.REMOVED).order_by("pk").values_list(*columns)
    unknown_size: Any = Value(None, output_field=BigIntegerField())
    frequencies = ("project_id", "term_frequencies", unknown_size)
    return (
        batches,
        *(
            model.objects.exclude(term_frequencies="").order_by("pk").values_list(*frequencies)
            for model in (MatchConfigurationVersion, Estimation)
        ),
    )


def counted_file_names(project: LinkageProject) -> set[str]:
    """Return the names of all files of a project that count (see `naming_rows`)."""
    return {name for rows in naming_rows() for _project, name, _bytes in rows.filter(project=project)}
