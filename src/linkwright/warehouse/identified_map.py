"""Owns the linkage map under the providers' own identifiers: for measuring it against a truth from outside."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.linkage_map import current_map_sql
from linkwright.warehouse.record_views import create_record_view


class IdentifiedRecord(NamedTuple):
    """A live record as its provider knows it, and its group."""

    event_type: str
    source_unique_id: str
    group_id: int


def read_identified_map(
    limits: EngineLimits, records: Sequence[Path], assignments: Sequence[Path], ended: Sequence[Path] = ()
) -> list[IdentifiedRecord]:
    """Read the current map with Source Unique IDs, in the order of the record ids.

    Args:
        limits: memory, threads, scratch folder.
        records: records files of the live data.
        assignments: assignments files, the oldest batch first.
        ended: ends files.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not records:
        return []
    with open_engine(limits) as con:
        create_record_view(con, "records", records, ended, columns=("event_type", "source_unique_id"))
        rows = con.execute(
            "SELECT event_type, source_unique_id, group_id FROM records "
            f"JOIN ({current_map_sql(assignments, ended)}) USING (record_id) ORDER BY record_id"
        ).fetchall()
    return [IdentifiedRecord(*row) for row in rows]
