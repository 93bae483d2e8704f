"""Owns showing what Load makes of a value: made-up texts standardised, and values that a project holds.

Must not decide who may see held values: they are personal data.

Source: SPEC section 5 (Load).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from linkwright.engine.cleaning import CleaningRules
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.fields import LinkageField
from linkwright.engine.sql import identifier, string_list
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles
from linkwright.warehouse.record_views import ended_sql
from linkwright.warehouse.standardise import Standardiser


class Standardised(NamedTuple):
    """What became of one text; `value` is None where nothing could be read or nothing was there."""

    text: str
    value: str | None
    is_invalid: bool


def standardise_texts(
    limits: EngineLimits, texts: Sequence[tuple[LinkageField, Sequence[str]]], rules: CleaningRules
) -> list[list[Standardised]]:
    """Standardise texts as Load does; one list per field, in order.

    Raises:
        StorageError: if the scratch folder cannot be used.
    """
    shown = []
    with open_engine(limits) as con:
        standardiser = Standardiser(con, rules)
        for field, written in texts:
            column = standardiser.column(field, pa.chunked_array([pa.array(written, pa.string())]))
            values, invalid = column.values.to_pylist(), column.is_invalid.to_pylist()
            shown.append(
                [
                    Standardised(text, None if value is None else str(value), bool(wrong))
                    for text, value, wrong in zip(written, values, invalid, strict=True)
                ]
            )
    return shown


def read_held_values(
    limits: EngineLimits, files: LiveFiles, fields: Sequence[LinkageField], count: int
) -> Mapping[str, list[str]]:
    """Read some distinct values that live records hold, by field; those of the first records that have any.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not files.records:
        return {}
    source = f"read_parquet({string_list(list(files.records))}, union_by_name = true)"
    gone = f" AND record_id NOT IN ({ended_sql(files.ended)})" if files.ended else ""
    held: dict[str, list[str]] = {}
    with open_engine(limits) as con:
        stored = {str(row[0]) for row in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        for field in fields:
            if field.name not in stored:
                continue
            column = identifier(field.name)
            # a first few rows suffice: the whole column of many records need not be read
            rows = con.execute(
                f"SELECT DISTINCT value FROM (SELECT {DUCKDB.text(column)} AS value FROM {source} "
                f"WHERE {column} IS NOT NULL{gone} LIMIT 200) ORDER BY value LIMIT ?",
                [count],
            ).fetchall()
            held[field.name] = [str(value) for (value,) in rows]
    return held
