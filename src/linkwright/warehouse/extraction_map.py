"""Owns the map that an extraction shows, as a table in the engine: current, or kept in a snapshot; and snapshots.

Reads no linkage field: what stands here is how the providers know a record, and its group. Must not know the
catalog, nor make Person Keys.

Source: SPEC sections 1 and 5 (Extraction Project); docs/decisions/0017.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from linkwright.engine.fields import EVENT_TYPE, RECORD_ID, SOURCE_PERSON_ID, SOURCE_UNIQUE_ID
from linkwright.engine.masking import Floor, epoch_sql
from linkwright.engine.sql import literal
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.kept_parts import Part, check_content, parts_sql, write_parts
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.linkage_map import current_map_sql
from linkwright.warehouse.live_files import LiveFiles
from linkwright.warehouse.record_views import create_record_view

SHOWN = "shown_map"
"""The table's name; it is ascending by record_id."""

_SHOWN_COLUMNS = {
    RECORD_ID: "BIGINT",
    EVENT_TYPE: "VARCHAR",
    SOURCE_UNIQUE_ID: "VARCHAR",
    SOURCE_PERSON_ID: "VARCHAR",
    "group_id": "BIGINT",
    "epoch": "BIGINT",
}
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
        parts: the files of the snapshot with their checksums.
    """

    parts: tuple[tuple[Path, str], ...]


@dataclass(frozen=True)
class Snapshot:
    """A snapshot as written."""

    parts: tuple[Part, ...]
    records_by_event_type: dict[str, int]
    persons_count: int


def write_snapshot(limits: EngineLimits, source: CurrentMap, event_types: Sequence[str], stem: Path) -> Snapshot:
    """Write the current map of some Event Types in parts, ascending by record id; `stem` starts their names.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    with open_engine(limits) as con:
        create_current_map(con, source, event_types)
        parts = write_parts(con, SHOWN, _SHOWN_COLUMNS, stem, has_groups=False)
        rows = con.execute(f"SELECT {EVENT_TYPE}, count(*) FROM {SHOWN} GROUP BY ALL").fetchall()
        counted = dict.fromkeys(event_types, 0) | {str(code): int(count) for code, count in rows}
        persons = con.execute(f"SELECT count(DISTINCT group_id) FROM {SHOWN}").fetchall()[0][0]
    return Snapshot(parts, counted, int(persons))


def create_current_map(con: duckdb.DuckDBPyConnection, source: CurrentMap, event_types: Sequence[str]) -> None:
    """Make the table of the current map of some Event Types.

    Raises:
        StorageError: (from `open_engine`) if a file cannot be read.
    """
    files = source.files
    if not files.records:
        con.execute(f"CREATE TABLE {SHOWN} AS FROM {parts_sql((), _SHOWN_COLUMNS)}")
        return
    create_record_view(con, "live_records", files.records, (), columns=_COLUMNS)
    # ended records are in no group: the map leaves them out
    con.execute(
        f"CREATE TABLE {SHOWN} AS SELECT {RECORD_ID}, {', '.join(_COLUMNS)}, group_id, "
        f"{epoch_sql('group_id', source.floors)} AS epoch FROM live_records "
        f"JOIN ({current_map_sql(files.assignments, files.ended)}) USING ({RECORD_ID}) "
        f"WHERE {_is_one_of(event_types)} ORDER BY {RECORD_ID}"
    )


def create_kept_map(con: duckdb.DuckDBPyConnection, source: KeptMap) -> None:
    """Make a view of a snapshot.

    Raises:
        StorageError: if a file is gone, or no longer what it was.
    """
    for path, sha256 in source.parts:
        check_content(path, sha256, "snapshot")
    con.execute(f"CREATE VIEW {SHOWN} AS FROM {parts_sql([path for path, _ in source.parts], _SHOWN_COLUMNS)}")


def _is_one_of(event_types: Sequence[str]) -> str:
    return f"{EVENT_TYPE} IN ({', '.join(literal(code) for code in event_types)})" if event_types else "FALSE"
