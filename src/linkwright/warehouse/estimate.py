"""Owns the run of Estimate: records files in, parameters and a proposed configuration out; writes nothing.

Must not decide how parameters are estimated (`engine.estimation`), nor apply them.

Source: SPEC section 5 (Estimate); docs/decisions/0013-own-em-on-patterns.md.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from linkwright.engine import scoring
from linkwright.engine.estimation import estimate
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.engine.proposal import (
    Learned,
    StrategyEstimate,
    choose_prior,
    current_m,
    estimate_strategy,
    proposed_configuration,
)
from linkwright.engine.strategy import MatchConfiguration, Strategy
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.evidence import SampleLimits, count_evidence
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.record_views import create_record_view
from linkwright.warehouse.stages import StageClock

SAMPLED_PAIRS_COUNT = 1_000_000
MAX_CANDIDATE_PAIRS_COUNT = 5_000_000


@dataclass(frozen=True)
class EstimateRequest:
    """What to estimate from.

    Args:
        new_records: records files of the incoming data.
        held_records: records files of the live data.
        ended: ends files; their records take no part.
        configuration: the current one. Its rules and comparisons stay, its m is where EM begins.
        limits: memory, threads, scratch folder.
        max_block_size: records in a block above which it is skipped, as in Match.
        seed: of the random pairs. The same seed and records give the same result.
        sampled_pairs_count: random pairs that u rests on; all pairs are taken if there are no more.
        max_candidate_pairs_count: candidate pairs of a strategy that are looked at; over it, rules are sampled.
    """

    new_records: tuple[Path, ...]
    held_records: tuple[Path, ...]
    ended: tuple[Path, ...]
    configuration: MatchConfiguration
    limits: EngineLimits
    max_block_size: int
    seed: int = 1
    sampled_pairs_count: int = SAMPLED_PAIRS_COUNT
    max_candidate_pairs_count: int = MAX_CANDIDATE_PAIRS_COUNT


@dataclass(frozen=True)
class EstimateResult:
    """What was estimated.

    Args:
        records_count: live records, new and held.
        current_prior: of the configuration.
        estimated_prior: proposed; that of the strategy that finds the most matches.
        strategies: those with comparisons, in order; a deterministic strategy has nothing to estimate.
        proposed: a whole match configuration as plain data, for `parse_match_configuration`.
        seconds: per stage.
        notes: full sentences, without personal data.
    """

    records_count: int
    current_prior: float
    estimated_prior: float
    strategies: tuple[StrategyEstimate, ...]
    proposed: dict[str, Any]
    seconds: dict[str, float]
    notes: tuple[str, ...]


def estimate_parameters(request: EstimateRequest, report: ReportProgress) -> EstimateResult:
    """Estimate u, m, the prior and thresholds of every strategy with comparisons.

    Args:
        request: what to estimate from.
        report: told the stage.

    Raises:
        StorageError: if a file cannot be read.
        MemoryLimitError: if the counting does not fit into the memory it may use.
        ValueError: if there is no records file.
    """
    configuration, clock = request.configuration, StageClock()
    strategies = [strategy for strategy in configuration.strategies if not strategy.is_deterministic]
    columns = tuple(dict.fromkeys(column for item in strategies for column in scoring.strategy_columns(item)))
    with open_engine(request.limits) as con:
        con.execute("SET preserve_insertion_order = false")
        files = (*request.new_records, *request.held_records)
        records_count = create_record_view(con, "new_records", files, request.ended, columns=columns)
        learned = [_learn(con, strategy, request, report, clock) for strategy in strategies]
    with clock.stage("estimate"):
        prior = choose_prior(learned, configuration.prior)
        estimates = tuple(estimate_strategy(one, prior) for one in learned)
    return EstimateResult(
        records_count=records_count,
        current_prior=configuration.prior,
        estimated_prior=prior,
        strategies=estimates,
        proposed=proposed_configuration(configuration, prior, estimates),
        seconds=clock.seconds,
        notes=tuple(note for item in estimates for note in item.notes),
    )


def _learn(
    con: duckdb.DuckDBPyConnection,
    strategy: Strategy,
    request: EstimateRequest,
    report: ReportProgress,
    clock: StageClock,
) -> Learned:
    limits = SampleLimits(
        random_pairs_count=request.sampled_pairs_count,
        candidate_pairs_count=request.max_candidate_pairs_count,
        max_block_size=request.max_block_size,
        seed=request.seed,
    )
    counted = count_evidence(con, strategy, limits, report, clock)
    report(Progress("estimate"))
    with clock.stage("estimate"):
        found = estimate(counted.evidence, current_m(strategy), request.configuration.prior)
    return Learned(
        strategy=strategy,
        evidence=counted.evidence,
        selves=counted.selves,
        random_pairs_count=counted.random_pairs_count,
        candidate_pairs_counts=counted.candidate_pairs_counts,
        estimate=found,
    )
