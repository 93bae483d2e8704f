"""Owns reading the linkage map: from assignments batches to the current group of every live record.

The row of the latest batch counts; ended records are in no group. Must not decide groups, nor write files.

Source: ARCHITECTURE section 4 (assignments, ends) and 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from linkwright.engine.sql import string_list
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.record_views import ended_sql

_READ_ROWS = 250_000


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


@dataclass(frozen=True)
class GroupArray:
    """The current map as one array: 8 bytes for each id from the first record to the last.

    Record ids are counted up per project, so that hardly an id is without a record; looking up, changing and
    counting groups by position takes a fraction of what joins and hash tables take.

    Args:
        first_id: the record id at position 0.
        groups: the group of each record; 0 where there is no live record.
    """

    first_id: int
    groups: NDArray[np.int64]

    def of(self, record_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the group of each record, 0 for records that are not in the map; shape as given."""
        places = record_ids - self.first_id
        known = (places >= 0) & (places < self.groups.size)
        if known.all():
            return np.asarray(self.groups[places])
        groups = np.zeros(record_ids.size, dtype=np.int64)
        groups[known] = self.groups[places[known]]
        return groups

    def members_of(self, group_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the records of groups, ascending."""
        wanted = np.zeros(int(self.groups.max(initial=0)) + 1, dtype=np.bool_)
        wanted[group_ids[(group_ids > 0) & (group_ids < wanted.size)]] = True
        return np.flatnonzero(wanted[self.groups]) + self.first_id

    def with_groups(self, record_ids: NDArray[np.int64], group_ids: NDArray[np.int64]) -> "GroupArray":
        """Return the map after records, new or not, got these groups."""
        if not record_ids.size:
            return self
        first, last = int(record_ids.min()), int(record_ids.max())
        if self.groups.size:
            first, last = min(first, self.first_id), max(last, self.first_id + self.groups.size - 1)
        groups = np.zeros(last - first + 1, dtype=np.int64)
        start = self.first_id - first if self.groups.size else 0
        groups[start : start + self.groups.size] = self.groups
        groups[record_ids - first] = group_ids
        return GroupArray(first, groups)

    def sizes(self) -> NDArray[np.int64]:
        """Return the records of each group by its id; the entry of a group that is not there is 0."""
        sizes = np.bincount(self.groups)
        sizes[:1] = 0
        return sizes


def histogram_of(sizes: NDArray[np.int64]) -> tuple[GroupSize, ...]:
    """Return how often each size occurs, the smallest first; 0 is no size."""
    counts = np.bincount(sizes)
    return tuple(GroupSize(size, int(counts[size])) for size in np.flatnonzero(counts).tolist() if size)


def read_group_array(
    con: duckdb.DuckDBPyConnection, assignments: Sequence[Path], ended: Sequence[Path] = ()
) -> GroupArray:
    """Read the current map into an array.

    Args:
        con: what reads.
        assignments: assignments files, the oldest batch first.
        ended: ends files.
    """
    files = string_list(list(assignments))
    first, last = 0, -1
    if assignments:
        bounds = con.execute(f"SELECT min(record_id), max(record_id) FROM read_parquet({files})").fetchall()[0]
        first, last = bounds if bounds[0] is not None else (first, last)
    groups = np.zeros(last - first + 1, dtype=np.int64)
    if groups.size:
        # rows come in the order of the files, so that the latest batch of a record is written last
        rows = con.sql(f"SELECT record_id, group_id FROM read_parquet({files})").to_arrow_reader(_READ_ROWS)
        for chunk in rows:
            groups[chunk.column(0).to_numpy() - first] = chunk.column(1).to_numpy()
    if ended and groups.size:
        gone = np.asarray(con.execute(ended_sql(ended)).fetchnumpy()["record_id"], dtype=np.int64) - first
        groups[gone[(gone >= 0) & (gone < groups.size)]] = 0
    return GroupArray(first, groups)


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
    source = f"read_parquet({string_list(list(assignments))}){condition}"
    if len(assignments) == 1:
        return f"SELECT record_id, group_id FROM {source}"
    # file_index is DuckDB's number of the file in the list: the latest batch counts
    return f"SELECT record_id, arg_max(group_id, file_index) AS group_id FROM {source} GROUP BY record_id"


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
