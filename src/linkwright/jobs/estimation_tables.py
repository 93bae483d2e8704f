"""The result of an estimation as plain values: what is stored, and the flat tables that are read and downloaded.

Must not estimate. The keys are those of `engine.proposal` and `engine.thresholds`, so that the stored tables draw
the plots of `engine.estimation_charts`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from linkwright.engine import estimation_charts
from linkwright.engine.charts import Plot
from linkwright.engine.proposal import LevelEstimate, StrategyEstimate
from linkwright.warehouse.estimate import EstimateResult

Row = Mapping[str, Any]


def estimation_results(result: EstimateResult) -> dict[str, Any]:
    """Return all that was estimated, strategy by strategy, as it is stored.

    Returns:
        records_count, current_prior, estimated_prior, notes, and strategies: per strategy its numbers and the
        lists comparisons (name, is_m_estimated, levels), rules, thresholds and unlinkables.
    """
    return {
        "records_count": result.records_count,
        "current_prior": result.current_prior,
        "estimated_prior": result.estimated_prior,
        "strategies": [_strategy(one) for one in result.strategies],
        "notes": list(result.notes),
    }


def estimation_plots(results: Mapping[str, Any]) -> list[Plot]:
    """Return the plots of stored results, of each strategy in turn; each has a name of its own."""
    strategies = results["strategies"]
    plots = []
    for strategy in strategies:
        for plot in _plots(strategy):
            of = strategy["strategy"]
            is_one = len(strategies) == 1
            name = plot.name if is_one else f"{of}_{plot.name}"
            plots.append(replace(plot, name=name, title=plot.title if is_one else f"{of}: {plot.title}"))
    return plots


def strategy_rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row a strategy: its thresholds, and what the proposed one is expected to do."""
    return [
        {
            "strategy": strategy["strategy"],
            "matches_count": round(strategy["matches_count"]),
            "current_match_threshold": strategy["current_match_threshold"],
            "proposed_match_threshold": strategy["proposed_match_threshold"],
            "current_review_threshold": strategy["current_review_threshold"],
            "proposed_review_threshold": strategy["proposed_review_threshold"],
            **_expected(strategy),
            "unlinkable_share": strategy["unlinkable_share"],
        }
        for strategy in results["strategies"]
    ]


def parameter_rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row a comparison level: m, u and match weight, current and estimated."""
    return [
        {"strategy": strategy["strategy"], "comparison": comparison["name"], **level}
        for strategy in results["strategies"]
        for comparison in strategy["comparisons"]
        for level in comparison["levels"]
    ]


def rows_of(results: Mapping[str, Any], table: str) -> list[dict[str, Any]]:
    """Return the rows of a table that every strategy has: `rules`, `thresholds` or `unlinkables`."""
    return [
        {"strategy": strategy["strategy"], **row} for strategy in results["strategies"] for row in strategy[table]
    ]


def _strategy(one: StrategyEstimate) -> dict[str, Any]:
    return {
        **asdict(one),
        "candidate_pairs_count": sum(rule.candidate_pairs_count for rule in one.rules),
        "comparisons": [
            {
                "name": item.name,
                "is_m_estimated": item.is_m_estimated,
                "levels": [_level(level) for level in item.levels],
            }
            for item in one.comparisons
        ],
    }


def _level(level: LevelEstimate) -> dict[str, Any]:
    return {
        **asdict(level),
        "m_pairs_count": round(level.m_pairs_count, 1),
        "current_weight": round(level.current_weight, 6),
        "estimated_weight": round(level.estimated_weight, 6),
    }


def _plots(strategy: Row) -> Iterator[Plot]:
    yield estimation_charts.match_weights_plot(strategy["comparisons"])
    yield estimation_charts.m_and_u_plot(strategy["comparisons"])
    yield estimation_charts.thresholds_plot(
        strategy["thresholds"],
        proposed_threshold=strategy["proposed_match_threshold"],
        current_threshold=strategy["current_match_threshold"],
    )
    yield estimation_charts.unlinkables_plot(
        strategy["unlinkables"], match_threshold=strategy["proposed_match_threshold"]
    )


def _expected(strategy: Row) -> dict[str, float]:
    thresholds: Sequence[Row] = strategy["thresholds"]
    proposed = strategy["proposed_match_threshold"]
    found = [row for row in thresholds if row["match_weight"] == proposed]
    return {key: round(found[0][key], 4) for key in ("precision", "recall", "f1")} if found else {}
