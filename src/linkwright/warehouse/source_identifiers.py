"""Owns the rule that a Source Unique ID occurs once under an Event Type, in a file and in the project.

Every row of an identifier that occurs twice in a file is rejected, the first one too: nobody can tell which of
them is meant. So is one that an earlier data file of the same Envelope holds, whatever the update mode: both files
come at once, and neither is newer. What is done with one that the project holds already, the update mode says.

Source: SPEC section 1 (Source Unique ID), section 5 (Load); docs/decisions/0018.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from linkwright.engine.sql import literal, string_list
from linkwright.engine.update_mode import UpdateMode
from linkwright.warehouse.connection import write_parquet
from linkwright.warehouse.limits import WrittenFile
from linkwright.warehouse.record_views import ended_sql
from linkwright.warehouse.rejects import RejectReason, Rejects

_REPLACED = "replaced_records"


@dataclass(frozen=True)
class HeldIdentifiers:
    """Whose identifiers are taken.

    Args:
        event_type_code: of all rows; held records of another Event Type do not count.
        held_records: records files of the project, without the Envelope's own.
        own_records: records files of the Envelope's earlier data files.
        ended: ends files; the identifiers of their records are free.
        updates: what is done with rows whose identifier a held record has.
    """

    event_type_code: str
    held_records: tuple[Path, ...]
    own_records: tuple[Path, ...]
    ended: tuple[Path, ...]
    updates: UpdateMode


class Settled(NamedTuple):
    """What became of the rows whose identifier is taken.

    Args:
        taken_out: int64, the record ids of the rows that are not loaded, rejected or skipped, ascending.
        skipped_count: rows that are passed over, since the project holds their identifier.
        replaced_count: held records that rows take the place of.
    """

    taken_out: pa.Array
    skipped_count: int
    replaced_count: int


def settle_identifiers(
    con: duckdb.DuckDBPyConnection, records: Path, row_lines: str, held: HeldIdentifiers, rejects: Rejects
) -> Settled:
    """Settle what becomes of the rows whose Source Unique ID another row has, in the file or elsewhere.

    Args:
        con: the engine to compute in.
        records: a records file of the rows (record_id, source_unique_id).
        row_lines: a table of the same rows (record_id BIGINT, line BIGINT).
        held: whose identifiers are taken.
        rejects: takes the rows that are rejected.
    """
    file = f"read_parquet({literal(records)})"
    con.execute("CREATE OR REPLACE TEMP TABLE taken (source_unique_id VARCHAR, reason VARCHAR, fault VARCHAR)")
    con.execute(f"CREATE OR REPLACE TEMP TABLE {_REPLACED} (source_unique_id VARCHAR, record_id BIGINT)")
    con.execute(
        f"INSERT INTO taken SELECT source_unique_id, {literal(str(RejectReason.REPEATED))}, "
        "'has a Source Unique ID that occurs ' || count(*) || ' times in the file' "
        f"FROM {file} GROUP BY source_unique_id HAVING count(*) > 1"
    )
    if held.own_records:
        fault = "has a Source Unique ID that an earlier data file of the Envelope holds"
        _take(con, _live_sql(file, held.own_records, held), RejectReason.IN_EARLIER_FILE, fault)
    if held.held_records:
        found = _live_sql(file, held.held_records, held)
        if held.updates is UpdateMode.REJECT:
            fault = f"has a Source Unique ID that is loaded already under the Event Type {held.event_type_code}"
            _take(con, found, RejectReason.LOADED_ALREADY, fault)
        else:
            con.execute(f"INSERT INTO {_REPLACED} SELECT source_unique_id, record_id FROM ({found})")
    return _settled(con, file, row_lines, held.updates, rejects)


def write_replaced(con: duckdb.DuckDBPyConnection, records: Path, target: Path) -> WrittenFile:
    """Write the ends of the held records that rows take the place of; call `settle_identifiers` before.

    Args:
        con: the same engine.
        records: the records file as it is loaded, with the ids that count.
        target: the ends file to write: record_id, replaced_by BIGINT, ascending.
    """
    return write_parquet(
        con,
        f"SELECT o.record_id, n.record_id AS replaced_by FROM {_REPLACED} AS o "
        f"JOIN read_parquet({literal(records)}) AS n USING (source_unique_id) ORDER BY 1",
        target,
    )


def _settled(
    con: duckdb.DuckDBPyConnection, file: str, row_lines: str, updates: UpdateMode, rejects: Rejects
) -> Settled:
    taken_count, coming_again = (
        int(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]) for table in ("taken", _REPLACED)
    )
    skipped = coming_again if updates is UpdateMode.SKIP else 0
    replaced = coming_again - skipped
    if not taken_count and not skipped:
        return Settled(pa.array([], pa.int64()), 0, replaced)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE taken_rows AS SELECT record_id, line, reason, fault, source_unique_id "
        f"FROM {file} JOIN taken USING (source_unique_id) JOIN {row_lines} USING (record_id)"
    )
    rejects.add_from("SELECT line, reason, fault, source_unique_id FROM taken_rows")
    passed_over = f" UNION ALL SELECT n.record_id FROM {file} AS n SEMI JOIN {_REPLACED} USING (source_unique_id)"
    ids = con.sql(
        f"SELECT record_id FROM (SELECT record_id FROM taken_rows{passed_over if skipped else ''}) ORDER BY 1"
    ).to_arrow_table()
    return Settled(ids.column("record_id").combine_chunks(), skipped, replaced)


def _take(con: duckdb.DuckDBPyConnection, found: str, reason: RejectReason, fault: str) -> None:
    values = f"source_unique_id, {literal(str(reason))}, {literal(fault)}"
    con.execute(f"INSERT INTO taken SELECT DISTINCT {values} FROM ({found})")


def _live_sql(file: str, records: Sequence[Path], held: HeldIdentifiers) -> str:
    """Return a query of the live records in some files whose identifier a row has that is not taken yet."""
    is_live = f"AND record_id NOT IN ({ended_sql(held.ended)}) " if held.ended else ""
    return (
        "SELECT source_unique_id, record_id "
        f"FROM read_parquet({string_list(list(records))}, union_by_name = true) "
        f"WHERE event_type = {literal(held.event_type_code)} {is_live}"
        f"AND source_unique_id IN (SELECT source_unique_id FROM {file}) "
        "AND source_unique_id NOT IN (SELECT source_unique_id FROM taken)"
    )
