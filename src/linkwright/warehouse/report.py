"""Owns the numbers of a report that come from the files: completeness, group sizes, rates between Event Types.

Reads; writes nothing. Source: SPEC section 5 (Report).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from linkwright.engine.sql import identifier
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.flagged_map import WholeMap, flag_whole_map
from linkwright.warehouse.group_outcome import FlagSources
from linkwright.warehouse.group_result import FlaggedGroups
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.linkage_map import GroupSize, current_map_sql, group_sizes_sql, size_histogram_sql
from linkwright.warehouse.record_views import create_record_view

NOTHING_FLAGGED = FlaggedGroups(count=0, by_reason={}, named=())


@dataclass(frozen=True)
class ReportRequest:
    """What to report on.

    Args:
        records: records files of the Envelope.
        project_records: records files of the project, the Envelope's among them.
        assignments: assignments files of the project, the oldest batch first.
        ended: ends files.
        decisions: decisions files of the project, the oldest batch first.
        flags: where the reasons to flag a group are read, of the whole project.
        fields: names of the linkage fields, in the order of the report.
        limits: memory, threads, scratch folder.
    """

    records: tuple[Path, ...]
    project_records: tuple[Path, ...]
    assignments: tuple[Path, ...]
    ended: tuple[Path, ...]
    decisions: tuple[Path, ...]
    flags: FlagSources
    fields: tuple[str, ...]
    limits: EngineLimits


@dataclass(frozen=True)
class Completeness:
    """How many records have a value in one field."""

    field: str
    envelope_filled_count: int
    project_filled_count: int


@dataclass(frozen=True)
class LinkingRate:
    """How many records of one Event Type share their group with another record, of that Event Type or another."""

    event_type: str
    with_event_type: str
    records_count: int
    linked_count: int


@dataclass(frozen=True)
class ReportNumbers:
    """What the files say."""

    envelope_records_count: int
    project_records_count: int
    completeness: tuple[Completeness, ...]
    sizes: tuple[GroupSize, ...]
    linking_rates: tuple[LinkingRate, ...]
    flagged: FlaggedGroups

    @property
    def groups_count(self) -> int:
        """Groups of the project."""
        return sum(size.groups_count for size in self.sizes)


def read_report_numbers(request: ReportRequest) -> ReportNumbers:
    """Count.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not request.project_records:
        # nothing was ever loaded: an Event Type without records was detached, or a list of unknown ones deleted
        return ReportNumbers(
            0, 0, tuple(Completeness(field, 0, 0) for field in request.fields), (), (), NOTHING_FLAGGED
        )
    with open_engine(request.limits) as con:
        columns = ("event_type", *request.fields)
        own = create_record_view(
            con, "own", request.records, request.ended, columns=columns, like=request.project_records
        )
        everything = create_record_view(con, "everything", request.project_records, request.ended, columns=columns)
        filled = zip(
            request.fields,
            _filled_counts(con, "own", request.fields),
            _filled_counts(con, "everything", request.fields),
            strict=True,
        )
        current_map = current_map_sql(request.assignments, request.ended)
        con.execute(f"CREATE TEMP TABLE linkage_map AS {current_map}")
        sizes = con.execute(size_histogram_sql(group_sizes_sql("FROM linkage_map"))).fetchall()
        rates = con.execute(_LINKING_RATES_SQL).fetchall()
        whole = WholeMap(request.assignments, request.ended, request.decisions, request.flags)
        flagged = flag_whole_map(con, whole)
    return ReportNumbers(
        envelope_records_count=own,
        project_records_count=everything,
        completeness=tuple(Completeness(*row) for row in filled),
        sizes=tuple(GroupSize(*row) for row in sizes),
        linking_rates=tuple(LinkingRate(*row) for row in rates),
        flagged=flagged,
    )


def _filled_counts(con: duckdb.DuckDBPyConnection, view: str, fields: Sequence[str]) -> list[int]:
    counts = ", ".join(f"count({identifier(field)})" for field in fields)
    return [int(count) for count in con.execute(f"SELECT {counts} FROM {view}").fetchall()[0]]


# counted per group and Event Type, never per pair of records: a large group costs no more than a small one
_LINKING_RATES_SQL = """
WITH members AS (
    SELECT group_id, event_type, count(*) AS records_count
    FROM everything JOIN linkage_map USING (record_id) GROUP BY ALL
),
totals AS (SELECT event_type, sum(records_count) AS total FROM members GROUP BY ALL),
linked AS (
    SELECT one.event_type, other.event_type AS with_event_type, sum(one.records_count) AS linked_count
    FROM members AS one JOIN members AS other USING (group_id)
    WHERE one.event_type <> other.event_type OR one.records_count > 1
    GROUP BY ALL
)
SELECT a.event_type, b.event_type, CAST(a.total AS BIGINT), CAST(coalesce(linked_count, 0) AS BIGINT)
FROM totals AS a CROSS JOIN totals AS b
LEFT JOIN linked ON linked.event_type = a.event_type AND linked.with_event_type = b.event_type
ORDER BY 1, 2
"""
