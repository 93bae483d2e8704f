"""The waterfall of a pair: its bars add up, its table says the same, its file needs no page."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from defusedxml import ElementTree

from linkwright.engine.charts import FILE_COLOURS, render_svg, render_svg_file
from linkwright.engine.explanation import FieldPart, FieldValues, PairExplanation, Verdict
from linkwright.engine.waterfall import waterfall_plot

TOKENS = Path(__file__).parents[3] / "src" / "linkwright" / "web" / "static" / "linkwright" / "tokens.css"
VALUES = (FieldValues("given_name", "annabella", "annabela"),)
PARTS = (
    FieldPart("given_name", VALUES, "similarity (at least 0.9)", 1, 0.12, 0.01, 3.5, 0.0),
    FieldPart("surname", None, "exact", 2, 0.85, 0.005, 7.25, 2.25),
    FieldPart("postcode", None, "else", 0, 0.2, 0.95, -2.0, 0.0),
    FieldPart("sex", None, "a value is missing", -1, None, None, 0.0, 0.0),
)


def explanation(match_threshold: float | None = 4.0, review_threshold: float | None = 0.0) -> PairExplanation:
    return PairExplanation("person", (), -7.5, PARTS, 3.5, match_threshold, review_threshold, Verdict.REVIEW)


def test_the_bars_lead_from_the_prior_to_the_match_weight() -> None:
    plot = waterfall_plot(explanation())
    assert plot.rows == (
        ("prior: two random records", -7.5, -7.5),
        ("given name: similarity (at least 0.9)", 3.5, -4.0),
        ("surname: exact", 7.25, 3.25),
        ("surname: how frequent it is", 2.25, 5.5),
        ("postcode: else", -2.0, 3.5),
        ("sex: a value is missing", 0.0, 3.5),
        ("match weight: the sum", 3.5, 3.5),
    )


def test_comparisons_without_a_value_are_one_line_before_the_sum() -> None:
    without = [replace(PARTS[3], comparison=name) for name in ("suburb", "state")]
    plot = waterfall_plot(replace(explanation(), parts=(without[0], *PARTS, without[1])))
    parts = [row[0] for row in plot.rows]
    assert parts[1] == "given name: similarity (at least 0.9)"
    assert plot.rows[-2:] == (
        ("3 comparisons: a value is missing", 0.0, 3.5),
        ("match weight: the sum", 3.5, 3.5),
    )
    assert sum("missing" in str(part) for part in parts) == 1


def test_what_speaks_for_and_what_against_differ_in_colour() -> None:
    svg = render_svg(waterfall_plot(explanation()))
    for colour, bars in (("--plot-1", 4), ("--plot-2", 2), ("--plot-3", 1)):
        assert len(re.findall(rf'<path aria-label[^>]*fill="var\({colour}\)"', svg)) == bars


def test_it_shows_no_value_of_a_record() -> None:
    svg = render_svg(waterfall_plot(explanation()))
    assert "annabel" not in svg


@pytest.mark.parametrize(("review", "names"), [(0.0, ["match", "review"]), (4.0, ["match"])])
def test_both_thresholds_are_drawn_with_their_names(review: float, names: list[str]) -> None:
    svg = ElementTree.fromstring(render_svg(waterfall_plot(explanation(4.0, review))))
    texts = [node.text for node in svg.iter() if node.tag.endswith("text")]
    assert sorted(text for text in texts if text in {"match", "review"}) == names


def test_a_page_colours_it_and_a_file_colours_itself() -> None:
    plot = waterfall_plot(explanation())
    assert " style=" not in render_svg(plot)
    colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', render_svg(plot))) - {"none", "transparent"}
    assert all(colour.startswith("var(--") for colour in colours), colours
    file = render_svg_file(plot)
    assert "var(" not in file
    assert 'font-family="inherit"' not in file
    svg = ElementTree.fromstring(file)
    assert svg[0].attrib == {"width": "100%", "height": "100%", "fill": "#ffffff"}


def test_the_colours_of_files_are_those_of_the_light_pages() -> None:
    light = dict(re.findall(r"(--[\w-]+): light-dark\((#\w+),", TOKENS.read_text()))
    assert {name: light[name] for name in FILE_COLOURS} == FILE_COLOURS


def test_a_deterministic_strategy_has_nothing_to_draw() -> None:
    certain = PairExplanation("identifier", ("id",), 0.0, (), math.inf, None, None, Verdict.MATCH)
    with pytest.raises(ValueError, match="identifier is deterministic"):
        waterfall_plot(certain)
