"""Owns the counting of what estimation learns from, in DuckDB: random pairs, candidate patterns, equal values.

Memory is bounded: random pairs are drawn among a sample of the records, candidates are worked off in chunks, and
over a limit only a sample of them. Must not estimate.

Source: SPEC section 5 (Estimate); `engine.estimation_sql` writes the queries.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linkwright.engine import estimation_sql, scoring
from linkwright.engine.blocking import BlockingRule
from linkwright.engine.comparison_methods import Method
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.evidence import Evidence, Patterns, RandomLevels, RulePairs
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.engine.sql import identifier
from linkwright.engine.steps import chain_sql
from linkwright.engine.strategy import Strategy
from linkwright.warehouse.stages import StageClock

CHUNK_PAIRS_COUNT = 1_000_000
SAMPLED_RECORDS_COUNT = 300_000


@dataclass(frozen=True)
class SampleLimits:
    """How much is looked at.

    Args:
        random_pairs_count: pairs drawn at random; all pairs are taken if there are no more than that.
        candidate_pairs_count: candidate pairs of a strategy; over it, rules with many pairs are sampled.
        max_block_size: records in a block above which it is skipped, as in Match.
        seed: of the draw. The same seed, data and limits give the same result.
    """

    random_pairs_count: int
    candidate_pairs_count: int
    max_block_size: int
    seed: int


@dataclass(frozen=True)
class Counted:
    """The evidence of one strategy, and how it was come by.

    Args:
        evidence: for `engine.estimation`.
        selves: the patterns of records against themselves.
        random_pairs_count: pairs that were drawn.
        candidate_pairs_counts: per rule, without skipped blocks; with the pairs that other rules find too.
    """

    evidence: Evidence
    selves: Patterns
    random_pairs_count: int
    candidate_pairs_counts: tuple[int, ...]


def count_evidence(
    con: duckdb.DuckDBPyConnection,
    strategy: Strategy,
    limits: SampleLimits,
    report: ReportProgress,
    clock: StageClock,
) -> Counted:
    """Count what a strategy's parameters are estimated from.

    Reads:   new_records (all records, with the strategy's columns).
    Changes: temporary tables of its own.

    Args:
        con: the engine.
        strategy: one with comparisons.
        limits: how much is looked at.
        report: told the stage, and the rules done.
        clock: of the run.
    """
    records_count = int(con.execute("SELECT count(*) FROM new_records").fetchall()[0][0])
    report(Progress("sample"))
    with clock.stage("sample"):
        random, random_pairs_count = _count_random(con, strategy, limits)
    parts = estimation_sql.cut_rules(strategy.blocking_rules)
    found = []
    with clock.stage("patterns"):
        for number in range(len(parts.rules)):
            report(Progress("patterns", number, len(parts.rules), "rules"))
            found.append(_count_rule(con, strategy, parts, number, limits))
    report(Progress("values"))
    with clock.stage("values"):
        part_shares = tuple(_equal_share(con, part, records_count) for part in parts.parts)
        selves = _read_patterns(con, strategy, estimation_sql.self_levels_sql(strategy, DUCKDB), 0)
    evidence = Evidence(
        records_count=records_count,
        random=random,
        comparison_fields=tuple(frozenset(item.columns) for item in strategy.comparisons),
        rules=tuple(rule for rule, _count in found),
        part_fields=parts.fields,
        part_shares=part_shares,
        part_comparisons=tuple(estimation_sql.comparison_of(strategy, part) for part in parts.parts),
    )
    return Counted(evidence, selves, random_pairs_count, tuple(count for _rule, count in found))


def _count_random(
    con: duckdb.DuckDBPyConnection, strategy: Strategy, limits: SampleLimits
) -> tuple[tuple[RandomLevels, ...], int]:
    found_ids = con.execute("SELECT record_id FROM new_records ORDER BY record_id").fetchnumpy()["record_id"]
    ids = np.asarray(found_ids, np.int64)
    generator = np.random.default_rng(limits.seed)
    if len(ids) > SAMPLED_RECORDS_COUNT:
        ids = np.sort(generator.choice(ids, SAMPLED_RECORDS_COUNT, replace=False))
    con.register("sampled_ids", pa.table({"record_id": ids}))
    columns = estimation_sql.compared_columns(strategy)
    selected = ", ".join(f"n.{identifier(column)}" for column in ("record_id", *columns))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE compared_records AS SELECT {selected} FROM new_records AS n "
        "WHERE record_id IN (SELECT record_id FROM sampled_ids)"
    )
    con.unregister("sampled_ids")
    totals = [np.zeros(len(item.levels) + 1) for item in strategy.comparisons]
    drawn = 0
    for left, right in _draw_pairs(ids, limits.random_pairs_count, generator):
        con.register("random_pairs", pa.table({"record_id_l": left, "record_id_r": right}))
        found = _read_patterns(con, strategy, estimation_sql.random_levels_sql(strategy, DUCKDB), 0)
        con.unregister("random_pairs")
        drawn += len(left)
        for index, total in enumerate(totals):
            total[:] += np.bincount(found.levels[:, index] + 1, weights=found.pairs, minlength=len(total))
    random = []
    for item, total in zip(strategy.comparisons, totals, strict=True):
        equal, dates = None, None
        if estimation_sql.counts_equal_values(item):
            equal = _equal_share(con, estimation_sql.value_of(item), None)
            if item.method is Method.DATE:
                year, birthday = (_equal_share(con, part, None) for part in estimation_sql.date_parts(item))
                dates = (year, birthday)
        random.append(RandomLevels(total[1:], float(total[1:].sum() / max(drawn, 1)), equal, dates))
    return tuple(random), drawn


def _draw_pairs(
    ids: NDArray[np.int64], pairs_count: int, generator: np.random.Generator
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Draw pairs of different ids, the smaller first: all of them if there are few, else each drawn on its own."""
    size = len(ids)
    if size * (size - 1) // 2 <= pairs_count:
        left, right = np.triu_indices(size, 1)
        for start in range(0, len(left), CHUNK_PAIRS_COUNT):
            end = start + CHUNK_PAIRS_COUNT
            yield ids[left[start:end]], ids[right[start:end]]
        return
    for start in range(0, pairs_count, CHUNK_PAIRS_COUNT):
        drawn = min(CHUNK_PAIRS_COUNT, pairs_count - start)
        one = generator.integers(0, size, drawn)
        # a step of 1 to size - 1 ahead, round the end: never the record itself, every other equally likely
        other = (one + generator.integers(1, size, drawn)) % size
        yield ids[np.minimum(one, other)], ids[np.maximum(one, other)]


def _equal_share(con: duckdb.DuckDBPyConnection, part: BlockingRule, of_records: int | None) -> float:
    """Return the share of pairs that agrees on a part: of all pairs of so many records, or of those with it."""
    sql = estimation_sql.equal_pairs_sql(part, DUCKDB)
    ((present, pairs),) = con.execute(sql).fetchall()
    count = int(present) if of_records is None else of_records
    return float(pairs) / max(count * (count - 1) / 2, 1.0)


def _count_rule(
    con: duckdb.DuckDBPyConnection,
    strategy: Strategy,
    parts: estimation_sql.RuleParts,
    number: int,
    limits: SampleLimits,
) -> tuple[RulePairs, int]:
    rule = strategy.blocking_rules[number]
    blocks_sql = estimation_sql.rule_blocks_sql(rule, DUCKDB, limits.max_block_size)
    con.execute(f"CREATE OR REPLACE TEMP TABLE rule_blocks AS {blocks_sql}")
    pairs_count = int(con.execute(estimation_sql.blocks_count_sql()).fetchall()[0][0])
    con.execute(f"CREATE OR REPLACE TEMP TABLE rule_patterns AS {_no_patterns_sql(strategy, parts)}")
    counted_sql = chain_sql(estimation_sql.candidate_steps(strategy, parts, DUCKDB))
    records_sql = estimation_sql.paired_records_sql(strategy, parts, DUCKDB)
    most = max(1, limits.candidate_pairs_count // len(strategy.blocking_rules))
    for piece in estimation_sql.plan_slices(number, pairs_count, most, CHUNK_PAIRS_COUNT):
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE candidate_pairs AS {estimation_sql.candidate_pairs_sql(rule, piece)}"
        )
        con.execute(f"CREATE OR REPLACE TEMP TABLE compared_records AS {records_sql}")
        con.execute(f"INSERT INTO rule_patterns {counted_sql}")
    summed = "SELECT * EXCLUDE (pairs_count), sum(pairs_count) AS pairs_count FROM rule_patterns GROUP BY ALL"
    patterns = _read_patterns(con, strategy, summed, len(parts.parts))
    # equal keys need not be equal values
    true = patterns.holds[:, list(parts.rules[number])].all(axis=1)
    own = Patterns(patterns.levels[true], patterns.pairs[true], patterns.holds[true])
    rate = estimation_sql.sampling_rate(pairs_count, most)
    shares_sql = estimation_sql.kept_shares_sql(rule, DUCKDB, limits.max_block_size)
    (kept,) = con.execute(
        f"SELECT coalesce(kept_records_share, 1), coalesce(kept_pairs_share, 1) FROM ({shares_sql})"
    ).fetchall()
    return RulePairs(parts.rules[number], own, rate, *kept), pairs_count


def _no_patterns_sql(strategy: Strategy, parts: estimation_sql.RuleParts) -> str:
    levels = "".join(f"CAST(0 AS TINYINT) AS {scoring.level_column(item.name)}, " for item in strategy.comparisons)
    holds = "".join(f"FALSE AS part_{index}, " for index in range(len(parts.parts)))
    return f"SELECT {levels}{holds}CAST(0 AS BIGINT) AS pairs_count LIMIT 0"


def _read_patterns(con: duckdb.DuckDBPyConnection, strategy: Strategy, source: str, parts_count: int) -> Patterns:
    # sorted, so that sums of doubles do not depend on the order in which the threads were done
    columns = con.execute(f"SELECT * FROM ({source}) ORDER BY ALL").fetchnumpy()
    levels = [columns[f"level_{item.name}"] for item in strategy.comparisons]
    pairs = np.asarray(columns["pairs_count"], np.float64)
    holds = [columns[f"part_{index}"] for index in range(parts_count)]
    return Patterns(
        levels=np.column_stack(levels).astype(np.int8),
        pairs=pairs,
        holds=np.column_stack(holds).astype(bool) if holds else np.zeros((len(pairs), 0), bool),
    )
