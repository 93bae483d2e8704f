"""Owns the history of groups and of records, read from the assignments batches themselves.

Nothing is stored for it: each batch says which records got another group, and ends files say which are gone. So
the history is exact after a rollback too, whose batches are no longer in the list. Must not know the catalog.

Source: SPEC section 5 (the history of merges and splits is kept); ARCHITECTURE section 4 (assignments, ends).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from linkwright.engine.sql import string_list
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.ends import read_replacements
from linkwright.warehouse.limits import EngineLimits


class HistoryBatch(NamedTuple):
    """One step of a project's history.

    Args:
        batch_id: the caller's name for it.
        assignments: its assignments file, if it has one.
        ended: its ends files, if it has any; their records are gone before its assignments count.
    """

    batch_id: int
    assignments: Path | None
    ended: tuple[Path, ...] = ()


class GroupEventKind(StrEnum):
    """What happened to a group."""

    CREATED = "created"
    JOINED = "joined"
    ABSORBED = "absorbed"
    TOOK_OVER = "took_over"
    ABSORBED_INTO = "absorbed_into"
    SPLIT_OFF = "split_off"
    DELETED = "deleted"
    REPLACED = "replaced"


@dataclass(frozen=True)
class GroupEvent:
    """One thing that happened to a group in one batch.

    Args:
        batch: the index of the batch in the list given, from 0.
        batch_id: the caller's name for it.
        kind: created: its first records came, new ones or from a group that was split; joined: more new records;
            absorbed: all records of another group; took_over: some records of another group that goes on;
            absorbed_into: its last records went to another group; split_off: some of its records went to
            another group; deleted: records are gone; replaced: they are, since new versions took their place.
        record_ids: the records that it is about, ascending.
        other_group_id: the other group, if there is one.
    """

    batch: int
    batch_id: int
    kind: GroupEventKind
    record_ids: tuple[int, ...]
    other_group_id: int | None = None


@dataclass(frozen=True)
class RecordEvent:
    """A record came into a group, or was deleted (then the group is None).

    Args:
        batch: the index of the batch in the list given, from 0.
        batch_id: the caller's name for it.
        group_id: the group from then on.
    """

    batch: int
    batch_id: int
    group_id: int | None


class _Move(NamedTuple):
    batch: int
    record_id: int
    before: int | None
    after: int | None


def read_group_history(
    limits: EngineLimits, batches: Sequence[HistoryBatch], group_id: int
) -> tuple[GroupEvent, ...]:
    """Tell what happened to one group, in order of the batches.

    Args:
        limits: memory, threads, scratch folder.
        batches: the batches that count, the oldest first.
        group_id: a group that is or was; for any other the history is empty.

    Raises:
        StorageError: if a file cannot be read.
    """
    with open_engine(limits) as con:
        reader = _MoveReader(con, batches)
        records = reader.records_ever_in([group_id])
        own = _moves(reader.rows_of_records(records))
        replaced = reader.replaced_of(records)
        about = [move for move in own if group_id in {move.before, move.after}]
        others = {group for move in about for group in (move.before, move.after) if group not in {None, group_id}}
        # whether another group goes on can only be seen from all records that it ever had
        neighbours = _moves(reader.rows_of_records(reader.records_ever_in([group_id, *others]))) if others else own
    return tuple(_events(batches, group_id, about, neighbours, replaced=replaced))


def read_record_history(
    limits: EngineLimits, batches: Sequence[HistoryBatch], record_id: int
) -> tuple[RecordEvent, ...]:
    """Tell which groups one record was in, in order of the batches.

    Args:
        limits: memory, threads, scratch folder.
        batches: the batches that count, the oldest first.
        record_id: of a record; of one that no batch names the history is empty.

    Raises:
        StorageError: if a file cannot be read.
    """
    with open_engine(limits) as con:
        moves = _moves(_MoveReader(con, batches).rows_of_records([record_id]))
    return tuple(RecordEvent(move.batch, batches[move.batch].batch_id, move.after) for move in moves)


class _MoveReader:
    """Reads rows of batches; a row without a group is an end."""

    def __init__(self, con: duckdb.DuckDBPyConnection, batches: Sequence[HistoryBatch]) -> None:
        self._con = con
        self._assignments = [(index, one.assignments) for index, one in enumerate(batches) if one.assignments]
        self._ended = [(index, path) for index, one in enumerate(batches) for path in one.ended]

    def records_ever_in(self, group_ids: Sequence[int]) -> list[int]:
        if not self._assignments:
            return []
        paths = string_list([path for _index, path in self._assignments])
        groups = ", ".join(str(int(group_id)) for group_id in group_ids)
        query = f"SELECT DISTINCT record_id FROM read_parquet({paths}) WHERE group_id IN ({groups})"
        return [int(row[0]) for row in self._con.execute(query).fetchall()]

    def replaced_of(self, record_ids: Sequence[int]) -> frozenset[int]:
        """Return those of some records whose place another took."""
        replacements = read_replacements(self._con, [path for _index, path in self._ended])
        return frozenset(replacements.old.tolist()).intersection(record_ids)

    def rows_of_records(self, record_ids: Sequence[int]) -> list[tuple[int, int, int | None]]:
        """Return (batch, record, group), in order; in one batch, ends come first."""
        self._con.register("looked_at", pa.table({"record_id": pa.array(record_ids, pa.int64())}))
        rows: list[tuple[int, int, int | None]] = []
        for files, column in ((self._ended, "CAST(NULL AS BIGINT)"), (self._assignments, "group_id")):
            if files:
                # file_index is DuckDB's number of the file in the list
                found = self._con.execute(
                    f"SELECT file_index, record_id, {column} FROM "
                    f"read_parquet({string_list([path for _index, path in files])}, union_by_name = true) "
                    "SEMI JOIN looked_at USING (record_id) ORDER BY ALL"
                ).fetchall()
                rows.extend((files[number][0], record_id, group_id) for number, record_id, group_id in found)
        self._con.unregister("looked_at")
        # sorting is stable: of one batch, the ends were added first
        return sorted(rows, key=lambda row: row[0])


def _moves(rows: Iterable[tuple[int, int, int | None]]) -> list[_Move]:
    """Return each row with the group that the record was in before it; rows that change nothing are left out."""
    current: dict[int, int | None] = {}
    moves = []
    for batch, record_id, group_id in rows:
        before = current.get(record_id)
        if before != group_id:
            moves.append(_Move(batch, record_id, before, group_id))
        current[record_id] = group_id
    return moves


def _events(
    batches: Sequence[HistoryBatch],
    group_id: int,
    about: Sequence[_Move],
    neighbours: Sequence[_Move],
    *,
    replaced: frozenset[int],
) -> Iterator[GroupEvent]:
    sizes: dict[int, int] = {}
    place = 0
    is_known = False
    for batch in sorted({move.batch for move in about}):
        while place < len(neighbours) and neighbours[place].batch <= batch:
            for group, change in ((neighbours[place].before, -1), (neighbours[place].after, 1)):
                if group is not None:
                    sizes[group] = sizes.get(group, 0) + change
            place += 1
        moves = [move for move in about if move.batch == batch]
        for kind, other, records in _sorted_moves(group_id, moves, sizes, replaced, is_known=is_known):
            yield GroupEvent(batch, batches[batch].batch_id, kind, records, other)
        is_known = True


def _sorted_moves(
    group_id: int, moves: Sequence[_Move], sizes: dict[int, int], replaced: frozenset[int], *, is_known: bool
) -> Iterator[tuple[GroupEventKind, int | None, tuple[int, ...]]]:
    """Tell the moves of one batch apart: what came, by where from; what went, by where to."""
    came: dict[int | None, list[int]] = {}
    went: dict[int | None, list[int]] = {}
    for move in moves:
        if move.after == group_id:
            came.setdefault(move.before, []).append(move.record_id)
        else:
            went.setdefault(move.after, []).append(move.record_id)
    for other in sorted(came, key=lambda one: -1 if one is None else one):
        if not is_known:
            kind = GroupEventKind.CREATED
        elif other is None:
            kind = GroupEventKind.JOINED
        else:
            kind = GroupEventKind.TOOK_OVER if sizes.get(other) else GroupEventKind.ABSORBED
        yield kind, other, tuple(sorted(came[other]))
    gone = went.pop(None, [])
    for kind, is_replaced in ((GroupEventKind.DELETED, False), (GroupEventKind.REPLACED, True)):
        records = tuple(sorted(one for one in gone if (one in replaced) is is_replaced))
        if records:
            yield kind, None, records
    for other in sorted(one for one in went if one is not None):
        kind = GroupEventKind.SPLIT_OFF if sizes.get(group_id) else GroupEventKind.ABSORBED_INTO
        yield kind, other, tuple(sorted(went[other]))
