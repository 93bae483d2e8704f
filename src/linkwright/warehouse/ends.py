"""Owns ends files: the ids of records that are no more and, where another took its place, the id of that one.

A file holds record_id BIGINT and, if records were replaced, replaced_by BIGINT (empty for those that were not).
Files of deletions lack that column. Must not decide which records end, nor touch their data: it is blanked by a
Purge.

Source: SPEC section 3 (deletion); ARCHITECTURE section 4 (ends); docs/decisions/0018.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from linkwright.engine.fields import EVENT_TYPE, RECORD_ID
from linkwright.engine.id_arrays import NO_IDS, Ids
from linkwright.engine.sql import identifier, literal, string_list
from linkwright.engine.updates import Replacements
from linkwright.warehouse.connection import open_engine, write_parquet
from linkwright.warehouse.limits import EngineLimits, WrittenFile
from linkwright.warehouse.linkage_map import current_map_sql
from linkwright.warehouse.live_files import LiveFiles
from linkwright.warehouse.record_views import create_record_view, ended_sql

REPLACED_BY = "replaced_by"


class End(NamedTuple):
    """A record that is no more, and the one that took its place, if one did."""

    record_id: int
    replaced_by: int | None


class WrittenEnds(NamedTuple):
    """An ends file, and the highest record id in it; 0 if there is none."""

    file: WrittenFile
    last_id: int


class EventTypeCounts(NamedTuple):
    """The live records of an Event Type, and the groups that they are part of."""

    records_count: int
    groups_count: int


def write_ends(limits: EngineLimits, record_ids: Collection[int], target: Path) -> WrittenFile:
    """Write the ids of records that end.

    Args:
        limits: memory, threads, scratch folder.
        record_ids: each at least once.
        target: the ends file to write: record_id BIGINT, ascending, each once.

    Raises:
        StorageError: if the file cannot be written.
    """
    with open_engine(limits) as con:
        con.register("ended", pa.table({RECORD_ID: np.unique(np.array(list(record_ids), dtype=np.int64))}))
        return write_parquet(con, f"SELECT {identifier(RECORD_ID)} FROM ended ORDER BY 1", target)


def write_replacements(limits: EngineLimits, ends: Collection[End], target: Path) -> WrittenFile:
    """Write ends of which some or all name the record that took the place.

    Raises:
        StorageError: if the file cannot be written.
    """
    columns = {
        RECORD_ID: pa.array([end.record_id for end in ends], pa.int64()),
        REPLACED_BY: pa.array([end.replaced_by for end in ends], pa.int64()),
    }
    with open_engine(limits) as con:
        con.register("ended", pa.table(columns))
        return write_parquet(con, "FROM ended ORDER BY 1", target)


def write_ends_of_event_type(
    limits: EngineLimits, files: LiveFiles, event_type_code: str, target: Path
) -> WrittenEnds:
    """End all live records of an Event Type.

    Args:
        limits: memory, threads, scratch folder.
        files: of the live data.
        event_type_code: of the Event Type.
        target: the ends file to write: record_id BIGINT, ascending; empty if there are no such records.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    if not files.records:
        return WrittenEnds(write_ends(limits, (), target), 0)
    with open_engine(limits) as con:
        create_record_view(con, "records", files.records, files.ended, columns=(EVENT_TYPE,))
        written = write_parquet(con, _ids_sql(event_type_code), target)
        last = con.execute(f"SELECT coalesce(max(record_id), 0) FROM read_parquet({literal(target)})").fetchall()
    return WrittenEnds(written, int(last[0][0]))


def count_event_type(limits: EngineLimits, files: LiveFiles, event_type_code: str) -> EventTypeCounts:
    """Count the live records of an Event Type, and the groups that hold any of them.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not files.records:
        return EventTypeCounts(0, 0)
    with open_engine(limits) as con:
        create_record_view(con, "records", files.records, files.ended, columns=(EVENT_TYPE,))
        current_map = current_map_sql(files.assignments, files.ended)
        counted = con.execute(
            f"SELECT count(*), count(DISTINCT group_id) FROM ({_ids_sql(event_type_code)}) "
            f"LEFT JOIN ({current_map}) USING (record_id)"
        ).fetchall()
    return EventTypeCounts(*map(int, counted[0]))


def _ids_sql(event_type_code: str) -> str:
    return (
        f"SELECT {identifier(RECORD_ID)} FROM records WHERE {identifier(EVENT_TYPE)} = {literal(event_type_code)} "
        "ORDER BY 1"
    )


def read_ended(con: duckdb.DuckDBPyConnection, ended: Sequence[Path]) -> Ids:
    """Read the records of ends files; in no order, with doubles if files repeat them."""
    if not ended:
        return NO_IDS
    return np.asarray(con.execute(ended_sql(ended)).fetchnumpy()[RECORD_ID], dtype=np.int64)


def read_replacements(con: duckdb.DuckDBPyConnection, ended: Sequence[Path]) -> Replacements:
    """Read which record took the place of which."""
    if not ended:
        return Replacements(NO_IDS, NO_IDS)
    # a row without values gives the column its name and type where no file has it
    source = (
        f"SELECT record_id, replaced_by FROM (FROM read_parquet({string_list(list(ended))}, union_by_name = true) "
        f"UNION ALL BY NAME SELECT CAST(NULL AS BIGINT) AS record_id, CAST(NULL AS BIGINT) AS {REPLACED_BY})"
    )
    found = con.execute(
        f"SELECT record_id, max(replaced_by) AS {REPLACED_BY} FROM ({source}) "
        f"WHERE {REPLACED_BY} IS NOT NULL GROUP BY record_id"
    ).fetchnumpy()
    return Replacements(*(np.asarray(found[name], dtype=np.int64) for name in (RECORD_ID, REPLACED_BY)))
