"""Which small files become one: neighbours only, few files, each row written a few times."""

from collections.abc import Sequence
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from linkwright.engine.compaction import (
    FULL_WEIGHT,
    SMALL_ROWS,
    WEIGHT_OF_FILE,
    Piece,
    compacted_count,
    plan_compaction,
)

PIECES = st.lists(st.tuples(st.integers(0, 2 * SMALL_ROWS), st.integers(0, 3)), max_size=12).map(
    lambda made: [Piece(key, rows, files) for key, (rows, files) in enumerate(made)]
)


def compacted(pieces: Sequence[Piece], keys: "count[int]") -> list[Piece]:
    """Return the pieces after a Compact, in order."""
    left = list(pieces)
    for run in plan_compaction(pieces):
        start = left.index(run[0])
        files = sum(max(piece.files_count, 1) for piece in run)
        left[start : start + len(run)] = [Piece(next(keys), sum(one.rows_count for one in run), files)]
    return left


def test_one_file_or_none_is_nothing_to_do() -> None:
    assert plan_compaction([]) == []
    assert plan_compaction([Piece(1, 100)]) == []
    assert plan_compaction([Piece(1, 100, 5)]) == []


def test_small_neighbours_become_one_and_large_files_stay_between() -> None:
    small, large = [Piece(key, 100) for key in range(4)], Piece(9, SMALL_ROWS)
    assert plan_compaction(small) == [small]
    assert plan_compaction([*small[:2], large, *small[2:]]) == [small[:2], small[2:]]
    assert plan_compaction([small[0], large, small[1]]) == []


def test_a_compacted_file_is_taken_in_only_with_a_good_part_of_its_weight() -> None:
    heavy, new = Piece(1, 10_000, 100), [Piece(key, 100) for key in range(2, 12)]
    assert plan_compaction([heavy, *new]) == [new]
    light = Piece(1, 1_000, 10)
    assert plan_compaction([light, *new]) == [[light, *new]]


def test_a_full_file_takes_nothing_more_in() -> None:
    full, new = Piece(1, FULL_WEIGHT, 5), [Piece(key, SMALL_ROWS - 1) for key in range(2, 30)]
    runs = plan_compaction([full, *new])
    assert full not in [piece for run in runs for piece in run]
    assert all(sum(piece.weight for piece in run[1:]) < FULL_WEIGHT for run in runs)
    assert compacted_count(runs) == len(new)


@given(pieces=PIECES)
def test_runs_are_neighbours_in_their_order_and_hold_an_original(pieces: list[Piece]) -> None:
    runs = plan_compaction(pieces)
    places = [[pieces.index(piece) for piece in run] for run in runs]
    assert all(run == list(range(run[0], run[0] + len(run))) for run in places)
    assert [place for run in places for place in run] == sorted(place for run in places for place in run)
    assert all(len(run) > 1 and any(not piece.files_count for piece in run) for run in runs)


@settings(max_examples=10, deadline=None)
@given(rows_counts=st.lists(st.integers(0, 400), min_size=600, max_size=600))
def test_files_stay_few_and_each_row_is_written_a_few_times(rows_counts: list[int]) -> None:
    pieces: list[Piece] = []
    keys = count(10_000)
    written = most_files = 0
    for number, rows_count in enumerate(rows_counts):
        pieces.append(Piece(number, rows_count))
        if sum(not piece.files_count for piece in pieces) > 16:
            written += sum(one.weight for run in plan_compaction(pieces) for one in run)
            pieces = compacted(pieces, keys)
        most_files = max(most_files, len(pieces))
    assert most_files <= 16 + 8
    assert written <= 8 * (sum(rows_counts) + WEIGHT_OF_FILE * len(rows_counts))
