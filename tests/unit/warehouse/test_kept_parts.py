"""The parts of snapshots and ledgers: how rows are shared out among them."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linkwright.warehouse import kept_parts
from linkwright.warehouse.kept_parts import BorderPart, RecordRange, forget_records, joined_ranges, write_parts
from linkwright.warehouse.limits import EngineLimits
from tests.record_batches import read_rows

MOST = 5
RANGES = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 5)).map(lambda one: RecordRange(one[0], sum(one))))


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_parts, "PART_ROWS", MOST)


def write(folder: Path, record_ids: Sequence[int]) -> list[list[int]]:
    """Write records in parts; returns the record ids in each."""
    with duckdb.connect() as con:
        con.execute("CREATE TABLE shown (record_id BIGINT, event_type VARCHAR, group_id BIGINT, epoch BIGINT)")
        if record_ids:
            con.executemany("INSERT INTO shown VALUES (?, 'ADM', 1, 0)", [[one] for one in sorted(record_ids)])
        parts = write_parts(con, "shown", ["record_id", "group_id"], folder / "one", has_groups=False)
    found = []
    for part in parts:
        assert part.records is not None
        assert part.groups is None
        ids = [int(row["record_id"]) for row in read_rows(part.records.path)]
        assert part.ids == (ids[0], ids[-1])
        found.append(ids)
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record_ids=st.sets(st.integers(1, 60), max_size=40))
def test_parts_are_ascending_hold_every_record_once_and_are_at_least_half_full_in_the_mean(
    tmp_path: Path, record_ids: set[int]
) -> None:
    parts = write(tmp_path, list(record_ids))
    assert [one for part in parts for one in part] == sorted(record_ids)
    assert all(len(part) <= MOST for part in parts)
    # two neighbours that fit into one part are one
    assert len(parts) <= 2 * len(record_ids) / MOST + 1


@given(ranges=RANGES)
def test_joined_ranges_hold_the_same_ids_and_do_not_touch(ranges: list[RecordRange]) -> None:
    joined = joined_ranges(ranges)
    held = [one for first, last in joined for one in range(first, last + 1)]
    assert held == sorted({one for first, last in ranges for one in range(first, last + 1)})
    assert all(one.last + 1 < other.first for one, other in pairwise(joined))


def test_a_part_whose_groups_are_kept_stays_one_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (before,) = write(tmp_path, range(1, 6))
    assert before == [1, 2, 3, 4, 5]
    # a later version may make smaller parts
    monkeypatch.setattr(kept_parts, "PART_ROWS", 2)
    with duckdb.connect() as con:
        path = tmp_path / "ledger.parquet"
        con.execute(
            f"COPY (SELECT record_id, 'ADM' AS event_type, record_id AS group_id, 0 AS epoch "
            f"FROM range(1, 6) one(record_id)) TO '{path}'"
        )
    border = BorderPart(path, "", is_ledger=True, has_groups=True, stem=tmp_path / "new")
    ((stays, left),) = forget_records(EngineLimits(tmp_path / "scratch"), [border], [RecordRange(5, 9)])
    assert (stays.ids, stays.groups) == ((1, 4), None)
    assert left.groups is not None
    assert [row["group_id"] for row in read_rows(left.groups.path)] == [5]
