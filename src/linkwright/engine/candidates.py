"""Owns the search for candidate pairs in sorted lists of block keys: which blocks there are, and their pairs.

One path serves every run: new records are paired among themselves and with the held ones; in a full run all are
new. The lists of the held records are searched, not read through: the cost follows the new records. Must not
compare values, nor read files.

Records are known by numbers: first the new ones from 0, then those of each held batch. A pair's owner is the new
record of the two, or the one with the higher number if both are new; its other record is the partner. A pair that
several rules of a strategy find belongs to the first.

Source: ARCHITECTURE section 5 (a stored 64-bit key per rule; left side = the new records).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Keys: TypeAlias = NDArray[np.uint64]
Numbers: TypeAlias = NDArray[np.int64]
Positions: TypeAlias = NDArray[np.uint32]

_PARTNER_BITS, _RULE_BITS = 34, 7
MAX_OWNERS_COUNT = 1 << (64 - _PARTNER_BITS - _RULE_BITS)
"""How many new records a chunk can span; the pairs of a chunk are sorted by one 64-bit number each."""


@dataclass(frozen=True)
class KeyList:
    """The block keys of a batch's records under one rule, ascending; the same key by ascending position.

    Args:
        keys: of shape (entries,).
        positions: the record of each entry, as its position in the batch.
    """

    keys: Keys
    positions: Positions

    def without(self, is_ended: NDArray[np.bool_] | None) -> "KeyList":
        """Leave out ended records.

        Args:
            is_ended: per position; None if none is.
        """
        if is_ended is None:
            return self
        is_live = ~is_ended[self.positions]
        return KeyList(self.keys[is_live], self.positions[is_live])


def merged(lists: Sequence[KeyList], starts: Sequence[int]) -> KeyList:
    """Put the lists of several batches together; positions become numbers by the batches' starts."""
    if len(lists) == 1:
        return lists[0]
    if not lists:
        return KeyList(np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.uint32))
    keys = np.concatenate([part.keys for part in lists])
    positions = np.concatenate(
        [part.positions + np.uint32(start) for part, start in zip(lists, starts, strict=True)]
    )
    order = np.argsort(keys, kind="stable")
    return KeyList(keys[order], positions[order])


@dataclass(frozen=True)
class Hits:
    """Where blocks of new records go on in one held batch.

    Args:
        blocks: which block, ascending, each at most once.
        starts: the first entry of the block in the batch's list.
        counts: entries from there, at least 1.
    """

    blocks: Numbers
    starts: Numbers
    counts: Numbers


@dataclass(frozen=True)
class Blocks:
    """The blocks of a rule that make at least one pair with a new record, ascending by key.

    Args:
        starts: the first entry of each in the list of new records.
        new_counts: its new records.
        held_counts: its held records.
        hits: per held batch.
    """

    starts: Positions
    new_counts: Positions
    held_counts: Positions
    hits: tuple[Hits, ...]

    @property
    def records_counts(self) -> Numbers:
        """Records per block, new and held."""
        return self.new_counts.astype(np.int64) + self.held_counts

    @property
    def pairs_counts(self) -> Numbers:
        """Candidate pairs per block."""
        new_counts = self.new_counts.astype(np.int64)
        return new_counts * (new_counts - 1) // 2 + new_counts * self.held_counts

    def only(self, chosen: NDArray[np.bool_]) -> "Blocks":
        """Return the blocks of a mask."""
        places = np.cumsum(chosen) - 1
        return Blocks(
            starts=self.starts[chosen],
            new_counts=self.new_counts[chosen],
            held_counts=self.held_counts[chosen],
            hits=tuple(
                Hits(places[hit.blocks[kept]], hit.starts[kept], hit.counts[kept])
                for hit in self.hits
                for kept in [chosen[hit.blocks]]
            ),
        )


def find_blocks(new: KeyList, held: Sequence[KeyList]) -> Blocks:
    """Find the blocks that make pairs.

    Args:
        new: of the new records.
        held: per held batch.
    """
    starts, counts = _runs(new.keys)
    if not held:
        shared = counts > 1
        starts, counts = starts[shared], counts[shared]
        return Blocks(starts, counts, np.zeros_like(counts), ())
    keys = new.keys[starts]
    hits = tuple(_find_hits(keys, batch.keys) for batch in held)
    held_counts = np.zeros_like(counts)
    for hit in hits:
        held_counts[hit.blocks] += hit.counts.astype(np.uint32)
    blocks = Blocks(starts, counts, held_counts, hits)
    return blocks.only(counts + held_counts > 1)


def _runs(keys: Keys) -> tuple[Positions, Positions]:
    """Return where each run of equal keys starts, and how long it is."""
    if not keys.size:
        return np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.uint32)
    starts = np.concatenate([[0], np.flatnonzero(keys[1:] != keys[:-1]) + 1]).astype(np.uint32)
    return starts, np.diff(starts, append=np.uint32(keys.size))


def _find_hits(keys: Keys, held: Keys) -> Hits:
    """Look the distinct new keys up in a held list; whichever of the two is shorter is searched for."""
    if not held.size or not keys.size:
        nothing = np.empty(0, dtype=np.int64)
        return Hits(nothing, nothing, nothing)
    if keys.size <= held.size:
        starts = np.searchsorted(held, keys)
        found = np.flatnonzero(held[np.minimum(starts, held.size - 1)] == keys)
        starts = starts[found]
        return Hits(found, starts, np.searchsorted(held, keys[found], side="right") - starts)
    run_starts, counts = _runs(held)
    blocks = np.searchsorted(keys, held[run_starts])
    found = np.flatnonzero(keys[np.minimum(blocks, keys.size - 1)] == held[run_starts])
    return Hits(blocks[found], run_starts[found].astype(np.int64), counts[found].astype(np.int64))


def split_list(parent: KeyList, chosen: Numbers, by: KeyList, records_count: int) -> KeyList:
    """Split blocks by another rule: entries stay together only if they share the other rule's block as well.

    Args:
        parent: the list that the blocks are in.
        chosen: the places of their entries in it.
        by: the same batch's list under the other rule.
        records_count: of the batch.

    Returns:
        A list whose keys stand for a block of both rules; records in no block of the other rule are left out.
    """
    order = np.argsort(parent.positions[chosen], kind="stable")
    positions, keys = parent.positions[chosen][order], parent.keys[chosen][order]
    is_wanted = np.zeros(records_count, dtype=bool)
    is_wanted[positions] = True
    kept = np.flatnonzero(is_wanted[by.positions])
    firsts = np.searchsorted(positions, by.positions[kept])
    counts = np.searchsorted(positions, by.positions[kept], side="right") - firsts
    own = _ranges(firsts, counts)
    mixed = _mixed(keys[own], np.repeat(by.keys[kept], counts))
    order = np.lexsort((positions[own], mixed))
    return KeyList(mixed[order], positions[own][order])


def _mixed(one: Keys, other: Keys) -> Keys:
    """Return one key for two; the multiplier of Steele and Vigna's SplitMix64 spreads the bits."""
    mixed = (one ^ (other >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9) + other
    return mixed ^ (mixed >> np.uint64(29))


def block_entries(blocks: Blocks) -> Numbers:
    """Return the places of all entries of some blocks in the list of new records."""
    return _ranges(blocks.starts.astype(np.int64), blocks.new_counts.astype(np.int64))


def hit_entries(hits: Hits) -> Numbers:
    """Return the places of all entries of some blocks in a held list."""
    return _ranges(hits.starts, hits.counts)


@dataclass(frozen=True)
class Search:
    """One rule's blocks, laid out by owner, ready to give the pairs of any range of new records.

    Args:
        rule: its number in the strategy, from 0.
        new: the list that `blocks` was found in.
        held: per held batch, the same.
        held_starts: per held batch, the number of its first record.
        blocks: those to pair.
        entries: places in the list of new records, by ascending owner.
        entry_blocks: the block of each entry.
        owners: the owner of each entry, ascending.
    """

    rule: int
    new: KeyList
    held: tuple[KeyList, ...]
    held_starts: tuple[int, ...]
    blocks: Blocks
    entries: Positions
    entry_blocks: Positions
    owners: Positions

    @property
    def entry_pairs_counts(self) -> Numbers:
        """Candidate pairs that each entry owns."""
        earlier = self.entries.astype(np.int64) - self.blocks.starts[self.entry_blocks]
        return earlier + self.blocks.held_counts[self.entry_blocks]

    @property
    def bytes_count(self) -> int:
        """Memory that the search holds, beside the lists."""
        entries = self.entries.nbytes + self.entry_blocks.nbytes + self.owners.nbytes
        blocks = self.blocks.starts.nbytes + self.blocks.new_counts.nbytes + self.blocks.held_counts.nbytes
        hits = (hit.blocks.nbytes + hit.starts.nbytes + hit.counts.nbytes for hit in self.blocks.hits)
        return entries + blocks + sum(hits)


def prepare_search(
    rule: int, new: KeyList, held: Sequence[KeyList], held_starts: Sequence[int], blocks: Blocks
) -> Search:
    """Lay the blocks of a rule out by owner."""
    entries = block_entries(blocks).astype(np.uint32)
    entry_blocks = np.repeat(np.arange(blocks.starts.size, dtype=np.uint32), blocks.new_counts)
    owners = new.positions[entries]
    # one sort of plain numbers is several times as fast as an argsort
    packed = (owners.astype(np.uint64) << np.uint64(32)) | np.arange(owners.size, dtype=np.uint64)
    packed.sort()
    order = (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return Search(
        rule=rule,
        new=new,
        held=tuple(held),
        held_starts=tuple(held_starts),
        blocks=blocks,
        entries=entries[order],
        entry_blocks=entry_blocks[order],
        owners=owners[order],
    )


@dataclass(frozen=True)
class Chunk:
    """New records from `first` to before `end`, and how many candidate pairs they own, over all rules."""

    first: int
    end: int
    pairs_count: int


def plan_chunks(searches: Sequence[Search], new_count: int, chunk_pairs_count: int) -> tuple[Chunk, ...]:
    """Cut the new records into ranges of about the same number of candidate pairs.

    Args:
        searches: of the rules of one strategy.
        new_count: new records.
        chunk_pairs_count: how many pairs a chunk should hold at most; the pairs of one record stay together.

    Returns:
        The chunks in order of records; none if there are no pairs.
    """
    owned = np.zeros(new_count, dtype=np.int64)
    for search in searches:
        owned += np.bincount(search.owners, weights=search.entry_pairs_counts, minlength=new_count).astype(
            np.int64
        )
    total = np.cumsum(owned)
    chunks: list[Chunk] = []
    first = done = 0
    while first < new_count and done < total[-1]:
        end = int(np.searchsorted(total, done + chunk_pairs_count, side="right"))
        end = min(max(end, first + 1), first + MAX_OWNERS_COUNT, new_count)
        pairs_count = int(total[end - 1]) - done
        if pairs_count:
            chunks.append(Chunk(first, end, pairs_count))
        first, done = end, int(total[end - 1])
    return tuple(chunks)


@dataclass(frozen=True)
class CandidatePairs:
    """Candidate pairs, each once, by ascending owner and partner; all arrays of shape (pairs,).

    Args:
        owners: the number of the one record, new.
        partners: the number of the other.
        rules: the first rule that brings them together (int32).
    """

    owners: Numbers
    partners: Numbers
    rules: NDArray[np.int32]


def candidate_pairs(searches: Sequence[Search], chunk: Chunk) -> CandidatePairs:
    """Find the pairs of a chunk.

    Args:
        searches: of the rules of one strategy.
        chunk: one of `plan_chunks`.
    """
    found = [_rule_pairs(search, chunk) for search in searches]
    packed = np.concatenate([part for parts in found for part in parts]) if found else np.empty(0, dtype=np.uint64)
    packed.sort()
    pairs = packed >> np.uint64(_RULE_BITS)
    is_first = np.ones(packed.size, dtype=bool)
    np.not_equal(pairs[1:], pairs[:-1], out=is_first[1:])
    pairs, packed = pairs[is_first], packed[is_first]
    return CandidatePairs(
        owners=(pairs >> np.uint64(_PARTNER_BITS)).astype(np.int64) + chunk.first,
        partners=(pairs & np.uint64((1 << _PARTNER_BITS) - 1)).astype(np.int64),
        rules=(packed & np.uint64((1 << _RULE_BITS) - 1)).astype(np.int32),
    )


def _rule_pairs(search: Search, chunk: Chunk) -> list[Keys]:
    """Return the pairs of a chunk under one rule, each packed as owner, partner and rule."""
    start, end = np.searchsorted(search.owners, [chunk.first, chunk.end])
    entries = search.entries[start:end].astype(np.int64)
    entry_blocks = search.entry_blocks[start:end]
    owners = search.owners[start:end].astype(np.uint64) - np.uint64(chunk.first)
    block_starts = search.blocks.starts[entry_blocks].astype(np.int64)
    earlier_counts = entries - block_starts
    earlier = search.new.positions[_ranges(block_starts, earlier_counts)]
    packed = [_packed(np.repeat(owners, earlier_counts), earlier.astype(np.uint64), search.rule)]
    for hits, held, held_start in zip(search.blocks.hits, search.held, search.held_starts, strict=True):
        if not hits.blocks.size:
            continue
        places = np.searchsorted(hits.blocks, entry_blocks)
        is_hit = hits.blocks[np.minimum(places, hits.blocks.size - 1)] == entry_blocks
        places = places[is_hit]
        partners = held.positions[_ranges(hits.starts[places], hits.counts[places])].astype(np.uint64)
        hit_owners = np.repeat(owners[is_hit], hits.counts[places])
        packed.append(_packed(hit_owners, partners + np.uint64(held_start), search.rule))
    return packed


def _packed(owners: Keys, partners: Keys, rule: int) -> Keys:
    return (((owners << np.uint64(_PARTNER_BITS)) | partners) << np.uint64(_RULE_BITS)) | np.uint64(rule)


def _ranges(starts: Numbers, counts: Numbers) -> Numbers:
    """Return starts[0], starts[0] + 1, ... (counts[0] numbers), starts[1], ..."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if ends.size else 0
    numbers: Numbers = np.arange(total, dtype=np.int64) + np.repeat(starts - (ends - counts), counts)
    return numbers
