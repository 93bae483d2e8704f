"""Owns the passage of a source file's rows, chunk by chunk, into the records and aux files, not yet visible.

Each chunk is standardised by one query, gets phonetic codes and internal ids, and is written at once: the memory
needed does not grow with the file. What is known only at the end, such as a Source Unique ID that occurs twice, is
taken out again by `Staging.finish`.

Source: SPEC section 5 (Load); ARCHITECTURE section 4 (records, aux).
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from linkwright.engine.cleaning import CleaningRules
from linkwright.engine.fields import (
    EVENT_TYPE,
    RECORD_ID,
    SOURCE_PERSON_ID,
    SOURCE_UNIQUE_ID,
    LinkageField,
    RecordColumn,
    record_columns,
)
from linkwright.warehouse.limits import WrittenFile
from linkwright.warehouse.parquet_file import ParquetFile
from linkwright.warehouse.rejects import RejectedRow, RejectReason, Rejects
from linkwright.warehouse.source import Layout, SourceChunk, numbers_from
from linkwright.warehouse.standardise import TEXT, Standardiser

ROW_LINES = "row_lines"
INVALID_VALUES = "invalid_values"


class Staging:
    """Writes the rows of one source file.

    Tables in the engine: row_lines (record_id BIGINT, line BIGINT), one row per row written; invalid_values
    (field VARCHAR, record_id BIGINT, line BIGINT, value VARCHAR), one row per value that could not be read.

    Args:
        con: the engine to compute in.
        fields: the project's linkage fields.
        layout: of the chunks to come.
        rules: how values are cleaned.
        rejects: takes the rows that are not written.
        event_type_code: written into each record.
        first_record_id: internal id of the first row; the others follow without a gap.
        records_path: where the records file will appear.
        aux_path: where the aux file will appear; it is made only if the layout has unused columns.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        *,
        fields: Sequence[LinkageField],
        layout: Layout,
        rules: CleaningRules,
        rejects: Rejects,
        event_type_code: str,
        first_record_id: int,
        records_path: Path,
        aux_path: Path,
    ) -> None:
        self._con = con
        self._fields = fields
        self._layout = layout
        self._rejects = rejects
        self._event_type_code = event_type_code
        self._next_record_id = self._first_record_id = first_record_id
        self._standardiser = Standardiser(con, rules)
        columns = record_columns(fields)
        schema = pa.schema([(column.name, _arrow_type(column)) for column in columns])
        aux_schema = pa.schema([(RECORD_ID, pa.int64()), *((name, pa.string()) for name in layout.unused)])
        con.execute(f"CREATE TABLE {ROW_LINES} (record_id BIGINT, line BIGINT)")
        con.execute(f"CREATE TABLE {INVALID_VALUES} (field VARCHAR, record_id BIGINT, line BIGINT, value VARCHAR)")
        self._records = ParquetFile(records_path, schema)
        self._files = [self._records]
        if layout.unused:
            self._files.append(ParquetFile(aux_path, aux_schema))

    def add(self, chunk: SourceChunk) -> None:
        """Standardise and write the rows of a chunk; misfits and rows without a Source Unique ID are rejected."""
        if chunk.misfits:
            self._rejects.add(
                RejectedRow(misfit.line, RejectReason.WRONG_COLUMNS, misfit.fault, misfit.source_unique_id)
                for misfit in chunk.misfits
            )
        if not len(chunk.lines):
            return
        identifiers = self._standardiser.identifiers(chunk.columns[self._layout.mapped[SOURCE_UNIQUE_ID]])
        has_identifier = pc.is_valid(identifiers)
        if not pc.all(has_identifier).as_py():
            self._rejects.add(
                RejectedRow(line, RejectReason.NO_IDENTIFIER, "has no Source Unique ID", None)
                for line in chunk.lines.filter(pc.invert(has_identifier)).to_pylist()
            )
            identifiers = identifiers.filter(has_identifier)
            chunk = SourceChunk(
                lines=chunk.lines.filter(has_identifier),
                columns=[column.filter(has_identifier) for column in chunk.columns],
            )
        record_ids = numbers_from(self._next_record_id, len(identifiers))
        self._next_record_id += len(identifiers)
        self._insert(ROW_LINES, {"record_id": record_ids, "line": chunk.lines})
        self._records.write(self._as_records(chunk, record_ids, identifiers))
        for aux in self._files[1:]:
            unused = [_without_blank(chunk.columns[index]) for index in self._layout.unused.values()]
            aux.write(pa.table([record_ids, *unused], schema=aux.schema))

    @property
    def rows_count(self) -> int:
        """Rows written so far."""
        return self._next_record_id - self._first_record_id

    def close(self) -> Path:
        """End the writing, and return the records file as it is before it appears, to be read."""
        for file in self._files:
            file.close()
        return self._records.partial

    def finish(self, taken_out: pa.Array) -> tuple[WrittenFile, WrittenFile | None]:
        """Let the files appear, without some rows; the ids of those behind them move up. Call `close` before.

        Args:
            taken_out: int64, ids as they were given by `add`.

        Returns:
            The records file, and the aux file if there is one.
        """
        written = [self._finished(file, taken_out) for file in self._files]
        return written[0], written[1] if len(written) > 1 else None

    def discard(self) -> None:
        """Leave nothing behind."""
        for file in self._files:
            file.discard()

    def _finished(self, file: ParquetFile, taken_out: pa.Array) -> WrittenFile:
        if not len(taken_out):
            return file.finish()
        staged = file.partial.rename(file.path.with_suffix(".staged"))
        plain = pa.schema([(f.name, pa.string() if f.type == TEXT else f.type) for f in file.schema])
        kept = ParquetFile(file.path, plain)
        self._files[self._files.index(file)] = kept
        next_record_id = self._first_record_id
        try:
            with pq.ParquetFile(staged) as reader:
                for group in range(reader.num_row_groups):
                    rows = reader.read_row_group(group)
                    rows = rows.filter(pc.invert(pc.is_in(rows.column(RECORD_ID), value_set=taken_out)))
                    ids = numbers_from(next_record_id, rows.num_rows)
                    kept.write(rows.set_column(0, RECORD_ID, ids))
                    next_record_id += rows.num_rows
        finally:
            staged.unlink()
        return kept.finish()

    def _as_records(self, chunk: SourceChunk, record_ids: pa.Array, identifiers: pa.Array) -> pa.Table:
        sources, mapped = chunk.columns, self._layout.mapped
        event_types = pa.DictionaryArray.from_arrays(
            pa.array([0] * len(record_ids), pa.int32()), pa.array([self._event_type_code], pa.string())
        )
        columns: dict[str, pa.Array] = {
            RECORD_ID: record_ids,
            EVENT_TYPE: event_types,
            SOURCE_UNIQUE_ID: identifiers,
        }
        if SOURCE_PERSON_ID in mapped:
            columns[SOURCE_PERSON_ID] = self._standardiser.identifiers(sources[mapped[SOURCE_PERSON_ID]])
        for field in self._fields:
            if field.name in mapped:
                source = sources[mapped[field.name]]
                standard = self._standardiser.column(field, source)
                columns[field.name] = standard.values
                columns |= dict(zip(field.derived_columns, standard.derived, strict=False))
                self._note_invalid(field, standard.is_invalid, record_ids, chunk.lines, source)
        schema = self._records.schema
        empty = {
            column.name: pa.nulls(len(record_ids), column.type) for column in schema if column.name not in columns
        }
        return pa.table([(columns | empty)[name] for name in schema.names], schema=schema)

    def _note_invalid(
        self,
        field: LinkageField,
        is_invalid: pa.Array,
        record_ids: pa.Array,
        lines: pa.Array,
        source: pa.ChunkedArray,
    ) -> None:
        if pc.any(is_invalid).as_py():
            values = source.filter(is_invalid)
            self._insert(
                INVALID_VALUES,
                {
                    "field": pa.array([field.name] * len(values), pa.string()),
                    "record_id": record_ids.filter(is_invalid),
                    "line": lines.filter(is_invalid),
                    "value": values,
                },
            )

    def _insert(self, table: str, columns: dict[str, pa.Array | pa.ChunkedArray]) -> None:
        self._con.register("staged_piece", pa.table(columns))
        self._con.execute(f"INSERT INTO {table} SELECT * FROM staged_piece")
        self._con.unregister("staged_piece")


def _arrow_type(column: RecordColumn) -> pa.DataType:
    """Texts are written from dictionaries, except identifiers, which hardly repeat."""
    if column.name in {SOURCE_UNIQUE_ID, SOURCE_PERSON_ID}:
        return pa.string()
    return {"BIGINT": pa.int64(), "DATE": pa.date32(), "DOUBLE": pa.float64(), "VARCHAR": TEXT}[column.sql_type]


def _without_blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
