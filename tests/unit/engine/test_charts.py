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
from linkwright.engine.report_charts import growth_plot, linked_plot, linking_rates_plot, throughput_plot

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


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("2026-01-01T00:00:07Z", "%H:%M:%S"),
        ("2026-01-01T09:00:00Z", "%H:%M"),
        ("2026-02-01T00:00:00Z", "%-d %b"),
        ("2028-02-01T00:00:00Z", "%b %Y"),
    ],
)
def test_times_are_written_as_exactly_as_their_span_needs(last: str, expected: str) -> None:
    points = [
        {"envelope": "first", "at": "2026-01-01T00:00:00Z", "records_count": 5, "groups_count": 4},
        {"envelope": "last", "at": last, "records_count": 9, "groups_count": 6},
    ]
    plot = growth_plot(points)
    axis = plot.spec["encoding"]["x"]["axis"]
    assert axis["format"] == expected
    # with few points, the ticks are theirs
    assert len(axis["values"]) == 2
    assert plot.rows[1] == ("last", last, 9, 6)
    assert render_svg(plot).count("</path>") + render_svg(plot).count("<path") > 2


def test_the_linking_rate_is_drawn_per_envelope_on_a_whole_scale() -> None:
    points = [
        {"envelope": f"e{n}", "at": f"2026-01-{n:02}T00:00:00Z", "linked_share": n / 20} for n in range(1, 9)
    ]
    plot = linked_plot(points)
    assert plot.spec["encoding"]["y"]["scale"] == {"domain": [0, 1]}
    assert [row[2] for row in plot.rows] == [n / 20 for n in range(1, 9)]
    assert "values" not in plot.spec["encoding"]["x"]["axis"]
    assert "10%" in render_svg(plot) or "20%" in render_svg(plot)


def test_the_throughput_is_drawn_for_each_envelope() -> None:
    points = [
        {"envelope": "one", "at": "2026-01-01T10:00:00Z", "records_per_s": 1250.5},
        {"envelope": "two", "at": "2026-02-01T10:00:00Z", "records_per_s": 900.0},
    ]
    plot = throughput_plot(points)
    assert plot.rows == (("one", "2026-01-01T10:00:00Z", 1250.5), ("two", "2026-02-01T10:00:00Z", 900.0))
    assert "1,200" in render_svg(plot)


def test_rates_of_linking_are_cells_with_their_number() -> None:
    rates = [
        {
            "event_type": one,
            "with_event_type": other,
            "records_count": 10_000,
            "linked_count": 9_998,
            "linked_share": share,
        }
        for one, other, share in (("A", "A", 0.0), ("A", "B", 0.9998), ("B", "A", 1.0), ("B", "B", 0.25))
    ]
    plot = linking_rates_plot(rates)
    assert plot.rows[1] == ("A", "B", 10_000, 9_998, 0.9998)
    svg = render_svg(plot)
    # what is nearly all is not called all
    assert [text for text in ("0%", "99.98%", "100%", "25%") if f">{text}<" not in svg] == []
