"""Owns the run of Match: new records against themselves and all held ones, to one pairs file with its statistics.

Finds candidate pairs with `engine.candidates`, weighs them with the steps that `engine.scoring` writes, chunk by
chunk, so that memory is bounded and progress is honest. Must not decide what a match weighs, nor touch groups or
the catalog.

Source: SPEC section 5 (Match); ARCHITECTURE sections 4 (pairs) and 5.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from linkwright.engine import scoring
from linkwright.engine.blocking import rule_text
from linkwright.engine.candidates import Chunk, candidate_pairs, plan_chunks
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.engine.sql import string_list
from linkwright.engine.strategy import MatchConfiguration
from linkwright.warehouse.blocks import NAMED_BLOCKS_COUNT, BlockSize, SizedStrategy
from linkwright.warehouse.connection import keep_within, open_engine, write_parquet
from linkwright.warehouse.limits import EngineLimits, WrittenFile
from linkwright.warehouse.match_chunks import ChunkScorer, Tally
from linkwright.warehouse.match_parts import MatchParts
from linkwright.warehouse.preflight import Announce, MatchLimits, Preflight, check_sizes, size_up_all
from linkwright.warehouse.record_set import RecordSet
from linkwright.warehouse.record_sources import RecordSources, open_records
from linkwright.warehouse.stages import StageClock
from linkwright.warehouse.term_frequencies import open_term_frequencies

CHUNK_PAIRS_COUNT = 1_000_000


@dataclass(frozen=True)
class MatchRequest:
    """What to match.

    Args:
        sources: records files, new and held, with their match indexes, and ends files.
        configuration: of the project.
        target: the pairs file to write.
        parts_folder: where finished chunks are kept until the caller removes it.
        limits: memory, threads, scratch folder.
        match_limits: of blocks and pairs.
        term_frequencies: the file that belongs to the configuration's version; without one nothing is adjusted.
        chunk_pairs_count: candidate pairs that are worked off together.
    """

    sources: RecordSources
    configuration: MatchConfiguration
    target: Path
    parts_folder: Path
    limits: EngineLimits
    match_limits: MatchLimits
    term_frequencies: Path | None = None
    chunk_pairs_count: int = CHUNK_PAIRS_COUNT


@dataclass(frozen=True)
class RuleCount:
    """What one blocking rule of a strategy found.

    Args:
        strategy: its name.
        blocking_rule: its number in the strategy, from 0.
        rule: in words.
        candidate_pairs_count: counted before anything is compared; with the pairs that earlier rules find too,
            without those that oversized blocks lose.
        scored_pairs_count: pairs that no earlier rule of the strategy found, compared and weighed.
        kept_pairs_count: rows of the pairs file under this strategy and rule.
        oversized_blocks_count: blocks over the size limit.
        oversized_pairs_count: candidate pairs that those would have made.
        split_pairs_count: those of them that were compared after all.
    """

    strategy: str
    blocking_rule: int
    rule: str
    candidate_pairs_count: int
    scored_pairs_count: int
    kept_pairs_count: int
    oversized_blocks_count: int
    oversized_pairs_count: int
    split_pairs_count: int


@dataclass(frozen=True)
class WeightBin:
    """Scored and kept pairs of a strategy with a match weight from `weight_from` to under `weight_from` + 1."""

    strategy: str
    weight_from: int
    scored_pairs_count: int
    kept_pairs_count: int


@dataclass(frozen=True)
class MatchResult:
    """What Match did.

    Args:
        pairs: the file written; its columns as in ARCHITECTURE section 4, and is_match.
        new_count: live new records.
        held_count: live held records.
        rules: per strategy and rule, in order.
        largest_blocks: the ten that make the most pairs, oversized or not. Their values are personal data.
        weights: per strategy, ascending; pairs of deterministic strategies have no finite weight and are left out.
        made_indexes: match indexes that were absent or unusable and have been made, by records file.
        resumed_chunks_count: chunks that an earlier attempt had finished.
        seconds: per stage.
        warnings: full sentences. They can name a block's values: personal data.
    """

    pairs: WrittenFile
    new_count: int
    held_count: int
    rules: tuple[RuleCount, ...]
    largest_blocks: tuple[BlockSize, ...]
    weights: tuple[WeightBin, ...]
    made_indexes: Mapping[Path, WrittenFile]
    resumed_chunks_count: int
    seconds: dict[str, float]
    warnings: tuple[str, ...]

    @property
    def candidate_pairs_count(self) -> int:
        """Candidate pairs of all strategies and rules, counted before matching."""
        return sum(rule.candidate_pairs_count for rule in self.rules)


@dataclass
class _Run:
    """What the stages of one run share, and the tallies that they fill."""

    con: duckdb.DuckDBPyConnection
    request: MatchRequest
    report: ReportProgress
    clock: StageClock = field(default_factory=StageClock)
    tallies: list[tuple[int, Tally]] = field(default_factory=list)
    compared_count: int = 0
    resumed_chunks_count: int = 0


def match_records(
    request: MatchRequest, report: ReportProgress, announce: Announce = lambda _: None
) -> MatchResult:
    """Find, weigh and keep the pairs of new records among themselves and with held ones.

    Args:
        request: what to match.
        report: told the stage and, while scoring, candidate pairs done of all counted.
        announce: told what is about to be compared, once it is counted and before it starts.

    Returns:
        The pairs file and its statistics.

    Raises:
        OverLimitsError: before anything is compared, if it is more than the limits and the configuration allow.
        StorageError: if a file cannot be read or written.
    """
    with open_engine(request.limits) as con:
        run = _Run(con, request, report)
        con.execute("SET preserve_insertion_order = false")
        open_term_frequencies(con, request.term_frequencies)
        report(Progress("index"))
        with run.clock.stage("index"):
            records, made_indexes = open_records(con, request.sources, request.configuration)
        with run.clock.stage("count"):
            threads = request.limits.threads
            sized = size_up_all(con, records, request.configuration, request.match_limits, report, threads=threads)
        preflight = check_sizes(sized, request.configuration, request.match_limits, request.chunk_pairs_count)
        announce(preflight)
        keep_within(con, request.limits.memory_mib, preflight.arrays_bytes)
        _score_all(run, records, sized)
        with run.clock.stage("write"):
            pairs = _write_pairs(run)
    return _result(run, records, sized, preflight, pairs=pairs, made_indexes=made_indexes)


def _score_all(run: _Run, records: RecordSet, sized: Sequence[SizedStrategy]) -> None:
    """Work the chunks of all strategies off, and make kept_pairs hold what they keep."""
    con, request = run.con, run.request
    con.execute(scoring.kept_pairs_table_sql(request.configuration))
    plans = [plan_chunks(one.searches, records.new_count, request.chunk_pairs_count) for one in sized]
    chunks = [(number, chunk) for number, plan in enumerate(plans) for chunk in plan]
    total = sum(chunk.pairs_count for _number, chunk in chunks)
    scorer = ChunkScorer(con, records, request.configuration, request.limits.threads)
    run.report(Progress("score", 0, total, "pairs"))
    if len(chunks) <= 1:
        for number, chunk in chunks:
            _score_chunk(run, scorer, sized, number, chunk)
    else:
        _score_in_parts(run, scorer, records, sized, chunks)
    run.report(Progress("score", total, total, "pairs"))


def _write_pairs(run: _Run) -> WrittenFile:
    """Write kept_pairs, each pair once, sorted."""
    kept_count = int(run.con.execute("SELECT count(*) FROM kept_pairs").fetchall()[0][0])

    def tell(part: float) -> None:
        run.report(Progress("write", int(part * kept_count), kept_count, "pairs"))

    tell(0)
    written = write_parquet(run.con, scoring.pairs_file_sql(run.request.configuration), run.request.target, tell)
    tell(1)
    return written


def _score_in_parts(
    run: _Run,
    scorer: ChunkScorer,
    records: RecordSet,
    sized: Sequence[SizedStrategy],
    chunks: Sequence[tuple[int, Chunk]],
) -> None:
    """Score chunk by chunk, each to a part of its own; what an earlier attempt has finished is taken over."""
    con, total = run.con, sum(chunk.pairs_count for _number, chunk in chunks)
    parts = MatchParts(run.request.parts_folder, _fingerprint(run.request))
    names = [f"strategy{number}-record{chunk.first}" for number, chunk in chunks]
    for name, (number, chunk) in zip(names, chunks, strict=True):
        finished = parts.find(name)
        if finished is None:
            tallies = _score_chunk(run, scorer, sized, number, chunk)
            records.release()
            with run.clock.stage("part"):
                parts.add(con, name, "SELECT * FROM kept_pairs", tallies)
                con.execute("DELETE FROM kept_pairs")
        else:
            run.tallies += [(number, tally) for tally in finished]
            run.resumed_chunks_count += 1
        run.compared_count += chunk.pairs_count
        run.report(Progress("score", run.compared_count, total, "pairs"))
    files = string_list(parts.paths(names))
    con.execute("ALTER TABLE kept_pairs RENAME TO no_pairs")
    con.execute(
        "CREATE TEMP VIEW kept_pairs AS FROM no_pairs UNION ALL BY NAME "
        f"FROM read_parquet({files}, union_by_name = true)"
    )


def _score_chunk(
    run: _Run, scorer: ChunkScorer, sized: Sequence[SizedStrategy], number: int, chunk: Chunk
) -> tuple[Tally, ...]:
    with run.clock.stage("candidates"):
        pairs = candidate_pairs(sized[number].searches, chunk)
    with run.clock.stage("score"):
        tallies = scorer.score(number, pairs)
    run.tallies += [(number, tally) for tally in tallies]
    return tallies


def _fingerprint(request: MatchRequest) -> str:
    """Return what tells this run from every other: its files, its configuration, how it is cut."""
    sources = request.sources
    decides = [
        *(path.name for path in (*sources.new, *sources.held, *sources.ended)),
        str(request.term_frequencies and request.term_frequencies.name),
        request.configuration.model_dump_json(),
        str(request.match_limits),
        str(request.chunk_pairs_count),
    ]
    return hashlib.sha256("\n".join(decides).encode()).hexdigest()


def _result(
    run: _Run,
    records: RecordSet,
    sized: Sequence[SizedStrategy],
    preflight: Preflight,
    *,
    pairs: WrittenFile,
    made_indexes: Mapping[Path, WrittenFile],
) -> MatchResult:
    strategies = run.request.configuration.strategies
    weights: dict[tuple[int, int], Counter[str]] = {}
    for number, tally in run.tallies:
        if tally.weight_from is not None:
            counts = weights.setdefault((number, tally.weight_from), Counter())
            counts.update(scored=tally.scored_pairs_count, kept=tally.kept_pairs_count)
    return MatchResult(
        pairs=pairs,
        new_count=records.live_new_count,
        held_count=records.live_held_count,
        rules=_rule_counts(run, sized),
        largest_blocks=preflight.largest_blocks[:NAMED_BLOCKS_COUNT],
        weights=tuple(
            WeightBin(strategies[number].name, weight_from, counts["scored"], counts["kept"])
            for (number, weight_from), counts in sorted(weights.items())
        ),
        made_indexes=made_indexes,
        resumed_chunks_count=run.resumed_chunks_count,
        seconds=run.clock.seconds,
        warnings=preflight.warnings,
    )


def _rule_counts(run: _Run, sized: Sequence[SizedStrategy]) -> tuple[RuleCount, ...]:
    scored: Counter[tuple[int, int]] = Counter()
    kept: Counter[tuple[int, int]] = Counter()
    for number, tally in run.tallies:
        scored[number, tally.blocking_rule] += tally.scored_pairs_count
        kept[number, tally.blocking_rule] += tally.kept_pairs_count
    if len(sized) > 1:
        # of the pairs that several strategies keep, the file has one row
        kept = Counter(_stored_counts(run))
    return tuple(
        RuleCount(
            strategy=one.strategy.name,
            blocking_rule=rule_number,
            rule=rule_text(rule),
            candidate_pairs_count=blocks.candidate_pairs_count,
            scored_pairs_count=scored[number, rule_number],
            kept_pairs_count=kept[number, rule_number],
            oversized_blocks_count=blocks.oversized_blocks_count,
            oversized_pairs_count=blocks.oversized_pairs_count,
            split_pairs_count=blocks.split_pairs_count,
        )
        for number, one in enumerate(sized)
        for rule_number, (rule, blocks) in enumerate(zip(one.strategy.blocking_rules, one.rules, strict=True))
    )


def _stored_counts(run: _Run) -> dict[tuple[int, int], int]:
    """Count the rows of the pairs file per strategy and rule."""
    numbers = {strategy.name: number for number, strategy in enumerate(run.request.configuration.strategies)}
    with open_engine(run.request.limits) as con:
        rows = con.execute(
            "SELECT strategy, blocking_rule, count(*) FROM read_parquet(?) GROUP BY ALL", [str(run.request.target)]
        ).fetchall()
    return {(numbers[strategy], rule): count for strategy, rule, count in rows}
