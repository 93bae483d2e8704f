"""Owns the writing of an immutable Parquet file piece by piece: it appears whole, or not at all.

For rows that are made outside DuckDB; a query's rows are written by `connection.write_parquet`.

Source: ARCHITECTURE section 4 (immutable Parquet batches).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from linkwright.disk import sync
from linkwright.engine.fields import EVENT_TYPE, RECORD_ID
from linkwright.warehouse.limits import StorageError, WrittenFile


def remove_if_there(path: Path) -> None:
    """Delete a file on the way out of a failure, whose cause must not be hidden by a second one."""
    with suppress(OSError):
        path.unlink()


class ParquetFile:
    """A file being written. Call `finish` or `discard`.

    Args:
        path: where it will appear.
        schema: of all pieces; it has record_id. Columns of dictionaries are read back as what these hold.

    Raises:
        StorageError: from every method but `discard`, if the disk is full or the folder cannot be written.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self.partial = path.with_suffix(".partial")
        self.schema = schema
        self._rows_count = 0
        self._opened: pq.ParquetWriter | None = None

    def write(self, piece: pa.Table) -> None:
        """Add rows; they become one row group."""
        with self._storage():
            self._writer().write_table(piece)
        self._rows_count += piece.num_rows

    def close(self) -> None:
        """End the writing, but do not yet let the file appear: `partial` can be read."""
        with self._storage():
            self._writer().close()

    def finish(self) -> WrittenFile:
        """Sync the file and let it appear."""
        self.close()
        with self._storage():
            sync(self.partial)
            self.partial.rename(self.path)
            sync(self.path.parent)
            bytes_count = self.path.stat().st_size
        return WrittenFile(path=self.path, rows_count=self._rows_count, bytes_count=bytes_count)

    def discard(self) -> None:
        """End the writing and leave nothing; never raises, since another error is on its way."""
        # A writer that met a full disk fails again when it is closed
        with suppress(OSError):
            if self._opened:
                self._opened.close()
        remove_if_there(self.partial)
        remove_if_there(self.path)

    def _writer(self) -> pq.ParquetWriter:
        if self._opened is None:
            repeating = [column.name for column in self.schema if pa.types.is_dictionary(column.type)]
            self._opened = pq.ParquetWriter(
                self.partial,
                self.schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=repeating,
                # Only these are ever asked for by range; the smallest and largest of every text would cost a third
                write_statistics=[name for name in (RECORD_ID, EVENT_TYPE) if name in self.schema.names],
                column_encoding={RECORD_ID: "DELTA_BINARY_PACKED"},
                store_schema=False,
            )
        return self._opened

    @contextmanager
    def _storage(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"{self.path.name} cannot be written to {self.path.parent} "
                f"({os.strerror(error.errno) if error.errno else error}). "
                "Free space on the disk or give Linkwright the right to write there, then retry the job."
            ) from error
