"""Owns the versions of single records: which took the place of which, and which ends file says so.

Must not know the catalog, nor read values.

Source: docs/decisions/0018; SPEC section 3 (deletion).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from linkwright.engine.sql import string_list
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.ends import REPLACED_BY
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.record_keys import number_list

MOST_VERSIONS_COUNT = 1_000
"""Of a chain of versions at most so many steps are walked."""


@dataclass(frozen=True)
class RecordEnd:
    """The end of a record.

    Args:
        file: the index of the ends file in the list given, from 0.
        record_id: of the record that is no more.
        replaced_by: the record that took its place; None if it was deleted.
    """

    file: int
    record_id: int
    replaced_by: int | None


def read_versions(
    limits: EngineLimits, ended: Sequence[Path], record_ids: Collection[int]
) -> tuple[RecordEnd, ...]:
    """Read the ends of some records and of all their earlier and later versions.

    Args:
        limits: memory, threads, scratch folder.
        ended: ends files as they were written.
        record_ids: of the records.

    Returns:
        By record id; nothing of a record that lives and replaced none.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not ended or not record_ids:
        return ()
    found: dict[int, RecordEnd] = {}
    looked_at: set[int] = set()
    wanted = set(record_ids)
    with open_engine(limits) as con:
        for _step in range(MOST_VERSIONS_COUNT):
            wanted -= looked_at
            if not wanted:
                break
            looked_at |= wanted
            ends = _ends_about(con, ended, wanted)
            found.update((end.record_id, end) for end in ends)
            wanted = {one for end in ends for one in (end.record_id, end.replaced_by) if one is not None}
    return tuple(found[record_id] for record_id in sorted(found))


def _ends_about(
    con: duckdb.DuckDBPyConnection, ended: Sequence[Path], record_ids: Collection[int]
) -> list[RecordEnd]:
    ids = number_list(record_ids)
    # a row without values gives the column its name and type where no file has it
    source = (
        f"SELECT file_index, record_id, {REPLACED_BY} FROM ("
        f"SELECT *, file_index FROM read_parquet({string_list(list(ended))}, union_by_name = true) "
        "UNION ALL BY NAME "
        f"SELECT CAST(NULL AS BIGINT) AS record_id, CAST(NULL AS BIGINT) AS {REPLACED_BY})"
    )
    rows = con.execute(f"{source} WHERE record_id IN ({ids}) OR {REPLACED_BY} IN ({ids})").fetchall()
    return [RecordEnd(int(row[0]), int(row[1]), None if row[2] is None else int(row[2])) for row in rows]


def earlier_versions(ends: Collection[RecordEnd], record_ids: Collection[int]) -> dict[int, int]:
    """Return, per earlier version of some records, the record that it became.

    Args:
        ends: as `read_versions` gives them.
        record_ids: of the records.
    """
    current = {record_id: record_id for record_id in record_ids}
    replaced: dict[int, list[int]] = {}
    for end in ends:
        if end.replaced_by is not None:
            replaced.setdefault(end.replaced_by, []).append(end.record_id)
    waiting = list(record_ids)
    while waiting:
        newer = waiting.pop()
        for older in replaced.get(newer, ()):
            if older not in current:
                current[older] = current[newer]
                waiting.append(older)
    return {older: newer for older, newer in current.items() if older != newer}
