"""Turns a match configuration into what its page shows. Pure; knows no request and no table."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isinf

from linkwright.engine.blocking import rule_text
from linkwright.engine.comparisons import Comparison, ComparisonLevel
from linkwright.engine.configuration_differences import Difference
from linkwright.engine.strategy import MatchConfiguration, Strategy
from linkwright.web.formatting import NO_VALUE, format_number, format_probability, format_weight
from linkwright.web.match_words import METHOD_WORDS, OVERSIZED_WORDS, level_words

_HALF = 50.0
"""Percent: a bar of weights starts in the middle."""


@dataclass(frozen=True)
class WeightBar:
    """A match weight as a small bar: to the right of the middle if it speaks for a match, else to the left.

    `start` and `width` are percent of the drawing.
    """

    text: str
    start: float
    width: float

    @property
    def is_against(self) -> bool:
        """Whether the weight speaks against a match."""
        return self.start < _HALF


@dataclass(frozen=True)
class LevelView:
    """One level: when a pair is in it, how often that is, what it weighs."""

    words: str
    m: str
    u: str
    weight: WeightBar
    is_adjusted: bool


@dataclass(frozen=True)
class ComparisonView:
    """One comparison with its levels."""

    name: str
    fields: str
    method: str
    method_words: str
    frequency: str
    levels: Sequence[LevelView]


@dataclass(frozen=True)
class StrategyView:
    """One strategy."""

    name: str
    is_deterministic: bool
    match_threshold: str
    review_threshold: str
    has_review: bool
    highest: str
    rules: Sequence[str]
    comparisons: Sequence[ComparisonView]


@dataclass(frozen=True)
class ConfigurationView:
    """All of a match configuration."""

    prior: str
    prior_odds: str
    prior_weight: str
    oversized: str
    oversized_words: str
    strategies: Sequence[StrategyView]


@dataclass(frozen=True)
class DifferenceView:
    """The differences in one place."""

    place: Sequence[str]
    lines: Sequence[Difference]


def view_configuration(configuration: MatchConfiguration) -> ConfigurationView:
    """Sort a configuration into what is shown."""
    largest = largest_weight(configuration)
    prior_weight = configuration.prior_weight
    return ConfigurationView(
        prior=format_probability(configuration.prior),
        prior_odds=format_number(round(1 / configuration.prior)),
        prior_weight=format_weight(prior_weight),
        oversized=configuration.oversized_blocks.value,
        oversized_words=OVERSIZED_WORDS[configuration.oversized_blocks],
        strategies=[_strategy(one, prior_weight, largest) for one in configuration.strategies],
    )


def largest_weight(configuration: MatchConfiguration) -> float:
    """Return the largest weight of a level, by magnitude: bars are drawn to that scale."""
    levels = (level for one in configuration.strategies for item in one.comparisons for level in item.levels)
    return max((abs(level.match_weight) for level in levels), default=1.0) or 1.0


def weight_bar(weight: float, largest: float) -> WeightBar:
    """Draw a weight to scale."""
    width = min(abs(weight) / largest, 1.0) * _HALF
    return WeightBar(format_weight(weight), _HALF if weight >= 0 else _HALF - width, width)


def view_differences(differences: Sequence[Difference]) -> list[DifferenceView]:
    """Gather differences by the place that they are in; a part that came or went stands by itself."""

    def place(one: Difference) -> tuple[str, ...]:
        return one.place

    return [DifferenceView(where, list(lines)) for where, lines in groupby(differences, key=place)]


def _highest(weight: float) -> str:
    # a term frequency without a least u lets a value that nobody has weigh anything
    return "any weight: the rarer the values, the more" if isinf(weight) else format_weight(weight)


def _strategy(strategy: Strategy, prior_weight: float, largest: float) -> StrategyView:
    match, review = strategy.match_threshold, strategy.review_threshold
    return StrategyView(
        name=strategy.name,
        is_deterministic=strategy.is_deterministic,
        match_threshold=NO_VALUE if match is None else format_weight(match),
        review_threshold=NO_VALUE if review is None else format_weight(review),
        has_review=review != match,
        highest=_highest(prior_weight + strategy.highest_weight),
        rules=[rule_text(rule) for rule in strategy.blocking_rules],
        comparisons=[_comparison(item, largest) for item in strategy.comparisons],
    )


def _comparison(item: Comparison, largest: float) -> ComparisonView:
    adjusted, frequency = item.adjusted_levels, item.term_frequency
    told = ""
    if frequency is not None:
        floor = f", no value rarer than {format_probability(frequency.minimum_u)}" if frequency.minimum_u else ""
        told = f"Rare values weigh more, frequent ones less (weight {format_number(frequency.weight)}{floor})."
    return ComparisonView(
        name=item.name,
        fields=" and ".join(item.columns),
        method=item.method.value,
        method_words=METHOD_WORDS[item.method],
        frequency=told,
        levels=[
            _level(level, largest, is_adjusted=item.level_number(index) in adjusted)
            for index, level in enumerate(item.levels)
        ],
    )


def _level(level: ComparisonLevel, largest: float, *, is_adjusted: bool) -> LevelView:
    return LevelView(
        words=level_words(level),
        m=format_probability(level.m_probability),
        u=format_probability(level.u_probability),
        weight=weight_bar(level.match_weight, largest),
        is_adjusted=is_adjusted,
    )
