"""The plots of a report: Vega-Lite specifications from plain numbers, and their rendering to SVG.

Colours are the page's own CSS variables, so that one SVG serves the light and the dark theme. Each plot carries
its numbers as a table, for people who read those better. Source: https://vega.github.io/vega-lite/docs/.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import vl_convert

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_VEGA_LITE = "v5.21"
_WIDTH, _HEIGHT = 420, 220
PRIMARY, SECONDARY, FAINT = "var(--plot-1)", "var(--plot-2)", "var(--plot-3)"
_LOG_AXIS = {"values": [0, *(10**power for power in range(13))], "format": ",d", "labelOverlap": True}
_ENOUGH_POWERS = 6
# the light theme of web/static/linkwright/tokens.css, for plots outside a page
_CONFIG: dict[str, Any] = {
    "background": None,
    "font": "inherit",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--ink-2)",
        "titleColor": "var(--ink-2)",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    },
    "legend": {"labelColor": "var(--ink-2)", "title": None, "orient": "top", "labelFontSize": 11},
    "text": {"color": "var(--ink-2)"},
}

FILE_COLOURS = {
    "--plot-1": "#3a4bc8",
    "--plot-2": "#c2681a",
    "--plot-3": "#b3bac8",
    "--ink": "#181c22",
    "--ink-2": "#525b68",
    "--line": "#e2e5ea",
    "--line-2": "#cdd2da",
}
"""The light theme's colours, for files: what shows them knows no page's variables."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Plot:
    """One plot: its specification, and the same numbers as a table."""

    name: str
    title: str
    spec: Mapping[str, Any]
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def weights_plot(bins: Sequence[Row], *, match_threshold: float, review_threshold: float) -> Plot:
    """Draw the match weights of all weighed pairs, with both thresholds.

    Args:
        bins: weight (log2, the lower edge of a bin of width 1), scored_pairs_count, kept_pairs_count.
        match_threshold: at or over it a pair links.
        review_threshold: at or over it a pair is kept.
    """
    rows = tuple((row["weight"], row["scored_pairs_count"], row["kept_pairs_count"]) for row in bins)
    values = [
        {
            "from": weight,
            "to": weight + 1,
            "pairs": scored,
            "fate": _fate(weight, match_threshold, review_threshold),
        }
        for weight, scored, _kept in rows
    ]
    lines = {
        "data": {"values": [{"at": match_threshold}, {"at": review_threshold}]},
        "mark": {"type": "rule", "color": "var(--ink-2)", "strokeDash": [4, 3]},
        "encoding": {"x": {"field": "at", "type": "quantitative"}},
    }
    return Plot(
        name="weights",
        title="Match weights and thresholds",
        spec=vega_spec({"layer": [_weight_bars(values), lines]}),
        columns=("weight from", "pairs weighed", "pairs kept"),
        rows=rows,
    )


def _weight_bars(values: Sequence[Row]) -> dict[str, Any]:
    fates = ["linked", "for review", "dropped"]
    return {
        "data": {"values": values},
        "mark": {"type": "bar"},
        "encoding": {
            "x": {
                "field": "from",
                "type": "quantitative",
                "title": "match weight (log2)",
                "bin": {"binned": True},
            },
            "x2": {"field": "to"},
            "y": {
                "field": "pairs",
                "type": "quantitative",
                "title": "pairs (log scale)",
                "scale": {"type": "symlog"},
                "axis": _LOG_AXIS,
            },
            "color": {
                "field": "fate",
                "type": "nominal",
                "sort": fates,
                "scale": {"domain": fates, "range": [PRIMARY, SECONDARY, FAINT]},
            },
        },
    }


def _fate(weight: float, match_threshold: float, review_threshold: float) -> str:
    # a bin is named by where its middle lies
    middle = weight + 0.5
    if middle >= match_threshold:
        return "linked"
    return "for review" if middle >= review_threshold else "dropped"


def group_sizes_plot(sizes: Sequence[Row]) -> Plot:
    """Draw how many groups there are of each size.

    Args:
        sizes: group_size, groups_count; ascending.
    """
    rows = tuple((row["group_size"], row["groups_count"]) for row in sizes)
    spec = {
        "data": {"values": [{"size": str(size), "groups": count} for size, count in rows]},
        "mark": {"type": "bar", "color": PRIMARY},
        "encoding": {
            "x": {
                "field": "size",
                "type": "ordinal",
                "sort": None,
                "title": "records in the group",
                "axis": {"labelAngle": 0, "labelOverlap": True},
            },
            "y": {
                "field": "groups",
                "type": "quantitative",
                "title": "groups (log scale)",
                "scale": {"type": "symlog"},
                "axis": _LOG_AXIS,
            },
        },
    }
    return Plot(
        name="group_sizes",
        title="Group sizes in the project",
        spec=vega_spec(spec),
        columns=("group size", "groups"),
        rows=rows,
    )


def completeness_plot(fields: Sequence[Row]) -> Plot:
    """Draw the share of records in which each field is filled, for the Envelope beside its project.

    Args:
        fields: field, envelope_share, project_share (0-1).
    """
    rows = tuple((row["field"], row["envelope_share"], row["project_share"]) for row in fields)
    series = ["this Envelope", "project"]
    values = [
        {"field": name.replace("_", " "), "share": share, "of": of}
        for name, *shares in rows
        for of, share in zip(series, shares, strict=True)
    ]
    spec = {
        "data": {"values": values},
        "mark": {"type": "bar"},
        "height": {"step": 9},
        "encoding": {
            "y": {"field": "field", "type": "nominal", "sort": None, "title": None},
            "yOffset": {"field": "of", "sort": series},
            "x": {
                "field": "share",
                "type": "quantitative",
                "title": "records with a value",
                "scale": {"domain": [0, 1]},
                "axis": {"format": ".0%", "tickCount": 5},
            },
            "color": {
                "field": "of",
                "type": "nominal",
                "sort": series,
                "scale": {"domain": series, "range": [PRIMARY, FAINT]},
            },
        },
    }
    return Plot(
        name="completeness",
        title="Completeness of the linkage fields",
        spec=vega_spec(spec),
        columns=("field", "this Envelope", "project"),
        rows=rows,
    )


def log_axis(largest: float) -> dict[str, Any]:
    """Return the axis of a count on a log scale: powers of ten up to the largest value, few enough to be read."""
    powers = len(str(int(max(largest, 1))))
    step = 1 if powers <= _ENOUGH_POWERS else 2
    return {**_LOG_AXIS, "values": [0, *(10**power for power in range(0, powers + 1, step))]}


def vega_spec(body: Mapping[str, Any]) -> dict[str, Any]:
    """Complete a specification with the size and the colours that all plots share; the body's own go first."""
    return {"$schema": _SCHEMA, "width": _WIDTH, "height": _HEIGHT, "config": _CONFIG, **body}


def render_svg(plot: Plot) -> str:
    """Render a plot to an SVG element that scales with its place and names itself by the plot's title."""
    svg = vl_convert.vegalite_to_svg(json.dumps(plot.spec), vl_version=_VEGA_LITE)
    # no style attribute: pages forbid them; their stylesheet makes the plot fit its place
    return svg.replace("<svg ", f'<svg role="img" aria-label="{plot.title}" ', 1)


def drawn_plot(plot: Plot) -> dict[str, Any]:
    """Draw a plot, in the form that reports store and pages show: SVG, and its numbers as a table.

    Takes tens of milliseconds.
    """
    return {
        "name": plot.name,
        "title": plot.title,
        "svg": render_svg(plot),
        "columns": list(plot.columns),
        "rows": [list(row) for row in plot.rows],
    }


def render_svg_file(plot: Plot) -> str:
    """Render a plot to an SVG file of its own: with colours, font and background, for any viewer and print."""
    return standalone_svg(render_svg(plot))


def standalone_svg(svg: str) -> str:
    """Return a rendered plot as a file of its own: with colours, font and background, for any viewer and print."""
    for name, colour in FILE_COLOURS.items():
        svg = svg.replace(f"var({name})", colour)
    start = svg.index(">") + 1
    ground = '<rect width="100%" height="100%" fill="#ffffff"/>'
    return f"{svg[:start]}{ground}{svg[start:]}\n".replace('font-family="inherit"', 'font-family="sans-serif"')
