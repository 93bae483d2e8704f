"""Report: the numbers and plots of an Envelope and of its project at that moment."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from linkwright.engine.charts import Plot, completeness_plot, drawn_plot, group_sizes_plot, weights_plot
from linkwright.engine.progress import Progress
from linkwright.engine.strategy import parse_match_configuration
from linkwright.jobs.context import JobContext, JobResult, is_estimation
from linkwright.jobs.flagged import flag_sources, flagged_tables
from linkwright.jobs.project_form import linkage_fields
from linkwright.jobs.report_drift import drift_rows
from linkwright.jobs.report_estimation import report_estimation
from linkwright.store import batch_catalog
from linkwright.store.models import BatchKind, EnvelopeReport, Job, JobKind, JobState, Severity
from linkwright.warehouse.report import ReportNumbers, ReportRequest, read_report_numbers

_NAMED_GROUPS = 20


def run_report(context: JobContext) -> JobResult:
    """Count, draw, and store both with the Envelope; of an estimation, what was estimated.

    Raises:
        StorageError: if a file of the project cannot be read.
        JobError: if there is no estimation to report.
    """
    envelope = context.envelope
    if is_estimation(envelope):
        return report_estimation(context)
    fields = tuple(field.name for field in linkage_fields(context.project))
    context.report(Progress("Counting", 0, None, "records"))
    numbers = read_report_numbers(
        ReportRequest(
            records=context.paths(batch_catalog.own_batches(envelope, BatchKind.RECORDS)),
            project_records=context.paths(batch_catalog.visible_batches(envelope, BatchKind.RECORDS)),
            assignments=context.paths(batch_catalog.visible_batches(envelope, BatchKind.ASSIGNMENTS)),
            ended=context.paths(batch_catalog.visible_batches(envelope, BatchKind.ENDS)),
            decisions=context.paths(batch_catalog.visible_batches(envelope, BatchKind.DECISIONS)),
            flags=flag_sources(context),
            fields=fields,
            limits=context.limits,
        )
    )
    match, group = _statistics_of(context, JobKind.MATCH), _statistics_of(context, JobKind.GROUP)
    plots = _plots(context, numbers, match)
    rendered = []
    for number, plot in enumerate(plots):
        context.report(Progress("Drawing", number, len(plots), "plots"))
        rendered.append(drawn_plot(plot))
    statistics = _statistics(numbers, match, group, _updates(context))
    drift, warning = drift_rows(envelope, statistics["envelope"])
    statistics["envelope"]["drift"] = drift
    if warning:
        context.notify(Severity.WARNING, warning)

    def commit() -> None:
        # a retry after Report failed finds the files hidden: what is reported is live
        batch_catalog.promote(envelope)
        EnvelopeReport.objects.update_or_create(
            envelope=envelope,
            defaults={"statistics": statistics, "plots": rendered, "created_at": timezone.now()},
        )

    told = {"plots_count": len(rendered), **statistics["project"], "drift": drift}
    return JobResult(statistics=told, commit=commit)


def _statistics_of(context: JobContext, kind: JobKind) -> Mapping[str, Any]:
    jobs = Job.objects.filter(envelope=context.envelope, kind=kind, state=JobState.SUCCESS)
    return jobs.values_list("statistics", flat=True).first() or {}


def _updates(context: JobContext) -> dict[str, int]:
    """Return what became of records that came again: of all data files together; nothing if nothing was loaded."""
    loads = Job.objects.filter(envelope=context.envelope, kind=JobKind.LOAD, state=JobState.SUCCESS)
    found = list(loads.values_list("statistics", flat=True))
    names = ("rows_replaced_count", "rows_skipped_count", "rows_rejected_count") if found else ()
    return {name: sum(int(statistics.get(name, 0)) for statistics in found) for name in names}


def _plots(context: JobContext, numbers: ReportNumbers, match: Mapping[str, Any]) -> list[Plot]:
    used = [one for one in numbers.completeness if one.project_filled_count]
    sizes = [{"group_size": size.records_count, "groups_count": size.groups_count} for size in numbers.sizes]
    shares = [
        {
            "field": one.field,
            "envelope_share": _share(one.envelope_filled_count, numbers.envelope_records_count),
            "project_share": _share(one.project_filled_count, numbers.project_records_count),
        }
        for one in used
    ]
    plots = [group_sizes_plot(sizes), completeness_plot(shares)]
    bins = match.get("weight_histogram", [])
    if bins:
        # a deletion and a review weigh no pairs
        match_threshold, review_threshold = _thresholds(context)
        plots.insert(0, weights_plot(bins, match_threshold=match_threshold, review_threshold=review_threshold))
    return plots


def _thresholds(context: JobContext) -> tuple[float, float]:
    """Return the match and the review threshold of the first strategy that weighs pairs."""
    version = context.envelope.match_configuration
    if version is None:
        return 0.0, 0.0
    configuration = parse_match_configuration(version.definition, linkage_fields(context.project))
    weighing = [strategy for strategy in configuration.strategies if strategy.comparisons]
    if not weighing:
        return 0.0, 0.0
    return float(weighing[0].match_threshold or 0.0), float(weighing[0].review_threshold or 0.0)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _statistics(
    numbers: ReportNumbers, match: Mapping[str, Any], group: Mapping[str, Any], updates: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    own = {
        "records_count": numbers.envelope_records_count,
        **updates,
        "candidate_pairs_count": match.get("candidate_pairs_count", 0),
        "kept_pairs_count": match.get("kept_pairs_count", 0),
        "new_groups_count": group.get("new_groups_count", 0),
        "joined_records_count": group.get("joined_records_count", 0),
        "merged_groups_count": group.get("merged_groups_count", 0),
        "flagged_groups_count": group.get("flagged_groups_count", 0),
        "completeness": _completeness_rows(numbers),
    }
    project = {
        "records_count": numbers.project_records_count,
        "groups_count": numbers.groups_count,
        "largest_group_size": max((size.records_count for size in numbers.sizes), default=0),
        "flagged_groups_count": numbers.flagged.count,
        **flagged_tables(numbers.flagged, limit=_NAMED_GROUPS),
        "linking_rates": [
            {
                "event_type": rate.event_type,
                "with_event_type": rate.with_event_type,
                "records_count": rate.records_count,
                "linked_count": rate.linked_count,
                "linked_share": _share(rate.linked_count, rate.records_count),
            }
            for rate in numbers.linking_rates
        ],
    }
    return {"envelope": own, "project": project}


def _completeness_rows(numbers: ReportNumbers) -> Sequence[dict[str, Any]]:
    return [
        {
            "field": one.field,
            "filled_count": one.envelope_filled_count,
            "filled_share": _share(one.envelope_filled_count, numbers.envelope_records_count),
        }
        for one in numbers.completeness
        if one.project_filled_count
    ]
