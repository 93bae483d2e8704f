"""Owns what became of Person Keys between two extractions of one Extraction Project, and the ledger that tells it.

A ledger says which record was shown under which group: record_id, event_type, group_id, epoch. It lies in parts.
A row without a record_id stands for records that a rollback took: nothing of them is kept but the group that they
were in. Must not make keys.

Source: SPEC section 5 (Extract); docs/decisions/0016 (the rules) and 0037 (the parts).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from linkwright.engine.extraction import ChangeReason
from linkwright.engine.fields import EVENT_TYPE, RECORD_ID
from linkwright.engine.sql import literal, string_list
from linkwright.warehouse.extraction_map import SHOWN
from linkwright.warehouse.kept_parts import Part, parts_sql, write_parts
from linkwright.warehouse.limits import StorageError

CHANGES = "key_changes"
"""A table: event_type, old_group_id, old_epoch, new_group_id, new_epoch (NULL: none), reason; each row once."""

_LEDGER_COLUMNS = {RECORD_ID: "BIGINT", EVENT_TYPE: "VARCHAR", "group_id": "BIGINT", "epoch": "BIGINT"}


@dataclass(frozen=True)
class KeyCounts:
    """How many keys are shown for the first time, are shown again, and are shown no longer."""

    new_count: int
    kept_count: int
    retired_count: int


def write_ledger(con: duckdb.DuckDBPyConnection, stem: Path) -> tuple[Part, ...]:
    """Write down what the table of the shown map holds, in parts; `stem` starts their names.

    Raises:
        StorageError: (from `open_engine`) if the disk is full or the folder cannot be written.
    """
    return write_parts(con, SHOWN, _LEDGER_COLUMNS, stem, has_groups=True)


def count_keys(con: duckdb.DuckDBPyConnection, ledger: Sequence[Path] | None) -> KeyCounts:
    """Compare the keys of the shown map with those of a ledger; if it is None, all are new.

    Raises:
        StorageError: if the ledger cannot be read.
    """
    shown = f"SELECT DISTINCT group_id, epoch FROM {SHOWN}"
    if ledger is None:
        count = con.execute(f"SELECT count(*) FROM ({shown})").fetchall()[0][0]
        return KeyCounts(int(count), 0, 0)
    with _damage_told(ledger):
        row = con.execute(
            "SELECT count(*) FILTER (was IS NULL), count(*) FILTER (was AND is_now), "
            "count(*) FILTER (is_now IS NULL) FROM "
            f"(SELECT *, TRUE AS is_now FROM ({shown})) FULL JOIN "
            f"(SELECT DISTINCT group_id, epoch, TRUE AS was FROM {parts_sql(ledger, _LEDGER_COLUMNS)}) "
            "USING (group_id, epoch)"
        ).fetchall()[0]
    return KeyCounts(*map(int, row))


def create_changes(con: duckdb.DuckDBPyConnection, ledger: Sequence[Path], decisions: Sequence[Path]) -> None:
    """Make the table of the keys that records were shown under and are no longer.

    Args:
        con: the engine, with the table of the shown map.
        ledger: the files of that of the latest extraction.
        decisions: decisions files of the Quality Reviews since.

    Raises:
        StorageError: if the ledger cannot be read.
    """
    with _damage_told(ledger):
        con.execute(
            f"CREATE TABLE moves AS SELECT l.{RECORD_ID}, l.{EVENT_TYPE}, l.group_id AS old_group_id, "
            "l.epoch AS old_epoch, s.group_id AS new_group_id, s.epoch AS new_epoch "
            f"FROM {parts_sql(ledger, _LEDGER_COLUMNS)} l LEFT JOIN {SHOWN} s USING ({RECORD_ID})"
        )
    # most keys are as they were: only the others are looked at closely
    con.execute(
        "DELETE FROM moves WHERE (old_group_id, old_epoch) NOT IN (SELECT (old_group_id, old_epoch) FROM moves "
        "WHERE new_group_id IS NULL OR (new_group_id, new_epoch) <> (old_group_id, old_epoch))"
    )
    con.execute(f"CREATE TABLE decided AS {_decided_sql(decisions)}")
    con.execute(f"CREATE TABLE {CHANGES} AS {_changes_sql()}")


def count_changes(con: duckdb.DuckDBPyConnection) -> dict[ChangeReason, int]:
    """Return how many changes there are by reason, each counted once, however many Event Types see it."""
    rows = con.execute(
        f"SELECT reason, count(*) FROM (SELECT DISTINCT * EXCLUDE ({EVENT_TYPE}) FROM {CHANGES}) GROUP BY reason"
    ).fetchall()
    found = {str(reason): int(count) for reason, count in rows}
    return {reason: found[reason] for reason in ChangeReason if reason in found}


def _decided_sql(decisions: Sequence[Path]) -> str:
    if not decisions:
        return f"SELECT CAST(NULL AS BIGINT) AS {RECORD_ID} WHERE FALSE"
    source = f"read_parquet({string_list(list(decisions))})"
    return f"SELECT record_id_l AS {RECORD_ID} FROM {source} UNION SELECT record_id_r AS {RECORD_ID} FROM {source}"


def _changes_sql() -> str:
    """Return the query of the changes; docs/decisions/0016 has the rules in words."""
    old, new = "old_group_id, old_epoch", "new_group_id, new_epoch"
    return f"""
WITH old_keys AS (
    SELECT {old}, bool_or({RECORD_ID} IS NULL) AS is_rolled_back,
        count(DISTINCT ({new})) FILTER (new_group_id IS NOT NULL) AS targets_count
    FROM moves GROUP BY ALL
), steps AS (
    SELECT {old}, {new}, count(*) AS moved_count, bool_or({RECORD_ID} IN (FROM decided)) AS is_reviewed
    FROM moves WHERE new_group_id IS NOT NULL GROUP BY ALL
), sizes AS (
    SELECT group_id AS new_group_id, epoch AS new_epoch, count(*) AS size_count
    FROM {SHOWN} SEMI JOIN steps ON group_id = new_group_id AND epoch = new_epoch GROUP BY ALL
), replaced AS (
    SELECT {old}, {new}, CASE
        WHEN is_rolled_back THEN {literal(ChangeReason.ROLLED_BACK.value)}
        WHEN is_reviewed THEN {literal(ChangeReason.REVIEWED.value)}
        WHEN targets_count = 1 AND size_count > moved_count THEN {literal(ChangeReason.MERGED.value)}
        ELSE {literal(ChangeReason.SPLIT.value)} END AS reason
    FROM steps JOIN old_keys USING ({old}) JOIN sizes USING ({new})
    WHERE ({old}) <> ({new})
), retired AS (
    SELECT {old}, CASE WHEN is_rolled_back THEN {literal(ChangeReason.ROLLED_BACK.value)}
        ELSE {literal(ChangeReason.ENDED.value)} END AS reason
    FROM old_keys ANTI JOIN {SHOWN} ON old_group_id = group_id AND old_epoch = epoch
    WHERE targets_count = 0
)
SELECT DISTINCT {EVENT_TYPE}, {old}, {new}, reason FROM moves JOIN replaced USING ({old}, {new})
UNION ALL
SELECT DISTINCT {EVENT_TYPE}, {old}, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), reason
FROM moves JOIN retired USING ({old})
"""


@contextmanager
def _damage_told(ledger: Sequence[Path]) -> Iterator[None]:
    try:
        yield
    except (duckdb.InvalidInputException, duckdb.IOException) as error:
        text = str(error)
        cause = f"{text.splitlines()[0].rstrip('.')}."
        named = next((f", {path.name}," for path in ledger if path.name in text), "")
        raise StorageError(
            f"The ledger of the latest extraction{named} is gone or damaged: {cause} Restore the file "
            "from a backup, then retry the job."
        ) from error
