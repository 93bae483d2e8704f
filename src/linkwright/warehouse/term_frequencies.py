"""Owns the file of term frequencies of a version of a match configuration: builds it, and opens it for scoring.

Must not decide when it is built (a job that a person starts does), nor what a frequency changes in a weight.

Source: SPEC section 5 (term frequencies belong to the version); ARCHITECTURE section 4 (immutable files).
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from linkwright.engine.dialect import DUCKDB
from linkwright.engine.sql import literal
from linkwright.engine.term_frequencies import term_frequencies_sql
from linkwright.warehouse.connection import open_engine, write_parquet
from linkwright.warehouse.limits import EngineLimits, WrittenFile
from linkwright.warehouse.record_views import create_record_view


def build_term_frequencies(
    records: Sequence[Path], ended: Sequence[Path], fields: Sequence[str], target: Path, limits: EngineLimits
) -> WrittenFile:
    """Count how frequent each value of some fields is among the live records.

    Args:
        records: records files; at least one.
        ended: ends files; their records do not count.
        fields: linkage fields; `engine.term_frequencies.frequency_fields` lists those of a configuration.
        target: the Parquet file to write: field VARCHAR, value VARCHAR (the value as text; a date as yyyy-mm-dd),
            frequency DOUBLE (over 0 to 1: share among the values of the field that are not missing).
        limits: memory, threads, scratch folder.

    Returns:
        The file; its rows are one per field and value, none for a field without values.

    Raises:
        ValueError: if there are no records files or no fields.
        StorageError: if a file cannot be read or written.
        MemoryLimitError: if the values do not fit into the memory, even with what can be moved to disk.
    """
    with open_engine(limits) as con:
        create_record_view(con, "records", records, ended, columns=fields)
        return write_parquet(con, term_frequencies_sql(fields, "records", DUCKDB), target)


def open_term_frequencies(con: duckdb.DuckDBPyConnection, path: Path | None) -> None:
    """Make the view `term_frequencies`, which scoring reads, of a file that `build_term_frequencies` wrote.

    Args:
        con: the engine.
        path: of the file; None makes an empty view, with which nothing is adjusted.

    Raises:
        StorageError: (from `open_engine`) if the file cannot be read.
    """
    nothing = "(SELECT '' AS field, '' AS value, CAST(1 AS DOUBLE) AS frequency WHERE FALSE)"
    source = nothing if path is None else f"read_parquet({literal(path)})"
    con.execute(f"CREATE OR REPLACE VIEW term_frequencies AS SELECT field, value, frequency FROM {source}")
