"""Turns the explanation of a pair into what its page shows. Pure; knows no request and no table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from linkwright.engine.explanation import FieldPart, PairExplanation, Verdict
from linkwright.services.explain_pair import ExplainedPair
from linkwright.web.formatting import NO_VALUE, format_probability, format_weight

_VERDICTS = {
    Verdict.MATCH: "match",
    Verdict.REVIEW: "for review",
    Verdict.NO_MATCH: "no match",
    Verdict.NOT_COMPARED: "not compared",
}
_LONGEST_VALUE = 60


@dataclass(frozen=True)
class PartRow:
    """One line of a strategy's sum; `left` and `right` are None where values are hidden."""

    name: str
    left: str | None
    right: str | None
    level: str
    m: str
    u: str
    weight: str
    total: str
    differs: bool


@dataclass(frozen=True)
class StrategyRows:
    """What one strategy makes of the pair."""

    name: str
    verdict: str
    is_match: bool
    rules: Sequence[str]
    is_deterministic: bool
    rows: Sequence[PartRow]
    match_weight: str
    match_threshold: str
    review_threshold: str


@dataclass(frozen=True)
class PairView:
    """All of a pair's page."""

    strategies: Sequence[StrategyRows]
    path: Sequence[tuple[str, str, str, str]]


def view_pair(explained: ExplainedPair) -> PairView:
    """Sort an explanation into what is shown."""
    path = explained.path or ()
    return PairView(
        strategies=[_strategy(one, explained.prior) for one in explained.strategies],
        path=[(str(one.start), str(one.end), _weight(one.match_weight), one.strategy) for one in path]
        if len(path) > 1
        else [],
    )


def _strategy(one: PairExplanation, prior: float) -> StrategyRows:
    return StrategyRows(
        name=one.strategy,
        verdict=_VERDICTS[one.verdict],
        is_match=one.verdict is Verdict.MATCH,
        rules=one.rules,
        is_deterministic=one.is_deterministic,
        rows=_rows(one, prior),
        match_weight=NO_VALUE if one.match_weight is None else _weight(one.match_weight),
        match_threshold=NO_VALUE if one.match_threshold is None else format_weight(one.match_threshold),
        review_threshold=NO_VALUE if one.review_threshold is None else format_weight(one.review_threshold),
    )


def _rows(one: PairExplanation, prior: float) -> list[PartRow]:
    if one.is_deterministic:
        return []
    at = one.prior_weight
    weight = format_weight(at)
    rows = [
        PartRow(
            "prior", "", "", f"{format_probability(prior)} of random pairs", "", "", weight, weight, differs=False
        )
    ]
    for part in one.parts:
        at += part.weight
        rows.append(_part(part, at))
        if part.frequency_weight:
            at += part.frequency_weight
            told = format_weight(part.frequency_weight)
            total = format_weight(at)
            rows.append(PartRow("", "", "", "how frequent it is", "", "", told, total, differs=False))
    return rows


def _part(part: FieldPart, at: float) -> PartRow:
    left, right = _sides(part)
    return PartRow(
        name=part.comparison.replace("_", " "),
        left=left,
        right=right,
        level=part.level,
        m="" if part.m_probability is None else format_probability(part.m_probability),
        u="" if part.u_probability is None else format_probability(part.u_probability),
        weight=format_weight(part.weight),
        total=format_weight(at),
        differs=left is not None and NO_VALUE not in {left, right} and left != right,
    )


def _sides(part: FieldPart) -> tuple[str | None, str | None]:
    if part.values is None:
        return None, None
    left = " / ".join(_value(one.left) for one in part.values)
    right = " / ".join(_value(one.right) for one in part.values)
    return left, right


def _value(text: str | None) -> str:
    if text is None:
        return NO_VALUE
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _weight(weight: float) -> str:
    return format_weight(weight) if math.isfinite(weight) else "∞"
