"""Looks records of a project's live data up by their identifiers, and tells their identifiers and groups.

Must not know the catalog, nor decide who may see what it reads.

Source: ARCHITECTURE section 4 (records, pairs, assignments, ends).
"""

from collections.abc import Collection, Sequence

import pyarrow as pa

from linkwright.engine.sql import string_list
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles, RecordKey
from linkwright.warehouse.record_views import create_record_view, ended_sql


def find_records(limits: EngineLimits, files: LiveFiles, keys: Sequence[RecordKey]) -> list[int | None]:
    """Return the record id of each live record, in the order of the keys; None for one that there is not.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not files.records:
        return [None] * len(keys)
    columns = {name: [getattr(key, name) for key in keys] for name in RecordKey._fields}
    with open_engine(limits) as con:
        create_record_view(con, "records", files.records, files.ended, columns=RecordKey._fields)
        con.register("wanted", pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}))
        rows = con.execute(
            "SELECT record_id, event_type, source_unique_id FROM records "
            "SEMI JOIN wanted USING (event_type, source_unique_id)"
        ).fetchall()
    found = {RecordKey(*key): int(record_id) for record_id, *key in rows}
    return [found.get(key) for key in keys]


def read_record_keys(limits: EngineLimits, files: LiveFiles, record_ids: Collection[int]) -> dict[int, RecordKey]:
    """Return how their providers know some records, live or ended, by record id; one that is unknown is left out.

    Of a record that was purged it is not known any more: it is named by its record id.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not files.records or not record_ids:
        return {}
    with open_engine(limits) as con:
        create_record_view(con, "records", files.records, (), columns=RecordKey._fields)
        rows = con.execute(
            "SELECT record_id, event_type, coalesce(source_unique_id, '(purged record ' || record_id || ')') "
            "FROM records "
            f"WHERE record_id IN ({number_list(record_ids)})"
        ).fetchall()
    return {int(record_id): RecordKey(*key) for record_id, *key in rows}


def read_groups(limits: EngineLimits, files: LiveFiles, record_ids: Collection[int]) -> dict[int, int]:
    """Return the current group of each of some records; one that is in none is left out.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not files.assignments or not record_ids:
        return {}
    with open_engine(limits) as con:
        rows = con.execute(current_groups_sql(files, number_list(record_ids))).fetchall()
    return {int(record_id): int(group_id) for record_id, group_id in rows}


def current_groups_sql(files: LiveFiles, record_ids: str) -> str:
    """Return a query of the current group of some records, without working out the map of all.

    Args:
        files: with at least one assignments file.
        record_ids: a list of numbers, or a query of one column.

    Returns:
        A query of record_id and group_id, a row per live record, in no order.
    """
    gone = f" AND record_id NOT IN ({ended_sql(files.ended)})" if files.ended else ""
    # file_index is DuckDB's number of the file in the list: the latest batch counts
    return (
        "SELECT record_id, arg_max(group_id, file_index) AS group_id "
        f"FROM read_parquet({string_list(list(files.assignments))}) WHERE record_id IN ({record_ids}){gone} "
        "GROUP BY record_id"
    )


def number_list(record_ids: Collection[int]) -> str:
    """Return ids as a list of SQL literals; ids are numbers, so that nothing needs quoting."""
    return ", ".join(str(int(one)) for one in record_ids)
