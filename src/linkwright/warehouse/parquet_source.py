"""Owns the reading of a Parquet file as a source: its columns become text, whatever their type.

Source: SPEC section 2 (data files as Parquet), section 5 (Load).
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from linkwright.engine.import_format import ImportFormat
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.warehouse.source import (
    SourceChunk,
    UnreadableSourceError,
    find_layout,
    numbers_from,
    rows_per_chunk,
)

# A whole number beyond this has digits that a floating-point number cannot hold
_MOST_WHOLE_FLOAT = 2**53


class ParquetSource:
    """A Parquet file whose schema has been read.

    Raises:
        UnreadableSourceError: if it is no Parquet file, damaged, or has columns that cannot be text.
        MissingColumnsError: if columns that the Import Format maps are absent.
    """

    place = "row"

    def __init__(
        self,
        path: Path,
        import_format: ImportFormat,
        *,
        keep_unused: bool,
        source_name: str,
        report: ReportProgress,
    ) -> None:
        self.bytes_read_count = 0
        self._path = path
        self._source_name = source_name
        self._report = report
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise UnreadableSourceError(
                f"{source_name}: this is no sound Parquet file ({error}). Deliver it again; or, if it is text, "
                "declare its format as FlatFile."
            ) from error
        schema = self._file.schema_arrow
        repeated = sorted({name for name in schema.names if schema.names.count(name) > 1})
        if repeated:
            raise UnreadableSourceError(
                f"{source_name}: more than one column is named {', '.join(repeated)}. Give each its own name."
            )
        self.layout = find_layout(schema.names, import_format, keep_unused=keep_unused, source_name=source_name)
        nested = [
            schema.names[position] for position in self.layout.sources if not _is_plain(schema.types[position])
        ]
        if nested:
            raise UnreadableSourceError(
                f"{source_name}: the columns {', '.join(nested)} hold neither texts, numbers nor dates. "
                "Deliver the file with these columns as text, or without them."
            )
        types = [schema.types[position] for position in self.layout.sources]
        self.typed_dates = frozenset(
            target for target, index in self.layout.mapped.items() if pa.types.is_temporal(types[index])
        )

    def _names(self) -> list[str]:
        return [self._file.schema_arrow.names[position] for position in self.layout.sources]

    def chunks(self) -> Iterator[SourceChunk]:
        """Read the rows, once.

        Raises:
            UnreadableSourceError: if the file is damaged or holds bytes that are no text.
        """
        stage, total = f"Reading {self._source_name}", self._file.metadata.num_rows
        rows_count = 0
        try:
            for batch in self._file.iter_batches(rows_per_chunk(len(self.layout.sources)), columns=self._names()):
                columns = dict(zip(batch.schema.names, batch.columns, strict=True))
                yield SourceChunk(
                    lines=numbers_from(rows_count + 1, batch.num_rows),
                    columns=[pa.chunked_array([_as_text(columns[name])]) for name in self._names()],
                )
                rows_count += batch.num_rows
                self._report(Progress(stage, rows_count, total))
        except (pa.ArrowException, OSError) as error:
            raise UnreadableSourceError(
                f"{self._source_name}: the file cannot be read beyond row {rows_count} ({error}). Resend it."
            ) from error
        self.bytes_read_count = self._path.stat().st_size


def _is_plain(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return not (pa.types.is_nested(value) or pa.types.is_duration(value) or pa.types.is_interval(value))


def _as_text(column: pa.Array) -> pa.Array:
    """Write each value as people do: whole numbers without a point, dates as yyyy-mm-dd."""
    if pa.types.is_timestamp(column.type):
        local = column if column.type.tz is None else pc.local_timestamp(column)
        return pc.cast(pc.cast(local, pa.timestamp("us"), safe=False), pa.string())
    if pa.types.is_floating(column.type):
        # A column of whole numbers in which some lack is often stored as floating point
        whole = pc.and_(pc.equal(column, pc.floor(column)), pc.less(pc.abs(column), _MOST_WHOLE_FLOAT))
        digits = pc.cast(pc.cast(pc.if_else(whole, column, None), pa.int64(), safe=False), pa.string())
        return pc.coalesce(digits, pc.cast(column, pa.string()))
    return pc.cast(column, pa.string())
