"""Owns the rule that a Source Unique ID occurs once under an Event Type, in a file and in the project.

Every row of an identifier that occurs twice in a file is rejected, the first one too: nobody can tell which of
them is meant.

Source: SPEC section 1 (Source Unique ID), section 5 (Load).
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from linkwright.engine.sql import literal, string_list
from linkwright.warehouse.record_views import ended_sql
from linkwright.warehouse.rejects import RejectReason, Rejects


def reject_taken_identifiers(
    con: duckdb.DuckDBPyConnection,
    records: Path,
    row_lines: str,
    *,
    held_records: Sequence[Path],
    ended: Sequence[Path],
    event_type_code: str,
    rejects: Rejects,
) -> pa.Array:
    """Find the rows whose Source Unique ID another row has, in the file or among the held records.

    Args:
        con: the engine to compute in.
        records: a records file of the rows (record_id, source_unique_id).
        row_lines: a table of the same rows (record_id BIGINT, line BIGINT).
        held_records: records files of the project.
        ended: ends files; the identifiers of their records are free.
        event_type_code: of all rows; held records of another Event Type do not count.
        rejects: takes the rows.

    Returns:
        int64, the record ids of these rows, ascending.
    """
    file = f"read_parquet({literal(records)})"
    con.execute("CREATE OR REPLACE TEMP TABLE taken (source_unique_id VARCHAR, reason VARCHAR, fault VARCHAR)")
    con.execute(
        f"INSERT INTO taken SELECT source_unique_id, {literal(str(RejectReason.REPEATED))}, "
        "'has a Source Unique ID that occurs ' || count(*) || ' times in the file' "
        f"FROM {file} GROUP BY source_unique_id HAVING count(*) > 1"
    )
    if held_records:
        con.execute(f"INSERT INTO taken {_loaded_already_sql(file, held_records, ended, event_type_code)}")
    if con.execute("SELECT count(*) FROM taken").fetchall() == [(0,)]:
        return pa.array([], pa.int64())
    con.execute(
        "CREATE OR REPLACE TEMP TABLE taken_rows AS SELECT record_id, line, reason, fault, source_unique_id "
        f"FROM {file} JOIN taken USING (source_unique_id) JOIN {row_lines} USING (record_id)"
    )
    rejects.add_from("SELECT line, reason, fault, source_unique_id FROM taken_rows")
    ids = con.sql("SELECT record_id FROM taken_rows ORDER BY record_id").to_arrow_table()
    return ids.column("record_id").combine_chunks()


def _loaded_already_sql(
    file: str, held_records: Sequence[Path], ended: Sequence[Path], event_type_code: str
) -> str:
    """Return the identifiers of a file that a live record has, with reason and fault."""
    fault = f"has a Source Unique ID that is loaded already under the Event Type {event_type_code}"
    is_live = f"AND record_id NOT IN ({ended_sql(ended)}) " if ended else ""
    return (
        f"SELECT DISTINCT source_unique_id, {literal(str(RejectReason.LOADED_ALREADY))}, {literal(fault)} "
        f"FROM read_parquet({string_list(list(held_records))}, union_by_name = true) "
        f"WHERE event_type = {literal(event_type_code)} {is_live}"
        f"AND source_unique_id IN (SELECT source_unique_id FROM {file}) "
        "AND source_unique_id NOT IN (SELECT source_unique_id FROM taken)"
    )
