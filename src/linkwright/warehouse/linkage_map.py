"""Owns reading the linkage map: from assignments batches to the current group of every live record.

The row of the latest batch counts; ended records are in no group. Must not decide groups, nor write files.

Source: ARCHITECTURE section 4 (assignments, ends) and 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linkwright.engine.sql import literal
from linkwright.warehouse.connection import EngineLimits, open_engine
from linkwright.warehouse.record_views import ended_sql


@dataclass(frozen=True)
class LinkageMap:
    """The group of each live record, ascending by record_id; both arrays of shape (records,), int64."""

    record_ids: NDArray[np.int64]
    group_ids: NDArray[np.int64]


@dataclass(frozen=True)
class GroupSize:
    """How many groups have so many records."""

    records_count: int
    groups_count: int


def current_map_sql(assignments: Sequence[Path], ended: Sequence[Path] = ()) -> str:
    """Return a query of the current map.

    Args:
        assignments: assignments files, the oldest batch first.
        ended: ends files.

    Returns:
        A query of record_id and group_id (BIGINT), one row per live record, in no order; none without files.
    """
    if not assignments:
        return "SELECT CAST(NULL AS BIGINT) AS record_id, CAST(NULL AS BIGINT) AS group_id WHERE FALSE"
    condition = f" WHERE record_id NOT IN ({ended_sql(ended)})" if ended else ""
    batches = [
        f"SELECT record_id, group_id, {number} AS batch FROM read_parquet({literal(path)}){condition}"
        for number, path in enumerate(assignments)
    ]
    if len(batches) == 1:
        return f"SELECT record_id, group_id FROM ({batches[0]})"
    return (
        "SELECT record_id, arg_max(group_id, batch) AS group_id FROM (\n"
        + "\nUNION ALL\n".join(batches)
        + "\n) GROUP BY record_id"
    )


def group_sizes_sql(current_map: str) -> str:
    """Return a query of the sizes of a map's groups.

    Args:
        current_map: a query of record_id and group_id, or at least of group_id.

    Returns:
        A query of group_id and records_count, one row per group.
    """
    return f"SELECT group_id, count(*) AS records_count FROM ({current_map}) GROUP BY group_id"


def size_histogram_sql(group_sizes: str) -> str:
    """Return a query of how often each group size occurs.

    Args:
        group_sizes: a query as `group_sizes_sql` returns.

    Returns:
        A query of records_count and groups_count, ascending.
    """
    return (
        f"SELECT records_count, count(*) AS groups_count FROM ({group_sizes}) GROUP BY records_count "
        "ORDER BY records_count"
    )


def read_map(limits: EngineLimits, assignments: Sequence[Path], ended: Sequence[Path] = ()) -> LinkageMap:
    """Read the current map into memory: 16 bytes a record.

    Args:
        limits: memory, threads, scratch folder.
        assignments: assignments files, the oldest batch first.
        ended: ends files.

    Raises:
        StorageError: if a file cannot be read.
    """
    query = f"SELECT record_id, group_id FROM ({current_map_sql(assignments, ended)}) ORDER BY record_id"
    with open_engine(limits) as con:
        columns = con.execute(query).fetchnumpy()
    return LinkageMap(
        record_ids=np.asarray(columns["record_id"], dtype=np.int64),
        group_ids=np.asarray(columns["group_id"], dtype=np.int64),
    )


def group_sizes(
    limits: EngineLimits, assignments: Sequence[Path], ended: Sequence[Path] = ()
) -> tuple[GroupSize, ...]:
    """Count the current groups by size, the smallest first.

    Args:
        limits: memory, threads, scratch folder.
        assignments: assignments files, the oldest batch first.
        ended: ends files.

    Raises:
        StorageError: if a file cannot be read.
    """
    query = size_histogram_sql(group_sizes_sql(current_map_sql(assignments, ended)))
    with open_engine(limits) as con:
        return tuple(GroupSize(*row) for row in con.execute(query).fetchall())
