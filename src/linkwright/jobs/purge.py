"""Purge: the identifying values of ended records are blanked on disk, for good.

What stays of them is the record id and the Event Type. Everything else that could hold their values goes, too:
match indexes and compacted files are written anew, rejected rows and received Envelopes deleted, texts blanked.
"""

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from django.db.models import Q
from django.utils import timezone

from linkwright.config import ServerConfig
from linkwright.engine.id_arrays import Ids
from linkwright.engine.progress import Progress
from linkwright.jobs.compact import make_index
from linkwright.jobs.context import JobContext, JobError, JobResult, package_limits, project_folder
from linkwright.jobs.due_ends import ENDED_BEFORE, due_ends
from linkwright.jobs.forget import PurgedTexts, blank_texts, find_texts
from linkwright.jobs.group import REGROUPED
from linkwright.jobs.listed_rows import lines_of
from linkwright.store import batch_catalog
from linkwright.store.models import Batch, BatchKind, BatchState, Envelope
from linkwright.warehouse.limits import WrittenFile
from linkwright.warehouse.purge import purge_file, read_ids, values_gone, within


@dataclass
class _Rewritten:
    """The files that are written anew, by the batch that gets them."""

    files: dict[Batch, WrittenFile] = field(default_factory=dict)
    indexes: dict[Batch, WrittenFile] = field(default_factory=dict)
    values: set[str] = field(default_factory=set)
    identifiers: set[str] = field(default_factory=set)


def run_purge(context: JobContext) -> JobResult:
    """Write every file anew that holds values of ended records.

    Raises:
        StorageError: if a file cannot be read or written; nothing is changed then.
        JobError: on commit, if a file was replaced meanwhile.
    """
    project = context.project
    ended_before = datetime.fromisoformat(context.job.parameters[ENDED_BEFORE])
    ends = list(due_ends(project, ended_before))
    ids = read_ids(context.paths(ends))
    rewritten = _rewrite(context, ids)
    naming = [*ends, *_lists_of(context, rewritten.identifiers)]
    texts = _texts(context, rewritten)
    now = timezone.now()

    def commit() -> None:
        for batch, written in rewritten.files.items():
            _replace(batch, written, now)
        _replace_indexes(context, rewritten)
        Batch.objects.filter(pk__in=[batch.pk for batch in naming]).update(purged_at=now)
        brought = {batch.envelope_id for batch in rewritten.files if batch.envelope_id is not None}
        rejects = Batch.objects.filter(envelope__in=brought, kind=BatchKind.REJECTS)
        rejects.update(state=BatchState.REMOVED)
        blank_texts(texts)

    envelopes = {batch.envelope_id for batch in (*rewritten.files, *naming) if batch.envelope_id is not None}
    return JobResult(statistics=_statistics(rewritten, ids, len(envelopes), texts), commit=commit)


def why_purged(config: ServerConfig, envelopes: Sequence[Envelope]) -> str:
    """Return the sentence that says why undoing these Envelopes would bring blank records back, or ''.

    It would not if they brought all the purged records that they ended: these go with them.
    """
    own = Batch.objects.filter(envelope__in=envelopes, state=BatchState.LIVE)
    ranges = [
        (first, last)
        for first, last in own.filter(kind=BatchKind.RECORDS).values_list("first_id", "last_id")
        if first is not None and last is not None
    ]
    purged = own.filter(kind=BatchKind.ENDS, purged_at__isnull=False)
    for batch in purged.select_related("project", "envelope"):
        ids = read_ids([project_folder(config, batch.project) / batch.file_name])
        blank = int((~within(ids, ranges)).sum())
        if blank and batch.purged_at is not None:
            return (
                f"{batch.envelope.name if batch.envelope else batch} ended {blank:,} records, and its records "
                f"were purged on {batch.purged_at:%Y-%m-%d}: their values are gone, so that it cannot be rolled "
                "back. Send the records again if they are needed."
            )
    return ""


def _rewrite(context: JobContext, ids: Ids) -> _Rewritten:
    """Write the records and aux files anew that hold these records, compacted files and indexes as well."""
    rewritten = _Rewritten()
    live = Batch.objects.filter(project=context.project, state=BatchState.LIVE)
    found = [batch for batch in live.filter(kind=BatchKind.RECORDS) if _may_hold(batch, ids)]
    jobs = {batch.job_id for batch in found if batch.position is None}
    found += list(live.filter(kind=BatchKind.AUX, job__in=jobs))
    for number, batch in enumerate(found):
        context.report(Progress("Purging", number, len(found), "files"))
        target = context.project_folder / f"{context.stem}-{number}-{batch.kind}.parquet"
        (source,) = context.paths([batch])
        purged = purge_file(source, ids, target)
        if purged is None:
            continue
        rewritten.files[batch] = purged.written
        rewritten.values |= purged.values
        rewritten.identifiers |= purged.identifiers
        if batch.kind == BatchKind.RECORDS and batch_catalog.index_names([batch]):
            index = make_index(context, rewritten.files[batch], number)
            if index is not None:
                rewritten.indexes[batch] = index
    context.report(Progress("Committing", len(found), len(found), "files"))
    return rewritten


def _may_hold(batch: Batch, ids: Ids) -> bool:
    if batch.first_id is None or batch.last_id is None:
        return True
    first, end = np.searchsorted(ids, [batch.first_id, batch.last_id + 1])
    return bool(end > first)


def _lists_of(context: JobContext, identifiers: set[str]) -> list[Batch]:
    """Return the assignments of Envelopes that list these Source Unique IDs: what was received goes, too."""
    grouped = batch_catalog.original_batches(context.project, BatchKind.ASSIGNMENTS).select_related("envelope")
    return [
        batch
        for batch in grouped.filter(envelope__request_type__in=REGROUPED).exclude(envelope__file_name="")
        if batch.envelope is not None
        and _lists(context.config.incoming_folder / batch.envelope.file_name, identifiers)
    ]


def _lists(path: Path, identifiers: set[str]) -> bool:
    if not path.is_file():
        return False
    return any(
        not identifiers.isdisjoint([line, *(value.strip() for value in next(csv.reader([line])))])
        for _data_file, lines in lines_of(path, package_limits())
        for _number, line in lines
    )


def _texts(context: JobContext, rewritten: _Rewritten) -> PurgedTexts:
    """Find what statistics, Notifications and audit messages say of these records."""
    after: Mapping[int, str] = {batch.pk: written.path.name for batch, written in rewritten.files.items()}
    folder = context.project_folder
    records = batch_catalog.live_batches(context.project, BatchKind.RECORDS)
    ends = batch_catalog.live_batches(context.project, BatchKind.ENDS)
    values: Collection[str] = ()
    if rewritten.values:
        kept = [folder / after.get(batch.pk, batch.file_name) for batch in records]
        values = values_gone(context.limits, rewritten.values, kept, context.paths(ends))
    brought = {batch.envelope_id for batch in rewritten.files if batch.envelope_id is not None}
    return find_texts(context.project, brought, values)


def _replace(batch: Batch, written: WrittenFile, at: datetime) -> None:
    changed = Batch.objects.filter(pk=batch.pk, file_name=batch.file_name, state=BatchState.LIVE).update(
        file_name=written.path.name, bytes_count=written.bytes_count, purged_at=at
    )
    if changed != 1 or written.rows_count != batch.rows_count:
        raise JobError(
            f"{batch.file_name} was replaced or given up, or holds other rows than the catalog says. Nothing was "
            "changed; run `linkwright doctor`, then retry the job."
        )


def _replace_indexes(context: JobContext, rewritten: _Rewritten) -> None:
    old = Batch.objects.filter(Q(derived_from__in=list(rewritten.files)), kind=BatchKind.INDEX)
    old.update(state=BatchState.REMOVED)
    for batch, index in rewritten.indexes.items():
        batch_catalog.add_index(context.job, batch, index.path.name, index.bytes_count)


def _statistics(rewritten: _Rewritten, ids: Ids, envelopes_count: int, texts: PurgedTexts) -> dict[str, Any]:
    return {
        "records_count": int(ids.size),
        "files_rewritten_count": len(rewritten.files),
        "rewritten_bytes": sum(written.bytes_count for written in rewritten.files.values()),
        "envelopes_count": envelopes_count,
        "texts_blanked_count": texts.count,
        "rewritten": [
            {"kind": batch.kind, "rows_count": written.rows_count, "size_bytes": written.bytes_count}
            for batch, written in rewritten.files.items()
        ],
    }
