"""Owns the run of Group: accepted pairs and the current map to one assignments file with its statistics.

Works on the touched groups; the rest of the map is only counted. Must not decide weights, nor touch the catalog.

Source: SPEC section 5 (Group) and 3 (statistics); ARCHITECTURE sections 4 (assignments) and 6.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from linkwright.engine.grouping import Ids, Merge, merge_groups
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.engine.sql import literal, string_list
from linkwright.errors import LinkwrightError
from linkwright.warehouse.connection import EngineLimits, WrittenFile, open_engine, write_parquet
from linkwright.warehouse.linkage_map import GroupSize, current_map_sql, group_sizes_sql, size_histogram_sql
from linkwright.warehouse.record_views import create_record_view, ended_sql
from linkwright.warehouse.stages import StageClock

FLAGGED_GROUPS_COUNT = 100
"""How many flagged groups are named."""


class UnknownStrategyError(LinkwrightError):
    """Pairs were kept by a strategy that the match configuration does not have."""


@dataclass(frozen=True)
class GroupRequest:
    """What to group.

    Args:
        new_records: records files of the new data.
        held_records: records files of the live data, none of it new; read for flagging only.
        new_pairs: pairs files of the new data.
        assignments: assignments files of the live map, the oldest batch first.
        ended: ends files.
        match_thresholds: per strategy name, the match weight from which a pair joins groups
            (`MatchConfiguration.match_thresholds`).
        authoritative_event_types: codes of the Event Types of which a person has at most one record.
        next_group_id: the first free group id of the project.
        target: the assignments file to write.
        limits: memory, threads, scratch folder.
    """

    new_records: tuple[Path, ...]
    held_records: tuple[Path, ...]
    new_pairs: tuple[Path, ...]
    assignments: tuple[Path, ...]
    ended: tuple[Path, ...]
    match_thresholds: Mapping[str, float]
    authoritative_event_types: tuple[str, ...]
    next_group_id: int
    target: Path
    limits: EngineLimits


@dataclass(frozen=True)
class FlaggedGroup:
    """A touched group with more than one record of an authoritative Event Type."""

    group_id: int
    event_type: str
    records_count: int


@dataclass(frozen=True)
class GroupResult:
    """What Group did.

    Args:
        assignments: the file written: all new records, and held records whose group changed.
        accepted_pairs_count: pairs at or over their strategy's match threshold.
        groups_before_count: of live records.
        groups_after_count: the same with the new records.
        new_groups_count: groups that have new records only.
        joined_records_count: new records in groups that existed.
        grown_groups_count: existing groups that took in new records or other groups.
        merged_groups_count: existing groups that ended in another.
        changed_records_count: held records whose group changed.
        largest_group_id: of the most records; the oldest of several. None without records.
        largest_group_size: its records.
        sizes: how many groups there are of each size, the smallest first.
        flagged_groups_count: touched groups with more than one record of an authoritative Event Type.
        flagged_groups: the first of them, at most `FLAGGED_GROUPS_COUNT`, by group and Event Type.
        max_group_id: the highest id that is or was in use; 0 if none.
        seconds: per stage.
    """

    assignments: WrittenFile
    accepted_pairs_count: int
    groups_before_count: int
    groups_after_count: int
    new_groups_count: int
    joined_records_count: int
    grown_groups_count: int
    merged_groups_count: int
    changed_records_count: int
    largest_group_id: int | None
    largest_group_size: int
    sizes: tuple[GroupSize, ...]
    flagged_groups_count: int
    flagged_groups: tuple[FlaggedGroup, ...]
    max_group_id: int
    seconds: dict[str, float]


@dataclass(frozen=True)
class _Counted:
    """What is counted over the groups once they are made."""

    sizes: tuple[GroupSize, ...]
    largest_id: int | None
    largest_size: int
    flagged_count: int
    flagged: tuple[FlaggedGroup, ...]


def group_records(request: GroupRequest, report: ReportProgress) -> GroupResult:
    """Group new records with each other and with the live map, merging what accepted pairs connect.

    Args:
        request: what to group.
        report: told the stage.

    Returns:
        The assignments file and its statistics.

    Raises:
        StorageError: if a file cannot be read or written.
        UnknownRecordError: if a pair's record is neither new nor in the map.
        UnknownStrategyError: if a pair was kept by a strategy without a threshold.
    """
    clock = StageClock()
    with open_engine(request.limits) as con:
        con.execute("SET preserve_insertion_order = false")
        report(Progress("read"))
        with clock.stage("read"):
            new_ids = _read_map(con, request)
            pairs = _accepted_pairs(con, request)
        report(Progress("merge"))
        with clock.stage("merge"):
            merge = merge_groups(
                new_ids,
                (pairs["record_id_l"], pairs["record_id_r"]),
                (pairs["group_id_l"], pairs["group_id_r"]),
                request.next_group_id,
            )
            _make_assignments(con, new_ids, merge)
        report(Progress("write"))
        with clock.stage("write"):
            query = "SELECT record_id, group_id FROM assignments ORDER BY record_id"
            assignments = write_parquet(con, query, request.target)
        report(Progress("count"))
        with clock.stage("count"):
            counted = _count_groups(con, request, merge)
    return _result(
        merge,
        counted,
        assignments,
        accepted_pairs_count=int(pairs["record_id_l"].size),
        new_records_count=int(new_ids.size),
        seconds=clock.seconds,
    )


def _result(
    merge: Merge,
    counted: _Counted,
    assignments: WrittenFile,
    *,
    accepted_pairs_count: int,
    new_records_count: int,
    seconds: dict[str, float],
) -> GroupResult:
    groups_after_count = sum(size.groups_count for size in counted.sizes)
    merged_groups_count = int(merge.absorbed_group_ids.size)
    return GroupResult(
        assignments=assignments,
        accepted_pairs_count=accepted_pairs_count,
        groups_before_count=groups_after_count - merge.new_groups_count + merged_groups_count,
        groups_after_count=groups_after_count,
        new_groups_count=merge.new_groups_count,
        joined_records_count=merge.joined_records_count,
        grown_groups_count=int(merge.grown_group_ids.size),
        merged_groups_count=merged_groups_count,
        changed_records_count=assignments.rows_count - new_records_count,
        largest_group_id=counted.largest_id,
        largest_group_size=counted.largest_size,
        sizes=counted.sizes,
        flagged_groups_count=counted.flagged_count,
        flagged_groups=counted.flagged,
        max_group_id=merge.next_group_id - 1,
        seconds=seconds,
    )


def _read_map(con: duckdb.DuckDBPyConnection, request: GroupRequest) -> Ids:
    """Make the table current_map (record_id, group_id) and the record views; return the new record ids."""
    new, held = request.new_records, request.held_records
    columns = ("event_type",)
    create_record_view(con, "new_records", new, request.ended, columns=columns, like=held)
    create_record_view(con, "held_records", held, request.ended, columns=columns, like=new)
    con.execute(f"CREATE TABLE current_map AS {current_map_sql(request.assignments, request.ended)}")
    ids = con.execute("SELECT record_id FROM new_records").fetchnumpy()["record_id"]
    return np.asarray(ids, dtype=np.int64)


def _accepted_pairs(con: duckdb.DuckDBPyConnection, request: GroupRequest) -> dict[str, Ids]:
    """Return record_id_l, record_id_r, group_id_l, group_id_r (-1 if new) of live pairs over their thresholds."""
    names = ("record_id_l", "record_id_r", "group_id_l", "group_id_r")
    if not request.new_pairs:
        return {name: np.empty(0, dtype=np.int64) for name in names}
    pairs = f"read_parquet({string_list(list(request.new_pairs))}, union_by_name = true)"
    strategies = [str(row[0]) for row in con.execute(f"SELECT DISTINCT strategy FROM {pairs}").fetchall()]
    unknown = sorted(set(strategies) - set(request.match_thresholds))
    if unknown:
        raise UnknownStrategyError(
            f"Pairs were kept by the strategies {', '.join(unknown)}, which have no match threshold; there are "
            f"thresholds for {', '.join(sorted(request.match_thresholds)) or 'none'}. Match these records again "
            "with the current match configuration."
        )
    if not strategies:
        return {name: np.empty(0, dtype=np.int64) for name in names}
    cases = " ".join(f"WHEN {literal(name)} THEN {literal(request.match_thresholds[name])}" for name in strategies)
    is_live = ""
    if request.ended:
        ends = ended_sql(request.ended)
        is_live = f" AND p.record_id_l NOT IN ({ends}) AND p.record_id_r NOT IN ({ends})"
    columns = con.execute(
        "SELECT p.record_id_l, p.record_id_r, coalesce(l.group_id, -1) AS group_id_l, "
        "coalesce(r.group_id, -1) AS group_id_r\n"
        f"FROM {pairs} AS p\n"
        "LEFT JOIN current_map AS l ON l.record_id = p.record_id_l\n"
        "LEFT JOIN current_map AS r ON r.record_id = p.record_id_r\n"
        f"WHERE p.match_weight >= CASE p.strategy {cases} END{is_live}"
    ).fetchnumpy()
    return {name: np.asarray(columns[name], dtype=np.int64) for name in names}


def _make_assignments(con: duckdb.DuckDBPyConnection, new_ids: Ids, merge: Merge) -> None:
    """Make the tables assignments (what changes) and group_sizes (of the map with it)."""
    grouped = pa.table({"record_id": new_ids, "group_id": merge.new_group_ids})
    absorbed = pa.table({"group_id": merge.absorbed_group_ids, "into_group_id": merge.absorbing_group_ids})
    con.register("grouped", grouped)
    con.register("absorbed", absorbed)
    con.execute(
        "CREATE TABLE assignments AS SELECT record_id, group_id FROM grouped UNION ALL "
        "SELECT m.record_id, a.into_group_id AS group_id FROM current_map AS m JOIN absorbed AS a USING (group_id)"
    )
    new_map = (
        "SELECT group_id FROM grouped UNION ALL "
        "SELECT coalesce(a.into_group_id, m.group_id) AS group_id FROM current_map AS m LEFT JOIN absorbed AS a "
        "USING (group_id)"
    )
    con.execute(f"CREATE TABLE group_sizes AS {group_sizes_sql(new_map)}")


def _count_groups(con: duckdb.DuckDBPyConnection, request: GroupRequest, merge: Merge) -> _Counted:
    sizes = con.execute(size_histogram_sql("SELECT * FROM group_sizes")).fetchall()
    largest = con.execute(
        "SELECT group_id, records_count FROM group_sizes ORDER BY records_count DESC, group_id LIMIT 1"
    ).fetchall()
    largest_id, largest_size = largest[0] if largest else (None, 0)
    flagged_count, flagged = _flagged_groups(con, request, merge)
    return _Counted(tuple(GroupSize(*row) for row in sizes), largest_id, largest_size, flagged_count, flagged)


def _flagged_groups(
    con: duckdb.DuckDBPyConnection, request: GroupRequest, merge: Merge
) -> tuple[int, tuple[FlaggedGroup, ...]]:
    """Find touched groups with several records of an authoritative Event Type: their count, and the first."""
    if not request.authoritative_event_types:
        return 0, ()
    con.register("touched", pa.table({"group_id": np.union1d(merge.new_group_ids, merge.grown_group_ids)}))
    codes = ", ".join(literal(code) for code in request.authoritative_event_types)
    con.execute(
        "CREATE TABLE shared AS SELECT group_id FROM group_sizes "
        "WHERE records_count > 1 AND group_id IN (SELECT group_id FROM touched)"
    )
    con.execute(
        "CREATE TABLE flagged AS SELECT group_id, event_type, count(*) AS records_count FROM (\n"
        "SELECT g.group_id, n.event_type FROM grouped AS g SEMI JOIN shared USING (group_id) "
        "JOIN new_records AS n USING (record_id) UNION ALL\n"
        "SELECT coalesce(a.into_group_id, m.group_id) AS group_id, h.event_type FROM current_map AS m "
        "LEFT JOIN absorbed AS a USING (group_id) JOIN held_records AS h USING (record_id) "
        "WHERE coalesce(a.into_group_id, m.group_id) IN (SELECT group_id FROM shared)\n"
        f") WHERE event_type IN ({codes})\n"
        "GROUP BY group_id, event_type HAVING count(*) > 1"
    )
    count = int(con.execute("SELECT count(DISTINCT group_id) FROM flagged").fetchall()[0][0])
    first = con.execute(
        f"SELECT * FROM flagged ORDER BY group_id, event_type LIMIT {FLAGGED_GROUPS_COUNT}"
    ).fetchall()
    return count, tuple(FlaggedGroup(*row) for row in first)
