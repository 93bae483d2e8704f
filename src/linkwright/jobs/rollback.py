"""Rollback: everything that an Envelope changed in its project is undone; it is as if it had never been loaded.

The latest Envelope goes by dropping its files, whatever their size. If later data was built upon it and stays, its
records end, and the groups that they touched are worked out anew.
"""

from collections.abc import Callable, Sequence
from typing import Any

from linkwright.engine.grouping import NO_IDS, GroupingConfiguration
from linkwright.engine.progress import Progress
from linkwright.jobs.context import UNDONE_ENVELOPES, JobContext, JobError, JobResult
from linkwright.jobs.group import authoritative_codes, group_statistics
from linkwright.store import batch_catalog
from linkwright.store.batch_catalog import NewBatch
from linkwright.store.models import AuditMessage, Batch, BatchKind, Envelope, EnvelopeState, Job, Notification
from linkwright.warehouse.regroup import RegroupRequest
from linkwright.warehouse.undo import UndoRequest, UndoResult, undo_records

ENVELOPES, REASON = UNDONE_ENVELOPES, "reason"
"""Parameters of the job: ids of the Envelopes, the newest first; why."""

STAGE_ENDING = ": started"
"""How audit messages end that say a stage has begun: they name no values."""

FORGOTTEN_TEXT = "This text named values of data that was rolled back, and was removed with it."


def run_rollback(context: JobContext) -> JobResult:
    """Undo one Envelope, with later reviews or with all later ones.

    Raises:
        JobError: if an Envelope is not one that can be undone any more.
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
    context.report(Progress("drop", 0, len(envelopes), "Envelopes"))
    undone = None
    if not batch_catalog.stand_last(context.project, ids):
        context.audit("Later data stays: the groups that were touched are worked out anew")
        undone = _undo(context, set(ids))
    return JobResult(statistics=_statistics(envelopes, undone), commit=_commit(context, envelopes, undone))


def _undo(context: JobContext, gone: set[int]) -> UndoResult:
    """Write the ends of the Envelopes' records, and the groups without them and their decisions."""
    project = context.project
    live = {kind: list(batch_catalog.live_batches(project, kind)) for kind in BatchKind}
    kept: dict[BatchKind, list[Batch]] = {kind: [] for kind in BatchKind}
    own: dict[BatchKind, list[Batch]] = {kind: [] for kind in BatchKind}
    for kind, batches in live.items():
        for batch in batches:
            (own if batch.envelope_id in gone else kept)[kind].append(batch)
    remaining = RegroupRequest(
        touched_group_ids=NO_IDS,
        touched_record_ids=NO_IDS,
        records=context.paths(kept[BatchKind.RECORDS]),
        pairs=context.paths(kept[BatchKind.PAIRS]),
        assignments=context.paths(kept[BatchKind.ASSIGNMENTS]),
        ended=context.paths(kept[BatchKind.ENDS]),
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
    return undo_records(request, context.report)


def _commit(context: JobContext, envelopes: Sequence[Envelope], undone: UndoResult | None) -> Callable[[], None]:
    def commit() -> None:
        for envelope in envelopes:
            batch_catalog.remove(envelope)
            _forget(envelope)
        Envelope.objects.filter(pk__in=[envelope.pk for envelope in envelopes]).update(
            state=EnvelopeState.ROLLED_BACK
        )
        if undone is not None:
            batch_catalog.add_batches(context.job, _batches(undone))

    return commit


def _batches(undone: UndoResult) -> list[NewBatch]:
    written, ends = undone.groups.assignments, undone.ends
    return [
        NewBatch(BatchKind.ENDS, ends.path.name, ends.rows_count, ends.bytes_count, last_id=undone.last_record_id),
        NewBatch(
            BatchKind.ASSIGNMENTS,
            written.path.name,
            written.rows_count,
            written.bytes_count,
            last_id=undone.groups.max_group_id,
        ),
    ]


def _forget(envelope: Envelope) -> None:
    """Blank the values of the Envelope's data that statistics, Notifications and audit messages name."""
    for job in Job.objects.filter(envelope=envelope):
        blocks = job.statistics.get("largest_blocks", [])
        if blocks:
            job.statistics["largest_blocks"] = [{**block, "values": ""} for block in blocks]
            job.save(update_fields=["statistics"])
        if job.error_message:
            Job.objects.filter(pk=job.pk).update(error_message=FORGOTTEN_TEXT, error_with_values="")
    Notification.objects.filter(envelope=envelope).update(text=FORGOTTEN_TEXT, with_values="")
    told = AuditMessage.objects.filter(job__envelope=envelope).exclude(text__endswith=STAGE_ENDING)
    told.update(text=FORGOTTEN_TEXT, with_values="")


def _statistics(envelopes: Sequence[Envelope], undone: UndoResult | None) -> dict[str, Any]:
    statistics: dict[str, Any] = {
        "envelopes": [
            {"envelope": envelope.name, "records_count": envelope.records_count or 0} for envelope in envelopes
        ],
        "records_count": sum(envelope.records_count or 0 for envelope in envelopes),
    }
    if undone is not None:
        statistics |= group_statistics(undone.groups)
    return statistics
