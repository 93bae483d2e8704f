"""Group: accepted pairs become groups, and the Envelope's data becomes the project's, in one commit."""

import math
from typing import Any

from linkwright.engine.grouping import GroupingConfiguration
from linkwright.engine.id_arrays import NO_IDS
from linkwright.engine.links import Refusal
from linkwright.envelopes.manifest import RequestType
from linkwright.jobs.context import JobContext, JobError, JobResult
from linkwright.jobs.flagged import FLAG_REASONS, authoritative_codes, flagged_tables
from linkwright.jobs.written_batch import written_batch
from linkwright.store import batch_catalog
from linkwright.store.models import BatchKind, Severity
from linkwright.warehouse.flagged_groups import FlagReason
from linkwright.warehouse.group import GroupRequest, group_records
from linkwright.warehouse.group_result import FlaggedGroups, GroupResult
from linkwright.warehouse.record_views import read_record_ids
from linkwright.warehouse.regroup import RegroupRequest, regroup_records

REGROUPED = (RequestType.SUBMIT_DELETION, RequestType.SUBMIT_QUALITY_REVIEW)
"""What asks for groups to be worked out anew, and brings no records."""


def run_group(context: JobContext) -> JobResult:
    """Group the new records with each other and with the live map; on commit, everybody sees them.

    Raises:
        JobError: if Match has not been run.
    """
    envelope, project = context.envelope, context.project
    if envelope.request_type in REGROUPED:
        return _run_regroup(context)
    if envelope.match_configuration is None:
        raise JobError(f"{envelope.name} has not been matched. Retry its Match job, or submit the Envelope again.")
    if batch_catalog.own_batches(envelope, BatchKind.ENDS).exists():
        context.audit("Records were replaced: the groups that their old versions were part of are worked out anew")
        return _run_regroup(context)
    result = group_records(
        GroupRequest(
            new_records=context.paths(batch_catalog.own_batches(envelope, BatchKind.RECORDS)),
            held_records=context.paths(batch_catalog.held_batches(envelope, BatchKind.RECORDS)),
            new_pairs=context.paths(batch_catalog.own_batches(envelope, BatchKind.PAIRS)),
            held_pairs=context.paths(batch_catalog.held_batches(envelope, BatchKind.PAIRS)),
            assignments=context.paths(batch_catalog.held_batches(envelope, BatchKind.ASSIGNMENTS)),
            ended=context.paths(batch_catalog.visible_batches(envelope, BatchKind.ENDS)),
            decisions=context.paths(batch_catalog.visible_batches(envelope, BatchKind.DECISIONS)),
            configuration=GroupingConfiguration.model_validate(project.grouping),
            authoritative_event_types=authoritative_codes(project),
            next_group_id=batch_catalog.next_id(batch_catalog.visible_batches(envelope, BatchKind.ASSIGNMENTS)),
            target=context.project_folder / f"{context.stem}-assignments.parquet",
            limits=context.limits,
        ),
        context.report,
    )
    return _finished(context, result)


def _run_regroup(context: JobContext) -> JobResult:
    """Work the groups out anew that a deletion, a Quality Review or new versions of records touch."""
    envelope, project = context.envelope, context.project
    own = [
        *batch_catalog.own_batches(envelope, BatchKind.ENDS),
        *batch_catalog.own_batches(envelope, BatchKind.DECISIONS),
    ]
    result = regroup_records(
        RegroupRequest(
            touched_group_ids=NO_IDS,
            touched_record_ids=read_record_ids(context.limits, context.paths(own)),
            records=context.paths(batch_catalog.visible_batches(envelope, BatchKind.RECORDS)),
            pairs=context.paths(batch_catalog.visible_batches(envelope, BatchKind.PAIRS)),
            assignments=context.paths(batch_catalog.held_batches(envelope, BatchKind.ASSIGNMENTS)),
            arrivals=context.paths(batch_catalog.held_originals(envelope, BatchKind.ASSIGNMENTS)),
            ended=context.paths(batch_catalog.visible_batches(envelope, BatchKind.ENDS)),
            decisions=context.paths(batch_catalog.visible_batches(envelope, BatchKind.DECISIONS)),
            configuration=GroupingConfiguration.model_validate(project.grouping),
            authoritative_event_types=authoritative_codes(project),
            next_group_id=batch_catalog.next_id(batch_catalog.visible_batches(envelope, BatchKind.ASSIGNMENTS)),
            target=context.project_folder / f"{context.stem}-assignments.parquet",
            limits=context.limits,
            new_records=context.paths(batch_catalog.own_batches(envelope, BatchKind.RECORDS)),
        ),
        context.report,
    )
    return _finished(context, result)


def _finished(context: JobContext, result: GroupResult) -> JobResult:
    for text in group_warnings(result):
        context.notify(Severity.WARNING, text)

    def commit() -> None:
        written = result.assignments
        batch = written_batch(BatchKind.ASSIGNMENTS, written, last_id=result.max_group_id)
        batch_catalog.add_batches(context.job, [batch])
        batch_catalog.promote(context.envelope)

    return JobResult(statistics=group_statistics(result), commit=commit)


def group_warnings(result: GroupResult) -> list[str]:
    """Return what an operator should know of a Group or Regroup: one full text each."""
    warnings = []
    if result.flagged.count:
        warnings.append(_flagged_text(result.flagged))
    if result.contradictions_count:
        first = result.contradictions[0]
        warnings.append(
            f"{_counted(result.contradictions_count, 'Quality Review decision')} about these groups cannot hold. "
            f"The first: {first} The statistics of the job list them."
        )
    return warnings


def group_statistics(result: GroupResult) -> dict[str, Any]:
    """Return the statistics of a Group or Regroup as they are stored with the job."""
    counts = result.counts
    return {
        "groups_before_count": counts.groups_before_count,
        "groups_after_count": counts.groups_after_count,
        "accepted_pairs_count": result.accepted_pairs_count,
        "new_groups_count": result.new_groups_count,
        "joined_records_count": result.joined_records_count,
        "merged_groups_count": result.merged_groups_count,
        "split_groups_count": result.split_groups_count,
        "ignored_merges_count": result.ignored.count,
        "ignored_pairs_count": result.ignored.pairs_count,
        "regrouped_records_count": result.changed_records_count,
        "largest_group_size": counts.largest_group_size,
        "flagged_groups_count": result.flagged.count,
        "contradictions_count": result.contradictions_count,
        "sizes": [{"group_size": one.records_count, "groups_count": one.groups_count} for one in counts.sizes],
        **flagged_tables(result.flagged),
        "ignored_merges": [
            {
                "group_id": one.group_id_l,
                "other_group_id": one.group_id_r,
                "record_id": one.record_id_l,
                "other_record_id": one.record_id_r,
                # JSON knows no infinity: a deterministic pair has no weight
                "match_weight": one.match_weight if math.isfinite(one.match_weight) else None,
                "reason": _REFUSALS[one.reason],
            }
            for one in result.ignored.named
        ],
        "contradictions": list(result.contradictions),
        "stages": [{"stage": stage, "seconds": round(spent, 4)} for stage, spent in result.seconds.items()],
    }


_REFUSALS = {
    Refusal.APART: "put apart by a Quality Review",
    Refusal.AUTHORITATIVE: "one record per authoritative Event Type",
    Refusal.EXISTING: "both groups existed before",
}


def _flagged_text(flagged: FlaggedGroups) -> str:
    reasons = "; ".join(
        f"{FLAG_REASONS[FlagReason(reason)]}: {count:,}" for reason, count in flagged.by_reason.items()
    )
    first = flagged.named[0]
    event_type = f" ({first.records_count} of {first.event_type})" if first.event_type else ""
    return (
        f"{_counted(flagged.count, 'group')} should be looked at: {reasons}. The first is group {first.group_id}, "
        f"{FLAG_REASONS[FlagReason(first.reason)]}{event_type}. The statistics of the job list them."
    )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
