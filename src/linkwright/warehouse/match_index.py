"""Owns the match index of a records file: what matching looks up in it, to be found without reading it all.

One file holds, per blocking rule, the block keys of the records in order of keys, and per column the values in
order of records. It is mapped into memory, so that a search touches only the pages that it needs. It can always be
made again from the records file; so one that is damaged, or of another engine version, is not used and made anew.
It holds what the records file holds: personal data.

Layout: Arrow IPC streams of one record batch each, at offsets of 64 bytes; then a JSON directory, its length
(8 bytes, little-endian), and the mark. A key part has the columns `keys` (uint64) and `positions` (uint32); a
column part has the column `values`, of record ids as they are, of all others as codes of distinct values; null is
a value among them, so that gathering has one array to look at.

Source: ARCHITECTURE section 5 (a stored 64-bit key per blocking rule); Arrow's columnar format.
"""

import json
import mmap
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from linkwright.disk import sync
from linkwright.engine.blocking import BlockingRule, block_keys_sql, rule_columns, rule_identity
from linkwright.engine.candidates import KeyList
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.fields import RECORD_ID
from linkwright.engine.sql import identifier, literal
from linkwright.warehouse.connection import damaged_text, gone_text
from linkwright.warehouse.limits import StorageError, WrittenFile

# hashes are compared across files: those of another engine version may differ
_VERSION = f"1, duckdb {duckdb.__version__}"
_MARK = b"LWINDEX1"
_ALIGNMENT = 64
_LENGTH_BYTES = 8


class UnusableIndexError(Exception):
    """The file is damaged, or was made by another version, or lacks a rule or a column: make it again."""


@dataclass(frozen=True)
class IndexContent:
    """What an index must hold: rules and columns of the records file, beside record_id."""

    rules: tuple[BlockingRule, ...]
    columns: tuple[str, ...]


class CodedColumn(NamedTuple):
    """Values of some records, by codes.

    Args:
        codes: per record the place of its value in `values`.
        values: each at least once, in no order; a missing value is null.
    """

    codes: NDArray[np.int32]
    values: pa.Array

    def at(self, places: NDArray[np.intp]) -> pa.Array:
        """Return the values of the records at places, plain or as a dictionary array, whichever is less."""
        codes = np.take(self.codes, places)
        if codes.size < len(self.values):
            return self.values.take(pa.array(codes))
        return pa.DictionaryArray.from_arrays(codes, self.values, safe=False)


class MatchIndex:
    """An index that is open for reading; nothing is read before it is asked for.

    Args:
        path: of the file.
        content: what it must hold.

    Raises:
        UnusableIndexError: if it cannot serve.
    """

    def __init__(self, path: Path, content: IndexContent) -> None:
        try:
            with path.open("rb") as file:
                self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._buffer: pa.Buffer = pa.py_buffer(self._mapped)
            self._directory = _read_directory(self._buffer)
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            raise UnusableIndexError(f"{path.name} cannot be read: {error}") from error
        self.rows_count: int = self._directory["rows_count"]
        wanted = {*map(_key_part, content.rules), *map(_column_part, (RECORD_ID, *content.columns))}
        missing = wanted - self._directory["parts"].keys()
        if missing or self._directory["version"] != _VERSION:
            raise UnusableIndexError(f"{path.name} has version {self._directory['version']} and lacks {missing}")

    def key_list(self, rule: BlockingRule) -> KeyList:
        """Return the block keys of a rule; views of the file."""
        part = self._part(_key_part(rule))
        return KeyList(part.column("keys").to_numpy(), part.column("positions").to_numpy())

    def record_ids(self) -> NDArray[np.int64]:
        """Return the record ids in order of positions; a view of the file."""
        ids: NDArray[np.int64] = self._part(_column_part(RECORD_ID)).column("values").to_numpy()
        return ids

    def column(self, name: str) -> CodedColumn:
        """Return a column's values in order of positions; views of the file."""
        values = self._part(_column_part(name)).column("values")
        return CodedColumn(values.indices.to_numpy(), values.dictionary)

    def release(self) -> None:
        """Give back the memory of the pages read so far; they are read again when they are asked for."""
        self._mapped.madvise(mmap.MADV_DONTNEED)

    def _part(self, name: str) -> pa.RecordBatch:
        offset, length = self._directory["parts"][name]
        return pa.ipc.open_stream(self._buffer.slice(offset, length)).read_next_batch()


def write_index(con: duckdb.DuckDBPyConnection, records: Path, content: IndexContent, target: Path) -> WrittenFile:
    """Make the index of a records file.

    Args:
        con: the engine to compute hashes in.
        records: the records file.
        content: what the index must hold.
        target: where it appears, whole or not at all.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    partial = target.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            rows_count = _write_parts(con, records, content, file)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
        sync(target.parent)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        if not records.is_file():
            raise StorageError(gone_text(records)) from error
        if error.errno is None:
            # Arrow's way of saying that it cannot make sense of what it reads
            raise StorageError(damaged_text(records, str(error))) from error
        raise StorageError(
            f"The match index {target.name} cannot be written to {target.parent} ({error.strerror or error}). "
            "Free space on the disk or give Linkwright the right to write there, then retry the job."
        ) from error
    return WrittenFile(path=target, rows_count=rows_count, bytes_count=target.stat().st_size)


def _write_parts(con: duckdb.DuckDBPyConnection, records: Path, content: IndexContent, file: BinaryIO) -> int:
    parts: dict[str, tuple[int, int]] = {}
    with pq.ParquetFile(records) as parquet:
        rows_count = int(parquet.metadata.num_rows)
        present = set(parquet.schema_arrow.names)
    for name, rule in {_key_part(rule): rule for rule in content.rules}.items():
        parts[name] = _append(file, _sorted_keys(con, rule, records, present))
    names = [name for name in (RECORD_ID, *content.columns) if name in present]
    columns = _columns(records, names)
    for name in (RECORD_ID, *content.columns):
        values = columns[name] if name in columns else pa.nulls(rows_count)
        made = values if name == RECORD_ID else _coded(values)
        parts[_column_part(name)] = _append(file, pa.record_batch({"values": made}))
    directory = json.dumps({"version": _VERSION, "rows_count": rows_count, "parts": parts}).encode()
    file.write(directory + len(directory).to_bytes(_LENGTH_BYTES, "little") + _MARK)
    return rows_count


def _sorted_keys(
    con: duckdb.DuckDBPyConnection, rule: BlockingRule, records: Path, present: set[str]
) -> pa.RecordBatch:
    columns = rule_columns((rule,))
    if not present.issuperset(columns):
        # a batch written before the project got a field has no values of it
        return pa.record_batch({"keys": pa.array([], pa.uint64()), "positions": pa.array([], pa.uint32())})
    source = (
        "(SELECT CAST(file_row_number AS UINTEGER) AS position, "
        f"{', '.join(identifier(name) for name in columns)} "
        f"FROM read_parquet({literal(records)}, file_row_number = true))"
    )
    keys_sql = block_keys_sql(rule, DUCKDB, source)
    made = con.execute(f"SELECT * FROM ({keys_sql}) ORDER BY block_key, position").fetchnumpy()
    return pa.record_batch({"keys": made["block_key"], "positions": made["position"]})


def _columns(records: Path, names: Sequence[str]) -> dict[str, pa.Array]:
    """Read columns, each as a single array; texts as dictionaries of distinct values."""
    with pq.ParquetFile(records) as parquet:
        texts = [name for name in names if pa.types.is_string(parquet.schema_arrow.field(name).type)]
    with pq.ParquetFile(records, read_dictionary=texts) as parquet:
        table = parquet.read(columns=list(names)).unify_dictionaries().combine_chunks()
    return {
        name: table.column(name).chunk(0) if table.num_rows else pa.array([], table.schema.field(name).type)
        for name in names
    }


def _coded(values: pa.Array) -> pa.DictionaryArray:
    """Return values as codes of distinct values, of which null is one."""
    if pa.types.is_null(values.type):
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(values), dtype=np.int32)), pa.nulls(1))
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    if not encoded.null_count:
        return encoded
    distinct = pa.concat_arrays([encoded.dictionary, pa.nulls(1, encoded.dictionary.type)])
    return pa.DictionaryArray.from_arrays(encoded.indices.fill_null(len(encoded.dictionary)), distinct)


def _append(file: BinaryIO, batch: pa.RecordBatch) -> tuple[int, int]:
    """Write one batch as a stream of its own; returns its offset and length in bytes."""
    file.write(b"\0" * (-file.tell() % _ALIGNMENT))
    offset = file.tell()
    with pa.ipc.new_stream(file, batch.schema) as stream:
        stream.write_batch(batch)
    return offset, file.tell() - offset


def _read_directory(buffer: pa.Buffer) -> Mapping[str, Any]:
    tail = buffer.slice(max(buffer.size - len(_MARK) - _LENGTH_BYTES, 0)).to_pybytes()
    if tail[_LENGTH_BYTES:] != _MARK:
        raise ValueError("it does not end as an index does")
    length = int.from_bytes(tail[:_LENGTH_BYTES], "little")
    directory: Mapping[str, Any] = json.loads(buffer.slice(buffer.size - len(tail) - length, length).to_pybytes())
    return directory


def _key_part(rule: BlockingRule) -> str:
    return f"keys {rule_identity(rule)}"


def _column_part(name: str) -> str:
    return f"column {name}"
