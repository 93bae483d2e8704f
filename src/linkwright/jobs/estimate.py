"""Estimate: parameters and thresholds from the live records, and those of an Envelope; proposed, never applied.

Nothing of an Envelope's data goes into what is stored: counts and probabilities only, and term frequencies of the
held records alone.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.utils import timezone

from linkwright.engine.charts import drawn_plot
from linkwright.engine.progress import Progress
from linkwright.engine.strategy import MatchConfiguration
from linkwright.engine.term_frequencies import frequency_fields
from linkwright.jobs.build_frequencies import (
    ONLY_FREQUENCIES,
    count_held_records,
    ended_paths,
    run_build_frequencies,
    write_frequencies,
)
from linkwright.jobs.context import JobContext, JobError, JobResult
from linkwright.jobs.estimation_tables import estimation_plots, estimation_results, rows_of, strategy_rows
from linkwright.jobs.project_form import current_match_configuration
from linkwright.store import batch_catalog
from linkwright.store.models import Batch, BatchKind, Estimation, Severity
from linkwright.store.settings import read_setting
from linkwright.warehouse.estimate import EstimateRequest, EstimateResult, estimate_parameters
from linkwright.warehouse.repeated_records import write_repeated_records

LEAST_RECORDS = 2


def run_estimate(context: JobContext) -> JobResult:
    """Estimate, draw, and store a proposal beside the current match configuration.

    With the parameter `only_frequencies` nothing is estimated: see `run_build_frequencies`.

    Raises:
        JobError: if there is no match configuration, nothing in it to estimate, or there are no records.
        ConfigurationError: if the configuration does not fit the project's fields.
    """
    if context.job.parameters.get(ONLY_FREQUENCIES):
        return run_build_frequencies(context)
    version, configuration = current_match_configuration(context.project)
    context.audit(f"Match configuration version {version.version}")
    demand_comparisons(configuration, context.project.code)
    records = _records(context)
    result = estimate_parameters(
        EstimateRequest(
            new_records=context.paths(records.new),
            held_records=context.paths(records.held),
            ended=(*ended_paths(context), *records.repeated),
            configuration=configuration,
            limits=context.limits,
            max_block_size=int(read_setting("Worker.Match.MaxBlockSize")),
        ),
        context.report,
    )
    _announce(context, result)
    results = estimation_results(result)
    plots = _drawn(context, results)
    frequencies = _frequencies(context, configuration, records)

    def commit() -> None:
        Estimation.objects.create(
            project=context.project,
            job=context.job,
            envelope=context.job.envelope,
            base_version=version,
            definition=result.proposed,
            results=results,
            plots=plots,
            term_frequencies=frequencies,
            created_at=timezone.now(),
        )

    return JobResult(statistics=_statistics(result, results, records, version.version), commit=commit)


def demand_comparisons(configuration: MatchConfiguration, project_code: str) -> None:
    """Refuse a configuration that has no parameters.

    Raises:
        JobError: saying what to add.
    """
    if all(strategy.is_deterministic for strategy in configuration.strategies):
        raise JobError(
            f"The match configuration of {project_code} has no comparisons: its strategies are deterministic, and "
            "nothing can be estimated. Add a strategy with comparisons to the project file and apply it."
        )


@dataclass(frozen=True)
class _Records:
    """What is estimated from: batches of records, and an ends file of held ones that come again, if any do.

    `held_count` is of those that have not ended.
    """

    new: tuple[Batch, ...]
    held: tuple[Batch, ...]
    held_count: int
    repeated: tuple[Path, ...]
    repeated_count: int

    @property
    def new_count(self) -> int:
        return sum(batch.rows_count for batch in self.new)


def _records(context: JobContext) -> _Records:
    envelope = context.job.envelope
    new = tuple(batch_catalog.own_batches(envelope, BatchKind.RECORDS)) if envelope else ()
    held = tuple(batch_catalog.live_batches(context.project, BatchKind.RECORDS))
    records = _Records(new, held, count_held_records(context, held), (), 0)
    if records.new_count + records.held_count < LEAST_RECORDS:
        together = " and the Envelope together" if envelope else ""
        raise JobError(
            f"There is nothing to estimate from: project {context.project.code}{together} must hold at least "
            f"{LEAST_RECORDS} records. Load records first, or send an estimation Envelope with data."
        )
    if not new or not held:
        return records
    target = context.scratch_folder / "repeated.parquet"
    context.report(Progress("Comparing Source Unique IDs"))
    repeated = write_repeated_records(
        context.paths(new), context.paths(held), target, context.limits, ended=ended_paths(context)
    )
    return replace(records, repeated=(repeated.path,), repeated_count=repeated.rows_count)


def _announce(context: JobContext, result: EstimateResult) -> None:
    for strategy in result.strategies:
        context.audit(
            f"Strategy {strategy.strategy}: {strategy.matches_count:,.0f} matches expected; match threshold "
            f"{strategy.current_match_threshold:g}, proposed {strategy.proposed_match_threshold:g}"
        )
    for note in result.notes:
        context.notify(Severity.INFO, note)


def _drawn(context: JobContext, results: dict[str, Any]) -> list[dict[str, Any]]:
    plots, drawn = estimation_plots(results), []
    for number, plot in enumerate(plots):
        context.report(Progress("Drawing", number, len(plots), "plots"))
        drawn.append(drawn_plot(plot))
    return drawn


def _frequencies(context: JobContext, configuration: MatchConfiguration, records: _Records) -> str:
    """Write the term frequencies of the held records, if they are asked for; returns the file's name, or ''."""
    if not frequency_fields(configuration):
        return ""
    if not records.held_count:
        context.notify(
            Severity.WARNING,
            "The configuration asks for term frequencies, but the project holds no records to count them in. "
            "Build them once records are loaded.",
        )
        return ""
    return write_frequencies(context, configuration, records.held).path.name


def _statistics(
    result: EstimateResult, results: dict[str, Any], records: _Records, version: int
) -> dict[str, Any]:
    return {
        "match_configuration_version": version,
        "records_count": result.records_count,
        "new_records_count": records.new_count,
        "held_records_count": records.held_count,
        "repeated_records_count": records.repeated_count,
        "random_pairs_count": max(one.random_pairs_count for one in result.strategies),
        "candidate_pairs_count": sum(one["candidate_pairs_count"] for one in results["strategies"]),
        "current_prior": result.current_prior,
        "estimated_prior": result.estimated_prior,
        "strategies": strategy_rows(results),
        "rules": rows_of(results, "rules"),
        "stages": [{"stage": stage, "seconds": round(spent, 4)} for stage, spent in result.seconds.items()],
        "notes": list(result.notes),
    }
