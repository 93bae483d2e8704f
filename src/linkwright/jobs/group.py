"""Group: accepted pairs become groups, and the Envelope's data becomes the project's, in one commit."""

from dataclasses import asdict
from typing import Any

from linkwright.engine.strategy import parse_match_configuration
from linkwright.jobs.context import JobContext, JobError, JobResult
from linkwright.jobs.project_form import linkage_fields
from linkwright.store import batch_catalog
from linkwright.store.batch_catalog import NewBatch
from linkwright.store.models import BatchKind, Severity
from linkwright.warehouse.group import GroupRequest, GroupResult, group_records


def run_group(context: JobContext) -> JobResult:
    """Group the new records with each other and with the live map; on commit, everybody sees them.

    Raises:
        JobError: if Match has not been run.
    """
    envelope, project = context.envelope, context.project
    version = envelope.match_configuration
    if version is None:
        raise JobError(f"{envelope.name} has not been matched. Retry its Match job, or submit the Envelope again.")
    configuration = parse_match_configuration(version.definition, linkage_fields(project))
    authoritative = project.event_types.filter(authoritative=True).values_list("code", flat=True)
    result = group_records(
        GroupRequest(
            new_records=context.paths(batch_catalog.own_batches(envelope, BatchKind.RECORDS)),
            held_records=context.paths(batch_catalog.held_batches(envelope, BatchKind.RECORDS)),
            new_pairs=context.paths(batch_catalog.own_batches(envelope, BatchKind.PAIRS)),
            assignments=context.paths(batch_catalog.held_batches(envelope, BatchKind.ASSIGNMENTS)),
            ended=(),
            match_thresholds=configuration.match_thresholds,
            authoritative_event_types=tuple(sorted(authoritative)),
            next_group_id=batch_catalog.next_id(envelope, BatchKind.ASSIGNMENTS),
            target=context.project_folder / f"{context.stem}-assignments.parquet",
            limits=context.limits,
        ),
        context.report,
    )
    if result.flagged_groups_count:
        context.notify(Severity.WARNING, _flagged_text(result))

    def commit() -> None:
        written = result.assignments
        batch = NewBatch(
            BatchKind.ASSIGNMENTS,
            written.path.name,
            written.rows_count,
            written.bytes_count,
            last_id=result.max_group_id,
        )
        batch_catalog.add_batches(context.job, [batch])
        batch_catalog.promote(envelope)

    return JobResult(statistics=_statistics(result), commit=commit)


def _flagged_text(result: GroupResult) -> str:
    first = result.flagged_groups[0]
    return (
        f"{result.flagged_groups_count:,} groups hold more than one record of an authoritative Event Type, of "
        f"which a person should have one at most. The first is group {first.group_id}, with "
        f"{first.records_count} records of {first.event_type}. The Group job's statistics list them."
    )


def _statistics(result: GroupResult) -> dict[str, Any]:
    return {
        "groups_before_count": result.groups_before_count,
        "groups_after_count": result.groups_after_count,
        "accepted_pairs_count": result.accepted_pairs_count,
        "new_groups_count": result.new_groups_count,
        "joined_records_count": result.joined_records_count,
        "merged_groups_count": result.merged_groups_count,
        "regrouped_records_count": result.changed_records_count,
        "largest_group_size": result.largest_group_size,
        "flagged_groups_count": result.flagged_groups_count,
        "sizes": [{"group_size": one.records_count, "groups_count": one.groups_count} for one in result.sizes],
        "flagged_groups": [asdict(group) for group in result.flagged_groups],
        "stages": [{"stage": stage, "seconds": round(spent, 4)} for stage, spent in result.seconds.items()],
    }
