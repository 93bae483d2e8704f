"""Owns the SQL that finds candidate pairs: which blocks there are, how many pairs they hold, and the pairs.

One path serves every run: new records are paired among themselves and with the held ones; in a full run all are
new. Must not compare values beyond the blocking rules, nor run anything.

A record's place in a rule's blocks is a 64-bit key; equal keys make a candidate, and scoring decides by the
values (`scoring.compared_pairs_sql`). A pair that several rules of a strategy find belongs to the first. A block
over the size limit is skipped: its keys are taken away, so for that rule it is as if its records lacked the value,
and later rules may find its pairs.

Tables, one set per strategy at a time; r counts the strategy's rules from 0:
    new_records, held_records     record_id and the columns that the strategy reads
    new_keys, held_keys           record_id, key_r per rule (NULL: in no block of the rule)
    new_blocks                    blocking_rule, block_key, new_count
    blocks                        the same, held_count, records_count, pairs_count, is_skipped
    candidate_pairs               record_id_l < record_id_r, blocking_rule

Source: ARCHITECTURE section 5; the exclusion of earlier rules' pairs as in Splink 5's blocking.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from linkwright.engine.blocking import BlockingRule, rule_key_sql, rule_values_sql
from linkwright.engine.dialect import Dialect
from linkwright.engine.sql import literal


@dataclass(frozen=True)
class BlockSlice:
    """A part of one rule's pairs: those of every `parts_count`-th new record, about `pairs_count` of them."""

    blocking_rule: int
    part: int
    parts_count: int
    pairs_count: int


Chunk = tuple[BlockSlice, ...]
"""Slices that are worked off together, to keep memory within bounds."""


def record_keys_sql(rules: Sequence[BlockingRule], dialect: Dialect, records: str) -> str:
    """Give each record its block key per rule.

    Reads:   `records` (new_records or held_records).
    Returns: record_id, key_r per rule.
    """
    keys = ",\n  ".join(f"{rule_key_sql(rule, dialect)} AS key_{index}" for index, rule in enumerate(rules))
    return f"SELECT record_id,\n  {keys}\nFROM {records}"


def new_blocks_sql(rules_count: int, *, has_held: bool) -> str:
    """Count the new records per block.

    Args:
        rules_count: of the strategy.
        has_held: whether there are held records; if not, a block of one record can have no pair and is left out.

    Reads:   new_keys.
    Returns: blocking_rule, block_key, new_count.
    """
    least = "" if has_held else " HAVING count(*) > 1"
    return "\nUNION ALL\n".join(
        f"{_count_by_key_sql('new_keys', index, 'new_count')}{least}" for index in range(rules_count)
    )


def held_keys_sql(rules: Sequence[BlockingRule], dialect: Dialect) -> str:
    """Give the held records their block keys, as far as a new record has the same.

    Reads:   held_records, new_blocks.
    Returns: record_id, key_r per rule; only records that share a block with a new one.
    """
    numbers = range(len(rules))
    keys = ", ".join(f"b{index}.block_key AS key_{index}" for index in numbers)
    joins = "\n".join(
        f"LEFT JOIN (SELECT block_key FROM new_blocks WHERE blocking_rule = {index}) AS b{index} "
        f"ON b{index}.block_key = k.key_{index}"
        for index in numbers
    )
    shared = " OR ".join(f"b{index}.block_key IS NOT NULL" for index in numbers)
    return (
        f"SELECT k.record_id, {keys}\nFROM (\n{record_keys_sql(rules, dialect, 'held_records')}\n) AS k\n"
        f"{joins}\nWHERE {shared}"
    )


def blocks_sql(rules_count: int, max_block_size: int) -> str:
    """Size up the blocks before anything is compared.

    Args:
        rules_count: of the strategy.
        max_block_size: records, new and held; a larger block is skipped. It depends on nothing but the live
            records that share the values, not on their order or on how they are cut into chunks; only what was
            held at the time of an earlier, smaller block stays paired.

    Reads:   new_blocks, held_keys.
    Returns: blocking_rule, block_key, new_count, held_count, records_count, pairs_count, is_skipped; only blocks
             that make at least one pair.
    """
    held = "\nUNION ALL\n".join(
        _count_by_key_sql("held_keys", index, "held_count") for index in range(rules_count)
    )
    return f"""SELECT blocking_rule, block_key, new_count, held_count,
  new_count + held_count AS records_count,
  CAST(new_count * (new_count - 1) / 2 AS BIGINT) + new_count * held_count AS pairs_count,
  new_count + held_count > {literal(max_block_size)} AS is_skipped
FROM (
SELECT n.blocking_rule, n.block_key, n.new_count, coalesce(h.held_count, 0) AS held_count
FROM new_blocks AS n
LEFT JOIN (
{held}
) AS h ON h.blocking_rule = n.blocking_rule AND h.block_key = n.block_key
) AS sized
WHERE new_count + held_count > 1"""


def rule_counts_sql() -> str:
    """Sum the blocks up per rule.

    Reads:   blocks.
    Returns: blocking_rule, candidate_pairs_count, skipped_blocks_count, skipped_pairs_count, in order of rules.
    """
    return """SELECT blocking_rule,
  coalesce(sum(pairs_count) FILTER (WHERE NOT is_skipped), 0) AS candidate_pairs_count,
  count(*) FILTER (WHERE is_skipped) AS skipped_blocks_count,
  coalesce(sum(pairs_count) FILTER (WHERE is_skipped), 0) AS skipped_pairs_count
FROM blocks GROUP BY blocking_rule ORDER BY blocking_rule"""


def largest_blocks_sql(limit: int, *, skipped_only: bool = False) -> str:
    """Pick the blocks that make the most pairs.

    Reads:   blocks.
    Returns: blocking_rule, block_key, records_count, pairs_count, is_skipped, the most pairs first.
    """
    condition = " WHERE is_skipped" if skipped_only else ""
    return (
        f"SELECT blocking_rule, block_key, records_count, pairs_count, is_skipped FROM blocks{condition} "
        f"ORDER BY pairs_count DESC, blocking_rule, block_key LIMIT {literal(limit)}"
    )


def block_values_sql(rule: BlockingRule, number: int, block_keys: Sequence[int], dialect: Dialect) -> str:
    """Read the values that the records of some blocks share, for people to read.

    Reads:   new_keys, new_records.
    Returns: block_key, block_values (text).
    """
    chosen = ", ".join(literal(key) for key in block_keys)
    return (
        f"SELECT k.key_{number} AS block_key, min({rule_values_sql(rule, dialect, 'n')}) AS block_values\n"
        f"FROM new_keys AS k JOIN new_records AS n ON n.record_id = k.record_id\n"
        f"WHERE k.key_{number} IN ({chosen}) GROUP BY k.key_{number}"
    )


def skip_blocks_sql(number: int, keys: str) -> str:
    """Take the skipped blocks of a rule out of `keys` (new_keys or held_keys).

    Reads and changes: `keys`. Reads: blocks.
    """
    return (
        f"UPDATE {keys} SET key_{number} = NULL WHERE key_{number} IN "
        f"(SELECT block_key FROM blocks WHERE blocking_rule = {number} AND is_skipped)"
    )


def plan_chunks(pairs_counts: Sequence[int], chunk_pairs_count: int) -> tuple[Chunk, ...]:
    """Cut the candidate pairs of a strategy's rules into chunks of about the same size.

    Args:
        pairs_counts: candidate pairs per rule, before pairs of earlier rules are taken off.
        chunk_pairs_count: how many pairs a chunk should hold at most. A rule is cut by the new record of its
            pairs, so that its largest block is cut as well; only the partners of one record stay together.

    Returns:
        The chunks in order of rules; none if there are no pairs.
    """
    chunks: list[Chunk] = []
    gathered: list[BlockSlice] = []
    for number, pairs_count in enumerate(pairs_counts):
        if not pairs_count:
            continue
        parts_count = -(-pairs_count // chunk_pairs_count)
        for part in range(parts_count):
            # spreads the rounding, so that the parts add up to the whole
            share = pairs_count * (part + 1) // parts_count - pairs_count * part // parts_count
            if gathered and sum(piece.pairs_count for piece in gathered) + share > chunk_pairs_count:
                chunks.append(tuple(gathered))
                gathered = []
            gathered.append(BlockSlice(number, part, parts_count, share))
    if gathered:
        chunks.append(tuple(gathered))
    return tuple(chunks)


def candidate_pairs_sql(chunk: Chunk) -> str:
    """Find the pairs of a chunk, each once, under the first rule that brings it together.

    Reads:   new_keys, held_keys, blocks.
    Returns: record_id_l < record_id_r, blocking_rule (INTEGER).
    """
    pairs = "\nUNION ALL\n".join(_slice_pairs_sql(piece) for piece in chunk)
    return (
        "SELECT least(new_id, other_id) AS record_id_l, greatest(new_id, other_id) AS record_id_r, blocking_rule\n"
        f"FROM (\n{pairs}\n) AS found"
    )


def _slice_pairs_sql(piece: BlockSlice) -> str:
    number = piece.blocking_rule
    key = f"key_{number}"
    columns = ", ".join(f"key_{other}" for other in range(number + 1))
    # most records are alone in their block: without them, the join's hash table is half the size
    paired = f"{key} IN (SELECT block_key FROM blocks WHERE blocking_rule = {number})"
    part = f" AND record_id % {piece.parts_count} = {piece.part}" if piece.parts_count > 1 else ""
    # NULL keys are in no block, so 'not known to be equal' keeps the pair
    earlier = "".join(f" AND (l.key_{other} = r.key_{other}) IS NOT TRUE" for other in range(number))
    return (
        f"SELECT l.record_id AS new_id, r.record_id AS other_id, CAST({number} AS INTEGER) AS blocking_rule\n"
        f"FROM (SELECT record_id, {columns} FROM new_keys WHERE {paired}{part}) AS l\n"
        f"JOIN (\n"
        f"SELECT record_id, FALSE AS is_held, {columns} FROM new_keys WHERE {paired} UNION ALL\n"
        f"SELECT record_id, TRUE AS is_held, {columns} FROM held_keys WHERE {paired}\n"
        f") AS r ON l.{key} = r.{key}\n"
        f"WHERE (r.is_held OR r.record_id < l.record_id){earlier}"
    )


def _count_by_key_sql(keys: str, number: int, name: str) -> str:
    return (
        f"SELECT {number} AS blocking_rule, key_{number} AS block_key, count(*) AS {name} "
        f"FROM {keys} WHERE key_{number} IS NOT NULL GROUP BY key_{number}"
    )
