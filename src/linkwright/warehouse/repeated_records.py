"""Owns the finding of held records that come again: under the same Event Type, with the same Source Unique ID.

Counted beside its new version, a record would be taken for a match of itself, and estimates would be too good.
Must not know what the records are read for.

Source: SPEC section 1 (a Source Unique ID is unique within its Event Type in a project).
"""

from collections.abc import Sequence
from pathlib import Path

from linkwright.engine.sql import string_list
from linkwright.warehouse.connection import open_engine, write_parquet
from linkwright.warehouse.limits import EngineLimits, WrittenFile
from linkwright.warehouse.record_views import ended_sql


def write_repeated_records(
    new: Sequence[Path], held: Sequence[Path], target: Path, limits: EngineLimits, *, ended: Sequence[Path] = ()
) -> WrittenFile:
    """Write the held records that come again as an ends file.

    Args:
        new: records files of the incoming data; at least one.
        held: records files of the live data; at least one.
        target: the Parquet file to write: record_id BIGINT, ascending.
        limits: memory, threads, scratch folder.
        ended: ends files; their records are held no more.

    Raises:
        ValueError: if there are no new or no held files.
        StorageError: if a file cannot be read or written.
    """
    if not new or not held:
        raise ValueError("records come again only where there are new and held ones")
    with open_engine(limits) as con:
        incoming, live = (
            f"read_parquet({string_list(list(files))}, union_by_name = true)" for files in (new, held)
        )
        is_live = f"WHERE record_id NOT IN ({ended_sql(ended)}) " if ended else ""
        return write_parquet(
            con,
            f"SELECT record_id FROM (FROM {live} {is_live}) AS h SEMI JOIN {incoming} AS n "
            "ON h.event_type = n.event_type AND h.source_unique_id = n.source_unique_id ORDER BY record_id",
            target,
        )
