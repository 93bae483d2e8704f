"""Owns the search for single records among the live data: by what their providers call them, or by values.

Reads the columns that are searched, and of what is found nothing but names and groups. Must not decide who may
search for what, nor return values.

Source: SPEC section 6 (see identifying values); ARCHITECTURE section 4 (records, ends).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from linkwright.engine.cleaning import CleaningRules
from linkwright.engine.date_formats import DEFAULT_DATE_FORMATS
from linkwright.engine.fields import EVENT_TYPE, RECORD_ID, SOUNDEX_SUFFIX, FieldType, LinkageField
from linkwright.engine.sql import identifier, string_list
from linkwright.engine.standardisation import StandardisationMaps
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles, RecordKey
from linkwright.warehouse.record_keys import current_groups_sql, number_list
from linkwright.warehouse.record_views import ended_sql
from linkwright.warehouse.standardise import Standardiser

ANY_ENDING = "*"
"""At the end of a text that is searched: whatever follows."""


@dataclass(frozen=True)
class FoundRecord:
    """A record that was looked for.

    Args:
        record_id: in the project.
        key: as its provider knows it; of a purged record it is not known any more.
        group_id: its group today; None for a record that has ended.
        has_ended: whether it was deleted, or replaced by a newer version.
    """

    record_id: int
    key: RecordKey | None
    group_id: int | None
    has_ended: bool


@dataclass(frozen=True)
class FoundRecords:
    """What a search has found: the records with the smallest ids, and whether there are more."""

    records: tuple[FoundRecord, ...] = ()
    has_more: bool = False


@dataclass(frozen=True)
class WantedValue:
    """A value to look for.

    Args:
        field: the linkage field.
        text: as a source file could hold it; with `ANY_ENDING`, names and texts may go on.
    """

    field: LinkageField
    text: str


def find_by_identifier(
    limits: EngineLimits, files: LiveFiles, source_unique_id: str, event_type: str = "", *, most: int
) -> FoundRecords:
    """Find the records of a Source Unique ID, those that have ended among them.

    Args:
        limits: memory, threads, scratch folder.
        files: of the live data.
        source_unique_id: as the provider gave it.
        event_type: of these records alone; '' of all.
        most: how many are returned.

    Raises:
        StorageError: if a file cannot be read.
    """
    conditions, values = ["source_unique_id = ?"], [source_unique_id]
    if event_type:
        conditions.append(f"{identifier(EVENT_TYPE)} = ?")
        values.append(event_type)
    with open_engine(limits) as con:
        return _found(con, files, conditions, values, most=most, with_ended=True)


def find_by_record_id(limits: EngineLimits, files: LiveFiles, record_id: int) -> FoundRecord | None:
    """Find one record, live or ended; None if there is none of that id.

    Raises:
        StorageError: if a file cannot be read.
    """
    with open_engine(limits) as con:
        found = _found(con, files, [f"record_id = {int(record_id)}"], (), most=1, with_ended=True)
    return found.records[0] if found.records else None


def find_by_values(
    limits: EngineLimits,
    files: LiveFiles,
    wanted: Sequence[WantedValue],
    maps: StandardisationMaps,
    *,
    sounds_alike: bool,
    most: int,
) -> FoundRecords:
    """Find the live records that hold all of some values, standardised as Load does.

    Args:
        limits: memory, threads, scratch folder.
        files: of the live data.
        wanted: at least one, each of another field.
        maps: of sex and state.
        sounds_alike: whether names of the same Soundex code are found as well.
        most: how many are returned.

    Returns:
        None is found if a value cannot be read, such as a date that is none.

    Raises:
        ValueError: if nothing is wanted.
        StorageError: if a file cannot be read.
    """
    if not wanted:
        raise ValueError("at least one value must be wanted")
    formats = {one.field.name: DEFAULT_DATE_FORMATS for one in wanted if one.field.type is FieldType.DATE}
    with open_engine(limits) as con:
        standardiser = Standardiser(con, CleaningRules(date_formats=formats, maps=maps))
        conditions: list[str] = []
        values: list[object] = []
        for one in wanted:
            condition = _value_condition(standardiser, one, sounds_alike=sounds_alike)
            if condition is None:
                return FoundRecords()
            conditions.append(condition[0])
            values.extend(condition[1])
        present = _columns(con, files)
        # no batch has been written yet since the project got the field: no record holds the value
        if not present.issuperset(one.field.name for one in wanted):
            return FoundRecords()
        return _found(con, files, conditions, values, most=most, with_ended=False)


def _value_condition(
    standardiser: Standardiser, wanted: WantedValue, *, sounds_alike: bool
) -> tuple[str, list[object]] | None:
    """Return an SQL condition and what is bound in it; None if nothing could be read of the text."""
    field, text = wanted.field, wanted.text.strip()
    is_prefix = text.endswith(ANY_ENDING) and field.sql_type == "VARCHAR"
    column = pa.chunked_array([pa.array([text.rstrip(ANY_ENDING)], pa.string())])
    standard = standardiser.column(field, column)
    value = standard.values[0].as_py()
    if value is None:
        return None
    name = identifier(field.name)
    if is_prefix:
        return f"starts_with({name}, ?)", [value]
    code = standard.derived[0][0].as_py() if sounds_alike and field.type is FieldType.NAME else None
    if code is None:
        return f"{name} = ?", [value]
    return f"({name} = ? OR {identifier(field.name + SOUNDEX_SUFFIX)} = ?)", [value, code]


def _columns(con: duckdb.DuckDBPyConnection, files: LiveFiles) -> set[str]:
    if not files.records:
        return set()
    return {str(row[0]) for row in con.execute(f"DESCRIBE SELECT * FROM {_source(files)}").fetchall()}


def _source(files: LiveFiles) -> str:
    # batches written before a project got a field lack its column: union_by_name fills it with NULL
    return f"read_parquet({string_list(list(files.records))}, union_by_name = true)"


def _found(
    con: duckdb.DuckDBPyConnection,
    files: LiveFiles,
    conditions: Sequence[str],
    values: Sequence[object],
    *,
    most: int,
    with_ended: bool,
) -> FoundRecords:
    if not files.records:
        return FoundRecords()
    columns = ", ".join(map(identifier, (RECORD_ID, *RecordKey._fields)))
    # what is found is few: only of these it is asked whether they have ended
    lives = f" WHERE record_id NOT IN ({ended_sql(files.ended)})" if files.ended and not with_ended else ""
    rows = con.execute(
        f"WITH hits AS MATERIALIZED (SELECT {columns} FROM {_source(files)} WHERE {' AND '.join(conditions)}) "
        f"FROM hits{lives} ORDER BY record_id LIMIT {most + 1}",
        list(values),
    ).fetchall()
    ids = [int(row[0]) for row in rows[:most]]
    ended = _ended_among(con, files, ids) if with_ended else set()
    groups = _groups_of(con, files, ids)
    return FoundRecords(
        tuple(
            FoundRecord(
                record_id=int(record_id),
                key=None if source_unique_id is None else RecordKey(event_type, source_unique_id),
                group_id=groups.get(int(record_id)),
                has_ended=int(record_id) in ended,
            )
            for record_id, event_type, source_unique_id in rows[:most]
        ),
        has_more=len(rows) > most,
    )


def _ended_among(con: duckdb.DuckDBPyConnection, files: LiveFiles, record_ids: Sequence[int]) -> set[int]:
    if not files.ended or not record_ids:
        return set()
    query = f"SELECT record_id FROM ({ended_sql(files.ended)}) WHERE record_id IN ({number_list(record_ids)})"
    return {int(row[0]) for row in con.execute(query).fetchall()}


def _groups_of(con: duckdb.DuckDBPyConnection, files: LiveFiles, record_ids: Sequence[int]) -> dict[int, int]:
    if not files.assignments or not record_ids:
        return {}
    return {
        int(record_id): int(group_id)
        for record_id, group_id in con.execute(current_groups_sql(files, number_list(record_ids))).fetchall()
    }
