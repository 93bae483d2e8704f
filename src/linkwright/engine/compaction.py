"""Owns which small files become one: neighbours, so that their order stays; and how far one file grows.

Pure: must not know what is in the files, nor the catalog.

Source: docs/decisions/0019.
"""

from collections.abc import Sequence
from typing import NamedTuple

SMALL_ROWS = 50_000
"""A file with as many rows is not compacted: reading it costs what its rows cost."""
FULL_WEIGHT = 250_000
"""A compacted file that weighs as much takes nothing more in: its rows, and a little for each file in it."""
FOLD_RATIO = 2
"""A compacted file is written anew with its younger neighbours once these weigh half of what it weighs."""
WEIGHT_OF_FILE = 50


class Piece(NamedTuple):
    """One file as it is read now.

    Args:
        key: the caller's name for it.
        rows_count: of the file.
        files_count: how many original files it stands for; 0 for an original itself.
    """

    key: int
    rows_count: int
    files_count: int = 0

    @property
    def weight(self) -> int:
        """What writing it anew costs: its rows, and the files that they are read from."""
        return self.rows_count + WEIGHT_OF_FILE * max(self.files_count, 1)

    @property
    def may_grow(self) -> bool:
        """Whether it can become part of a compacted file."""
        return self.weight < FULL_WEIGHT if self.files_count else self.rows_count < SMALL_ROWS


def plan_compaction(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Say which neighbours become one file each.

    A compacted file is taken in again only with neighbours that weigh a good part of what it weighs. So the files
    of a project grow like the digits of a number that is counted up: there are few of them, and each row is
    written a few times only, whatever the number of Envelopes.

    Args:
        pieces: the files of one kind, the oldest first.

    Returns:
        Runs of at least two neighbours, the oldest first; in each at least one original.
    """
    runs: list[list[Piece]] = []
    run: list[Piece] = []
    weight = 0
    for piece in reversed(pieces):
        joins = piece.may_grow and (not piece.files_count or piece.weight <= FOLD_RATIO * weight)
        if not joins or weight >= FULL_WEIGHT:
            runs.append(run)
            run, weight = [], 0
        if piece.may_grow and (run or not piece.files_count):
            run.append(piece)
            weight += piece.weight
    runs.append(run)
    return [found[::-1] for found in reversed(runs) if len(found) > 1]


def compacted_count(runs: Sequence[Sequence[Piece]]) -> int:
    """Return how many originals the runs take in that are read one by one until then."""
    return sum(not piece.files_count for run in runs for piece in run)
