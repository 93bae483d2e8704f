"""Owns reading what single records hold, as text, for people who look at them.

Must not decide who may see it: it is personal data. Records that have ended are not read: they are shown no more.

Source: SPEC section 6 (see identifying values); ARCHITECTURE section 4 (records).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from linkwright.engine.dialect import DUCKDB
from linkwright.engine.fields import SOURCE_PERSON_ID, LinkageField
from linkwright.engine.sql import identifier, string_list
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles
from linkwright.warehouse.record_keys import number_list
from linkwright.warehouse.record_views import ended_sql


@dataclass(frozen=True)
class RecordValues:
    """What a record holds.

    Args:
        source_person_id: as the provider gave it; None if it gave none.
        values: per linkage field its standardised value as text; None where it is missing.
    """

    source_person_id: str | None
    values: dict[str, str | None]


def read_record_values(
    limits: EngineLimits, files: LiveFiles, fields: Sequence[LinkageField], record_ids: Collection[int]
) -> dict[int, RecordValues]:
    """Read the values of live records, by record id; one that is unknown or has ended is left out.

    Args:
        limits: memory, threads, scratch folder.
        files: of the live data.
        fields: the linkage fields to read; a bloom field comes as it is stored.
        record_ids: of the records.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not files.records or not record_ids:
        return {}
    source = f"read_parquet({string_list(list(files.records))}, union_by_name = true)"
    condition = f"record_id IN ({number_list(record_ids)})"
    if files.ended:
        condition += f" AND record_id NOT IN ({ended_sql(files.ended)})"
    with open_engine(limits) as con:
        stored = {str(row[0]) for row in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        # all batches may be older than a field: it is missing then
        names = [field.name for field in fields if field.name in stored]
        person = identifier(SOURCE_PERSON_ID) if SOURCE_PERSON_ID in stored else "NULL"
        texts = "".join(f", {DUCKDB.text(identifier(name))}" for name in names)
        rows = con.execute(f"SELECT record_id, {person}{texts} FROM {source} WHERE {condition}").fetchall()
    missing = dict.fromkeys((field.name for field in fields), None)
    return {
        int(record_id): RecordValues(person_id, {**missing, **dict(zip(names, values, strict=True))})
        for record_id, person_id, *values in rows
    }
