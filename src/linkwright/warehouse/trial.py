"""Owns what a trial of a match configuration needs of the files: a sample of live records, and what came of it.

The sample is of whole groups: so it holds pairs that belong together as often as the whole does. Must not match,
nor decide who may see what.

Source: SPEC section 5 (Match); ARCHITECTURE section 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from linkwright.engine.sql import literal, string_list
from linkwright.engine.strategy import MatchConfiguration, Strategy
from linkwright.warehouse.connection import open_engine, write_parquet
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles
from linkwright.warehouse.record_views import ended_sql

_HASH_PARTS = 1_000_000
_MOST_OVER = 2


@dataclass(frozen=True)
class Sample:
    """A sample of a project's live records.

    Args:
        path: of its records file.
        live_count: records of the project.
        records_count: of them in the sample.
    """

    path: Path
    live_count: int
    records_count: int


@dataclass(frozen=True)
class TrialPair:
    """A pair that lies near a threshold."""

    record_id_l: int
    record_id_r: int
    match_weight: float


def write_sample(limits: EngineLimits, files: LiveFiles, records_count: int, target: Path) -> Sample:
    """Write all live records, or those of so many groups that they are about `records_count`.

    Groups are chosen by a hash of their ids, so that a second trial sees the same records. Records in no group yet
    stand for themselves.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    if not files.records:
        return Sample(target, 0, 0)
    gone = f" WHERE record_id NOT IN ({ended_sql(files.ended)})" if files.ended else ""
    live = f"SELECT * FROM read_parquet({string_list(list(files.records))}, union_by_name = true){gone}"
    with open_engine(limits) as con:
        live_count = int(con.execute(f"SELECT count(*) FROM ({live})").fetchall()[0][0])
        if live_count <= records_count:
            written = write_parquet(con, live, target)
            return Sample(target, live_count, written.rows_count)
        groups = "SELECT NULL::BIGINT AS record_id, NULL::BIGINT AS group_id LIMIT 0"
        if files.assignments:
            source = f"read_parquet({string_list(list(files.assignments))})"
            groups = (
                f"SELECT record_id, arg_max(group_id, file_index) AS group_id FROM {source} GROUP BY record_id"
            )
        share = int(_HASH_PARTS * records_count / live_count)
        chosen = (
            f"SELECT l.* FROM ({live}) AS l LEFT JOIN ({groups}) AS g USING (record_id) "
            f"WHERE hash(coalesce(g.group_id, -l.record_id)) % {_HASH_PARTS} < {share} "
            f"LIMIT {_MOST_OVER * records_count}"
        )
        written = write_parquet(con, chosen, target)
    return Sample(target, live_count, written.rows_count)


def count_verdicts(
    limits: EngineLimits, pairs: Path, configuration: MatchConfiguration
) -> dict[tuple[str, int], tuple[int, int]]:
    """Count pairs by strategy and whole match weight: those that link, and those for review.

    Raises:
        StorageError: if the file cannot be read.
    """
    found: dict[tuple[str, int], tuple[int, int]] = {}
    with open_engine(limits) as con:
        for strategy in configuration.strategies:
            if strategy.match_threshold is None or strategy.review_threshold is None:
                continue
            rows = con.execute(
                "SELECT CAST(floor(match_weight) AS BIGINT), count(*) FILTER (match_weight >= ?), "
                "count(*) FILTER (match_weight < ? AND match_weight >= ?) "
                "FROM read_parquet(?) WHERE strategy = ? AND isfinite(match_weight) GROUP BY 1",
                [
                    strategy.match_threshold,
                    strategy.match_threshold,
                    strategy.review_threshold,
                    str(pairs),
                    strategy.name,
                ],
            ).fetchall()
            found |= {(strategy.name, int(weight)): (int(link), int(review)) for weight, link, review in rows}
    return found


def pairs_around(
    limits: EngineLimits, pairs: Path, strategy: Strategy, threshold: float, count: int
) -> tuple[Sequence[TrialPair], Sequence[TrialPair]]:
    """Find the pairs of a strategy that lie nearest to a threshold.

    Returns:
        At most `count` at or over it, then at most `count` under it; the highest weight first.

    Raises:
        StorageError: if the file cannot be read.
    """
    sides = []
    with open_engine(limits) as con:
        for condition, order in ((">=", "ASC"), ("<", "DESC")):
            rows = con.execute(
                f"SELECT record_id_l, record_id_r, match_weight FROM read_parquet({literal(pairs)}) "
                f"WHERE strategy = ? AND isfinite(match_weight) AND match_weight {condition} ? "
                f"ORDER BY match_weight {order}, record_id_l, record_id_r LIMIT ?",
                [strategy.name, threshold, count],
            ).fetchall()
            found = [TrialPair(int(one), int(other), float(weight)) for one, other, weight in rows]
            sides.append(sorted(found, key=lambda pair: -pair.match_weight))
    return sides[0], sides[1]
