"""Flagged groups in statistics: the reasons in words, as tables, and where they are read."""

from dataclasses import asdict
from typing import Any

from linkwright.engine.grouping import GroupingConfiguration
from linkwright.jobs.context import JobContext
from linkwright.store import batch_catalog
from linkwright.store.models import BatchKind, LinkageProject
from linkwright.warehouse.flagged_groups import FlagReason
from linkwright.warehouse.group_outcome import FlagSources
from linkwright.warehouse.group_result import FlaggedGroups

FLAG_REASONS = {
    FlagReason.AUTHORITATIVE: "more than one record of an authoritative Event Type",
    FlagReason.SIZE: "more records than expected",
    FlagReason.WEAK_LINK: "held together by a weak link",
    FlagReason.DATE: "conflicting dates of birth",
    FlagReason.SEX: "conflicting sex",
}


def authoritative_codes(project: LinkageProject) -> tuple[str, ...]:
    """Return the codes of the project's Event Types of which a person has at most one record."""
    codes = project.event_types.filter(authoritative=True).values_list("code", flat=True)
    return tuple(sorted(codes))


def flag_sources(context: JobContext) -> FlagSources:
    """Return where the reasons to flag a group are read, of the whole project as this Envelope leaves it."""
    visible = {
        kind: context.paths(batch_catalog.visible_batches(context.envelope, kind))
        for kind in (BatchKind.RECORDS, BatchKind.PAIRS)
    }
    return FlagSources(
        records=visible[BatchKind.RECORDS],
        pairs=visible[BatchKind.PAIRS],
        configuration=GroupingConfiguration.model_validate(context.project.grouping),
        authoritative_event_types=authoritative_codes(context.project),
    )


def flagged_tables(flagged: FlaggedGroups, *, limit: int | None = None) -> dict[str, list[dict[str, Any]]]:
    """Return how many groups are flagged for each reason, and the first of them, as rows of statistics."""
    return {
        "flagged_by_reason": [
            {"reason": FLAG_REASONS[FlagReason(reason)], "groups_count": count}
            for reason, count in flagged.by_reason.items()
        ],
        "flagged_groups": [
            {key: value for key, value in asdict(one).items() if value is not None}
            | {"reason": FLAG_REASONS[FlagReason(one.reason)]}
            for one in flagged.named[:limit]
        ],
    }
