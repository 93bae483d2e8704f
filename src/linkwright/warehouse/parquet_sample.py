"""Owns the look at a Parquet file's columns before it is known what they fill: names and first values.

Source: SPEC section 1 (Import Format).
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from linkwright.warehouse.source import UnreadableSourceError


def read_parquet_sample(path: Path, source_name: str, most_rows: int) -> tuple[list[str], list[list[str]]]:
    """Return the names of the columns, and the first rows as text; an absent value is ''.

    Raises:
        UnreadableSourceError: if it is no sound Parquet file.
    """
    try:
        file = pq.ParquetFile(path)
        batches = [batch for batch, _ in zip(file.iter_batches(most_rows), range(1), strict=False)]
        table = pa.Table.from_batches(batches, file.schema_arrow)
        columns = [
            ["" if value is None else str(value) for value in column.slice(0, most_rows).to_pylist()]
            for column in table.columns
        ]
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UnreadableSourceError(
            f"{source_name}: this is no sound Parquet file ({error}). Choose another, or write it again."
        ) from error
    return list(file.schema_arrow.names), [list(row) for row in zip(*columns, strict=True)]
