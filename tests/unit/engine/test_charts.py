"""The plots of a report: what they draw, their tables, and SVG that both themes can colour."""

import re

import pytest
from defusedxml import ElementTree

from linkwright.engine.charts import (
    Plot,
    completeness_plot,
    group_sizes_plot,
    render_svg,
    standalone_svg,
    weights_plot,
)

BINS = [
    {"weight": -5, "scored_pairs_count": 900, "kept_pairs_count": 0},
    {"weight": 1, "scored_pairs_count": 30, "kept_pairs_count": 30},
    {"weight": 9, "scored_pairs_count": 400, "kept_pairs_count": 400},
]
PLOTS = {
    "weights": weights_plot(BINS, match_threshold=4, review_threshold=0),
    "group_sizes": group_sizes_plot([{"group_size": 1, "groups_count": 7}, {"group_size": 2, "groups_count": 90}]),
    "completeness": completeness_plot([{"field": "surname", "envelope_share": 0.9, "project_share": 0.5}]),
    "empty weights": weights_plot([], match_threshold=0, review_threshold=0),
    "empty sizes": group_sizes_plot([]),
    "empty completeness": completeness_plot([]),
}


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS.keys())
def test_a_plot_is_svg_that_names_itself(plot: Plot) -> None:
    svg = ElementTree.fromstring(render_svg(plot))
    assert svg.tag.endswith("svg")
    assert svg.attrib["aria-label"] == plot.title
    assert svg.attrib["role"] == "img"


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS.keys())
def test_a_plot_has_no_colour_and_no_style_of_its_own(plot: Plot) -> None:
    svg = render_svg(plot)
    assert " style=" not in svg
    colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) - {"none", "transparent"}
    assert all(colour.startswith("var(--") for colour in colours), colours


def test_pairs_are_coloured_by_what_becomes_of_them() -> None:
    svg = render_svg(PLOTS["weights"])
    # one bar each: linked, for review, dropped
    for colour in ("var(--plot-1)", "var(--plot-2)", "var(--plot-3)"):
        assert f'fill="{colour}"' in svg


def test_the_table_of_a_plot_holds_its_numbers() -> None:
    assert PLOTS["weights"].rows == ((-5, 900, 0), (1, 30, 30), (9, 400, 400))
    assert PLOTS["group_sizes"].columns == ("group size", "groups")
    assert PLOTS["completeness"].rows == (("surname", 0.9, 0.5),)


def test_outside_a_page_a_plot_has_colours_of_its_own() -> None:
    svg = standalone_svg(render_svg(PLOTS["weights"]))
    assert "var(" not in svg
    assert "#3a4bc8" in svg
