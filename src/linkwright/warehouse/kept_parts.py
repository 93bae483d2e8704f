"""Owns the parts of a snapshot or a ledger: each a file of a range of record ids, never changed once written.

A rollback takes whole ranges of record ids. It drops the parts that lie inside, writes those at the borders anew,
and looks at no other, so that what it costs does not follow the size. Must not know the catalog.

Source: docs/decisions/0037.
"""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb

from linkwright.engine.fields import EVENT_TYPE, RECORD_ID
from linkwright.engine.sql import string_list
from linkwright.warehouse.connection import open_engine, write_parquet
from linkwright.warehouse.limits import EngineLimits, StorageError, WrittenFile

PART_ROWS = 50_000
"""How many records one part holds at most: as few as are written anew in some hundredths of a second."""

Columns = dict[str, str]
"""Names of columns, and their types in the engine."""


class RecordRange(NamedTuple):
    """Record ids from the first to the last, both included."""

    first: int
    last: int


@dataclass(frozen=True)
class Part:
    """One part as written.

    Args:
        ids: the first and the last record id in it; None if it holds no record any more.
        records: one row a record, ascending by record_id.
        groups: of a ledger: the same rows without record_id, each once. Read once the records are rolled back.
        sha256: checksum of `records`; '' without.
    """

    ids: RecordRange | None
    records: WrittenFile | None
    groups: WrittenFile | None
    sha256: str


@dataclass(frozen=True)
class BorderPart:
    """A part that holds records that are rolled back, and may hold others.

    Args:
        path: of its file.
        sha256: its checksum; '' if it is not known.
        is_ledger: whether it is kept which groups were shown.
        has_groups: whether a file of its groups lies beside it. It serves what stays, too, which stays one part.
        stem: where to write, and how the names start.
    """

    path: Path
    sha256: str
    is_ledger: bool
    has_groups: bool
    stem: Path


def write_parts(
    con: duckdb.DuckDBPyConnection,
    source: str,
    columns: Iterable[str],
    stem: Path,
    *,
    has_groups: bool,
    is_one: bool = False,
) -> tuple[Part, ...]:
    """Write rows in parts, ascending by record id; none for no rows.

    Args:
        con: the engine.
        source: a table or a view with one row a record, ascending by record_id.
        columns: to be written, record_id among them.
        stem: where to write, and how the names start.
        has_groups: whether the groups of each part are written beside it, as for a ledger.
        is_one: whether all rows go into one part, however many.

    Raises:
        StorageError: (from `open_engine`) if the disk is full or the folder cannot be written.
    """
    shown, parts = ", ".join(columns), []
    for number, ids in enumerate(_ranges(con, source, is_one=is_one)):
        own = f"FROM {source} WHERE {in_ranges_sql([ids])}"
        path = stem.with_name(f"{stem.name}-{number}.parquet")
        # the engine keeps the order of what it reads: to sort again would take a third of the time
        records = write_parquet(con, f"SELECT {shown} {own}", path)
        groups = _write_groups(con, own, path.with_name(f"{path.stem}-groups.parquet")) if has_groups else None
        parts.append(Part(ids, records, groups, file_sha256(path)))
    return tuple(parts)


def forget_records(
    limits: EngineLimits, borders: Sequence[BorderPart], gone: Sequence[RecordRange]
) -> tuple[tuple[Part, ...], ...]:
    """Write parts anew without the records that are rolled back; returns what takes the place of each.

    Of a ledger's records it is kept which groups were shown, and nothing else.

    Raises:
        StorageError: if a file cannot be read or written, or is no longer what was written.
    """
    if not borders:
        return ()
    with open_engine(limits) as con, ThreadPoolExecutor(limits.threads) as pool:
        # side by side: each waits for the disk several times
        return tuple(pool.map(lambda border: _without(con, border, gone), borders))


def _without(
    engine: duckdb.DuckDBPyConnection, border: BorderPart, gone: Sequence[RecordRange]
) -> tuple[Part, ...]:
    if border.sha256:
        check_content(border.path, border.sha256, "ledger" if border.is_ledger else "snapshot")
    with engine.cursor() as con:
        return _write_anew(con, border, gone)


def _write_anew(
    con: duckdb.DuckDBPyConnection, border: BorderPart, gone: Sequence[RecordRange]
) -> tuple[Part, ...]:
    columns = con.execute(f"SELECT * FROM {parts_sql([border.path])} LIMIT 0").description or []
    # before ledgers had parts, what an earlier rollback had left stood in the same file, without a record_id
    con.execute(
        f"CREATE TEMP VIEW border AS SELECT *, coalesce({in_ranges_sql(gone)}, TRUE) AS is_gone "
        f"FROM {parts_sql([border.path])}"
    )
    con.execute("CREATE TEMP VIEW staying AS FROM border WHERE NOT is_gone")
    stay = write_parts(
        con,
        "staying",
        [name for name, *_ in columns],
        border.stem,
        has_groups=border.is_ledger and not border.has_groups,
        is_one=border.has_groups,
    )
    if not border.is_ledger or not con.execute("SELECT 1 FROM border WHERE is_gone LIMIT 1").fetchall():
        return stay
    left = border.stem.with_name(f"{border.stem.name}-left.parquet")
    return (*stay, Part(None, None, _write_groups(con, "FROM border WHERE is_gone", left), ""))


def parts_sql(paths: Sequence[Path], columns: Columns | None = None) -> str:
    """Return what to select from to read parts; without any, `columns` without rows."""
    if paths:
        return f"read_parquet({string_list(list(paths))})"
    empty = (f"CAST(NULL AS {kind}) AS {name}" for name, kind in (columns or {}).items())
    return f"(SELECT {', '.join(empty)} WHERE FALSE)"


def check_content(path: Path, sha256: str, what: str) -> None:
    """Compare a file with its checksum; `what` says what it is a part of.

    Raises:
        StorageError: if the file is gone, or no longer what it was.
    """
    if file_sha256(path) != sha256:
        raise StorageError(
            f"The {what} {path} is damaged: its content is no longer what was written. Restore the file "
            "from a backup, then retry the job."
        )


def in_ranges_sql(ranges: Sequence[RecordRange]) -> str:
    """Return a condition on record_id: that it lies in one of the ranges."""
    parts = [f"{RECORD_ID} BETWEEN {int(one.first)} AND {int(one.last)}" for one in ranges]
    return " OR ".join(parts) or "FALSE"


def joined_ranges(ranges: Iterable[RecordRange]) -> list[RecordRange]:
    """Return the same record ids in as few ranges as there can be, ascending."""
    joined: list[RecordRange] = []
    for one in sorted(ranges):
        if joined and one.first <= joined[-1].last + 1:
            joined[-1] = RecordRange(joined[-1].first, max(joined[-1].last, one.last))
        else:
            joined.append(one)
    return joined


def file_sha256(path: Path) -> str:
    """Return the checksum of a file.

    Raises:
        StorageError: if it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(
            f"The file {path} cannot be read ({error.strerror}). Restore it from a backup, then retry the job."
        ) from error


def _write_groups(con: duckdb.DuckDBPyConnection, rows: str, target: Path) -> WrittenFile:
    query = f"SELECT DISTINCT CAST(NULL AS BIGINT) AS {RECORD_ID}, {EVENT_TYPE}, group_id, epoch {rows}"
    return write_parquet(con, query, target)


def _ranges(con: duckdb.DuckDBPyConnection, source: str, *, is_one: bool) -> list[RecordRange]:
    """Return the ranges of the parts: record ids are counted in slots that no part can overflow, and joined."""
    slots = con.execute(
        f"SELECT count(*), min({RECORD_ID}), max({RECORD_ID}) FROM {source} "
        f"GROUP BY ({RECORD_ID} - 1) // {PART_ROWS} ORDER BY 2"
    ).fetchall()
    ranges: list[RecordRange] = []
    held_count = 0
    for rows_count, first, last in slots:
        if ranges and (is_one or held_count + rows_count <= PART_ROWS):
            ranges[-1] = RecordRange(ranges[-1].first, int(last))
            held_count += rows_count
        else:
            ranges.append(RecordRange(int(first), int(last)))
            held_count = rows_count
    return ranges
