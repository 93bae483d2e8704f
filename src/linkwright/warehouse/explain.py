"""Owns what is read to explain a pair: two records' values and what they weigh, and the pair that is stored.

Weighs with the very SQL that Match runs, so that an explanation cannot differ from what was decided by the same
version. Must not decide who may see it: it holds personal data.

Source: SPEC section 5 (Match).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from linkwright.engine import scoring
from linkwright.engine.blocking import rule_holds_sql
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.explanation import PairExplanation, explain_pair
from linkwright.engine.fields import LinkageField, record_columns
from linkwright.engine.sql import identifier, string_list
from linkwright.engine.steps import chain_sql
from linkwright.engine.strategy import MatchConfiguration, Strategy
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles
from linkwright.warehouse.term_frequencies import open_term_frequencies


@dataclass(frozen=True)
class PairRequest:
    """Which pair to explain.

    Args:
        files: of the live data.
        fields: the project's linkage fields.
        record_ids: of two live records, in either order.
        configuration: by which they are weighed.
        term_frequencies: the file of the configuration's version, if it has one.
        limits: memory, threads, scratch folder.
    """

    files: LiveFiles
    fields: tuple[LinkageField, ...]
    record_ids: tuple[int, int]
    configuration: MatchConfiguration
    term_frequencies: Path | None
    limits: EngineLimits


@dataclass(frozen=True)
class StoredPair:
    """A pair as Match kept it.

    Args:
        strategy: its name.
        match_weight: log2; infinity for a deterministic strategy.
        is_match: whether it was at or over the match threshold.
    """

    strategy: str
    match_weight: float
    is_match: bool


def read_stored_pair(limits: EngineLimits, files: LiveFiles, record_ids: tuple[int, int]) -> StoredPair | None:
    """Return the live pair of two records, None if none was kept.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not files.pairs:
        return None
    left, right = sorted(record_ids)
    with open_engine(limits) as con:
        rows = con.execute(
            "SELECT strategy, match_weight, is_match "
            f"FROM read_parquet({string_list(list(files.pairs))}, union_by_name = true) "
            "WHERE record_id_l = ? AND record_id_r = ?",
            [left, right],
        ).fetchall()
    return StoredPair(str(rows[0][0]), float(rows[0][1]), bool(rows[0][2])) if rows else None


def explain_records(request: PairRequest) -> tuple[PairExplanation, ...]:
    """Say what each strategy makes of two records, whether or not its blocking rules bring them together.

    Raises:
        StorageError: if a file cannot be read.
    """
    with open_engine(request.limits) as con:
        if request.term_frequencies is None:
            con.execute(_NO_FREQUENCIES_SQL)
        else:
            open_term_frequencies(con, request.term_frequencies)
        _read_two_records(con, request)
        return tuple(
            _explained(con, request.configuration, strategy) for strategy in request.configuration.strategies
        )


# without a table no frequency is known, and none changes a weight
_NO_FREQUENCIES_SQL = "CREATE TABLE term_frequencies (field VARCHAR, value VARCHAR, frequency DOUBLE)"


def _read_two_records(con: duckdb.DuckDBPyConnection, request: PairRequest) -> None:
    """Make compared_records and id_pairs, as the steps of scoring read them."""
    source = f"read_parquet({string_list(list(request.files.records))}, union_by_name = true)"
    columns = record_columns(request.fields)
    # all batches may be older than a field: it is missing then
    table = ", ".join(f"{identifier(column.name)} {column.sql_type}" for column in columns)
    con.execute(f"CREATE TABLE compared_records ({table})")
    stored = {str(row[0]) for row in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    listed = ", ".join(identifier(column.name) for column in columns if column.name in stored)
    left, right = sorted(request.record_ids)
    con.execute(
        f"INSERT INTO compared_records BY NAME SELECT {listed} FROM {source} WHERE record_id IN ({left}, {right})"
    )
    con.execute(
        f"CREATE TABLE id_pairs AS SELECT CAST({left} AS BIGINT) AS record_id_l, "
        f"CAST({right} AS BIGINT) AS record_id_r, CAST(-1 AS INTEGER) AS blocking_rule"
    )


def _explained(
    con: duckdb.DuckDBPyConnection, configuration: MatchConfiguration, strategy: Strategy
) -> PairExplanation:
    columns = scoring.strategy_columns(strategy)
    con.execute(f"CREATE OR REPLACE TABLE candidate_pairs AS {scoring.candidate_values_sql(columns)}")
    steps = scoring.scoring_steps(configuration, strategy, DUCKDB, with_parts=True, any_pair=True)
    scored = _row(con, chain_sql(steps))
    holds = ", ".join(rule_holds_sql(rule, DUCKDB) for rule in strategy.blocking_rules)
    holding = con.execute(f"SELECT {holds} FROM candidate_pairs").fetchall()[0]
    fields = tuple(dict.fromkeys(field for item in strategy.comparisons for field in item.columns))
    sides = {side: _row(con, _texts_sql(fields, side)) if fields else {} for side in ("l", "r")}
    return explain_pair(
        configuration,
        strategy,
        [number for number, does_hold in enumerate(holding) if does_hold],
        scored,
        {field: (sides["l"][field], sides["r"][field]) for field in fields},
    )


def _texts_sql(fields: Sequence[str], side: str) -> str:
    texts = ", ".join(f"{DUCKDB.text(identifier(f'{side}_{field}'))} AS {identifier(field)}" for field in fields)
    return f"SELECT {texts} FROM candidate_pairs"


def _row(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    result = con.execute(query)
    names = [column[0] for column in result.description or ()]
    return dict(zip(names, result.fetchall()[0], strict=True))
