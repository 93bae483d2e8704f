"""Owns the records of one matching run: new and held ones from their match indexes, in one row of numbers.

New records have the numbers from 0, batch by batch; those of each held batch follow. Looks up keys, ids and
values; must not search for pairs or compare.

Source: ARCHITECTURE section 5 (id pairs first, then only the rows that occur in pairs).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from linkwright.engine.blocking import BlockingRule
from linkwright.engine.candidates import KeyList, Numbers, merged
from linkwright.engine.fields import RECORD_ID
from linkwright.warehouse.match_index import CodedColumn, MatchIndex

Mask: TypeAlias = NDArray[np.bool_]

_VALUES_PER_RECORD_WORTH_KEEPING = 4


class RecordSet:
    """All records of a run.

    Args:
        new: indexes of the new batches.
        held: indexes of the held batches.
        ended: ends files; their records take no part.
    """

    def __init__(self, new: Sequence[MatchIndex], held: Sequence[MatchIndex], ended: Sequence[Path]) -> None:
        self._indexes = (*new, *held)
        self._new_batches_count = len(new)
        counts = [index.rows_count for index in self._indexes]
        self._starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        self._ids = [index.record_ids() for index in self._indexes]
        ended_ids = _read_ended(ended)
        self._ended = [_ended_mask(ids, ended_ids) for ids in self._ids]
        live = [
            count - (int(mask.sum()) if mask is not None else 0)
            for count, mask in zip(counts, self._ended, strict=True)
        ]
        self.live_new_count = sum(live[: len(new)])
        self.live_held_count = sum(live[len(new) :])

    @property
    def new_count(self) -> int:
        """New records, live or not: their numbers are below it."""
        return int(self._starts[self._new_batches_count])

    @property
    def count(self) -> int:
        """All records, live or not."""
        return int(self._starts[-1])

    @property
    def held_starts(self) -> tuple[int, ...]:
        """Per held batch the number of its first record."""
        return tuple(int(start) for start in self._starts[self._new_batches_count : -1])

    @property
    def held_counts(self) -> tuple[int, ...]:
        """Per held batch its records, live or not."""
        return tuple(int(count) for count in np.diff(self._starts[self._new_batches_count :]))

    def key_lists(self, rule: BlockingRule) -> tuple[KeyList, tuple[KeyList, ...]]:
        """Return the keys of the live records: of all new ones together, and per held batch."""
        lists = [
            index.key_list(rule).without(mask) for index, mask in zip(self._indexes, self._ended, strict=True)
        ]
        count = self._new_batches_count
        starts = [int(start) for start in self._starts[:count]]
        return merged(lists[:count], starts), tuple(lists[count:])

    def release(self) -> None:
        """Give back the memory of what was read so far."""
        for index in self._indexes:
            index.release()

    def fetch(self, numbers: Numbers, columns: Sequence[str]) -> "FetchedRecords":
        """Read the values of some records.

        Args:
            numbers: of the records, ascending, each once.
            columns: their names, beside record_id.
        """
        edges = np.searchsorted(numbers, self._starts)
        pieces = [
            (batch, numbers[first:end] - self._starts[batch])
            for batch, (first, end) in enumerate(pairwise(edges.tolist()))
            if end > first
        ]
        return FetchedRecords(
            ids=np.concatenate([self._ids[batch][positions] for batch, positions in pieces]),
            columns={
                name: _together([_taken(self._indexes[batch].column(name), at) for batch, at in pieces])
                for name in columns
            },
        )


@dataclass(frozen=True)
class FetchedRecords:
    """Some records, all in the same order.

    Args:
        ids: record ids, of shape (records,).
        columns: by name.
    """

    ids: NDArray[np.int64]
    columns: Mapping[str, CodedColumn]


def _read_ended(ended: Sequence[Path]) -> NDArray[np.int64]:
    if not ended:
        return np.empty(0, dtype=np.int64)
    tables = [pq.read_table(path, columns=[RECORD_ID]).column(RECORD_ID).to_numpy() for path in ended]
    return np.unique(np.concatenate(tables))


def _ended_mask(ids: NDArray[np.int64], ended: NDArray[np.int64]) -> Mask | None:
    """Say per position whether the record has ended; None if none has."""
    if not ids.size or not ended.size:
        return None
    if int(ids[-1]) - int(ids[0]) + 1 == ids.size:
        # Load numbers the records of a file without gaps: no need to look at them all
        first, end = np.searchsorted(ended, [ids[0], ids[-1] + 1])
        if first == end:
            return None
        mask = np.zeros(ids.size, dtype=bool)
        mask[ended[first:end] - ids[0]] = True
        return mask
    mask = np.isin(ids, ended)
    return mask if mask.any() else None


def _taken(column: CodedColumn, positions: Numbers) -> CodedColumn:
    """Return the values at positions; if these are few, without the values that none of them has."""
    codes = np.take(column.codes, positions)
    if codes.size * _VALUES_PER_RECORD_WORTH_KEEPING >= len(column.values):
        return CodedColumn(codes, column.values)
    return CodedColumn(np.arange(codes.size, dtype=np.int32), column.values.take(pa.array(codes)))


def _together(pieces: Sequence[CodedColumn]) -> CodedColumn:
    if len(pieces) == 1:
        return pieces[0]
    # a batch written before the project got the field has no type of it
    known = next((piece.values.type for piece in pieces if not pa.types.is_null(piece.values.type)), pa.null())
    starts = np.cumsum([0, *(len(piece.values) for piece in pieces[:-1])])
    return CodedColumn(
        np.concatenate([piece.codes + np.int32(start) for piece, start in zip(pieces, starts, strict=True)]),
        pa.concat_arrays([piece.values.cast(known) for piece in pieces]),
    )
