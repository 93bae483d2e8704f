"""Owns which touched groups a person should look at, and why.

Works on the members of the touched groups only. No value of a record leaves this file: a group is named with the
reason, not with the dates or sexes that differ. Must not change groups.

Source: SPEC section 1 (Event Type: authoritative), section 3 (flagged groups).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from linkwright.engine.grouping import GroupingConfiguration
from linkwright.engine.id_arrays import Ids, Weights
from linkwright.engine.links import component_labels, smallest_nodes
from linkwright.engine.sql import identifier, literal, string_list
from linkwright.warehouse.group_result import NAMED_COUNT, FlaggedGroup, FlaggedGroups

MOST_EXPLAINED_DATES = 11
"""So many different dates can differ from each other by one digit or by day and month swapped, at most."""


class FlagReason(StrEnum):
    """Why a group is flagged."""

    AUTHORITATIVE = "several_authoritative_records"
    SIZE = "more_records_than_expected"
    WEAK_LINK = "weak_link"
    DATE = "conflicting_dates"
    SEX = "conflicting_sex"


@dataclass(frozen=True)
class Touched:
    """The groups that a job touched, with all their live records.

    Args:
        record_ids: their records.
        group_ids: the group of each.
        pairs: accepted pairs, and decisions that put together, whose records are both among these, left and
            right; others do no harm. Only read if the configuration flags weak links.
        weights: of those pairs (log2); +inf for decisions.
    """

    record_ids: Ids
    group_ids: Ids
    pairs: tuple[Ids, Ids]
    weights: Weights


def find_flagged_groups(
    con: duckdb.DuckDBPyConnection,
    touched: Touched,
    records: Sequence[Path],
    configuration: GroupingConfiguration,
    authoritative_event_types: Sequence[str],
) -> FlaggedGroups:
    """Look for groups with one of the reasons to be flagged.

    Args:
        con: makes and drops tables of its own.
        touched: what to look at.
        records: records files that hold the touched records. Fields that a file lacks are missing there.
        configuration: bounds and fields.
        authoritative_event_types: codes of the Event Types of which a person has at most one record.

    Returns:
        All counted, the first `NAMED_COUNT` named.
    """
    sizes = _sizes(touched.group_ids)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE flags "
        "(group_id BIGINT, reason VARCHAR, records_count BIGINT, event_type VARCHAR)"
    )
    _add_flags(con, np.flatnonzero(sizes > configuration.largest_expected_group), sizes, FlagReason.SIZE)
    if configuration.flag_links_under is not None:
        _add_flags(con, _weakly_linked(touched, configuration.flag_links_under), sizes, FlagReason.WEAK_LINK)
    if records and (sizes > 1).any():
        _look_at_values(con, touched, records, configuration, authoritative_event_types)
    flagged = _read_flags(con)
    weak = [one.group_id for one in flagged.named if one.reason == FlagReason.WEAK_LINK]
    if not weak:
        return flagged
    weights = _weakest_links(touched, weak)
    named = (
        replace(one, match_weight=weights.get(one.group_id)) if one.reason == FlagReason.WEAK_LINK else one
        for one in flagged.named
    )
    return replace(flagged, named=tuple(named))


def _sizes(group_ids: Ids) -> Ids:
    return np.bincount(group_ids) if group_ids.size else np.zeros(1, dtype=np.int64)


def _add_flags(con: duckdb.DuckDBPyConnection, group_ids: Ids, sizes: Ids, reason: FlagReason) -> None:
    if not group_ids.size:
        return
    con.register("found", pa.table({"group_id": group_ids, "records_count": sizes[group_ids]}))
    con.execute(f"INSERT INTO flags SELECT group_id, {literal(reason)}, records_count, NULL FROM found")
    con.unregister("found")


def _weakly_linked(touched: Touched, bound: float) -> Ids:
    """Return the groups that fall apart without their pairs under the bound, ascending."""
    order = np.argsort(touched.record_ids)
    records, groups = touched.record_ids[order], touched.group_ids[order]
    strong = touched.weights >= bound
    sides = [side[strong] for side in touched.pairs]
    places = [np.searchsorted(records, side) for side in sides]
    known = np.ones(sides[0].size, dtype=np.bool_)
    for side, place in zip(sides, places, strict=True):
        known &= place < records.size
        known[known] = records[place[known]] == side[known]
    left, right = (place[known] for place in places)
    same = groups[left] == groups[right]
    labels = component_labels(records.size, (left[same], right[same]))
    firsts = np.flatnonzero(smallest_nodes(labels) == np.arange(labels.size))
    return np.asarray(np.flatnonzero(_sizes(groups[firsts]) > 1), dtype=np.int64)


def _look_at_values(
    con: duckdb.DuckDBPyConnection,
    touched: Touched,
    records: Sequence[Path],
    configuration: GroupingConfiguration,
    authoritative_event_types: Sequence[str],
) -> None:
    # a batch that is older than a field lacks its column
    source = f"read_parquet({string_list(list(records))}, union_by_name = true)"
    types = {str(row[0]): str(row[1]) for row in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    date, sex = configuration.flag_conflicting_date, configuration.flag_conflicting_sex
    columns = {
        "event_type": "event_type" if authoritative_event_types else None,
        "day": date if date is not None and types.get(date) == "DATE" else None,
        "sex": sex if sex in types else None,
    }
    wanted = {alias: name for alias, name in columns.items() if name is not None}
    if not wanted:
        return
    shared = _sizes(touched.group_ids)[touched.group_ids] > 1
    members = {"record_id": touched.record_ids[shared], "group_id": touched.group_ids[shared]}
    con.register("members", pa.table(members))
    selected = ", ".join(f"{identifier(name)} AS {alias}" for alias, name in wanted.items())
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE member_values AS SELECT group_id, {', '.join(wanted)} FROM "
        f"(SELECT record_id, {selected} FROM {source}) JOIN members USING (record_id)"
    )
    con.unregister("members")
    if "event_type" in wanted:
        con.execute(_authoritative_sql(authoritative_event_types))
    if "day" in wanted:
        con.execute(_CONFLICTING_DATES_SQL)
    if "sex" in wanted:
        con.execute(_CONFLICTING_SEX_SQL)
    con.execute("DROP TABLE member_values")


def _authoritative_sql(event_types: Sequence[str]) -> str:
    codes = ", ".join(literal(code) for code in event_types)
    return (
        f"INSERT INTO flags SELECT group_id, {literal(FlagReason.AUTHORITATIVE)}, count(*), event_type "
        f"FROM member_values WHERE event_type IN ({codes}) GROUP BY group_id, event_type HAVING count(*) > 1"
    )


_CONFLICTING_DATES_SQL = f"""
INSERT INTO flags
-- in most groups all dates are equal, and this is the cheapest way to see it
WITH differing AS (SELECT group_id FROM member_values GROUP BY group_id HAVING min(day) <> max(day)),
dates AS (
    SELECT group_id, day, year(day) AS y, month(day) AS m, day(day) AS d,
        lpad(CAST(year(day) * 10000 + month(day) * 100 + day(day) AS VARCHAR), 8, '0') AS digits
    FROM (SELECT DISTINCT group_id, day FROM member_values SEMI JOIN differing USING (group_id))
    WHERE day IS NOT NULL
),
several AS (SELECT group_id, count(*) AS days_count FROM dates GROUP BY group_id HAVING count(*) > 1),
compared AS (
    SELECT * FROM dates SEMI JOIN (FROM several WHERE days_count <= {MOST_EXPLAINED_DATES}) USING (group_id)
),
conflicting AS (
    SELECT group_id FROM several WHERE days_count > {MOST_EXPLAINED_DATES}
    UNION
    SELECT a.group_id FROM compared AS a JOIN compared AS b ON a.group_id = b.group_id AND a.day < b.day
    WHERE NOT (a.y = b.y AND a.m = b.d AND a.d = b.m) AND hamming(a.digits, b.digits) > 1
)
SELECT group_id, {literal(FlagReason.DATE)}, count(*), NULL
FROM member_values SEMI JOIN conflicting USING (group_id)
GROUP BY group_id
"""

_CONFLICTING_SEX_SQL = f"""
INSERT INTO flags SELECT group_id, {literal(FlagReason.SEX)}, count(*), NULL FROM member_values
GROUP BY group_id HAVING bool_or(sex = 'm') AND bool_or(sex = 'f')
"""


def _read_flags(con: duckdb.DuckDBPyConnection) -> FlaggedGroups:
    count = int(con.execute("SELECT count(DISTINCT group_id) FROM flags").fetchall()[0][0])
    reasons = con.execute("SELECT reason, count(DISTINCT group_id) FROM flags GROUP BY reason").fetchall()
    found = {str(reason): int(groups_count) for reason, groups_count in reasons}
    first = con.execute(
        "SELECT group_id, reason, records_count, event_type FROM flags "
        f"ORDER BY group_id, reason, event_type LIMIT {NAMED_COUNT}"
    ).fetchall()
    con.execute("DROP TABLE flags")
    return FlaggedGroups(
        count=count,
        by_reason={str(reason): found[reason] for reason in FlagReason if reason in found},
        named=tuple(FlaggedGroup(*row) for row in first),
    )


def _weakest_links(touched: Touched, group_ids: Sequence[int]) -> dict[int, float]:
    """Return, per group, the smallest weight of the strongest pairs that hold it together.

    Kruskal's algorithm: the last pair that joins two parts is the weakest of a maximum spanning tree. A group that
    no pair holds together is left out.
    """
    chosen = np.isin(touched.group_ids, group_ids)
    members, groups = touched.record_ids[chosen].tolist(), touched.group_ids[chosen].tolist()
    group_of = dict(zip(members, groups, strict=True))
    parts = {record_id: record_id for record_id in members}
    inside = np.isin(touched.pairs[0], members) & np.isin(touched.pairs[1], members)
    order = np.flatnonzero(inside)[np.argsort(-touched.weights[inside])]
    weakest: dict[int, float] = {}
    sides = (side[order].tolist() for side in touched.pairs)
    for one, other, weight in zip(*sides, touched.weights[order].tolist(), strict=True):
        first, second = _part(parts, one), _part(parts, other)
        if first != second and group_of[one] == group_of[other]:
            parts[second] = first
            weakest[group_of[one]] = weight
    return weakest


def _part(parts: dict[int, int], record_id: int) -> int:
    while parts[record_id] != record_id:
        parts[record_id] = parts[parts[record_id]]
        record_id = parts[record_id]
    return record_id
