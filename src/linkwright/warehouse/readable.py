"""Finds out whether Parquet files can be read to their end. Says nothing of what they hold."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def fault_of_parquet(path: Path) -> str:
    """Read a file whole; returns why it cannot be read, or ''. Keeps one row group in memory.

    Values that were changed without harm to the format are not noticed: the format has no checksum of them.
    """
    try:
        with pq.ParquetFile(path) as parquet:
            for group in range(parquet.num_row_groups):
                parquet.read_row_group(group)
    except FileNotFoundError:
        return "it is gone"
    except (OSError, ValueError, pa.ArrowException) as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return ""
