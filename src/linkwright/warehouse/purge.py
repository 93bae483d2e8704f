"""Owns the blanking of ended records in records and aux files: each is written anew, without their values.

Must not decide which records are purged, nor touch the catalog: the old file counts until it says otherwise.

Source: SPEC section 3 (Purge); docs/decisions/0023.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from linkwright.engine.fields import EVENT_TYPE, RECORD_ID, SOURCE_UNIQUE_ID
from linkwright.engine.id_arrays import Ids
from linkwright.engine.sql import identifier, string_list
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits, StorageError, WrittenFile
from linkwright.warehouse.parquet_file import ParquetFile
from linkwright.warehouse.record_views import ended_sql

KEPT = (RECORD_ID, EVENT_TYPE)
"""What says nothing of a person: the map's own number, and the kind of record."""
LEAST_LETTERS, LEAST_DIGITS = 3, 6
"""Shorter values are in too many texts to tell anything."""


@dataclass(frozen=True)
class PurgedFile:
    """A file that was written anew.

    Args:
        written: the new file.
        values: texts and dates that it no longer holds of the purged records, in lower case.
        identifiers: the Source Unique IDs among them, as they are.
    """

    written: WrittenFile
    values: set[str]
    identifiers: set[str]


def read_ids(files: Iterable[Path]) -> Ids:
    """Read the record ids of ends files, ascending, each once.

    Raises:
        StorageError: if a file cannot be read.
    """
    found = [np.empty(0, dtype=np.int64)]
    for path in files:
        with _Opened(path) as parquet:
            found.append(parquet.read(columns=[RECORD_ID]).column(RECORD_ID).to_numpy())
    return np.unique(np.concatenate(found))


def within(ids: Ids, ranges: Iterable[tuple[int, int]]) -> NDArray[np.bool_]:
    """Tell of each id whether it is in one of the ranges, both ends included."""
    inside = np.zeros(ids.size, dtype=np.bool_)
    for first, last in ranges:
        inside |= (ids >= first) & (ids <= last)
    return inside


def purge_file(source: Path, ids: Ids, target: Path) -> PurgedFile | None:
    """Write a records or aux file anew without the values of some records; None if it holds none of these.

    Args:
        source: the file as it is.
        ids: of the records, ascending.
        target: the new file: the same rows in the same order; of these records only `KEPT` has values.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    with _Opened(source) as parquet:
        held = parquet.read(columns=[RECORD_ID]).column(RECORD_ID).to_numpy()
        if not np.isin(held, ids).any():
            return None
        written = ParquetFile(target, _schema(parquet))
        gone_rows = []
        try:
            for number in range(parquet.num_row_groups):
                piece = parquet.read_row_group(number)
                gone = np.isin(piece.column(RECORD_ID).to_numpy(), ids)
                if gone.any():
                    gone_rows.append(piece.filter(pa.array(gone)))
                    piece = _blanked(piece, gone)
                written.write(piece.cast(written.schema))
            finished = written.finish()
        except BaseException:
            written.discard()
            raise
    return _purged(finished, pa.concat_tables(gone_rows))


def values_gone(
    limits: EngineLimits, values: Collection[str], records: Sequence[Path], ended: Sequence[Path]
) -> set[str]:
    """Return the values that no live record has any more: only these tell of who was purged.

    Args:
        limits: memory, threads, scratch folder.
        values: in lower case.
        records: records files that are kept, purged already.
        ended: ends files; at least one.

    Raises:
        StorageError: if a file cannot be read.
    """
    telling = [value for value in values if _tells(value)]
    if not telling or not records:
        return set(telling)
    with open_engine(limits) as con:
        con.register("wanted", pa.table({"value": pa.array(telling, pa.string())}))
        source = f"read_parquet({string_list(list(records))}, union_by_name = true)"
        columns = [row[:2] for row in con.execute(f"DESCRIBE FROM {source}").fetchall()]
        texts = [name for name, kind in columns if kind in {"VARCHAR", "DATE"} and name != EVENT_TYPE]
        held: set[str] = set()
        for name in texts:
            text = f"lower(CAST({identifier(name)} AS VARCHAR))"
            rows = con.execute(
                f"SELECT DISTINCT {text} FROM {source} WHERE {text} IN (SELECT value FROM wanted) "
                f"AND record_id NOT IN ({ended_sql(ended)})"
            ).fetchall()
            held.update(row[0] for row in rows)
    return set(telling) - held


class _Opened:
    """A Parquet file that is open; errors are told as those of the storage."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parquet: pq.ParquetFile | None = None

    def __enter__(self) -> pq.ParquetFile:
        try:
            self._parquet = pq.ParquetFile(self._path)
        except (OSError, pa.ArrowException) as error:
            raise self._error(error) from error
        return self._parquet

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if self._parquet is not None:
            self._parquet.close()
        if isinstance(error, pa.ArrowException | OSError):
            raise self._error(error) from error

    def _error(self, error: BaseException) -> StorageError:
        return StorageError(
            f"{self._path.name} cannot be read: {error}. Nothing was changed. Restore the file from a backup "
            "(`linkwright doctor` names files that are gone or damaged), then retry the job."
        )


def _schema(parquet: pq.ParquetFile) -> pa.Schema:
    """Return the schema to write with: what was stored by distinct values is stored so again."""
    if not parquet.num_row_groups:
        return parquet.schema_arrow
    group = parquet.metadata.row_group(0)
    repeating = {
        group.column(number).path_in_schema
        for number in range(group.num_columns)
        if "RLE_DICTIONARY" in group.column(number).encodings
    }
    return pa.schema(
        [
            pa.field(field.name, pa.dictionary(pa.int32(), field.type))
            if field.name in repeating and pa.types.is_string(field.type)
            else pa.field(field.name, field.type)
            for field in parquet.schema_arrow
        ]
    )


def _blanked(piece: pa.Table, gone: NDArray[np.bool_]) -> pa.Table:
    # values are blanked before they are numbered: a dictionary keeps what no row has any more
    mask = pa.array(gone)
    columns = {
        field.name: column
        if field.name in KEPT
        else pc.if_else(mask, pa.scalar(None, field.type), column.combine_chunks())
        for field, column in zip(piece.schema, piece.columns, strict=True)
    }
    return pa.table(columns)


def _purged(written: WrittenFile, rows: pa.Table) -> PurgedFile:
    columns = {
        field.name: {str(value) for value in column.unique().to_pylist() if value is not None}
        for field, column in zip(rows.schema, rows.columns, strict=True)
        if field.name not in KEPT and (pa.types.is_string(field.type) or pa.types.is_date(field.type))
    }
    values = {value.lower() for found in columns.values() for value in found}
    return PurgedFile(written, values, columns.get(SOURCE_UNIQUE_ID, set()))


def _tells(value: str) -> bool:
    letters = any(character.isalpha() for character in value)
    return len(value) >= (LEAST_LETTERS if letters else LEAST_DIGITS)
