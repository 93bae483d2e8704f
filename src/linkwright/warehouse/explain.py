"""Owns what is read to explain a pair or a group: two records by their providers' ids, their weights, their links.

Weighs with the very SQL that Match runs, so that an explanation cannot differ from what was decided by the same
version. Must not decide who may see it: it holds personal data.

Source: SPEC section 5 (Match, Group).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from linkwright.engine import scoring
from linkwright.engine.blocking import rule_holds_sql
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.explanation import PairExplanation, explain_pair
from linkwright.engine.link_path import Link
from linkwright.engine.sql import identifier, literal, string_list
from linkwright.engine.steps import chain_sql
from linkwright.engine.strategy import MatchConfiguration, Strategy
from linkwright.warehouse.connection import EngineLimits, open_engine
from linkwright.warehouse.linkage_map import current_map_sql
from linkwright.warehouse.record_views import create_record_view
from linkwright.warehouse.term_frequencies import open_term_frequencies


class RecordKey(NamedTuple):
    """A record as its provider knows it."""

    event_type: str
    source_unique_id: str


@dataclass(frozen=True)
class PairRequest:
    """Which pair to explain.

    Args:
        records: records files of the live data.
        ended: ends files.
        record_ids: of the two records, in either order.
        configuration: by which they are weighed.
        term_frequencies: the file of the configuration's version, if it has one.
        limits: memory, threads, scratch folder.
    """

    records: tuple[Path, ...]
    ended: tuple[Path, ...]
    record_ids: tuple[int, int]
    configuration: MatchConfiguration
    term_frequencies: Path | None
    limits: EngineLimits


def find_records(
    limits: EngineLimits, records: Sequence[Path], ended: Sequence[Path], keys: Sequence[RecordKey]
) -> list[int | None]:
    """Return the record id of each live record, in the order of the keys; None for one that there is not.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not records:
        return [None] * len(keys)
    with open_engine(limits) as con:
        create_record_view(con, "records", records, ended, columns=RecordKey._fields)
        wanted = " OR ".join("(event_type = ? AND source_unique_id = ?)" for _key in keys)
        rows = con.execute(
            f"SELECT record_id, event_type, source_unique_id FROM records WHERE {wanted}",
            [part for key in keys for part in key],
        ).fetchall()
    found = {RecordKey(*key): int(record_id) for record_id, *key in rows}
    return [found.get(key) for key in keys]


def explain_records(request: PairRequest) -> tuple[PairExplanation, ...]:
    """Say what each strategy makes of two records, whether or not its blocking rules bring them together.

    Raises:
        StorageError: if a file cannot be read.
    """
    with open_engine(request.limits) as con:
        if request.term_frequencies is not None:
            open_term_frequencies(con, request.term_frequencies)
        return tuple(_explained(con, request, strategy) for strategy in request.configuration.strategies)


def _explained(con: duckdb.DuckDBPyConnection, request: PairRequest, strategy: Strategy) -> PairExplanation:
    columns = scoring.strategy_columns(strategy)
    create_record_view(con, "records", request.records, request.ended, columns=columns)
    left, right = sorted(request.record_ids)
    con.execute(f"CREATE OR REPLACE TABLE compared_records AS FROM records WHERE record_id IN ({left}, {right})")
    con.execute(
        f"CREATE OR REPLACE TABLE id_pairs AS SELECT CAST({left} AS BIGINT) AS record_id_l, "
        f"CAST({right} AS BIGINT) AS record_id_r, CAST(-1 AS INTEGER) AS blocking_rule"
    )
    con.execute(f"CREATE OR REPLACE TABLE candidate_pairs AS {scoring.candidate_values_sql(columns)}")
    steps = scoring.scoring_steps(request.configuration, strategy, DUCKDB, with_parts=True, any_pair=True)
    scored = _row(con, chain_sql(steps))
    holds = ", ".join(rule_holds_sql(rule, DUCKDB) for rule in strategy.blocking_rules)
    holding = con.execute(f"SELECT {holds} FROM candidate_pairs").fetchall()[0]
    fields = tuple(dict.fromkeys(item.field for item in strategy.comparisons))
    sides = {side: _row(con, _texts_sql(fields, side)) if fields else {} for side in ("l", "r")}
    return explain_pair(
        request.configuration,
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


@dataclass(frozen=True)
class GroupLinks:
    """A group with what holds it together.

    Args:
        group_id: of the group.
        members: record id and provider's key of each, by record id.
        links: the accepted pairs among them.
    """

    group_id: int
    members: dict[int, RecordKey]
    links: tuple[Link, ...]


def read_group_links(
    limits: EngineLimits,
    *,
    records: Sequence[Path],
    pairs: Sequence[Path],
    assignments: Sequence[Path],
    ended: Sequence[Path],
    record_id: int,
) -> GroupLinks | None:
    """Read the group of a record, with all accepted pairs inside it.

    Args:
        limits: memory, threads, scratch folder.
        records: records files of the live data.
        pairs: all live pairs files.
        assignments: assignments files, the oldest batch first.
        ended: ends files.
        record_id: of a record.

    Returns:
        The group; None if the record is in no group.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not records or not assignments:
        return None
    with open_engine(limits) as con:
        con.execute(f"CREATE TABLE current_map AS {current_map_sql(assignments, ended)}")
        create_record_view(con, "records", records, ended, columns=RecordKey._fields)
        con.execute(
            "CREATE TABLE members AS SELECT record_id, group_id FROM current_map WHERE group_id = "
            f"(SELECT group_id FROM current_map WHERE record_id = {literal(record_id)})"
        )
        rows = con.execute(
            "SELECT group_id, record_id, event_type, source_unique_id FROM members JOIN records USING (record_id) "
            "ORDER BY record_id"
        ).fetchall()
        if not rows:
            return None
        links = con.execute(_links_sql(pairs)).fetchall() if pairs else []
    return GroupLinks(
        group_id=int(rows[0][0]),
        members={int(row[1]): RecordKey(*row[2:]) for row in rows},
        links=tuple(Link(*row) for row in links),
    )


def _links_sql(pairs: Sequence[Path]) -> str:
    return (
        "SELECT record_id_l, record_id_r, match_weight, strategy "
        f"FROM read_parquet({string_list(list(pairs))}, union_by_name = true) WHERE is_match "
        "AND record_id_l IN (SELECT record_id FROM members) AND record_id_r IN (SELECT record_id FROM members) "
        "ORDER BY record_id_l, record_id_r"
    )
