"""Candidate pairs: the plan of chunks, the SQL as text, and its results against pairs found by brute force."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from random import Random
from typing import NamedTuple

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkwright.engine import candidates
from linkwright.engine.blocking import BlockingExpression, BlockingRule
from linkwright.engine.candidates import BlockSlice, plan_chunks
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.strategy_faults import FIELDS

CONTEXT = {FIELDS: {field.name: field for field in STANDARD_FIELDS}}
NO_LIMIT = 10**9


class Person(NamedTuple):
    """A record of three values, any of which can be missing."""

    record_id: int
    surname: str | None
    postcode: str | None
    suburb: str | None


def rules(*fields: Sequence[str]) -> list[BlockingRule]:
    return [tuple(BlockingExpression.model_validate(name, context=CONTEXT) for name in names) for names in fields]


RULES = rules(["surname", "postcode"], ["postcode"], ["suburb"])


@pytest.fixture
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        yield con


def people(count: int, seed: int = 3) -> list[Person]:
    random = Random(seed)

    def value(choices: str) -> str | None:
        return random.choice(choices) if random.random() < 0.8 else None

    return [Person(number, value("abcdef"), value("12345"), value("xyzuvw")) for number in range(count)]


def prepare(
    con: duckdb.DuckDBPyConnection,
    new: Sequence[Person],
    held: Sequence[Person] = (),
    max_block_size: int = NO_LIMIT,
) -> None:
    """Run the steps up to the blocks, one by one."""
    for name, rows in (("new_records", new), ("held_records", held)):
        con.execute(f"CREATE TABLE {name} (record_id BIGINT, surname TEXT, postcode TEXT, suburb TEXT)")
        if rows:
            con.executemany(f"INSERT INTO {name} VALUES (?, ?, ?, ?)", rows)
    con.execute(f"CREATE TABLE new_keys AS {candidates.record_keys_sql(RULES, DUCKDB, 'new_records')}")
    con.execute(f"CREATE TABLE new_blocks AS {candidates.new_blocks_sql(3, has_held=bool(held))}")
    con.execute(f"CREATE TABLE held_keys AS {candidates.held_keys_sql(RULES, DUCKDB)}")
    con.execute(f"CREATE TABLE blocks AS {candidates.blocks_sql(3, max_block_size)}")


def found_pairs(con: duckdb.DuckDBPyConnection, chunk_pairs_count: int) -> list[tuple[int, int, int]]:
    """Return the pairs with their rule, in order."""
    counts = {row[0]: int(row[1]) for row in con.execute(candidates.rule_counts_sql()).fetchall()}
    pairs: list[tuple[int, int, int]] = []
    for chunk in plan_chunks([counts.get(number, 0) for number in range(3)], chunk_pairs_count):
        pairs += con.execute(candidates.candidate_pairs_sql(chunk)).fetchall()
    return sorted(pairs)


def first_rule(one: Person, other: Person) -> int | None:
    """Return the number of the first rule of which both have the same values."""
    for number, names in enumerate((("surname", "postcode"), ("postcode",), ("suburb",))):
        values = [(getattr(one, name), getattr(other, name)) for name in names]
        if all(left is not None and left == right for left, right in values):
            return number
    return None


def expected_pairs(new: Sequence[Person], held: Sequence[Person]) -> list[tuple[int, int, int]]:
    pairs = [*combinations(new, 2), *((one, other) for one in new for other in held)]
    ruled = [(min(p.record_id for p in pair), max(p.record_id for p in pair), first_rule(*pair)) for pair in pairs]
    return sorted((left, right, rule) for left, right, rule in ruled if rule is not None)


@pytest.mark.parametrize("held_count", [0, 15, 30])
@pytest.mark.parametrize("chunk_pairs_count", [30, NO_LIMIT])
def test_each_pair_of_new_with_any_record_is_found_once_under_its_first_rule(
    engine: duckdb.DuckDBPyConnection, held_count: int, chunk_pairs_count: int
) -> None:
    everybody = people(40)
    Random(1).shuffle(everybody)
    held, new = everybody[:held_count], everybody[held_count:]
    prepare(engine, new, held)
    assert found_pairs(engine, chunk_pairs_count) == expected_pairs(new, held)


def test_candidate_pairs_are_counted_per_rule_before_they_are_made(engine: duckdb.DuckDBPyConnection) -> None:
    everybody = people(60)
    new, held = everybody[:20], everybody[20:]
    prepare(engine, new, held)
    counted = {row[0]: int(row[1]) for row in engine.execute(candidates.rule_counts_sql()).fetchall()}
    for number, names in enumerate((("surname", "postcode"), ("postcode",), ("suburb",))):
        pairs = [*combinations(new, 2), *((one, other) for one in new for other in held)]
        shared = [
            all(getattr(one, name) is not None and getattr(one, name) == getattr(other, name) for name in names)
            for one, other in pairs
        ]
        assert counted[number] == sum(shared)


def test_a_block_over_the_limit_is_marked_and_a_block_at_the_limit_is_not(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    new = [Person(1, "a", "1", "x"), Person(2, "a", "1", "x"), Person(3, "b", "2", "y")]
    held = [Person(4, "a", "1", None), Person(5, "b", "2", None)]
    prepare(engine, new, held, max_block_size=2)
    sizes = engine.execute(
        "SELECT blocking_rule, new_count, held_count, records_count, pairs_count, is_skipped FROM blocks"
    ).fetchall()
    assert sorted(sizes) == [
        (0, 1, 1, 2, 1, False),
        (0, 2, 1, 3, 3, True),
        (1, 1, 1, 2, 1, False),
        (1, 2, 1, 3, 3, True),
        (2, 2, 0, 2, 1, False),
    ]
    assert engine.execute(candidates.rule_counts_sql()).fetchall() == [(0, 1, 1, 3), (1, 1, 1, 3), (2, 1, 0, 0)]


def test_a_skipped_block_leaves_its_pairs_to_later_rules(engine: duckdb.DuckDBPyConnection) -> None:
    new = [Person(1, "a", "1", "x"), Person(2, "a", "1", "x"), Person(3, "a", "1", "y")]
    prepare(engine, new, max_block_size=2)
    for number in (0, 1):
        engine.execute(candidates.skip_blocks_sql(number, "new_keys"))
    assert found_pairs(engine, NO_LIMIT) == [(1, 2, 2)]


def test_the_largest_blocks_come_first_and_show_their_values(engine: duckdb.DuckDBPyConnection) -> None:
    new = [Person(number, "smith" if number < 3 else "lee", "2600", None) for number in range(5)]
    prepare(engine, new, max_block_size=4)
    largest = engine.execute(candidates.largest_blocks_sql(2)).fetchall()
    assert [(rule, records, pairs, skipped) for rule, _key, records, pairs, skipped in largest] == [
        (1, 5, 10, True),
        (0, 3, 3, False),
    ]
    skipped = engine.execute(candidates.largest_blocks_sql(5, skipped_only=True)).fetchall()
    assert skipped == largest[:1]
    sql = candidates.block_values_sql(RULES[0], 0, [largest[1][1]], DUCKDB)
    assert engine.execute(sql).fetchall() == [(largest[1][1], "smith · 2600")]


def test_the_sql_of_a_slice_excludes_the_pairs_of_each_earlier_rule() -> None:
    sql = candidates.candidate_pairs_sql((BlockSlice(1, 2, 5, 9),))
    assert sql == (
        "SELECT least(new_id, other_id) AS record_id_l, greatest(new_id, other_id) AS record_id_r, blocking_rule\n"
        "FROM (\n"
        "SELECT l.record_id AS new_id, r.record_id AS other_id, CAST(1 AS INTEGER) AS blocking_rule\n"
        "FROM (SELECT record_id, key_0, key_1 FROM new_keys"
        " WHERE key_1 IN (SELECT block_key FROM blocks WHERE blocking_rule = 1) AND record_id % 5 = 2) AS l\n"
        "JOIN (\n"
        "SELECT record_id, FALSE AS is_held, key_0, key_1 FROM new_keys"
        " WHERE key_1 IN (SELECT block_key FROM blocks WHERE blocking_rule = 1) UNION ALL\n"
        "SELECT record_id, TRUE AS is_held, key_0, key_1 FROM held_keys"
        " WHERE key_1 IN (SELECT block_key FROM blocks WHERE blocking_rule = 1)\n"
        ") AS r ON l.key_1 = r.key_1\n"
        "WHERE (r.is_held OR r.record_id < l.record_id) AND (l.key_0 = r.key_0) IS NOT TRUE\n"
        ") AS found"
    )


def test_rules_without_pairs_need_no_chunk() -> None:
    assert plan_chunks([0, 0], 10) == ()
    assert plan_chunks([0, 3], 10) == ((BlockSlice(1, 0, 1, 3),),)


def test_small_rules_share_a_chunk_and_large_ones_are_cut() -> None:
    assert plan_chunks([4, 5, 25], 10) == (
        (BlockSlice(0, 0, 1, 4), BlockSlice(1, 0, 1, 5)),
        (BlockSlice(2, 0, 3, 8),),
        (BlockSlice(2, 1, 3, 8),),
        (BlockSlice(2, 2, 3, 9),),
    )


@given(counts=st.lists(st.integers(0, 10**7), max_size=6), chunk=st.integers(10**5, 10**7))
def test_chunks_hold_every_part_of_every_rule_once_and_keep_to_their_size(counts: list[int], chunk: int) -> None:
    chunks = plan_chunks(counts, chunk)
    assert all(sum(piece.pairs_count for piece in pieces) <= chunk for pieces in chunks)
    for number, count in enumerate(counts):
        pieces = [piece for pieces in chunks for piece in pieces if piece.blocking_rule == number]
        assert sum(piece.pairs_count for piece in pieces) == count
        assert [piece.part for piece in pieces] == list(range(len(pieces)))
        assert {piece.parts_count for piece in pieces} <= {len(pieces)}
