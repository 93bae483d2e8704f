"""The changes of keys between two extractions, against a naive calculation from two maps."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linkwright.warehouse.extraction_map import SHOWN
from linkwright.warehouse.kept_parts import BorderPart, Part, RecordRange, forget_records
from linkwright.warehouse.key_changes import (
    CHANGES,
    count_changes,
    count_keys,
    create_changes,
    write_ledger,
)
from linkwright.warehouse.limits import EngineLimits, StorageError, WrittenFile
from tests.record_batches import read_rows, write_decisions

Key = tuple[int, int]
Change = tuple[str, Key, Key | None, str]
Map = Mapping[int, Key]


def event_type(record_id: int) -> str:
    return "ADM" if record_id % 2 else "BIRTH"


def write_map(path: Path, found: Map, tombstones: Sequence[tuple[str, Key]] = ()) -> Path:
    rows = [(one, event_type(one), *key) for one, key in found.items()]
    rows += [(None, kind, *key) for kind, key in tombstones]  # type: ignore[misc]
    names = ("record_id", "event_type", "group_id", "epoch")
    types = (pa.int64(), pa.string(), pa.int64(), pa.int64())
    columns = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(types)]
    pq.write_table(pa.table(dict(zip(names, columns, strict=True))), path)
    return path


def found_changes(
    folder: Path, before: Map, after: Map, decided: Sequence[int] = (), tombstones: Sequence[tuple[str, Key]] = ()
) -> set[Change]:
    ledger = write_map(folder / "ledger.parquet", before, tombstones)
    decisions = write_decisions(folder / "decisions.parquet", [(one, one, "apart") for one in decided])
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE {SHOWN} AS FROM '{write_map(folder / 'shown.parquet', after)}'")
        create_changes(con, [ledger], [decisions])
        rows = con.execute(f"FROM {CHANGES}").fetchall()
        assert len(rows) == len(set(rows))
        assert sum(count_changes(con).values()) == len({row[1:] for row in rows})
    return {(kind, (old, oe), None if new is None else (new, ne), why) for kind, old, oe, new, ne, why in rows}


def naive_changes(
    before: Map, after: Map, decided: Sequence[int] = (), tombstones: Sequence[tuple[str, Key]] = ()
) -> set[Change]:
    """Follow the rules of decision record 0016, one record after the other."""
    changes: set[Change] = set()
    for old in {*before.values(), *(key for _kind, key in tombstones)}:
        members = [one for one, key in before.items() if key == old]
        own_tombstones = [kind for kind, key in tombstones if key == old]
        targets = {after[one] for one in members if one in after}
        for new in targets - {old}:
            moved = [one for one in members if after.get(one) == new]
            others = [one for one, key in after.items() if key == new and one not in members]
            if own_tombstones:
                reason = "rolled back"
            elif set(moved) & set(decided):
                reason = "moved by review"
            elif len(targets) == 1 and others:
                reason = "merged"
            else:
                reason = "split"
            changes |= {(event_type(one), old, new, reason) for one in moved}
        if not targets and old not in after.values():
            reason = "rolled back" if own_tombstones else "records ended"
            changes |= {(kind, old, None, reason) for kind in (*map(event_type, members), *own_tombstones)}
    return changes


KEYS = st.tuples(st.integers(1, 6), st.integers(0, 1))
MAPS = st.dictionaries(st.integers(1, 12), KEYS, max_size=12)
TOMBSTONES = st.lists(st.tuples(st.sampled_from(["ADM", "BIRTH"]), KEYS), max_size=3, unique=True)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=MAPS, after=MAPS, decided=st.lists(st.integers(1, 12), max_size=3), tombstones=TOMBSTONES)
def test_any_two_maps_give_the_changes_that_a_naive_calculation_gives(
    tmp_path: Path, before: Map, after: Map, decided: Sequence[int], tombstones: Sequence[tuple[str, Key]]
) -> None:
    expected = naive_changes(before, after, decided, tombstones)
    assert found_changes(tmp_path, before, after, decided, tombstones) == expected


ONE, TWO, NEW = (1, 0), (2, 0), (9, 0)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({1: ONE}, {1: ONE, 2: ONE, 3: TWO}, set()),
        ({1: ONE, 3: TWO}, {1: ONE, 3: ONE}, {("ADM", TWO, ONE, "merged")}),
        ({1: ONE, 3: ONE}, {1: ONE, 3: NEW}, {("ADM", ONE, NEW, "split")}),
        ({1: ONE, 2: ONE}, {1: ONE, 2: NEW}, {("BIRTH", ONE, NEW, "split")}),
        ({1: ONE}, {}, {("ADM", ONE, None, "records ended")}),
        # one record ended: the key is in use all the same
        ({1: ONE, 3: ONE}, {3: ONE}, set()),
        # alone under another key: it was joined to others, and parted from them
        ({1: ONE, 3: TWO}, {1: ONE, 3: NEW}, {("ADM", TWO, NEW, "split")}),
        # at once: 3 goes from one person to another
        ({1: ONE, 3: ONE, 5: TWO}, {1: ONE, 3: TWO, 5: TWO}, {("ADM", ONE, TWO, "split")}),
        # a person is spread over two others, and ends
        (
            {1: ONE, 3: NEW, 5: NEW, 7: TWO},
            {1: ONE, 3: ONE, 5: TWO, 7: TWO},
            {("ADM", NEW, ONE, "split"), ("ADM", NEW, TWO, "split")},
        ),
    ],
)
def test_each_change_has_its_reason(tmp_path: Path, before: Map, after: Map, expected: set[Change]) -> None:
    assert found_changes(tmp_path, before, after) == expected == naive_changes(before, after)


def test_keys_are_counted_as_new_kept_and_retired(tmp_path: Path) -> None:
    ledger = write_map(tmp_path / "ledger.parquet", {1: ONE, 2: ONE, 3: TWO})
    with duckdb.connect() as con:
        con.execute(
            f"CREATE TABLE {SHOWN} AS FROM '{write_map(tmp_path / 'now.parquet', {1: ONE, 4: NEW, 5: NEW})}'"
        )
        counts = count_keys(con, [ledger])
        assert (counts.new_count, counts.kept_count, counts.retired_count) == (1, 1, 1)
        counts = count_keys(con, None)
        assert (counts.new_count, counts.kept_count, counts.retired_count) == (2, 0, 0)


def test_a_ledger_keeps_of_what_was_rolled_back_nothing_but_the_group(tmp_path: Path) -> None:
    shown = write_map(tmp_path / "now.parquet", {1: ONE, 3: ONE, 4: TWO, 6: TWO})
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE {SHOWN} AS FROM '{shown}'")
        (part,) = write_ledger(con, tmp_path / "ledger")
    assert part.records is not None
    stays, left = forget(tmp_path, part.records.path, "first", [RecordRange(3, 4), RecordRange(6, 9)])
    assert (stays.ids, left.ids) == ((1, 1), None)
    assert stays.records is not None
    assert contents(stays.records) == [(1, "ADM", 1, 0)]
    assert contents(stays.groups) == [(None, "ADM", 1, 0)]
    assert left.records is None
    assert set(contents(left.groups)) == {(None, "ADM", 1, 0), (None, "BIRTH", 2, 0)}


def test_a_ledger_from_before_there_were_parts_keeps_what_was_known_to_be_gone(tmp_path: Path) -> None:
    ledger = write_map(tmp_path / "ledger.parquet", {1: ONE, 3: TWO}, [("BIRTH", NEW)])
    stays, left = forget(tmp_path, ledger, "new", [RecordRange(1, 1)])
    assert stays.records is not None
    assert contents(stays.records) == [(3, "ADM", 2, 0)]
    assert set(contents(left.groups)) == {(None, "ADM", 1, 0), (None, "BIRTH", 9, 0)}


def forget(folder: Path, path: Path, name: str, gone: Sequence[RecordRange]) -> tuple[Part, ...]:
    border = BorderPart(path, "", is_ledger=True, has_groups=False, stem=folder / name)
    (parts,) = forget_records(EngineLimits(folder / "scratch"), [border], gone)
    return parts


def contents(file: WrittenFile | None) -> list[tuple[object, ...]]:
    return [] if file is None else [tuple(row.values()) for row in read_rows(file.path)]


def test_a_damaged_ledger_is_told_with_its_remedy(tmp_path: Path) -> None:
    sound = write_map(tmp_path / "sound.parquet", {1: ONE})
    ledger = tmp_path / "ledger.parquet"
    ledger.write_bytes(b"no Parquet")
    with pytest.raises(StorageError, match=r"ledger.parquet in .* is damaged .* Restore it from a backup"):
        forget(tmp_path, ledger, "target", [RecordRange(1, 1)])
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE {SHOWN} AS FROM '{sound}'")
        with pytest.raises(
            StorageError, match=r"ledger .*, ledger.parquet, is gone or damaged: .* Restore the file from a backup"
        ):
            count_keys(con, [sound, ledger])
