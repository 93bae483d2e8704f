"""What the page of an estimation shows of its numbers."""

from dataclasses import replace
from typing import Any

from linkwright.jobs.estimation_tables import estimation_plots, estimation_results, parameter_rows, strategy_rows
from linkwright.web.estimation_view import view_estimation
from tests.integration.web.seed_estimation import made_result


def results(**changes: Any) -> dict[str, Any]:
    """Return a stored result, with some numbers of its strategy changed."""
    made = made_result()
    return estimation_results(replace(made, strategies=(replace(made.strategies[0], **changes),)))


def test_values_that_stay_are_told_from_those_that_change() -> None:
    view = view_estimation(results())
    assert (view.prior.current, view.prior.proposed, view.prior.is_changed) == ("0.0005", "0.00021", True)
    (strategy,) = view_estimation(results(current_match_threshold=6.5)).strategies
    match, review = strategy.thresholds
    assert (match.label, match.is_changed, review.label, review.is_changed) == (
        "Match threshold",
        False,
        "Review threshold",
        True,
    )


def test_thresholds_are_listed_around_the_current_and_the_proposed_one() -> None:
    (strategy,) = view_estimation(results()).strategies
    weights = [row.match_weight for row in strategy.table]
    assert (weights[0], weights[-1]) == ("+2.5", "+13")
    assert [row.match_weight for row in strategy.table if row.is_proposed] == ["+6.5"]
    assert strategy.left_out_count == 81 - len(weights)


def test_what_is_expected_is_that_of_the_proposed_threshold() -> None:
    (strategy,) = view_estimation(results()).strategies
    chosen = next(row for row in strategy.table if row.is_proposed)
    assert dict(strategy.expected)["Expected F1"] == chosen.f1
    assert dict(strategy.expected)["Expected matches"] == "44\u202f248"
    (row,) = strategy_rows(results())
    assert f"{row['f1']:.4f}" == chosen.f1


def test_a_threshold_between_the_rows_expects_nothing() -> None:
    (strategy,) = view_estimation(results(proposed_match_threshold=6.6)).strategies
    assert dict(strategy.expected)["Expected precision"] == "–"
    assert "precision" not in strategy_rows(results(proposed_match_threshold=6.6))[0]


def test_a_comparison_whose_m_could_not_be_estimated_says_so() -> None:
    (strategy,) = view_estimation(results()).strategies
    assert [(item.name, item.is_m_kept) for item in strategy.comparisons] == [
        ("surname", False),
        ("postcode", True),
    ]
    level = strategy.comparisons[0].levels[0]
    assert (level.current_weight, level.proposed_weight, level.change) == ("+9.81", "+11.01", "+1.2")


def test_there_is_a_parameter_row_for_each_level() -> None:
    rows = parameter_rows(results())
    assert [(row["comparison"], row["level"]) for row in rows] == [
        (name, level) for name in ("surname", "postcode") for level in ("exact", "else")
    ]
    assert rows[0]["estimated_m"] == 0.9312


def test_plots_of_several_strategies_have_names_of_their_own() -> None:
    made = made_result()
    twice = (made.strategies[0], replace(made.strategies[0], strategy="wide"))
    plots = estimation_plots(estimation_results(replace(made, strategies=twice)))
    assert len({plot.name for plot in plots}) == len(plots) == 8
    assert plots[4].title == "wide: Match weights, current and estimated"
    assert estimation_plots(results())[0].title == "Match weights, current and estimated"
