"""Owns the data files of an extraction: rows of a query as CSV or Parquet, the same bytes for the same rows.

Must not decide what is shown.

Source: SPEC section 5 (Extract); RFC 4180 (CSV); docs/decisions/0017.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from linkwright.engine.extraction import csv_header, csv_value_sql
from linkwright.engine.sql import identifier
from linkwright.warehouse.limits import StorageError

CHUNK_ROWS = 100_000
_NO_VALUE_ALONE = "'\"\"'"


class TextColumn(NamedTuple):
    """A column of a data file.

    Args:
        name: in the header.
        expression: SQL text of it, VARCHAR.
    """

    name: str
    expression: str


class Columns(NamedTuple):
    """The columns of a data file, in its order, and the expressions by which its rows are sorted."""

    shown: tuple[TextColumn, ...]
    order: tuple[str, ...]

    @property
    def order_sql(self) -> str:
        """The clause; none where all rows are the same."""
        order = ", ".join(f"{expression} NULLS FIRST" for expression in self.order)
        return f" ORDER BY {order}" if order else ""


def write_csv(
    con: duckdb.DuckDBPyConnection,
    columns: Columns,
    rows_sql: str,
    target: Path,
    written: Callable[[int], None],
) -> int:
    """Write rows as CSV: UTF-8, a header, commas, line feeds, quotes where they are needed.

    Args:
        con: the engine.
        columns: of the file; what sorts rows that differ, so that the same rows give the same bytes.
        rows_sql: what stands behind FROM.
        target: the file to write.
        written: told the rows written so far.

    Returns:
        How many rows there are.

    Raises:
        StorageError: if the disk is full or the folder cannot be written.
    """
    values = [csv_value_sql(column.expression) for column in columns.shown]
    if len(values) == 1:
        # an empty line is no row for most readers
        values = [f"CASE WHEN {values[0]} = '' THEN {_NO_VALUE_ALONE} ELSE {values[0]} END"]
    line = " || ',' || ".join(values)
    query = f"SELECT {line} || chr(10) AS line FROM {rows_sql}{columns.order_sql}"
    count = 0
    with _told(target), target.open("wb") as stream:
        stream.write(f"{csv_header([column.name for column in columns.shown])}\n".encode())
        for batch in con.sql(query).to_arrow_reader(CHUNK_ROWS):
            stream.write("".join(batch.column(0).to_pylist()).encode())
            count += batch.num_rows
            written(count)
    return count


def write_parquet_rows(
    con: duckdb.DuckDBPyConnection,
    columns: Columns,
    rows_sql: str,
    target: Path,
    written: Callable[[int], None],
) -> int:
    """Write rows as Parquet, all columns as text; arguments, result and errors as of `write_csv`.

    Not by DuckDB: its threads would cut the row groups differently each time.
    """
    selected = ", ".join(f"{column.expression} AS {identifier(column.name)}" for column in columns.shown)
    query = f"SELECT {selected} FROM {rows_sql}{columns.order_sql}"
    schema = pa.schema([(column.name, pa.string()) for column in columns.shown])
    count = 0
    with _told(target), pq.ParquetWriter(target, schema, compression="zstd", store_schema=False) as writer:
        for piece in _even_pieces(con.sql(query).to_arrow_reader(CHUNK_ROWS), schema):
            writer.write_table(piece, row_group_size=CHUNK_ROWS)
            count += piece.num_rows
            written(count)
    return count


def _even_pieces(batches: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield the rows in tables of CHUNK_ROWS, the last one of what is left."""
    held = schema.empty_table()
    for batch in batches:
        held = pa.concat_tables([held, pa.Table.from_batches([batch]).cast(schema)])
        while held.num_rows >= CHUNK_ROWS:
            yield held.slice(0, CHUNK_ROWS).combine_chunks()
            held = held.slice(CHUNK_ROWS)
    if held.num_rows:
        yield held.combine_chunks()


@contextmanager
def _told(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{target.name} cannot be written to {target.parent} "
            f"({os.strerror(error.errno) if error.errno else error}). "
            "Free space on the disk or give Linkwright the right to write there, then retry the job."
        ) from error
