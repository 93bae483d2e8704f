"""Rollback: everything that an Envelope changed in its project is undone; it is as if it had never been loaded.

The latest Envelope goes by dropping its files, whatever their size. If later data was built upon it and stays, its
records end, those that it had ended come back, and the groups that they touch are worked out anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from linkwright.engine.grouping import GroupingConfiguration
from linkwright.engine.id_arrays import NO_IDS
from linkwright.engine.progress import Progress
from linkwright.jobs.context import UNDONE_ENVELOPES, JobContext, JobError, JobResult
from linkwright.jobs.flagged import authoritative_codes
from linkwright.jobs.forget import forget_envelope
from linkwright.jobs.group import group_statistics
from linkwright.jobs.purge import why_purged
from linkwright.jobs.returning import Returned, bring_back
from linkwright.jobs.rollback_extractions import MendedExtractions, mend_extractions
from linkwright.jobs.written_batch import written_batch
from linkwright.store import batch_catalog
from linkwright.store.batch_catalog import NewBatch
from linkwright.store.models import Batch, BatchKind, Envelope, EnvelopeState
from linkwright.warehouse.regroup import RegroupRequest
from linkwright.warehouse.undo import UndoRequest, UndoResult, undo_records

ENVELOPES, REASON = UNDONE_ENVELOPES, "reason"
"""Parameters of the job: ids of the Envelopes, the newest first; why."""


@dataclass(frozen=True)
class _Written:
    """What the job has written and wants to have counted; `undone` only if later data stays."""

    undone: UndoResult | None
    returned: Returned
    mended: MendedExtractions


def run_rollback(context: JobContext) -> JobResult:
    """Undo one Envelope, with later reviews or with all later ones.

    Raises:
        JobError: if an Envelope is not one that can be undone any more, or records that it ended were purged.
    """
    ids = [int(key) for key in context.job.parameters[ENVELOPES]]
    found = {envelope.pk: envelope for envelope in Envelope.objects.filter(pk__in=ids)}
    envelopes = [found[key] for key in ids]
    gone = [envelope.name for envelope in envelopes if envelope.state != EnvelopeState.SUCCESS]
    if gone:
        raise JobError(
            f"{', '.join(gone)} cannot be rolled back any more: only an Envelope that ended in Success can. "
            "Nothing was changed; look at the list of Envelopes."
        )
    refusal = why_purged(context.config, envelopes)
    if refusal:
        raise JobError(f"{refusal} Nothing was changed.")
    context.report(Progress("drop", 0, len(envelopes), "Envelopes"))
    undone, returned = None, Returned()
    if not batch_catalog.stand_last(context.project, ids):
        context.audit("Later data stays: the groups that were touched are worked out anew")
        undone, returned = _undo(context, set(ids))
    mended = mend_extractions(context, ids)
    return JobResult(
        statistics={**_statistics(envelopes, undone, returned), **mended.statistics()},
        commit=_commit(context, envelopes, _Written(undone, returned, mended)),
    )


def _undo(context: JobContext, gone: set[int]) -> tuple[UndoResult, Returned]:
    """Write the ends of the Envelopes' records, and the groups without them and their decisions."""
    project = context.project
    # who brought what is to be told apart: what was compacted is read from the files that it was made of
    live = {
        kind: list(batch_catalog.original_batches(project, kind).select_related("envelope__match_configuration"))
        for kind in BatchKind
    }
    kept: dict[BatchKind, list[Batch]] = {kind: [] for kind in BatchKind}
    own: dict[BatchKind, list[Batch]] = {kind: [] for kind in BatchKind}
    for kind, batches in live.items():
        for batch in batches:
            (own if batch.envelope_id in gone else kept)[kind].append(batch)
    returned = bring_back(context, kept, own)
    remaining = RegroupRequest(
        touched_group_ids=NO_IDS,
        touched_record_ids=NO_IDS,
        records=context.paths(kept[BatchKind.RECORDS]),
        pairs=(*context.paths(kept[BatchKind.PAIRS]), *returned.files.get(BatchKind.PAIRS, ())),
        assignments=context.paths(kept[BatchKind.ASSIGNMENTS]),
        arrivals=context.paths(kept[BatchKind.ASSIGNMENTS]),
        ended=(*context.paths(kept[BatchKind.ENDS]), *returned.files.get(BatchKind.ENDS, ())),
        decisions=context.paths(kept[BatchKind.DECISIONS]),
        configuration=GroupingConfiguration.model_validate(project.grouping),
        authoritative_event_types=authoritative_codes(project),
        next_group_id=batch_catalog.next_id(batch_catalog.live_batches(project, BatchKind.ASSIGNMENTS)),
        target=context.project_folder / f"{context.stem}-assignments.parquet",
        limits=context.limits,
    )
    request = UndoRequest(
        remaining=remaining,
        assignments=context.paths(live[BatchKind.ASSIGNMENTS]),
        dropped_records=context.paths(own[BatchKind.RECORDS]),
        dropped_assignments=context.paths(own[BatchKind.ASSIGNMENTS]),
        released=context.paths([*own[BatchKind.ENDS], *own[BatchKind.DECISIONS]]),
        ends_target=context.project_folder / f"{context.stem}-ends.parquet",
    )
    return undo_records(request, context.report), returned


def _commit(context: JobContext, envelopes: Sequence[Envelope], written: _Written) -> Callable[[], None]:
    def commit() -> None:
        for envelope in envelopes:
            batch_catalog.remove(envelope)
            forget_envelope(envelope)
        Envelope.objects.filter(pk__in=[envelope.pk for envelope in envelopes]).update(
            state=EnvelopeState.ROLLED_BACK
        )
        if written.undone is not None:
            written.returned.commit(context)
            ends, _assignments = batch_catalog.add_batches(context.job, _batches(written.undone))
            # the files that held these records go with them: a Purge finds nothing to blank
            Batch.objects.filter(pk=ends.pk).update(purged_at=timezone.now())
        written.mended.commit(context)

    return commit


def _batches(undone: UndoResult) -> list[NewBatch]:
    written, ends = undone.groups.assignments, undone.ends
    return [
        written_batch(BatchKind.ENDS, ends, last_id=undone.last_record_id),
        written_batch(BatchKind.ASSIGNMENTS, written, last_id=undone.groups.max_group_id),
    ]


def _statistics(envelopes: Sequence[Envelope], undone: UndoResult | None, returned: Returned) -> dict[str, Any]:
    statistics: dict[str, Any] = {
        "envelopes": [
            {"envelope": envelope.name, "records_count": envelope.records_count or 0} for envelope in envelopes
        ],
        "records_count": sum(envelope.records_count or 0 for envelope in envelopes),
    }
    if undone is not None:
        statistics["returning_records_count"] = returned.returning_count
        statistics |= group_statistics(undone.groups)
    return statistics
