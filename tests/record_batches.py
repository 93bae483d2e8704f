"""Writes records files for tests of matching and grouping, without the loading that makes real ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jellyfish
import pyarrow as pa
import pyarrow.parquet as pq

from linkwright.engine.fields import STANDARD_FIELDS, FieldType, record_columns

Row = Mapping[str, Any]
ARROW_TYPES = {"BIGINT": pa.int64(), "VARCHAR": pa.string(), "DATE": pa.date32(), "DOUBLE": pa.float64()}


def write_records(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows with a record_id and any standard fields; what a row lacks is missing."""
    completed = [with_derived(row) for row in rows]
    columns = record_columns(STANDARD_FIELDS)
    arrays = {
        column.name: pa.array([row.get(column.name) for row in completed], ARROW_TYPES[column.sql_type])
        for column in columns
    }
    pq.write_table(pa.table(arrays), path)
    return path


def with_derived(row: Row) -> dict[str, Any]:
    """Complete a row as Load does: identity, phonetic codes, initials."""
    derived: dict[str, Any] = {"event_type": "E", "source_unique_id": f"s{row['record_id']}"}
    for field in STANDARD_FIELDS:
        value = row.get(field.name)
        if field.type is FieldType.NAME and value is not None:
            derived[f"{field.name}_soundex"] = jellyfish.soundex(value)
            derived[f"{field.name}_nysiis"] = jellyfish.nysiis(value)
            derived[f"{field.name}_initial"] = value[0]
    return {**derived, **row}


def write_ends(path: Path, record_ids: Sequence[int]) -> Path:
    """Write an ends file."""
    pq.write_table(pa.table({"record_id": pa.array(record_ids, pa.int64())}), path)
    return path


def write_assignments(path: Path, groups: Mapping[int, int]) -> Path:
    """Write an assignments file: record id → group id."""
    columns = {"record_id": list(groups), "group_id": list(groups.values())}
    pq.write_table(pa.table({name: pa.array(ids, pa.int64()) for name, ids in columns.items()}), path)
    return path


def write_pairs(path: Path, pairs: Sequence[tuple[int, int, float, bool]]) -> Path:
    """Write a pairs file of record_id_l, record_id_r, match_weight and is_match, all of one strategy."""
    types = (pa.int64(), pa.int64(), pa.float64(), pa.bool_())
    names = ("record_id_l", "record_id_r", "match_weight", "is_match")
    arrays = [pa.array([pair[index] for pair in pairs], kind) for index, kind in enumerate(types)]
    strategies = pa.array(["person"] * len(pairs), pa.string())
    pq.write_table(pa.table({**dict(zip(names, arrays, strict=True)), "strategy": strategies}), path)
    return path


def write_decisions(path: Path, decisions: Sequence[tuple[int, int, str]]) -> Path:
    """Write a decisions file of record_id_l, record_id_r and decision."""
    types = (pa.int64(), pa.int64(), pa.string())
    names = ("record_id_l", "record_id_r", "decision")
    arrays = [pa.array([decision[index] for decision in decisions], kind) for index, kind in enumerate(types)]
    pq.write_table(pa.table(dict(zip(names, arrays, strict=True))), path)
    return path


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read a Parquet file as rows, in its order."""
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows
