"""Owns the writing of one file that is read in the place of many: the same current state, from fewer files.

Records, pairs and decisions are put behind each other; of assignments the latest row of each record is kept, of
ends each record once, with the one that took its place. Must not know the catalog, nor decide which files become
one.

Source: ARCHITECTURE section 4 (small files are compacted by a job); docs/decisions/0019.
"""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import duckdb

from linkwright.engine.sql import string_list
from linkwright.warehouse.connection import open_engine, write_parquet
from linkwright.warehouse.limits import EngineLimits, StorageError, WrittenFile


class Content(StrEnum):
    """What files hold, as far as it decides how they become one."""

    ROWS = "rows"
    MAP = "map"
    ENDS = "ends"
    DECISIONS = "decisions"


# file_index is DuckDB's number of the file in the list: the latest batch counts
_SQL = {
    Content.ROWS: "SELECT * FROM {source}",
    Content.MAP: (
        "SELECT record_id, arg_max(group_id, file_index) AS group_id FROM {source} GROUP BY record_id ORDER BY 1"
    ),
    # a row without values gives the column its name and type where no file has it
    Content.ENDS: (
        "SELECT record_id, max(replaced_by) AS replaced_by FROM (FROM {source} UNION ALL BY NAME "
        "SELECT CAST(NULL AS BIGINT) AS record_id, CAST(NULL AS BIGINT) AS replaced_by) "
        "WHERE record_id IS NOT NULL GROUP BY record_id ORDER BY 1"
    ),
    Content.DECISIONS: (
        "SELECT record_id_l, record_id_r, decision, CAST(file_index AS BIGINT) AS batch FROM {source} "
        "ORDER BY batch, record_id_l, record_id_r, decision"
    ),
}
_KEEPS_ALL_ROWS = (Content.ROWS, Content.DECISIONS)


def write_compacted(
    limits: EngineLimits, content: Content, files: Sequence[Path], rows_count: int, target: Path
) -> WrittenFile:
    """Write one file that says what many say.

    Args:
        limits: memory, threads, scratch folder.
        content: of all files.
        files: the oldest first; at least one.
        rows_count: of all files together.
        target: the file to write.

    Raises:
        StorageError: if a file cannot be read, holds other rows than it did, or the target cannot be written.
    """
    source = f"read_parquet({string_list(list(files))}, union_by_name = true)"
    with open_engine(limits) as con:
        try:
            written = write_parquet(con, _SQL[content].format(source=source), target)
        except (duckdb.OutOfMemoryException, duckdb.IOException):
            # told by open_engine, in the same words as everywhere
            raise
        except duckdb.Error as error:
            raise StorageError(_damaged_text(files, str(error))) from error
    if content in _KEEPS_ALL_ROWS and written.rows_count != rows_count:
        target.unlink(missing_ok=True)
        found = f"they hold {written.rows_count:,} rows, where the catalog says {rows_count:,}"
        raise StorageError(_damaged_text(files, found))
    return written


def _damaged_text(files: Sequence[Path], found: str) -> str:
    return (
        f"Of {len(files):,} files from {files[0].name} to {files[-1].name} one cannot be used: {found}. Nothing "
        "was changed. `linkwright doctor` names files that are damaged: restore them from a backup, then retry "
        "the job."
    )
