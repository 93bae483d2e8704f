"""Owns what is known of a matching before it starts: its candidate pairs, its worst blocks, its time and memory.

Refuses what is over the limits. Must not compare records.

Source: SPEC section 5 (Match: before it starts, it counts candidate pairs per blocking rule, and says so).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import duckdb

from linkwright.engine.identifying import identifying
from linkwright.engine.progress import Progress, ReportProgress, silent
from linkwright.engine.scoring import strategy_columns
from linkwright.engine.strategy import MatchConfiguration, OversizedBlocks
from linkwright.errors import LinkwrightError
from linkwright.warehouse.blocks import BlockSize, SizedStrategy, oversize_warnings, size_up
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.record_set import RecordSet
from linkwright.warehouse.record_sources import RecordSources, open_records

PAIRS_PER_SECOND = 500_000.0
"""Compared on two cores with some ten comparisons: what is expected until a run has measured its own rate."""

_ENGINE_BYTES = 150 * 1024 * 1024
# codes are of four bytes each; ids, places and numbers of a pair, some of them twice for a moment
_BYTES_PER_VALUE, _BYTES_PER_PAIR = 4, 120


class OverLimitsError(LinkwrightError):
    """The matching would compare more than the settings and the configuration allow; nothing was compared."""


@dataclass(frozen=True)
class MatchLimits:
    """What a matching may do.

    Args:
        max_block_size: records in a block, new and held, above which it is not compared as a whole.
        max_candidate_pairs: of all strategies and rules; None for no limit.
        pairs_per_second: measured by an earlier run, to estimate the time with.
    """

    max_block_size: int
    max_candidate_pairs: int | None = None
    pairs_per_second: float = PAIRS_PER_SECOND


@dataclass(frozen=True)
class Preflight:
    """What is about to be compared.

    Args:
        candidate_pairs_counts: per strategy name, per blocking rule in order.
        largest_blocks: those that make the most pairs, of all strategies. Their values are personal data.
        estimated_s: seconds that scoring will take.
        arrays_bytes: memory that the matching will take at its peak, beside the engine's.
        warnings: full sentences on blocks over the limit. They name the blocks' values, marked as identifying.
    """

    candidate_pairs_counts: dict[str, tuple[int, ...]]
    largest_blocks: tuple[BlockSize, ...]
    estimated_s: float
    arrays_bytes: int
    warnings: tuple[str, ...]

    @property
    def estimated_bytes(self) -> int:
        """Memory that the matching will take at its peak, beside the program itself."""
        return self.arrays_bytes + _ENGINE_BYTES

    @property
    def candidate_pairs_count(self) -> int:
        """Candidate pairs of all strategies and rules."""
        return sum(sum(counts) for counts in self.candidate_pairs_counts.values())


Announce: TypeAlias = Callable[[Preflight], None]


def size_up_all(
    con: duckdb.DuckDBPyConnection,
    records: RecordSet,
    configuration: MatchConfiguration,
    limits: MatchLimits,
    report: ReportProgress,
    *,
    threads: int,
) -> list[SizedStrategy]:
    """Count the candidate pairs of every strategy, so that the whole is known before the first is scored."""
    sized: list[SizedStrategy] = []
    for number, strategy in enumerate(configuration.strategies):
        report(Progress("count", number, len(configuration.strategies), "strategies"))
        oversized = configuration.oversized_blocks
        sized.append(size_up(con, records, strategy, limits.max_block_size, oversized, threads=threads))
        records.release()
    return sized


def check_sizes(
    sized: Sequence[SizedStrategy], configuration: MatchConfiguration, limits: MatchLimits, chunk_pairs_count: int
) -> Preflight:
    """Sum up what is about to be compared, and refuse what is over the limits.

    Args:
        sized: per strategy of the configuration.
        configuration: says whether an oversized block is a reason to refuse.
        limits: of blocks and pairs.
        chunk_pairs_count: candidate pairs that are worked off together.

    Raises:
        OverLimitsError: if there are too many pairs, or blocks over the limit that the configuration refuses.
    """
    largest = sorted((block for one in sized for block in one.largest), key=lambda block: -block.pairs_count)
    counts = {one.strategy.name: tuple(rule.candidate_pairs_count for rule in one.rules) for one in sized}
    pairs_count = sum(sum(rules) for rules in counts.values())
    preflight = Preflight(
        candidate_pairs_counts=counts,
        largest_blocks=tuple(largest),
        estimated_s=pairs_count / limits.pairs_per_second,
        arrays_bytes=_arrays_bytes(sized, min(pairs_count, chunk_pairs_count)),
        warnings=tuple(
            warning
            for one in sized
            for warning in oversize_warnings(one, limits.max_block_size, configuration.oversized_blocks)
        ),
    )
    if configuration.oversized_blocks is OversizedBlocks.FAIL and preflight.warnings:
        raise OverLimitsError(
            "Nothing was compared, because the match configuration says so for blocks over the limit "
            f"(oversized_blocks: fail). {preflight.warnings[0]} Then retry the job."
        )
    if limits.max_candidate_pairs is not None and pairs_count > limits.max_candidate_pairs:
        worst = ", ".join(
            f"{identifying(repr(block.values))} ({block.pairs_count:,} pairs)" for block in largest[:3]
        )
        raise OverLimitsError(
            f"Nothing was compared: there are {pairs_count:,} candidate pairs, over the limit of "
            f"{limits.max_candidate_pairs:,}. The largest blocks are {worst}. Add a field to the rules that make "
            "the most pairs, or raise Worker.Match.MaxCandidatePairs, then retry the job."
        )
    return preflight


def preview_match(
    sources: RecordSources,
    configuration: MatchConfiguration,
    match_limits: MatchLimits,
    limits: EngineLimits,
    chunk_pairs_count: int,
) -> Preflight:
    """Count what a matching would compare, and compare nothing.

    Args:
        sources: of the records; indexes that are absent are made in its folder.
        configuration: of the project.
        match_limits: of blocks and pairs; more pairs than allowed are counted all the same.
        limits: memory, threads, scratch folder.
        chunk_pairs_count: candidate pairs that would be worked off together.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    unrefused = configuration.model_copy(update={"oversized_blocks": OversizedBlocks.SKIP})
    if configuration.oversized_blocks is OversizedBlocks.SPLIT:
        unrefused = configuration
    with open_engine(limits) as con:
        records, _made = open_records(con, sources, configuration)
        sized = size_up_all(con, records, unrefused, match_limits, silent, threads=limits.threads)
    return check_sizes(sized, unrefused, replace(match_limits, max_candidate_pairs=None), chunk_pairs_count)


def _arrays_bytes(sized: Sequence[SizedStrategy], chunk_pairs_count: int) -> int:
    columns = max((len(strategy_columns(one.strategy)) for one in sized), default=0)
    searches = sum(search.bytes_count for one in sized for search in one.searches)
    return searches + chunk_pairs_count * (_BYTES_PER_PAIR + 2 * columns * _BYTES_PER_VALUE)
