"""Match: the Envelope's records are linked among themselves and against all live records of the project."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from linkwright.engine.strategy import MatchConfiguration
from linkwright.engine.term_frequencies import frequency_fields
from linkwright.jobs.context import JobContext, JobResult
from linkwright.jobs.project_form import current_match_configuration
from linkwright.jobs.written_batch import written_batch
from linkwright.store import batch_catalog
from linkwright.store.models import (
    Batch,
    BatchKind,
    Envelope,
    Job,
    JobKind,
    JobState,
    LinkageProject,
    MatchConfigurationVersion,
    Severity,
)
from linkwright.store.settings import read_setting
from linkwright.warehouse.match import MatchRequest, MatchResult, match_records
from linkwright.warehouse.preflight import PAIRS_PER_SECOND, MatchLimits, Preflight
from linkwright.warehouse.record_sources import RecordSources

_PAIRS_WORTH_MEASURING = 100_000
_MIB = 1024 * 1024
_A_WHILE_S = 120.0


def run_match(context: JobContext) -> JobResult:
    """Find, weigh and store the pairs of the new records.

    Raises:
        JobError: if the project has no match configuration.
        ConfigurationError: if it does not fit the project's fields.
        OverLimitsError: if more would be compared than the settings and the configuration allow.
    """
    envelope = context.envelope
    version, configuration = current_match_configuration(context.project)
    context.audit(f"Match configuration version {version.version}")
    own = list(batch_catalog.own_batches(envelope, BatchKind.RECORDS))
    held = list(batch_catalog.held_batches(envelope, BatchKind.RECORDS))
    frequencies = _term_frequencies(context, version, configuration)
    result = match_records(
        MatchRequest(
            sources=_sources(context, own, held),
            configuration=configuration,
            term_frequencies=frequencies,
            target=context.project_folder / f"{context.stem}-pairs.parquet",
            parts_folder=context.attempts_folder,
            limits=context.limits,
            match_limits=match_limits(context.project),
        ),
        context.report,
        lambda preflight: _announce(context, preflight),
    )
    if result.resumed_chunks_count:
        context.audit(f"{result.resumed_chunks_count:,} parts of an earlier attempt were taken over")
    for warning in result.warnings:
        context.notify(Severity.WARNING, warning)
    by_path = dict(zip(context.paths([*own, *held]), [*own, *held], strict=True))

    def commit() -> None:
        pairs = result.pairs
        batch = written_batch(BatchKind.PAIRS, pairs)
        batch_catalog.add_batches(context.job, [batch])
        for records, index in result.made_indexes.items():
            batch_catalog.add_index(context.job, by_path[records], index.path.name, index.bytes_count)
        Envelope.objects.filter(pk=envelope.pk).update(match_configuration=version)

    return JobResult(statistics=_statistics(result, version.version, configuration), commit=commit)


def _term_frequencies(
    context: JobContext, version: MatchConfigurationVersion, configuration: MatchConfiguration
) -> Path | None:
    """Return the version's file of term frequencies; say so if it should have one and has none."""
    if version.term_frequencies:
        return context.project_folder / version.term_frequencies
    fields = frequency_fields(configuration)
    if fields:
        context.notify(
            Severity.WARNING,
            f"Version {version.version} of the match configuration adjusts for how frequent the values of "
            f"{', '.join(fields)} are, but has no tables of frequencies yet: weights were not adjusted. Once the "
            "project holds records, estimate its parameters and apply the result.",
        )
    return None


def match_limits(project: LinkageProject) -> MatchLimits:
    """Return what a matching of the project may do, by the Settings in force, and how fast the last one was."""
    last = Job.objects.filter(project=project, kind=JobKind.MATCH, state=JobState.SUCCESS).order_by("-pk").first()
    measured = (last.statistics if last else {}).get("scored_pairs_per_s")
    return MatchLimits(
        max_block_size=int(read_setting("Worker.Match.MaxBlockSize")),
        max_candidate_pairs=int(read_setting("Worker.Match.MaxCandidatePairs")),
        pairs_per_second=float(measured or PAIRS_PER_SECOND),
    )


def _sources(context: JobContext, own: Sequence[Batch], held: Sequence[Batch]) -> RecordSources:
    folder = context.project_folder
    indexes = batch_catalog.index_names([*own, *held])
    return RecordSources(
        new=context.paths(own),
        held=context.paths(held),
        ended=context.paths(batch_catalog.visible_batches(context.envelope, BatchKind.ENDS)),
        index_folder=folder,
        index_stem=context.stem,
        indexes={folder / records: folder / index for records, index in indexes.items()},
    )


def _announce(context: JobContext, preflight: Preflight) -> None:
    """Say what is about to be compared, before it is."""
    for strategy, counts in preflight.candidate_pairs_counts.items():
        rules = ", ".join(f"rule {number} gives {count:,}" for number, count in enumerate(counts, start=1))
        context.audit(f"Candidate pairs of the strategy {strategy}: {rules}")
    context.audit(
        f"{preflight.candidate_pairs_count:,} candidate pairs; expected: {_duration(preflight.estimated_s)}, "
        f"{preflight.estimated_bytes / _MIB:,.0f} MiB"
    )


def _duration(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds < _A_WHILE_S else f"{seconds / 60:,.0f} min"


def _statistics(result: MatchResult, version: int, configuration: MatchConfiguration) -> dict[str, Any]:
    scored: Counter[int] = Counter()
    kept: Counter[int] = Counter()
    for one in result.weights:
        scored[one.weight_from] += one.scored_pairs_count
        kept[one.weight_from] += one.kept_pairs_count
    statistics: dict[str, Any] = {
        "match_configuration_version": version,
        "new_records_count": result.new_count,
        "held_records_count": result.held_count,
        "candidate_pairs_count": result.candidate_pairs_count,
        "kept_pairs_count": result.pairs.rows_count,
        "resumed_chunks_count": result.resumed_chunks_count,
        "thresholds": [
            {
                "strategy": strategy.name,
                "match_threshold": strategy.match_threshold,
                "review_threshold": strategy.review_threshold,
            }
            for strategy in configuration.strategies
            if strategy.comparisons
        ],
        "rules": [_without(asdict(rule), "blocking_rule") for rule in result.rules],
        "largest_blocks": [asdict(block) for block in result.largest_blocks],
        "weight_histogram": [
            {"weight": weight, "scored_pairs_count": count, "kept_pairs_count": kept[weight]}
            for weight, count in sorted(scored.items())
        ],
        "stages": [{"stage": stage, "seconds": round(spent, 4)} for stage, spent in result.seconds.items()],
    }
    spent = sum(result.seconds.get(stage, 0.0) for stage in ("candidates", "score", "part"))
    if result.candidate_pairs_count >= _PAIRS_WORTH_MEASURING and not result.resumed_chunks_count:
        statistics["scored_pairs_per_s"] = round(result.candidate_pairs_count / spent)
    return statistics


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
