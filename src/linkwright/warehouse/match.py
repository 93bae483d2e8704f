"""Owns the run of Match: new records against themselves and all held ones, to one pairs file with its statistics.

Runs the steps that `engine.candidates` and `engine.scoring` write, chunk by chunk, so that memory is bounded and
progress is honest. Must not decide what a match weighs, nor touch groups or the catalog.

Source: SPEC section 5 (Match); ARCHITECTURE sections 4 (pairs) and 5.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from linkwright.engine import candidates, scoring
from linkwright.engine.blocking import rule_text
from linkwright.engine.candidates import Chunk
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.engine.sql import identifier, literal
from linkwright.engine.steps import chain_sql
from linkwright.engine.strategy import MatchConfiguration, Strategy
from linkwright.warehouse.blocks import (
    NAMED_BLOCKS_COUNT,
    Blocks,
    BlockSize,
    make_keys,
    size_up,
    skip_warnings,
)
from linkwright.warehouse.connection import EngineLimits, WrittenFile, open_engine, write_parquet
from linkwright.warehouse.record_views import create_record_view
from linkwright.warehouse.stages import StageClock

CHUNK_PAIRS_COUNT = 2_000_000


@dataclass(frozen=True)
class MatchRequest:
    """What to match.

    Args:
        new_records: records files of the new data.
        held_records: records files of the live data, none of it new.
        ended: ends files; their records, new or held, take no part.
        configuration: of the project.
        target: the pairs file to write.
        limits: memory, threads, scratch folder.
        max_block_size: records in a block, new and held, above which it is skipped.
        chunk_pairs_count: candidate pairs that are worked off together.
    """

    new_records: tuple[Path, ...]
    held_records: tuple[Path, ...]
    ended: tuple[Path, ...]
    configuration: MatchConfiguration
    target: Path
    limits: EngineLimits
    max_block_size: int
    chunk_pairs_count: int = CHUNK_PAIRS_COUNT


@dataclass(frozen=True)
class RuleCount:
    """What one blocking rule of a strategy found.

    Args:
        strategy: its name.
        blocking_rule: its number in the strategy, from 0.
        rule: in words.
        candidate_pairs_count: counted before anything is compared; with the pairs that earlier rules find too,
            without those of skipped blocks.
        scored_pairs_count: pairs that no earlier rule of the strategy found, compared and weighed.
        kept_pairs_count: rows of the pairs file under this strategy and rule.
        skipped_blocks_count: blocks over the size limit.
        skipped_pairs_count: the pairs of those.
    """

    strategy: str
    blocking_rule: int
    rule: str
    candidate_pairs_count: int
    scored_pairs_count: int
    kept_pairs_count: int
    skipped_blocks_count: int
    skipped_pairs_count: int


@dataclass(frozen=True)
class WeightBin:
    """Scored and kept pairs of a strategy with a match weight from `weight_from` to under `weight_from` + 1."""

    strategy: str
    weight_from: int
    scored_pairs_count: int
    kept_pairs_count: int


@dataclass(frozen=True)
class MatchResult:
    """What Match did.

    Args:
        pairs: the file written; its columns as in ARCHITECTURE section 4.
        new_count: live new records.
        held_count: live held records.
        rules: per strategy and rule, in order.
        largest_blocks: the ten that make the most pairs, skipped or not. Their values are personal data.
        weights: per strategy, ascending; pairs of deterministic strategies have no finite weight and are left out.
        seconds: per stage.
        warnings: full sentences. They can name a block's values: personal data.
    """

    pairs: WrittenFile
    new_count: int
    held_count: int
    rules: tuple[RuleCount, ...]
    largest_blocks: tuple[BlockSize, ...]
    weights: tuple[WeightBin, ...]
    seconds: dict[str, float]
    warnings: tuple[str, ...]

    @property
    def candidate_pairs_count(self) -> int:
        """Candidate pairs of all strategies and rules, counted before matching."""
        return sum(rule.candidate_pairs_count for rule in self.rules)


@dataclass
class _Run:
    """What the stages of one run share, and the tallies that they fill."""

    con: duckdb.DuckDBPyConnection
    request: MatchRequest
    report: ReportProgress
    clock: StageClock = field(default_factory=StageClock)
    scored: Counter[tuple[int, int]] = field(default_factory=Counter)
    weights: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    compared_count: int = 0


def match_records(request: MatchRequest, report: ReportProgress) -> MatchResult:
    """Find, weigh and keep the pairs of new records among themselves and with held ones.

    Args:
        request: what to match.
        report: told the stage and, while scoring, candidate pairs done of all counted.

    Returns:
        The pairs file and its statistics.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    with open_engine(request.limits) as con:
        run = _Run(con, request, report)
        con.execute("SET preserve_insertion_order = false")
        new_count, held_count = _open_records(run)
        blocks = _size_up_all(run, has_held=held_count > 0)
        con.execute(scoring.kept_pairs_table_sql(request.configuration))
        total = sum(count.candidate_pairs_count for found in blocks for count in found.counts)
        for number, found in enumerate(blocks):
            _score_strategy(run, number, found, total)
        report(Progress("write"))
        with run.clock.stage("write"):
            pairs = write_parquet(con, scoring.pairs_file_sql(request.configuration), request.target)
        return _result(run, blocks, pairs, new_count, held_count)


def _open_records(run: _Run) -> tuple[int, int]:
    request = run.request
    columns = tuple(
        dict.fromkeys(
            column
            for strategy in request.configuration.strategies
            for column in scoring.strategy_columns(strategy)
        )
    )
    new, held = request.new_records, request.held_records
    new_count = create_record_view(run.con, "new_records", new, request.ended, columns=columns, like=held)
    held_count = create_record_view(run.con, "held_records", held, request.ended, columns=columns, like=new)
    return new_count, held_count


def _size_up_all(run: _Run, *, has_held: bool) -> list[Blocks]:
    """Count the candidate pairs of every strategy, so that the whole is known before the first is scored."""
    request = run.request
    found: list[Blocks] = []
    for number, strategy in enumerate(request.configuration.strategies):
        run.report(Progress("count", number, len(request.configuration.strategies), "strategies"))
        _enter(run, number, create=True)
        with run.clock.stage("keys"):
            make_keys(run.con, strategy, has_held=has_held)
        with run.clock.stage("count"):
            blocks = size_up(run.con, strategy, request.max_block_size)
        found.append(blocks)
    return found


def _enter(run: _Run, number: int, *, create: bool = False) -> None:
    """Make a strategy's own tables the ones that its SQL names."""
    schema = identifier(f"strategy_{number}")
    if create:
        run.con.execute(f"CREATE SCHEMA {schema}")
    run.con.execute(f"SET search_path = {literal(f'strategy_{number},main')}")


def _score_strategy(run: _Run, number: int, blocks: Blocks, total: int) -> None:
    """Work off a strategy's chunks, then drop its tables."""
    strategy = run.request.configuration.strategies[number]
    _enter(run, number)
    counts = [count.candidate_pairs_count for count in blocks.counts]
    for chunk in candidates.plan_chunks(counts, run.request.chunk_pairs_count):
        run.report(Progress("score", run.compared_count, total, "pairs"))
        _score_chunk(run, number, strategy, chunk)
        run.compared_count += sum(piece.pairs_count for piece in chunk)
    run.report(Progress("score", run.compared_count, total, "pairs"))
    run.con.execute("SET search_path = 'main'")
    run.con.execute(f"DROP SCHEMA {identifier(f'strategy_{number}')} CASCADE")


def _score_chunk(run: _Run, number: int, strategy: Strategy, chunk: Chunk) -> None:
    con, configuration = run.con, run.request.configuration
    with run.clock.stage("candidates"):
        pairs_sql = candidates.candidate_pairs_sql(chunk)
        con.execute(f"CREATE OR REPLACE TEMP TABLE candidate_pairs AS {pairs_sql}")
    with run.clock.stage("fetch"):
        records_sql = scoring.compared_records_sql(scoring.strategy_columns(strategy))
        con.execute(f"CREATE OR REPLACE TEMP TABLE compared_records AS {records_sql}")
    with run.clock.stage("score"):
        # written out before it is filtered: a filter would be pushed below, and compute every measure twice
        scored_sql = chain_sql(scoring.scoring_steps(configuration, strategy, DUCKDB))
        con.execute(f"CREATE OR REPLACE TEMP TABLE scored_pairs AS {scored_sql}")
        con.execute(f"INSERT INTO kept_pairs BY NAME {scoring.kept_pairs_sql(configuration, number)}")
    for rule, scored_count in con.execute(
        "SELECT blocking_rule, count(*) FROM scored_pairs GROUP BY blocking_rule"
    ).fetchall():
        run.scored[number, rule] += scored_count
    for weight_from, scored_count, kept_count in con.execute(
        scoring.weight_bins_sql(strategy.review_threshold)
    ).fetchall():
        earlier = run.weights.get((number, weight_from), (0, 0))
        run.weights[number, weight_from] = (earlier[0] + scored_count, earlier[1] + kept_count)


def _result(
    run: _Run, blocks: Sequence[Blocks], pairs: WrittenFile, new_count: int, held_count: int
) -> MatchResult:
    request, strategies = run.request, run.request.configuration.strategies
    largest = sorted((block for found in blocks for block in found.largest), key=lambda block: -block.pairs_count)
    return MatchResult(
        pairs=pairs,
        new_count=new_count,
        held_count=held_count,
        rules=_rule_counts(run, blocks),
        largest_blocks=tuple(largest[:NAMED_BLOCKS_COUNT]),
        weights=tuple(
            WeightBin(strategies[number].name, weight_from, *run.weights[number, weight_from])
            for number, weight_from in sorted(run.weights)
        ),
        seconds=run.clock.seconds,
        warnings=tuple(
            warning
            for strategy, found in zip(strategies, blocks, strict=True)
            for warning in skip_warnings(strategy, found, request.max_block_size)
        ),
    )


def _rule_counts(run: _Run, blocks: Sequence[Blocks]) -> tuple[RuleCount, ...]:
    rows = run.con.execute(
        "SELECT strategy, blocking_rule, count(*) FROM read_parquet(?) GROUP BY ALL", [str(run.request.target)]
    ).fetchall()
    kept = {(strategy, rule): count for strategy, rule, count in rows}
    return tuple(
        RuleCount(
            strategy=strategy.name,
            blocking_rule=rule_number,
            rule=rule_text(rule),
            candidate_pairs_count=count.candidate_pairs_count,
            scored_pairs_count=run.scored[number, rule_number],
            kept_pairs_count=kept.get((strategy.name, rule_number), 0),
            skipped_blocks_count=count.skipped_blocks_count,
            skipped_pairs_count=count.skipped_pairs_count,
        )
        for number, (strategy, found) in enumerate(zip(run.request.configuration.strategies, blocks, strict=True))
        for rule_number, (rule, count) in enumerate(zip(strategy.blocking_rules, found.counts, strict=True))
    )
