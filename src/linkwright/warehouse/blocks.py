"""Owns the sizing-up of blocks before anything is compared: keys, counts, the largest, and those to skip.

Runs the SQL of `engine.candidates` up to, but not including, the candidate pairs. Must not compare records.

Source: SPEC section 5 (Match: counts candidate pairs per blocking rule before it starts; skew is named).
"""

from dataclasses import dataclass

import duckdb

from linkwright.engine import candidates
from linkwright.engine.blocking import rule_text
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.strategy import Strategy

NAMED_BLOCKS_COUNT = 10
"""How many blocks are named: of the largest, and of the skipped, per strategy."""


@dataclass(frozen=True)
class BlockSize:
    """One block of a rule.

    Args:
        strategy: its name.
        blocking_rule: the rule's number in the strategy, from 0.
        rule: in words.
        values: what the block's records share, as text. Personal data.
        records_count: new and held.
        pairs_count: candidate pairs that it makes.
        is_skipped: whether it is over the size limit.
    """

    strategy: str
    blocking_rule: int
    rule: str
    values: str
    records_count: int
    pairs_count: int
    is_skipped: bool


@dataclass(frozen=True)
class BlockCount:
    """The blocks of one rule, summed up."""

    candidate_pairs_count: int = 0
    skipped_blocks_count: int = 0
    skipped_pairs_count: int = 0


@dataclass(frozen=True)
class Blocks:
    """The blocks of one strategy: a count per rule, the largest ones, and the largest of the skipped ones."""

    counts: tuple[BlockCount, ...]
    largest: tuple[BlockSize, ...]
    skipped: tuple[BlockSize, ...]


def make_keys(con: duckdb.DuckDBPyConnection, strategy: Strategy, *, has_held: bool) -> None:
    """Make the tables new_keys, new_blocks and held_keys of a strategy (see `engine.candidates`).

    Reads: new_records, held_records.
    """
    rules = strategy.blocking_rules
    con.execute(f"CREATE TABLE new_keys AS {candidates.record_keys_sql(rules, DUCKDB, 'new_records')}")
    con.execute(f"CREATE TABLE new_blocks AS {candidates.new_blocks_sql(len(rules), has_held=has_held)}")
    con.execute(f"CREATE TABLE held_keys AS {candidates.held_keys_sql(rules, DUCKDB)}")


def size_up(con: duckdb.DuckDBPyConnection, strategy: Strategy, max_block_size: int) -> Blocks:
    """Count the blocks of a strategy, name the largest, and take those over the limit out of the keys.

    Reads: new_keys, new_blocks, held_keys (of `make_keys`); changes the keys.

    Args:
        con: the engine.
        strategy: whose blocks.
        max_block_size: records in a block, new and held, above which it is skipped.
    """
    rules = strategy.blocking_rules
    con.execute(f"CREATE TABLE blocks AS {candidates.blocks_sql(len(rules), max_block_size)}")
    counts = {
        int(number): BlockCount(int(pairs), int(skipped), int(skipped_pairs))
        for number, pairs, skipped, skipped_pairs in con.execute(candidates.rule_counts_sql()).fetchall()
    }
    largest = _named_blocks(con, strategy, candidates.largest_blocks_sql(NAMED_BLOCKS_COUNT))
    skipped = _named_blocks(con, strategy, candidates.largest_blocks_sql(NAMED_BLOCKS_COUNT, skipped_only=True))
    for number, count in counts.items():
        if count.skipped_blocks_count:
            for keys in ("new_keys", "held_keys"):
                con.execute(candidates.skip_blocks_sql(number, keys))
    return Blocks(
        counts=tuple(counts.get(number, BlockCount()) for number in range(len(rules))),
        largest=largest,
        skipped=skipped,
    )


def skip_warnings(strategy: Strategy, blocks: Blocks, max_block_size: int) -> list[str]:
    """Say which blocks were skipped and what to do about it: one sentence a block, the rest summed up."""
    warnings = [
        f"The block {block.values!r} of the strategy {block.strategy}, blocking rule {block.blocking_rule + 1} "
        f"({block.rule}), holds {block.records_count:,} records, over the limit of {max_block_size:,}. This rule "
        f"skips its {block.pairs_count:,} pairs; other rules may still find them. Add another field to the rule, "
        "or raise Worker.Match.MaxBlockSize."
        for block in blocks.skipped
    ]
    unnamed = sum(count.skipped_blocks_count for count in blocks.counts) - len(blocks.skipped)
    if unnamed:
        warnings.append(
            f"The strategy {strategy.name} skips {unnamed:,} more blocks of over {max_block_size:,} records; the "
            "largest are named above. Add another field to their rules, or raise Worker.Match.MaxBlockSize."
        )
    return warnings


def _named_blocks(con: duckdb.DuckDBPyConnection, strategy: Strategy, query: str) -> tuple[BlockSize, ...]:
    found = con.execute(query).fetchall()
    values: dict[tuple[int, int], str] = {}
    for number, rule in enumerate(strategy.blocking_rules):
        keys = [int(row[1]) for row in found if row[0] == number]
        if keys:
            rows = con.execute(candidates.block_values_sql(rule, number, keys, DUCKDB)).fetchall()
            values.update({(number, int(key)): str(text) for key, text in rows})
    return tuple(
        BlockSize(
            strategy=strategy.name,
            blocking_rule=number,
            rule=rule_text(strategy.blocking_rules[number]),
            values=values[number, key],
            records_count=records_count,
            pairs_count=pairs_count,
            is_skipped=is_skipped,
        )
        for number, key, records_count, pairs_count, is_skipped in found
    )
