"""Owns the map that an extraction shows, as a table in the engine: current, or kept in a snapshot; and snapshots.

Reads no linkage field: what stands here is how the providers know a record, and its group. Must not know the
catalog, nor make Person Keys.

Source: SPEC sections 1 and 5 (Extraction Project); docs/decisions/0017.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb

from linkwright.engine.fields import EVENT_TYPE, RECORD_ID, SOURCE_PERSON_ID, SOURCE_UNIQUE_ID
from linkwright.engine.masking import Floor, epoch_sql
from linkwright.engine.sql import literal
from linkwright.warehouse.connection import EngineLimits, StorageError, WrittenFile, open_engine, write_parquet
from linkwright.warehouse.linkage_map import current_map_sql
from linkwright.warehouse.live_files import LiveFiles
from linkwright.warehouse.record_views import create_record_view

SHOWN = "shown_map"
"""The table's name; its columns: record_id, event_type, source_unique_id, source_person_id, group_id, epoch."""

_COLUMNS = (EVENT_TYPE, SOURCE_UNIQUE_ID, SOURCE_PERSON_ID)


@dataclass(frozen=True)
class CurrentMap:
    """The map as the live data gives it.

    Args:
        files: the live data.
        floors: of the project's group ids.
    """

    files: LiveFiles
    floors: tuple[Floor, ...]


@dataclass(frozen=True)
class KeptMap:
    """The map as a snapshot holds it.

    Args:
        path: the snapshot file.
        sha256: its checksum.
    """

    path: Path
    sha256: str


@dataclass(frozen=True)
class Snapshot:
    """A snapshot as written."""

    written: WrittenFile
    sha256: str
    records_by_event_type: dict[str, int]
    persons_count: int


class RecordRange(NamedTuple):
    """Record ids from the first to the last, both included."""

    first: int
    last: int


def write_snapshot(limits: EngineLimits, source: CurrentMap, event_types: Sequence[str], target: Path) -> Snapshot:
    """Write the current map of some Event Types, ascending by record id.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    with open_engine(limits) as con:
        create_current_map(con, source, event_types)
        written = write_parquet(con, f"FROM {SHOWN} ORDER BY {RECORD_ID}", target)
        rows = con.execute(f"SELECT {EVENT_TYPE}, count(*) FROM {SHOWN} GROUP BY ALL").fetchall()
        counted = dict.fromkeys(event_types, 0) | {str(code): int(count) for code, count in rows}
        persons = con.execute(f"SELECT count(DISTINCT group_id) FROM {SHOWN}").fetchall()[0][0]
    return Snapshot(written, file_sha256(target), counted, int(persons))


def create_current_map(con: duckdb.DuckDBPyConnection, source: CurrentMap, event_types: Sequence[str]) -> None:
    """Make the table of the current map of some Event Types.

    Raises:
        StorageError: (from `open_engine`) if a file cannot be read.
    """
    files = source.files
    if not files.records:
        con.execute(
            f"CREATE TABLE {SHOWN} ({RECORD_ID} BIGINT, {EVENT_TYPE} VARCHAR, {SOURCE_UNIQUE_ID} VARCHAR, "
            f"{SOURCE_PERSON_ID} VARCHAR, group_id BIGINT, epoch BIGINT)"
        )
        return
    create_record_view(con, "live_records", files.records, (), columns=_COLUMNS)
    # ended records are in no group: the map leaves them out
    con.execute(
        f"CREATE TABLE {SHOWN} AS SELECT {RECORD_ID}, {', '.join(_COLUMNS)}, group_id, "
        f"{epoch_sql('group_id', source.floors)} AS epoch FROM live_records "
        f"JOIN ({current_map_sql(files.assignments, files.ended)}) USING ({RECORD_ID}) "
        f"WHERE {_is_one_of(event_types)}"
    )


def create_kept_map(con: duckdb.DuckDBPyConnection, source: KeptMap) -> None:
    """Make a view of a snapshot.

    Raises:
        StorageError: if the file is gone, or no longer what it was.
    """
    if file_sha256(source.path) != source.sha256:
        raise StorageError(
            f"The snapshot {source.path} is damaged: its content is no longer what was written. Restore the file "
            "from a backup, then retry the job."
        )
    con.execute(f"CREATE VIEW {SHOWN} AS FROM read_parquet({literal(source.path)})")


def forget_in_snapshot(limits: EngineLimits, path: Path, gone: Sequence[RecordRange], target: Path) -> Snapshot:
    """Write a snapshot without the records that are rolled back; the groups of the others stay.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    with open_engine(limits) as con:
        source = f"read_parquet({literal(path)})"
        written = write_parquet(
            con, f"FROM {source} WHERE NOT ({in_ranges_sql(gone)}) ORDER BY {RECORD_ID}", target
        )
        kept = f"read_parquet({literal(target)})"
        rows = con.execute(f"SELECT {EVENT_TYPE}, count(*) FROM {kept} GROUP BY ALL").fetchall()
        persons = con.execute(f"SELECT count(DISTINCT group_id) FROM {kept}").fetchall()[0][0]
    return Snapshot(written, file_sha256(target), {str(code): int(count) for code, count in rows}, int(persons))


def in_ranges_sql(ranges: Sequence[RecordRange]) -> str:
    """Return a condition on record_id: that it lies in one of the ranges."""
    parts = [f"{RECORD_ID} BETWEEN {int(one.first)} AND {int(one.last)}" for one in ranges]
    return " OR ".join(parts) or "FALSE"


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


def _is_one_of(event_types: Sequence[str]) -> str:
    return f"{EVENT_TYPE} IN ({', '.join(literal(code) for code in event_types)})" if event_types else "FALSE"
