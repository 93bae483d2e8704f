"""Owns what it takes to bring records back that an Envelope had ended, when later Envelopes stay.

Such a record was not there when those came. If they brought a newer version of it, or ended the version that goes,
it has to stay ended, on their account; if not, it lives again, and pairs of it with what they brought are missing.
Must not know the catalog, nor match.

Source: SPEC section 3 (Rollback); docs/decisions/0018.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from linkwright.engine.id_arrays import NO_IDS, Ids
from linkwright.engine.sql import string_list
from linkwright.warehouse.connection import open_engine, write_parquet
from linkwright.warehouse.ends import End
from linkwright.warehouse.limits import EngineLimits, WrittenFile
from linkwright.warehouse.record_views import ended_sql


@dataclass(frozen=True)
class ReleasedRequest:
    """What goes, and what stays.

    Args:
        released: ends files that go; at least one.
        dropped_records: records files that go.
        records: records files that stay, the oldest first.
        ended: ends files that stay, the oldest first.
        limits: memory, threads, scratch folder.
    """

    released: tuple[Path, ...]
    dropped_records: tuple[Path, ...]
    records: tuple[Path, ...]
    ended: tuple[Path, ...]
    limits: EngineLimits


@dataclass(frozen=True)
class Released:
    """What becomes of the records that were released.

    Args:
        replaced: by records file that stays (its place in the list): records to which it brought a newer version.
        deleted: by ends file that stays: records of which it ended the version that goes.
        returning: the records that live again, ascending.
    """

    replaced: Mapping[int, Sequence[End]]
    deleted: Mapping[int, Sequence[End]]
    returning: Ids


@dataclass(frozen=True)
class FoundPairs:
    """A pairs file of one configuration, and the records of whose matching it is.

    Args:
        pairs: of returning records with any others; a pair can be there twice, and with itself.
        id_ranges: first and last ids of the records files that were matched by the configuration.
    """

    pairs: Path
    id_ranges: tuple[tuple[int, int], ...]


def settle_released(request: ReleasedRequest) -> Released:
    """Work out which released records stay ended after all, on whose account, and which live again.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not request.records:
        return Released({}, {}, NO_IDS)
    with open_engine(request.limits) as con:
        _find_released(con, request)
        newer = con.execute(
            "SELECT r.record_id, min_by(v.record_id, v.record_id), min_by(v.file_index, v.record_id) "
            "FROM released AS r JOIN versions AS v USING (event_type, source_unique_id) "
            "WHERE v.record_id > r.record_id GROUP BY ALL ORDER BY 1"
        ).fetchall()
        gone = _ended_with_their_version(con, request)
        everything = con.execute("SELECT record_id FROM released ORDER BY 1").fetchnumpy()["record_id"]
    replaced: dict[int, list[End]] = {}
    deleted: dict[int, list[End]] = {}
    for record_id, version, place in newer:
        replaced.setdefault(place, []).append(End(record_id, version))
    has_newer = {row[0] for row in newer}
    for record_id, place in gone:
        if record_id not in has_newer:
            deleted.setdefault(place, []).append(End(record_id, None))
    stays_ended = np.array(sorted(has_newer | {row[0] for row in gone}), dtype=np.int64)
    return Released(replaced, deleted, np.setdiff1d(np.asarray(everything, dtype=np.int64), stays_ended))


def _find_released(con: duckdb.DuckDBPyConnection, request: ReleasedRequest) -> None:
    """Make the tables released (records that stay and nothing else ends) and versions (of their identifiers)."""
    still = f"WHERE record_id NOT IN ({ended_sql(request.ended)}) " if request.ended else ""
    source = f"read_parquet({string_list(list(request.records))}, union_by_name = true)"
    con.execute(
        f"CREATE TABLE released AS SELECT record_id, event_type, source_unique_id FROM {source} "
        f"SEMI JOIN (SELECT record_id FROM ({ended_sql(request.released)}) {still}) USING (record_id)"
    )
    con.execute(
        "CREATE TABLE versions AS SELECT record_id, event_type, source_unique_id, file_index "
        f"FROM {source} SEMI JOIN released USING (event_type, source_unique_id)"
    )


def _ended_with_their_version(
    con: duckdb.DuckDBPyConnection, request: ReleasedRequest
) -> Sequence[tuple[int, int]]:
    """Return the records of which a later version goes that another file had ended, and that file's place."""
    if not request.dropped_records or not request.ended:
        return []
    return con.execute(
        "SELECT r.record_id, min(e.file_index) FROM released AS r "
        f"JOIN read_parquet({string_list(list(request.dropped_records))}, union_by_name = true) AS d "
        "ON d.event_type = r.event_type AND d.source_unique_id = r.source_unique_id AND d.record_id > r.record_id "
        f"JOIN read_parquet({string_list(list(request.ended))}, union_by_name = true) AS e "
        "ON e.record_id = d.record_id GROUP BY ALL ORDER BY 1"
    ).fetchall()


def write_returning(limits: EngineLimits, records: Sequence[Path], record_ids: Ids, target: Path) -> WrittenFile:
    """Write the returning records as a records file of their own, ascending.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    with open_engine(limits) as con:
        con.register("returning_ids", pa.table({"record_id": record_ids}))
        source = f"read_parquet({string_list(list(records))}, union_by_name = true)"
        query = f"SELECT * FROM {source} SEMI JOIN returning_ids USING (record_id) ORDER BY record_id"
        return write_parquet(con, query, target)


def write_missing_pairs(
    limits: EngineLimits, found: Sequence[FoundPairs], known: Sequence[Path], target: Path
) -> WrittenFile:
    """Write the pairs of returning records that would be there, had they been there all the time.

    A pair counts under the configuration by which the later of its records was matched.

    Args:
        limits: memory, threads, scratch folder.
        found: per configuration; at least one.
        known: pairs files that stay; what they hold is not written again.
        target: the pairs file to write.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    parts = []
    for one in found:
        ranges = " OR ".join(f"record_id_r BETWEEN {first} AND {last}" for first, last in one.id_ranges)
        source = f"read_parquet({string_list([one.pairs])})"
        parts.append(f"SELECT * FROM {source} WHERE record_id_l < record_id_r AND ({ranges or 'FALSE'})")
    together = "\nUNION ALL BY NAME\n".join(parts)
    missing = f"SELECT DISTINCT ON (record_id_l, record_id_r) * FROM ({together})"
    if known:
        stored = f"read_parquet({string_list(list(known))}, union_by_name = true)"
        missing += f" AS p ANTI JOIN {stored} AS k USING (record_id_l, record_id_r)"
    with open_engine(limits) as con:
        return write_parquet(con, f"{missing} ORDER BY record_id_l, record_id_r", target)
