"""Owns the match configuration: strategies of blocking rules, comparisons with their levels, and thresholds.

Reads a configuration from plain data, and refuses a bad one with all its faults at once. Must not know SQL, files
or records.

Several strategies each find and score their own candidate pairs. A pair that several keep is stored once: a
strategy that takes it for a match (at or over its match threshold) goes before one that only asks for review;
then the highest weight goes first, deterministic before all; then the strategy that stands first.

Source: SPEC section 1 (match configuration, strategy) and 5; Fellegi and Sunter (1969); levels as in Splink 5.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from linkwright.engine.blocking import BlockingExpression
from linkwright.engine.comparisons import Comparison, ComparisonLevel, Name, Number, TermFrequency
from linkwright.engine.fields import LinkageField
from linkwright.engine.strategy_faults import FIELDS, PartFault, PartFaultsError, sentences
from linkwright.errors import ConfigurationError

_Rule = Annotated[tuple[BlockingExpression, ...], Field(min_length=1)]


class Strategy(BaseModel):
    """One way to find and judge candidate pairs.

    Args:
        name: unique in the configuration.
        blocking_rules: at least one; a pair that meets any of them is a candidate.
        match_threshold: the match weight (log2, prior included) from which a pair joins groups. A strategy with
            comparisons needs it.
        review_threshold: the lower match weight from which a pair is kept for review; the match threshold if
            left out.
        comparisons: none makes the strategy deterministic: every candidate is a match of infinite weight, and
            there are no thresholds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    blocking_rules: tuple[_Rule, ...] = Field(min_length=1, max_length=100)
    match_threshold: Number | None = None
    review_threshold: Number | None = Field(default=None, validate_default=True)
    comparisons: tuple[Comparison, ...] = ()

    @field_validator("review_threshold")
    @classmethod
    def _is_the_lower(cls, value: float | None, info: ValidationInfo) -> float | None:
        match_threshold: float | None = info.data.get("match_threshold")
        if value is None:
            return match_threshold
        if match_threshold is not None and value > match_threshold:
            raise ValueError(
                f"{value} is over the match_threshold {match_threshold}. Pairs between the two are for review: "
                "lower it, or raise the match_threshold."
            )
        return value

    @property
    def is_deterministic(self) -> bool:
        """Whether every candidate pair is a match."""
        return not self.comparisons

    @property
    def highest_weight(self) -> float:
        """The highest sum of level weights that a pair can have, without the prior."""
        return sum(item.highest_weight for item in self.comparisons)


class OversizedBlocks(StrEnum):
    """What becomes of a block with more records than the setting Worker.Match.MaxBlockSize allows."""

    SPLIT = "split"
    SKIP = "skip"
    FAIL = "fail"


class MatchConfiguration(BaseModel):
    """All that decides which pairs of a project's records are found, and what they weigh.

    Args:
        prior: the probability that two random records belong to one person.
        strategies: at least one.
        oversized_blocks: what becomes of a block over the limit: `split` compares those of its pairs that also
            share the block of a later rule; `skip` leaves its pairs to the other rules; `fail` fails the job
            before anything is compared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prior: Annotated[Number, Field(gt=0, lt=1)]
    strategies: tuple[Strategy, ...] = Field(min_length=1, max_length=100)
    oversized_blocks: OversizedBlocks = OversizedBlocks.SPLIT

    @model_validator(mode="after")
    def _can_match(self) -> Self:
        faults: list[PartFault] = []
        for index, strategy in enumerate(self.strategies):
            highest = self.prior_weight + strategy.highest_weight
            if strategy.is_deterministic or strategy.match_threshold is None:
                continue
            if highest < strategy.match_threshold:
                why = f"full agreement weighs {highest:.2f}, the prior included"
                faults.append(
                    (
                        ("strategies", index, "match_threshold"),
                        f"{strategy.match_threshold} cannot be reached: {why}. Lower it, or correct m and u.",
                    )
                )
        if faults:
            raise PartFaultsError(faults)
        return self

    @property
    def prior_weight(self) -> float:
        """log2 of the prior's odds: what every pair's match weight starts from."""
        return math.log2(self.prior / (1 - self.prior))

    @property
    def match_thresholds(self) -> dict[str, float]:
        """Per strategy name the match weight from which its pairs join groups (infinity if deterministic)."""
        return {
            strategy.name: math.inf if strategy.match_threshold is None else strategy.match_threshold
            for strategy in self.strategies
        }

    @property
    def comparison_names(self) -> tuple[str, ...]:
        """The names of all comparisons of all strategies, each once, in order of appearance."""
        return tuple(dict.fromkeys(item.name for strategy in self.strategies for item in strategy.comparisons))


def parse_match_configuration(
    data: object, fields: Sequence[LinkageField], path: str = "match"
) -> MatchConfiguration:
    """Read a match configuration from plain data, as a project file or the database holds it.

    Args:
        data: a mapping of strings, numbers, lists and mappings.
        fields: the project's linkage fields.
        path: where the configuration stands in its file; the faults begin with it.

    Raises:
        ConfigurationError: naming every fault at once: its path, the value, what is allowed, the remedy.
    """
    faults: list[str] = []
    try:
        configuration = MatchConfiguration.model_validate(
            data, context={FIELDS: {field.name: field for field in fields}}
        )
    except ValidationError as error:
        faults = sentences(error, path, _KEYS)
    # what concerns several parts is looked for in the plain data, to be told together with what is wrong in them
    faults.extend(f"{path}.{fault}" for fault in _shared_faults(data))
    if faults:
        raise ConfigurationError("The match configuration is refused.", faults)
    return configuration


_KEYS = {
    "": tuple(MatchConfiguration.model_fields),
    "strategies": tuple(Strategy.model_fields),
    "blocking_rules": tuple(BlockingExpression.model_fields),
    "comparisons": tuple(Comparison.model_fields),
    "levels": tuple(ComparisonLevel.model_fields),
    "term_frequency": tuple(TermFrequency.model_fields),
}


def _shared_faults(data: object) -> list[str]:
    """Name what is wrong between parts: names given twice, and thresholds that are absent or of no use."""
    strategies = _mappings_in(data, "strategies")
    faults = _double_names("strategies", strategies)
    for index, strategy in strategies:
        place = f"strategies[{index}]"
        faults.extend(_double_names(f"{place}.comparisons", _mappings_in(strategy, "comparisons")))
        faults.extend(_double_rules(f"{place}.blocking_rules", strategy.get("blocking_rules")))
        if strategy.get("comparisons"):
            if strategy.get("match_threshold") is None:
                faults.append(
                    f"{place}.match_threshold: is missing. Add the match weight (log2) that makes a match."
                )
            continue
        faults.extend(
            f"{place}.{key}: {strategy[key]!r} is of no use: without comparisons, each pair of the strategy is a "
            "match. Remove it, or add comparisons."
            for key in ("match_threshold", "review_threshold")
            if strategy.get(key) is not None
        )
    return faults


def _mappings_in(data: object, key: str) -> list[tuple[int, Mapping[str, Any]]]:
    values = data.get(key) if isinstance(data, Mapping) else None
    if not isinstance(values, list | tuple):
        return []
    return [(index, value) for index, value in enumerate(values) if isinstance(value, Mapping)]


def _double_names(place: str, parts: Sequence[tuple[int, Mapping[str, Any]]]) -> list[str]:
    names = [(index, str(part.get("name", part.get("field")))) for index, part in parts]
    counts = Counter(name for _index, name in names)
    last = {name: index for index, name in names}
    return [
        f"{place}[{last[name]}].name: {name!r} is given {count} times. Each name may occur once: choose another."
        for name, count in counts.items()
        if count > 1
    ]


def _double_rules(place: str, rules: object) -> list[str]:
    if not isinstance(rules, list | tuple):
        return []
    counts = Counter(repr(rule) for rule in rules)
    return [
        f"{place}: {rule} is given {count} times and would find nothing the second time. Remove it."
        for rule, count in counts.items()
        if count > 1
    ]
