"""Match: the Envelope's records are linked among themselves and against all live records of the project."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from linkwright.jobs.context import JobContext, JobResult
from linkwright.jobs.project_form import current_match_configuration
from linkwright.store import batch_catalog
from linkwright.store.batch_catalog import NewBatch
from linkwright.store.models import BatchKind, Envelope, Severity
from linkwright.store.settings import read_setting
from linkwright.warehouse.match import MatchRequest, MatchResult, match_records


def run_match(context: JobContext) -> JobResult:
    """Find, weigh and store the pairs of the new records.

    Raises:
        JobError: if the project has no match configuration.
        ConfigurationError: if it does not fit the project's fields.
    """
    envelope = context.envelope
    version, configuration = current_match_configuration(context.project)
    context.audit(f"Match configuration version {version.version}")
    result = match_records(
        MatchRequest(
            new_records=context.paths(batch_catalog.own_batches(envelope, BatchKind.RECORDS)),
            held_records=context.paths(batch_catalog.held_batches(envelope, BatchKind.RECORDS)),
            ended=(),
            configuration=configuration,
            target=context.project_folder / f"{context.stem}-pairs.parquet",
            limits=context.limits,
            max_block_size=int(read_setting("Worker.Match.MaxBlockSize")),
        ),
        context.report,
    )
    for warning in result.warnings:
        context.notify(Severity.WARNING, warning)

    def commit() -> None:
        pairs = result.pairs
        batch = NewBatch(BatchKind.PAIRS, pairs.path.name, pairs.rows_count, pairs.bytes_count)
        batch_catalog.add_batches(context.job, [batch])
        Envelope.objects.filter(pk=envelope.pk).update(match_configuration=version)

    return JobResult(statistics=_statistics(result, version.version), commit=commit)


def _statistics(result: MatchResult, version: int) -> dict[str, Any]:
    scored: Counter[int] = Counter()
    kept: Counter[int] = Counter()
    for one in result.weights:
        scored[one.weight_from] += one.scored_pairs_count
        kept[one.weight_from] += one.kept_pairs_count
    return {
        "match_configuration_version": version,
        "new_records_count": result.new_count,
        "held_records_count": result.held_count,
        "candidate_pairs_count": result.candidate_pairs_count,
        "kept_pairs_count": result.pairs.rows_count,
        "rules": [_without(asdict(rule), "blocking_rule") for rule in result.rules],
        "largest_blocks": [asdict(block) for block in result.largest_blocks],
        "weight_histogram": [
            {"weight": weight, "scored_pairs_count": count, "kept_pairs_count": kept[weight]}
            for weight, count in sorted(scored.items())
        ],
        "stages": [{"stage": stage, "seconds": round(spent, 4)} for stage, spent in result.seconds.items()],
    }


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
