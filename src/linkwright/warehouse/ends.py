"""Owns the writing of ends files: the ids of records that are no more.

Must not decide which records end, nor touch their data: it is blanked by a Purge.

Source: SPEC section 3 (deletion); ARCHITECTURE section 4 (ends).
"""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pyarrow as pa

from linkwright.engine.fields import RECORD_ID
from linkwright.engine.sql import identifier
from linkwright.warehouse.connection import EngineLimits, WrittenFile, open_engine, write_parquet


def write_ends(limits: EngineLimits, record_ids: Collection[int], target: Path) -> WrittenFile:
    """Write the ids of records that end.

    Args:
        limits: memory, threads, scratch folder.
        record_ids: each at least once.
        target: the ends file to write: record_id BIGINT, ascending, each once.

    Raises:
        StorageError: if the file cannot be written.
    """
    with open_engine(limits) as con:
        con.register("ended", pa.table({RECORD_ID: np.unique(np.array(list(record_ids), dtype=np.int64))}))
        return write_parquet(con, f"SELECT {identifier(RECORD_ID)} FROM ended ORDER BY 1", target)
