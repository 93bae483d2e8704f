"""The plots of an estimation: what they draw, their tables, and SVG that both themes can colour."""

import re
from typing import Any

import pytest
from defusedxml import ElementTree

from linkwright.engine.charts import Plot, render_svg
from linkwright.engine.estimation_charts import (
    m_and_u_plot,
    match_weights_plot,
    thresholds_plot,
    unlinkables_plot,
)

COMPARISONS: list[dict[str, Any]] = [
    {
        "name": "date_of_birth",
        "levels": [
            {"level": "exact", "current_m": 0.8, "current_u": 0.1, "estimated_m": 0.5, "estimated_u": 1e-12},
            {"level": "else", "current_m": 0.2, "current_u": 0.9, "estimated_m": 0.5, "estimated_u": 1 - 1e-12},
        ],
    }
]
TABLE = [
    {"match_weight": 0.0, "pairs_count": 9.0, "matches_count": 6, "precision": 0.6, "recall": 1.0, "f1": 0.75},
    {"match_weight": 0.5, "pairs_count": 5.0, "matches_count": 5, "precision": 1.0, "recall": 0.8, "f1": 0.9},
]
UNLINKABLE = [{"match_weight": 0.0, "records_share": 0.0}, {"match_weight": 0.5, "records_share": 0.25}]
PLOTS = {
    "weights": match_weights_plot(COMPARISONS),
    "m and u": m_and_u_plot(COMPARISONS),
    "unlinkables": unlinkables_plot(UNLINKABLE, match_threshold=0.5),
    "thresholds": thresholds_plot(TABLE, proposed_threshold=0.5, current_threshold=4),
    "no comparisons": match_weights_plot([]),
    "no levels": m_and_u_plot([]),
    "no records": unlinkables_plot([], match_threshold=0),
    "no pairs": thresholds_plot([], proposed_threshold=0, current_threshold=0),
}


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS.keys())
def test_a_plot_is_svg_that_names_itself_and_takes_its_colours_from_the_page(plot: Plot) -> None:
    svg = render_svg(plot)
    element = ElementTree.fromstring(svg)
    assert element.attrib["aria-label"] == plot.title
    assert " style=" not in svg
    colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) - {"none", "transparent"}
    assert all(colour.startswith("var(--") for colour in colours), colours


def test_current_and_estimated_weights_stand_side_by_side() -> None:
    rows = PLOTS["weights"].rows
    assert [row[:3] for row in rows] == [
        ("date_of_birth", "exact", 3.0),
        ("date_of_birth", "else", pytest.approx(-2.17, abs=0.01)),
    ]
    assert rows[0][3] == pytest.approx(38.86, abs=0.01)
    svg = render_svg(PLOTS["weights"])
    assert 'fill="var(--plot-1)"' in svg
    assert 'fill="var(--plot-3)"' in svg


def test_current_probabilities_are_hollow_and_estimated_ones_filled() -> None:
    svg = render_svg(PLOTS["m and u"])
    for colour in ("var(--plot-1)", "var(--plot-2)"):
        assert f'fill="{colour}"' in svg
        assert f'stroke="{colour}"' in svg
    assert PLOTS["m and u"].rows[0] == ("date_of_birth", "exact", 0.8, 0.5, 0.1, 1e-12)


def test_the_thresholds_are_told_apart_by_their_line() -> None:
    assert 'stroke-dasharray="4,3"' in render_svg(PLOTS["thresholds"])
    assert PLOTS["thresholds"].rows == ((0.0, 9.0, 0.6, 1.0, 0.75), (0.5, 5.0, 1.0, 0.8, 0.9))
    assert PLOTS["unlinkables"].rows == ((0.0, 0.0), (0.5, 0.25))
