"""Owns the sizing-up of blocks before anything is compared: counts, the largest, those over the limit.

Must not compare records.

Source: SPEC section 5 (Match: counts candidate pairs per blocking rule before it starts; blocks over the limit are
split by the next rule or skipped, and named).
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linkwright.engine.blocking import block_values_sql, rule_columns, rule_text
from linkwright.engine.candidates import (
    Blocks,
    KeyList,
    Search,
    block_entries,
    find_blocks,
    hit_entries,
    prepare_search,
    split_list,
)
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.identifying import identifying
from linkwright.engine.strategy import OversizedBlocks, Strategy
from linkwright.warehouse.record_set import RecordSet

NAMED_BLOCKS_COUNT = 10
"""How many blocks are named: of the largest, and of those over the limit, per strategy."""


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
        is_oversized: whether it is over the size limit, and so split or skipped.
    """

    strategy: str
    blocking_rule: int
    rule: str
    values: str
    records_count: int
    pairs_count: int
    is_oversized: bool


@dataclass(frozen=True)
class RuleBlocks:
    """The blocks of one rule, summed up.

    Args:
        candidate_pairs_count: of the blocks within the limit, and of what oversized ones were split into.
        oversized_blocks_count: blocks over the limit.
        oversized_pairs_count: candidate pairs that they would have made.
        split_pairs_count: those of them that are left after splitting; part of candidate_pairs_count.
    """

    candidate_pairs_count: int
    oversized_blocks_count: int
    oversized_pairs_count: int
    split_pairs_count: int


@dataclass(frozen=True)
class SizedStrategy:
    """What one strategy will compare: searches to take the pairs from, counts per rule, the blocks to name."""

    strategy: Strategy
    searches: tuple[Search, ...]
    rules: tuple[RuleBlocks, ...]
    largest: tuple[BlockSize, ...]
    oversized: tuple[BlockSize, ...]


class _Place(NamedTuple):
    """One block, and a new record that is in it."""

    rule: int
    key: int
    record: int
    records_count: int
    pairs_count: int
    is_oversized: bool


@dataclass
class _Found:
    """What is gathered rule by rule."""

    searches: list[Search] = field(default_factory=list)
    rules: list[RuleBlocks] = field(default_factory=list)
    largest: list[_Place] = field(default_factory=list)


def size_up(
    con: duckdb.DuckDBPyConnection,
    records: RecordSet,
    strategy: Strategy,
    max_block_size: int,
    oversized: OversizedBlocks,
    *,
    threads: int,
) -> SizedStrategy:
    """Count the blocks of a strategy, name the largest, and decide what is compared.

    Args:
        con: to read the values of named blocks with.
        records: new and held.
        strategy: whose blocks.
        max_block_size: records in a block, new and held, above which it is not compared as a whole.
        oversized: what becomes of such a block. `split` compares those of its pairs that share the block of a
            later rule as well, one rule after the other until the parts are within the limit; what is left is
            skipped. `fail` is for the caller to see to: here it is as `skip`.
        threads: to search with.
    """
    found = _Found()
    lists = {number: records.key_lists(rule) for number, rule in enumerate(strategy.blocking_rules)}
    with ThreadPoolExecutor(threads) as pool:
        all_blocks = list(pool.map(lambda number: find_blocks(*lists[number]), lists))
    for number, blocks in enumerate(all_blocks):
        later = [lists[other] for other in range(number + 1, len(lists))]
        limit = _Limit(max_block_size, oversized)
        _size_up_rule(found, records, (number, *lists[number]), blocks, later, limit=limit)
    largest = sorted(found.largest, key=lambda one: (-one.pairs_count, one.rule, one.key))
    over = [one for one in largest if one.is_oversized]
    return SizedStrategy(
        strategy=strategy,
        searches=tuple(found.searches),
        rules=tuple(found.rules),
        largest=_named(con, records, strategy, largest[:NAMED_BLOCKS_COUNT]),
        oversized=_named(con, records, strategy, over[:NAMED_BLOCKS_COUNT]),
    )


_Lists = tuple[KeyList, tuple[KeyList, ...]]


class _Limit(NamedTuple):
    """How large a block may be, and what becomes of a larger one."""

    max_block_size: int
    oversized: OversizedBlocks


def _size_up_rule(
    found: _Found,
    records: RecordSet,
    rule: tuple[int, KeyList, tuple[KeyList, ...]],
    blocks: Blocks,
    later: Sequence[_Lists],
    *,
    limit: _Limit,
) -> None:
    """Count the blocks of one rule, and prepare the search of what is compared of them."""
    number, new, held = rule
    is_over = blocks.records_counts > limit.max_block_size
    _note_largest(found, number, new, blocks, is_over)
    within = blocks.only(~is_over) if is_over.any() else blocks
    found.searches.append(prepare_search(number, new, held, records.held_starts, within))
    split_pairs_count = 0
    if is_over.any() and limit.oversized is OversizedBlocks.SPLIT:
        parts = _split(records, (new, held), blocks.only(is_over), later, limit.max_block_size)
        found.searches += [prepare_search(number, *part[:2], records.held_starts, part[2]) for part in parts]
        split_pairs_count = sum(int(part[2].pairs_counts.sum()) for part in parts)
    found.rules.append(
        RuleBlocks(
            candidate_pairs_count=int(within.pairs_counts.sum()) + split_pairs_count,
            oversized_blocks_count=int(is_over.sum()),
            oversized_pairs_count=int(blocks.pairs_counts[is_over].sum()),
            split_pairs_count=split_pairs_count,
        )
    )


def _split(
    records: RecordSet, lists: _Lists, blocks: Blocks, later: Sequence[_Lists], max_block_size: int
) -> list[tuple[KeyList, tuple[KeyList, ...], Blocks]]:
    """Split oversized blocks by the later rules in turn; returns the parts within the limit."""
    parts: list[tuple[KeyList, tuple[KeyList, ...], Blocks]] = []
    (new, held) = lists
    for by_new, by_held in later:
        new_parts = split_list(new, block_entries(blocks), by_new, records.new_count)
        held_parts = tuple(
            split_list(batch, hit_entries(hits), by, count)
            for batch, hits, by, count in zip(held, blocks.hits, by_held, records.held_counts, strict=True)
        )
        new, held, blocks = new_parts, held_parts, find_blocks(new_parts, held_parts)
        is_over = blocks.records_counts > max_block_size
        parts.append((new, held, blocks.only(~is_over)))
        if not is_over.any():
            break
        blocks = blocks.only(is_over)
    return parts


def oversize_warnings(sized: SizedStrategy, max_block_size: int, oversized: OversizedBlocks) -> list[str]:
    """Say which blocks are over the limit and what to do about it: one sentence a block, the rest summed up."""
    splits = oversized is OversizedBlocks.SPLIT
    done = "compares those of its pairs that a later rule also joins" if splits else "skips its pairs"
    warnings = [
        f"The block {identifying(repr(block.values))} of the strategy {block.strategy}, blocking rule "
        f"{block.blocking_rule + 1} ({block.rule}), holds {block.records_count:,} records, over the limit of "
        f"{max_block_size:,}, and would make {block.pairs_count:,} pairs. "
        f"This rule {done}; other rules may still find them. Add "
        "another field to the rule, or raise Worker.Match.MaxBlockSize."
        for block in sized.oversized
    ]
    unnamed = sum(rule.oversized_blocks_count for rule in sized.rules) - len(sized.oversized)
    if unnamed:
        warnings.append(
            f"The strategy {sized.strategy.name} has {unnamed:,} more blocks of over {max_block_size:,} records, "
            f"{'split' if splits else 'skipped'} likewise; the largest are named above. Add another field to "
            "their rules, or raise Worker.Match.MaxBlockSize."
        )
    return warnings


def _note_largest(found: _Found, number: int, new: KeyList, blocks: Blocks, is_over: NDArray[np.bool_]) -> None:
    """Remember the blocks of a rule that make the most pairs, and of those over the limit."""
    pairs_counts = blocks.pairs_counts
    chosen: set[int] = set()
    for places in (np.arange(pairs_counts.size), np.flatnonzero(is_over)):
        most = min(NAMED_BLOCKS_COUNT, places.size)
        if most:
            chosen.update(places[np.argpartition(-pairs_counts[places], most - 1)[:most]].tolist())
    found.largest += [
        _Place(
            rule=number,
            key=int(new.keys[blocks.starts[place]]),
            record=int(new.positions[blocks.starts[place]]),
            records_count=int(blocks.records_counts[place]),
            pairs_count=int(pairs_counts[place]),
            is_oversized=bool(is_over[place]),
        )
        for place in sorted(chosen)
    ]


def _named(
    con: duckdb.DuckDBPyConnection,
    records: RecordSet,
    strategy: Strategy,
    blocks: Sequence[_Place],
) -> tuple[BlockSize, ...]:
    values = _block_values(con, records, strategy, blocks)
    return tuple(
        BlockSize(
            strategy=strategy.name,
            blocking_rule=place.rule,
            rule=rule_text(strategy.blocking_rules[place.rule]),
            values=values[place.rule, place.key],
            records_count=place.records_count,
            pairs_count=place.pairs_count,
            is_oversized=place.is_oversized,
        )
        for place in blocks
    )


def _block_values(
    con: duckdb.DuckDBPyConnection, records: RecordSet, strategy: Strategy, blocks: Sequence[_Place]
) -> dict[tuple[int, int], str]:
    """Read what the records of each block share from one of them; returns texts by rule and key."""
    rules = {place.rule: strategy.blocking_rules[place.rule] for place in blocks}
    if not rules:
        return {}
    numbers = np.unique([place.record for place in blocks])
    fetched = records.fetch(numbers, rule_columns(list(rules.values())))
    everything = np.arange(numbers.size)
    values = {name: column.at(everything) for name, column in fetched.columns.items()}
    con.register("named_records", pa.table({"position": numbers, **values}))
    rows = con.execute(
        "\nUNION ALL\n".join(
            f"SELECT {number}, position, block_key, block_values FROM "
            f"({block_values_sql(rule, DUCKDB, 'named_records')})"
            for number, rule in rules.items()
        )
    ).fetchall()
    con.unregister("named_records")
    return {(rule, key): str(text) for rule, _position, key, text in rows}
