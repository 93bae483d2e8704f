"""Owns how batches of records and ends are read: one view over files, of live records only, with chosen columns.

Must not know what the records are read for, nor write files.

Source: ARCHITECTURE section 4 (records, ends).
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np

from linkwright.engine.fields import RECORD_ID
from linkwright.engine.id_arrays import NO_IDS, Ids, distinct
from linkwright.engine.sql import identifier, literal, string_list
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits


def create_record_view(
    con: duckdb.DuckDBPyConnection,
    name: str,
    records: Sequence[Path],
    ended: Sequence[Path],
    *,
    columns: Sequence[str],
    like: Sequence[Path] = (),
) -> int:
    """Make a view of the live records in some files.

    Args:
        con: where the view is made.
        name: of the view.
        records: records files; none makes an empty view, with the columns of `like`.
        ended: ends files; their records are left out.
        columns: beside record_id, which is always there.
        like: records files of the same project.

    Returns:
        How many live records there are.

    Raises:
        ValueError: if there is no file to take columns from.
    """
    files = list(records or like)
    if not files:
        raise ValueError(f"the view {name} needs at least one records file, to take its columns from")
    selected = ", ".join(("record_id", *(identifier(column) for column in columns)))
    conditions = [] if records else ["FALSE"]
    if ended:
        conditions.append(f"record_id NOT IN ({ended_sql(ended)})")
    condition = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    # batches written before a project got a field lack its column: union_by_name fills it with NULL
    source = f"read_parquet({string_list(files)}, union_by_name = true)"
    con.execute(f"CREATE OR REPLACE VIEW {identifier(name)} AS SELECT {selected} FROM {source}{condition}")
    return int(con.execute(f"SELECT count(*) FROM {identifier(name)}").fetchall()[0][0])


def count_live_records(limits: EngineLimits, records: Sequence[Path], ended: Sequence[Path]) -> int:
    """Count the records in some files that have not ended.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not records:
        return 0
    with open_engine(limits) as con:
        return create_record_view(con, "live_records", records, ended, columns=())


def read_record_ids(limits: EngineLimits, files: Sequence[Path]) -> Ids:
    """Read the record ids that ends and decisions files name, ascending, each once.

    Raises:
        StorageError: if a file cannot be read.
    """
    named: list[Ids] = [NO_IDS]
    with open_engine(limits) as con:
        for path in files:
            source = f"read_parquet({literal(path)})"
            columns = [row[0] for row in con.execute(f"DESCRIBE FROM {source}").fetchall()]
            for column in columns:
                if column.startswith(RECORD_ID):
                    rows = con.execute(f"SELECT {identifier(column)} AS id FROM {source}").fetchnumpy()
                    named.append(np.asarray(rows["id"], dtype=np.int64))
    return distinct(np.concatenate(named))


def ended_sql(ended: Sequence[Path]) -> str:
    """Return a query of the record ids in ends files.

    Raises:
        ValueError: if there are none.
    """
    if not ended:
        raise ValueError("ends files are needed to read ends")
    # some files say what replaced their records, and some do not have that column
    return f"SELECT record_id FROM read_parquet({string_list(list(ended))}, union_by_name = true)"
