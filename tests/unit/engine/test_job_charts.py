"""The plots of single jobs: their numbers add up, and they are drawn."""

from linkwright.engine.charts import log_axis, render_svg
from linkwright.engine.job_charts import blocking_rules_plot, field_values_plot


def test_the_values_of_a_field_are_filled_not_readable_or_empty() -> None:
    fields = [
        {"field": "given_name", "filled_count": 9, "invalid_count": 0},
        {"field": "birth_date", "filled_count": 6, "invalid_count": 3},
    ]
    plot = field_values_plot(fields, 10)
    assert plot.columns == ("field", "filled", "not readable", "empty")
    assert plot.rows == (("given_name", 9, 0, 1), ("birth_date", 6, 3, 1))
    drawn = {(row["field"], row["fate"]): row["share"] for row in plot.spec["data"]["values"]}
    assert drawn["birth date", "not readable"] == 0.3
    assert round(sum(share for (field, _fate), share in drawn.items() if field == "birth date"), 9) == 1
    svg = render_svg(plot)
    assert svg.count('aria-label="rows loaded') == 6
    assert "birth date" in svg


def test_the_pairs_of_each_rule_are_candidates_and_kept_ones() -> None:
    rules = [
        {"strategy": "exact", "rule": "surname", "candidate_pairs_count": 100, "kept_pairs_count": 90},
        {"strategy": "fuzzy", "rule": "surname", "candidate_pairs_count": 1_000_000, "kept_pairs_count": 0},
    ]
    plot = blocking_rules_plot(rules)
    assert plot.rows == (("exact", "surname", 100, 90), ("fuzzy", "surname", 1_000_000, 0))
    # the same rule in two strategies is two rules
    assert {row["rule"] for row in plot.spec["data"]["values"]} == {"exact: surname", "fuzzy: surname"}
    (only,) = {row["rule"] for row in blocking_rules_plot(rules[:1]).spec["data"]["values"]}
    assert only == "surname"
    assert "1,000,000" in render_svg(plot)


def test_a_log_axis_reaches_over_the_largest_value_with_few_marks() -> None:
    assert log_axis(0)["values"] == [0, 1, 10]
    assert log_axis(950)["values"] == [0, 1, 10, 100, 1000]
    assert log_axis(3_000_000)["values"] == [0, 1, 100, 10_000, 1_000_000]
