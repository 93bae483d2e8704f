"""Tries a draft of a match configuration on a sample of a project's live records; keeps nothing of it.

One trial at a time on a server, bounded in records, pairs, memory and time: whoever comes meanwhile is told so.
Who saw the values of which records stands in the audit log.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from linkwright.config import ServerConfig
from linkwright.engine.progress import Progress
from linkwright.engine.strategy import MatchConfiguration, Strategy
from linkwright.engine.term_frequencies import frequency_fields
from linkwright.errors import LinkwrightError
from linkwright.jobs.match import match_limits
from linkwright.jobs.project_form import current_version, linkage_fields
from linkwright.queue.lock import FileLock
from linkwright.services.live_project import LiveProject, may_see_values, open_live_project
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import LinkageProject
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import RecordKey
from linkwright.warehouse.match import MatchRequest, MatchResult, RuleCount, match_records
from linkwright.warehouse.record_keys import read_record_keys
from linkwright.warehouse.record_sources import RecordSources
from linkwright.warehouse.record_values import RecordValues, read_record_values
from linkwright.warehouse.trial import Sample, TrialPair, count_verdicts, pairs_around, write_sample

SAMPLED_RECORDS_COUNT = 20_000
MAX_PAIRS_COUNT = 3_000_000
MAX_S = 30.0
MAX_MEMORY_MIB = 512
MAX_THREADS = 2
EXAMPLES_COUNT = 3
_CHUNK_PAIRS_COUNT = 100_000
_BELOW_REVIEW = 6.0
"""How far under the review threshold (log2) pairs are kept, to be shown as examples."""

_LOCK_FILE = "try-match.lock"


class TrialError(LinkwrightError):
    """The trial cannot be made, or would take too much; the text says what to do."""


class TrialBusyError(TrialError):
    """Somebody else tries a match configuration on this server at this moment."""


@dataclass(frozen=True)
class ExampleRecord:
    """One record of an example; `values`: per linkage field, None if whoever looks may not see them."""

    record_id: int
    key: RecordKey
    values: RecordValues | None


@dataclass(frozen=True)
class ExamplePair:
    """A pair near a threshold."""

    match_weight: float
    one: ExampleRecord
    other: ExampleRecord


@dataclass(frozen=True)
class Examples:
    """The pairs nearest to a threshold, `over` it (or at it) and `under` it."""

    threshold: float
    is_match: bool
    over: Sequence[ExamplePair]
    under: Sequence[ExamplePair]


@dataclass(frozen=True)
class WeightCount:
    """Pairs with a match weight from `weight` to under `weight` + 1: all weighed, linked, for review."""

    weight: int
    scored_count: int
    linked_count: int
    review_count: int


@dataclass(frozen=True)
class StrategyTrial:
    """What one strategy did with the sample."""

    strategy: Strategy
    rules: Sequence[RuleCount]
    weights: Sequence[WeightCount]
    examples: Sequence[Examples]

    @property
    def linked_count(self) -> int:
        """Pairs at or over the match threshold."""
        if self.strategy.is_deterministic:
            return sum(rule.kept_pairs_count for rule in self.rules)
        return sum(one.linked_count for one in self.weights)

    @property
    def review_count(self) -> int:
        """Pairs between the thresholds."""
        return sum(one.review_count for one in self.weights)


@dataclass(frozen=True)
class MatchTrial:
    """What a draft did with a sample.

    Args:
        live_count: live records of the project.
        sampled_count: of them in the sample, of whole groups.
        seconds: that it took.
        strategies: in order.
        warnings: full sentences; they can name values, marked as identifying.
        lacks_frequencies: whether the draft asks for term frequencies that there are none of.
        shows_values: whether the examples hold values.
    """

    live_count: int
    sampled_count: int
    seconds: float
    strategies: Sequence[StrategyTrial]
    warnings: Sequence[str]
    lacks_frequencies: bool
    shows_values: bool

    @property
    def linked_count(self) -> int:
        """Pairs that link, each once: one that several strategies find is counted with one of them."""
        return sum(one.linked_count for one in self.strategies)

    @property
    def review_count(self) -> int:
        """Pairs for review, each once."""
        return sum(one.review_count for one in self.strategies)


def try_match(
    config: ServerConfig, actor: Actor, project: LinkageProject, configuration: MatchConfiguration
) -> MatchTrial:
    """Match a sample of the project's live records among themselves, and show what came of it.

    Raises:
        TrialBusyError: if another trial runs.
        TrialError: if the project holds no records, or the time is over.
        OverLimitsError: if the draft would compare too many pairs; nothing was compared.
        StorageError: if a file cannot be read.
    """
    started_s = time.monotonic()
    with _alone(config), open_live_project(config, project) as live:
        limits = replace(
            live.limits,
            memory_mib=min(MAX_MEMORY_MIB, live.limits.memory_mib),
            threads=min(MAX_THREADS, live.limits.threads),
        )
        limits.scratch_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sample = write_sample(limits, live.files, SAMPLED_RECORDS_COUNT, limits.scratch_folder / "sample.parquet")
        if not sample.records_count:
            raise TrialError(
                f"{project.code} holds no records to try it on. Load a data file first; until then a draft "
                "can be checked only."
            )
        run = _Trial(live, limits, sample, configuration, shows_values=may_see_values(actor, project))
        result = run.match(started_s)
        strategies = [run.strategy(strategy, result) for strategy in configuration.strategies]
        run.log_look(actor)
    return MatchTrial(
        live_count=sample.live_count,
        sampled_count=sample.records_count,
        seconds=time.monotonic() - started_s,
        strategies=strategies,
        warnings=result.warnings,
        lacks_frequencies=run.lacks_frequencies,
        shows_values=run.shows_values,
    )


@contextmanager
def _alone(config: ServerConfig) -> Iterator[None]:
    lock = FileLock(config.home / _LOCK_FILE)
    if not lock.try_acquire():
        raise TrialBusyError(
            "Somebody tries a match configuration on this server at this moment, and one trial runs at a time. "
            "Try again in half a minute."
        )
    try:
        yield
    finally:
        lock.release()


class _Trial:
    """One run over one sample."""

    def __init__(
        self,
        live: LiveProject,
        limits: EngineLimits,
        sample: Sample,
        configuration: MatchConfiguration,
        *,
        shows_values: bool,
    ) -> None:
        self._live, self._limits, self._sample, self._configuration = live, limits, sample, configuration
        self._target = limits.scratch_folder / "pairs.parquet"
        self._verdicts: dict[tuple[str, int], tuple[int, int]] | None = None
        self._looked: dict[int, RecordKey] = {}
        version = current_version(live.project)
        self._frequencies = version.term_frequencies if version else ""
        self.shows_values = shows_values

    @property
    def lacks_frequencies(self) -> bool:
        """Whether the draft asks for term frequencies that there are none of."""
        return bool(frequency_fields(self._configuration)) and not self._frequencies

    def match(self, started_s: float) -> MatchResult:
        """Match the sample; pairs a little under the review threshold are kept, too."""

        def in_time(_progress: Progress) -> None:
            if time.monotonic() - started_s > MAX_S:
                raise TrialError(
                    f"The trial took more than {MAX_S:.0f} s and was stopped. Add a field to the blocking rules "
                    "that find the most pairs, then try again."
                )

        folder = self._limits.scratch_folder
        request = MatchRequest(
            sources=RecordSources((self._sample.path,), (), (), folder, "trial"),
            configuration=_with_lower_review(self._configuration),
            target=self._target,
            parts_folder=folder / "parts",
            limits=self._limits,
            match_limits=replace(match_limits(self._live.project), max_candidate_pairs=MAX_PAIRS_COUNT),
            term_frequencies=self._live.folder / self._frequencies if self._frequencies else None,
            chunk_pairs_count=_CHUNK_PAIRS_COUNT,
        )
        return match_records(request, in_time)

    def strategy(self, strategy: Strategy, result: MatchResult) -> StrategyTrial:
        """Gather what a strategy did."""
        if self._verdicts is None:
            self._verdicts = count_verdicts(self._limits, self._target, self._configuration)
        weights = [
            WeightCount(
                one.weight_from,
                one.scored_pairs_count,
                *self._verdicts.get((strategy.name, one.weight_from), (0, 0)),
            )
            for one in result.weights
            if one.strategy == strategy.name
        ]
        rules = [rule for rule in result.rules if rule.strategy == strategy.name]
        return StrategyTrial(strategy, rules, weights, self._examples(strategy))

    def _examples(self, strategy: Strategy) -> list[Examples]:
        thresholds = dict.fromkeys((strategy.match_threshold, strategy.review_threshold))
        found = []
        for threshold in thresholds:
            if threshold is None:
                continue
            over, under = pairs_around(self._limits, self._target, strategy, threshold, EXAMPLES_COUNT)
            if threshold != strategy.match_threshold:
                # what links stands with the other threshold
                over = [one for one in over if one.match_weight < (strategy.match_threshold or 0.0)]
            records = self._records([*over, *under])
            over_shown, under_shown = (
                [ExamplePair(one.match_weight, records[one.record_id_l], records[one.record_id_r]) for one in side]
                for side in (over, under)
            )
            is_match = threshold == strategy.match_threshold
            found.append(Examples(threshold, is_match, over_shown, under_shown))
        return found

    def _records(self, pairs: Sequence[TrialPair]) -> dict[int, ExampleRecord]:
        ids = {record_id for one in pairs for record_id in (one.record_id_l, one.record_id_r)}
        keys = read_record_keys(self._limits, self._live.files, ids)
        values: dict[int, RecordValues] = {}
        if self.shows_values:
            fields = linkage_fields(self._live.project)
            values = read_record_values(self._limits, self._live.files, fields, ids)
            self._looked |= keys
        return {one: ExampleRecord(one, keys[one], values.get(one)) for one in ids}

    def log_look(self, actor: Actor) -> None:
        """Note in the audit log whose values are about to be shown, if any are."""
        if self._looked:
            record_action(
                actor,
                "see identifying values",
                "a trial of the match configuration",
                project_code=self._live.project.code,
                detail={"records": [str(key) for _record_id, key in sorted(self._looked.items())]},
            )


def _with_lower_review(configuration: MatchConfiguration) -> MatchConfiguration:
    lowered = tuple(
        one
        if one.review_threshold is None
        else one.model_copy(update={"review_threshold": one.review_threshold - _BELOW_REVIEW})
        for one in configuration.strategies
    )
    return configuration.model_copy(update={"strategies": lowered})
