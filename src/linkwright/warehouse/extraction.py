"""Owns one extraction: the shown map, its Person Keys, the data files per Event Type, the changes since the last.

Must not know the catalog, projects or secrets: the keys are made by what it is given.

Source: SPEC section 5 (Extract); docs/decisions/0016 and 0017.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa

from linkwright.engine.extraction import ChangeReason, ChosenColumn, ExtractionColumn
from linkwright.engine.fields import EVENT_TYPE, SOURCE_PERSON_ID, SOURCE_UNIQUE_ID
from linkwright.engine.masking import PersonKeys
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.engine.sql import literal
from linkwright.warehouse.connection import keep_within, open_engine
from linkwright.warehouse.extraction_files import Columns, TextColumn, write_csv, write_parquet_rows
from linkwright.warehouse.extraction_map import SHOWN, CurrentMap, KeptMap, create_current_map, create_kept_map
from linkwright.warehouse.kept_parts import Part
from linkwright.warehouse.key_changes import (
    CHANGES,
    KeyCounts,
    count_changes,
    count_keys,
    create_changes,
    write_ledger,
)
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import RecordKey

NAMED_COUNT = 100
CHANGE_COLUMNS = ("old_key", "new_key", "reason")
_KEYS_CHUNK = 100_000
_LISTED_CHUNK = 50_000
# what one chunk of keys takes outside the engine, roughly
_CHUNK_BYTES = 40 * 1024 * 1024
# keys are random, so that an order by them says nothing
_SORTED_FIRST = (ExtractionColumn.PERSON_KEY, ExtractionColumn.SOURCE_UNIQUE_ID)


@dataclass(frozen=True)
class Comparison:
    """What an extraction of an enduring Extraction Project is compared with.

    Args:
        ledger: the files of that of the latest extraction; None if this is the first.
        decisions: decisions files of the Quality Reviews since.
        stem: where to write the ledger, and how the names of its files start.
        is_listed: whether changes are given out as a list.
    """

    ledger: tuple[Path, ...] | None
    decisions: tuple[Path, ...]
    stem: Path
    is_listed: bool


@dataclass(frozen=True)
class ExtractionRequest:
    """What to extract.

    Args:
        source: the map that is shown.
        event_types: all that the Extraction Project shows.
        extracted: those that are asked for now.
        listed: the records that are asked for; None: all. Read once.
        columns: of the data files.
        constants: the values of columns that are the same in each row.
        is_parquet: whether the data files are Parquet, not CSV.
        keys: makes the Person Keys.
        comparison: for an enduring Extraction Project.
        folder: where the data files are written; it exists.
        limits: memory, threads, scratch folder.
    """

    source: CurrentMap | KeptMap
    event_types: tuple[str, ...]
    extracted: tuple[str, ...]
    listed: Iterable[RecordKey] | None
    columns: tuple[ChosenColumn, ...]
    constants: Mapping[ExtractionColumn, str]
    is_parquet: bool
    keys: PersonKeys
    comparison: Comparison | None
    folder: Path
    limits: EngineLimits

    @property
    def suffix(self) -> str:
        """How the names of data files end."""
        return ".parquet" if self.is_parquet else ".csv"

    @property
    def shows_keys(self) -> bool:
        """Whether Person Keys are among the columns."""
        return any(one.column is ExtractionColumn.PERSON_KEY for one in self.columns)


@dataclass(frozen=True)
class ExtractedType:
    """The data files of one Event Type; `changes` is None if there is no list of them."""

    event_type: str
    data: Path
    records_count: int
    persons_count: int
    changes: Path | None
    changes_count: int | None


@dataclass(frozen=True)
class Extracted:
    """What an extraction gave.

    Args:
        types: per Event Type, in the order asked for.
        unknown: listed records that the map does not show, the first of them.
        unknown_count: how many there are.
        keys: compared with the latest extraction; None for a snapshot.
        changes: by reason; None without an earlier extraction.
        ledger: its parts as written; None for a snapshot.
    """

    types: tuple[ExtractedType, ...]
    unknown: tuple[RecordKey, ...]
    unknown_count: int
    keys: KeyCounts | None
    changes: dict[ChangeReason, int] | None = field(default=None)
    ledger: tuple[Part, ...] | None = field(default=None)


def extract(request: ExtractionRequest, report: ReportProgress) -> Extracted:
    """Write the data files, and the ledger of an enduring Extraction Project.

    Raises:
        StorageError: if a file cannot be read or written, or a snapshot is damaged.
        MemoryLimitError: if it does not fit into the memory, even with what is moved to disk.
    """
    with open_engine(request.limits) as con:
        keep_within(con, request.limits.memory_mib, _CHUNK_BYTES)
        report(Progress("Reading the map"))
        if isinstance(request.source, KeptMap):
            create_kept_map(con, request.source)
        else:
            create_current_map(con, request.source, request.event_types)
        unknown, unknown_count = _take_list(con, request.listed)
        con.execute("CREATE TABLE person_keys (group_id BIGINT, epoch BIGINT, person_key VARCHAR)")
        counts, changes, ledger = None, None, None
        if request.comparison is not None:
            report(Progress("Comparing with the latest extraction"))
            counts, changes = _compare(con, request.comparison)
            ledger = write_ledger(con, request.comparison.stem)
        types = tuple(_write_type(con, request, code, report) for code in request.extracted)
    return Extracted(types, unknown, unknown_count, counts, changes, ledger)


def _take_list(
    con: duckdb.DuckDBPyConnection, listed: Iterable[RecordKey] | None
) -> tuple[tuple[RecordKey, ...], int]:
    """Make the table of what is asked for; returns what of it is not there."""
    if listed is None:
        con.execute(f"CREATE VIEW asked_for AS FROM {SHOWN}")
        return (), 0
    con.execute(f"CREATE TABLE listed ({EVENT_TYPE} VARCHAR, {SOURCE_UNIQUE_ID} VARCHAR)")
    keys = iter(listed)
    while chunk := list(islice(keys, _LISTED_CHUNK)):
        columns = zip((EVENT_TYPE, SOURCE_UNIQUE_ID), zip(*chunk, strict=True), strict=True)
        con.register("listed_chunk", pa.table({name: pa.array(values, pa.string()) for name, values in columns}))
        con.execute("INSERT INTO listed FROM listed_chunk")
        con.unregister("listed_chunk")
    both = f"({EVENT_TYPE}, {SOURCE_UNIQUE_ID})"
    con.execute(f"CREATE VIEW asked_for AS FROM {SHOWN} SEMI JOIN listed USING {both}")
    absent = f"(SELECT DISTINCT * FROM listed ANTI JOIN {SHOWN} USING {both})"
    count = con.execute(f"SELECT count(*) FROM {absent}").fetchall()[0][0]
    rows = con.execute(f"FROM {absent} ORDER BY ALL LIMIT {NAMED_COUNT}").fetchall()
    return tuple(RecordKey(*row) for row in rows), int(count)


def _compare(
    con: duckdb.DuckDBPyConnection, comparison: Comparison
) -> tuple[KeyCounts, dict[ChangeReason, int] | None]:
    counts = count_keys(con, comparison.ledger)
    if comparison.ledger is None:
        return counts, None
    create_changes(con, comparison.ledger, comparison.decisions)
    return counts, count_changes(con)


def _make_keys(con: duckdb.DuckDBPyConnection, groups_sql: str, keys: PersonKeys, report: ReportProgress) -> None:
    """Add the keys of groups, given by a query of group_id and epoch, as far as they are not there yet."""
    groups = con.execute(
        f"SELECT DISTINCT group_id, epoch FROM ({groups_sql}) ANTI JOIN person_keys USING (group_id, epoch)"
    ).fetchnumpy()
    group_ids, epochs = groups["group_id"], groups["epoch"]
    for start in range(0, group_ids.size, _KEYS_CHUNK):
        report(Progress("Making Person Keys", start, group_ids.size, "persons"))
        part = slice(start, start + _KEYS_CHUNK)
        made = list(map(keys.of, group_ids[part].tolist(), epochs[part].tolist()))
        table = {"group_id": group_ids[part], "epoch": epochs[part], "person_key": pa.array(made, pa.string())}
        con.register("keys_chunk", pa.table(table))
        con.execute("INSERT INTO person_keys FROM keys_chunk")
        con.unregister("keys_chunk")


def _write_type(
    con: duckdb.DuckDBPyConnection, request: ExtractionRequest, event_type: str, report: ReportProgress
) -> ExtractedType:
    rows = f"(FROM asked_for WHERE {EVENT_TYPE} = {literal(event_type)})"
    groups = f"SELECT DISTINCT group_id, epoch FROM {rows}"
    total, persons = con.execute(
        f"SELECT (SELECT count(*) FROM {rows}), (SELECT count(*) FROM ({groups}))"
    ).fetchall()[0]
    if request.shows_keys:
        _make_keys(con, groups, request.keys, report)
        rows = f"{rows} JOIN person_keys USING (group_id, epoch)"
    write = write_parquet_rows if request.is_parquet else write_csv

    def written(count: int) -> None:
        report(Progress(f"Writing {event_type}", count, int(total), "records"))

    # its place in the list: a code is no name for a file
    stem = f"{request.extracted.index(event_type)}"
    data = request.folder / f"{stem}-extract{request.suffix}"
    records_count = write(con, _data_columns(request), rows, data, written)
    changes, changes_count = None, None
    comparison = request.comparison
    if request.shows_keys and comparison is not None and comparison.is_listed and comparison.ledger is not None:
        changes = request.folder / f"{stem}-changes{request.suffix}"
        changes_count = _write_changes(con, request, event_type, changes, report)
    return ExtractedType(event_type, data, records_count, int(persons), changes, changes_count)


def _data_columns(request: ExtractionRequest) -> Columns:
    """Return the chosen columns; the rows are sorted by what they show, so that their order tells nothing more."""
    own = {
        ExtractionColumn.PERSON_KEY: "person_key",
        ExtractionColumn.SOURCE_UNIQUE_ID: SOURCE_UNIQUE_ID,
        ExtractionColumn.SOURCE_PERSON_ID: SOURCE_PERSON_ID,
        ExtractionColumn.EVENT_TYPE_CODE: EVENT_TYPE,
    }
    constants = {column: literal(value) for column, value in request.constants.items()}
    shown = {column: TextColumn(name, (own | constants)[column]) for column, name in request.columns}
    first = [column for column in _SORTED_FIRST if column in shown]
    order = [*first, *(column for column in shown if column in own and column not in first)]
    return Columns(tuple(shown.values()), tuple(shown[column].expression for column in order))


def _write_changes(
    con: duckdb.DuckDBPyConnection,
    request: ExtractionRequest,
    event_type: str,
    target: Path,
    report: ReportProgress,
) -> int:
    own = f"(FROM {CHANGES} WHERE {EVENT_TYPE} = {literal(event_type)})"
    olds = f"SELECT old_group_id AS group_id, old_epoch AS epoch FROM {own}"
    news = f"SELECT new_group_id AS group_id, new_epoch AS epoch FROM {own} WHERE new_group_id IS NOT NULL"
    _make_keys(con, f"{olds} UNION ALL {news}", request.keys, report)
    rows = (
        f"(SELECT o.person_key AS old_key, n.person_key AS new_key, reason FROM {own} c "
        "JOIN person_keys o ON o.group_id = old_group_id AND o.epoch = old_epoch "
        "LEFT JOIN person_keys n ON n.group_id = new_group_id AND n.epoch = new_epoch)"
    )
    write = write_parquet_rows if request.is_parquet else write_csv
    columns = Columns(tuple(TextColumn(name, name) for name in CHANGE_COLUMNS), CHANGE_COLUMNS)
    return write(con, columns, rows, target, lambda count: report(Progress("Writing changes", count)))
