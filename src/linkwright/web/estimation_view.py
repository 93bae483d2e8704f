"""Turns the stored result of an estimation into what its page shows. Pure; knows no request and no table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from linkwright.web.formatting import (
    NO_VALUE,
    format_number,
    format_probability,
    format_share,
    format_weight,
)

SHOWN_AROUND = 4.0
"""Thresholds are listed so far below and above the current and the proposed one (log2)."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Compared:
    """A value as it is, and as it is proposed."""

    label: str
    current: str
    proposed: str

    @property
    def is_changed(self) -> bool:
        """Whether the proposal differs, as far as can be read."""
        return self.current != self.proposed


@dataclass(frozen=True)
class LevelView:
    """One comparison level: m, u and match weight, current and proposed."""

    level: str
    current_m: str
    proposed_m: str
    current_u: str
    proposed_u: str
    current_weight: str
    proposed_weight: str
    change: str


@dataclass(frozen=True)
class ComparisonView:
    """One comparison with its levels; `is_m_kept`: nothing in the data told its m."""

    name: str
    is_m_kept: bool
    levels: Sequence[LevelView]


@dataclass(frozen=True)
class ThresholdView:
    """What one match threshold is expected to do."""

    match_weight: str
    pairs: str
    matches: str
    precision: str
    recall: str
    f1: str
    is_proposed: bool


@dataclass(frozen=True)
class RuleView:
    """What one blocking rule finds."""

    rule: str
    pairs: str
    matches_share: str
    recall: str


@dataclass(frozen=True)
class StrategyView:
    """One strategy: its thresholds, what the proposed one does, and the tables below."""

    name: str
    thresholds: Sequence[Compared]
    expected: Sequence[tuple[str, str]]
    comparisons: Sequence[ComparisonView]
    table: Sequence[ThresholdView]
    left_out_count: int
    rules: Sequence[RuleView]


@dataclass(frozen=True)
class EstimationView:
    """All of an estimation."""

    records: str
    prior: Compared
    strategies: Sequence[StrategyView]
    notes: Sequence[str]


def view_estimation(results: Row) -> EstimationView:
    """Sort a stored result into what is shown."""
    return EstimationView(
        records=format_number(results["records_count"]),
        prior=Compared(
            "Prior", format_probability(results["current_prior"]), format_probability(results["estimated_prior"])
        ),
        strategies=[_strategy(one) for one in results["strategies"]],
        notes=results["notes"],
    )


def _strategy(one: Row) -> StrategyView:
    proposed, current = one["proposed_match_threshold"], one["current_match_threshold"]
    lowest, highest = min(proposed, current) - SHOWN_AROUND, max(proposed, current) + SHOWN_AROUND
    rows = [
        _threshold(row, is_proposed=row["match_weight"] == proposed)
        for row in one["thresholds"]
        if lowest <= row["match_weight"] <= highest
    ]
    chosen = next((row for row in rows if row.is_proposed), None)
    return StrategyView(
        name=one["strategy"],
        thresholds=[
            Compared(
                f"{kind.capitalize()} threshold",
                format_weight(one[f"current_{kind}_threshold"]),
                format_weight(one[f"proposed_{kind}_threshold"]),
            )
            for kind in ("match", "review")
        ],
        expected=[
            ("Expected precision", chosen.precision if chosen else NO_VALUE),
            ("Expected recall", chosen.recall if chosen else NO_VALUE),
            ("Expected F1", chosen.f1 if chosen else NO_VALUE),
            ("Expected matches", format_number(round(one["matches_count"]))),
            ("Unlinkable records", format_share(one["unlinkable_share"])),
        ],
        comparisons=[_comparison(item) for item in one["comparisons"]],
        table=rows,
        left_out_count=len(one["thresholds"]) - len(rows),
        rules=[
            RuleView(
                rule["rule"],
                format_number(rule["candidate_pairs_count"]),
                format_share(rule["matches_share"]),
                format_share(rule["recall"]),
            )
            for rule in one["rules"]
        ],
    )


def _comparison(item: Row) -> ComparisonView:
    return ComparisonView(item["name"], not item["is_m_estimated"], [_level(level) for level in item["levels"]])


def _level(level: Row) -> LevelView:
    return LevelView(
        level=level["level"],
        current_m=format_probability(level["current_m"]),
        proposed_m=format_probability(level["estimated_m"]),
        current_u=format_probability(level["current_u"]),
        proposed_u=format_probability(level["estimated_u"]),
        current_weight=format_weight(level["current_weight"]),
        proposed_weight=format_weight(level["estimated_weight"]),
        change=format_weight(level["estimated_weight"] - level["current_weight"]),
    )


def _threshold(row: Row, *, is_proposed: bool) -> ThresholdView:
    return ThresholdView(
        match_weight=format_weight(row["match_weight"]),
        pairs=format_number(round(row["pairs_count"])),
        matches=format_number(round(row["matches_count"])),
        precision=format_share(row["precision"]),
        recall=format_share(row["recall"]),
        f1=f"{row['f1']:.4f}",
        is_proposed=is_proposed,
    )
