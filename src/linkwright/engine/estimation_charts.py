"""The plots of an estimation: match weights, m and u, unlinkables, precision and recall, each beside the current.

Made in the manner of `engine.charts`, from plain numbers: the keys are the names in `engine.proposal` and
`engine.thresholds`, so that a stored result draws them.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from linkwright.engine.charts import FAINT, PRIMARY, SECONDARY, Plot, Row, vega_spec

_CURRENT, _ESTIMATED = "current", "estimated"
_LEAST_SHOWN = 1e-9
_LEVEL_AXIS = {"field": "level", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 260}}


def match_weights_plot(comparisons: Sequence[Row]) -> Plot:
    """Draw the match weight of each level, as it is and as it was estimated.

    Args:
        comparisons: name, levels: level, current_m, current_u, estimated_m, estimated_u.
    """
    rows = tuple(
        (name, level["level"], _weight(level, _CURRENT), _weight(level, _ESTIMATED))
        for name, level in _levels(comparisons)
    )
    values = [
        {"level": _label(name, level), "weight": weight, "of": of}
        for name, level, *weights in rows
        for of, weight in zip((_CURRENT, _ESTIMATED), weights, strict=True)
    ]
    spec = {
        "data": {"values": values},
        "mark": {"type": "bar"},
        "height": {"step": 9},
        "encoding": {
            "y": _LEVEL_AXIS,
            "yOffset": {"field": "of", "sort": [_CURRENT, _ESTIMATED]},
            "x": {"field": "weight", "type": "quantitative", "title": "match weight (log2 of m/u)"},
            "color": _series({_CURRENT: FAINT, _ESTIMATED: PRIMARY}),
        },
    }
    return Plot(
        name="estimated_weights",
        title="Match weights, current and estimated",
        spec=vega_spec(spec),
        columns=("comparison", "level", "current weight", "estimated weight"),
        rows=rows,
    )


def m_and_u_plot(comparisons: Sequence[Row]) -> Plot:
    """Draw m and u of each level on a logarithmic scale; the current ones are hollow.

    Args:
        comparisons: name, levels: level, current_m, current_u, estimated_m, estimated_u.
    """
    keys = ("current_m", "estimated_m", "current_u", "estimated_u")
    rows = tuple((name, level["level"], *(level[key] for key in keys)) for name, level in _levels(comparisons))
    values = [
        {
            "level": _label(name, level),
            "probability": max(probability, _LEAST_SHOWN),
            "of": key.removeprefix(f"{version}_"),
            "version": version,
        }
        for name, level, *probabilities in rows
        for key, probability in zip(keys, probabilities, strict=True)
        for version in (key.split("_")[0],)
    ]
    encoding = {
        "y": _LEVEL_AXIS,
        "x": {
            "field": "probability",
            "type": "quantitative",
            "title": "probability (log scale)",
            "scale": {"type": "log"},
            "axis": {"values": [10.0**power for power in range(-9, 1)], "format": "~g"},
        },
    }
    spec = {
        "data": {"values": values},
        "height": {"step": 18},
        "encoding": encoding,
        "layer": [
            {
                "transform": [{"filter": f"datum.version == '{version}'"}],
                "mark": {"type": "point", "filled": version == _ESTIMATED, "size": 60, "opacity": 1},
                "encoding": {"color": _series({"m": PRIMARY, "u": SECONDARY})},
            }
            for version in (_CURRENT, _ESTIMATED)
        ],
    }
    return Plot(
        name="m_and_u",
        title="m and u, estimated (filled) and current (hollow)",
        spec=vega_spec(spec),
        columns=("comparison", "level", "current m", "estimated m", "current u", "estimated u"),
        rows=rows,
    )


def unlinkables_plot(rows: Sequence[Row], *, match_threshold: float) -> Plot:
    """Draw the share of records that cannot reach a match weight even against themselves.

    Args:
        rows: match_weight, records_share; ascending.
        match_threshold: the proposed one.
    """
    table = tuple((row["match_weight"], row["records_share"]) for row in rows)
    curve = {
        "data": {"values": [{"weight": weight, "share": share} for weight, share in table]},
        "mark": {"type": "line", "color": PRIMARY, "interpolate": "step-before"},
        "encoding": {"x": _WEIGHT_AXIS, "y": _share_axis("share", "records that cannot reach it")},
    }
    return Plot(
        name="unlinkables",
        title="Records that cannot be linked, by match threshold",
        spec=vega_spec({"layer": [curve, _threshold_line({"proposed": match_threshold})]}),
        columns=("match weight", "share of records"),
        rows=table,
    )


def thresholds_plot(rows: Sequence[Row], *, proposed_threshold: float, current_threshold: float) -> Plot:
    """Draw the expected precision, recall and F1 of each match threshold.

    Args:
        rows: match_weight, pairs_count, matches_count, precision, recall, f1; ascending.
        proposed_threshold: the match threshold that is proposed, a continuous line.
        current_threshold: the configuration's, a dashed line.
    """
    keys = ("precision", "recall", "f1")
    names = {"precision": "precision", "recall": "recall", "f1": "F1"}
    table = tuple((row["match_weight"], row["pairs_count"], *(row[key] for key in keys)) for row in rows)
    values = [{"weight": row["match_weight"], "share": row[key], "of": names[key]} for row in rows for key in keys]
    colours = {"precision": PRIMARY, "recall": SECONDARY, "F1": "var(--ink-2)"}
    curves = {
        "data": {"values": values},
        "mark": {"type": "line"},
        "encoding": {
            "x": {**_WEIGHT_AXIS, "title": "match threshold (log2; line: proposed, dashed: current)"},
            "y": _share_axis("share", "expected"),
            "color": _series(colours),
        },
    }
    lines = _threshold_line({"proposed": proposed_threshold, _CURRENT: current_threshold})
    return Plot(
        name="thresholds",
        title="Expected precision and recall by match threshold",
        spec=vega_spec({"layer": [curves, lines]}),
        columns=("match weight", "pairs", "precision", "recall", "F1"),
        rows=table,
    )


_WEIGHT_AXIS = {"field": "weight", "type": "quantitative", "title": "match threshold (match weight, log2)"}


def _levels(comparisons: Sequence[Row]) -> list[tuple[str, Row]]:
    return [(comparison["name"], level) for comparison in comparisons for level in comparison["levels"]]


def _weight(level: Row, version: str) -> float:
    return math.log2(level[f"{version}_m"] / level[f"{version}_u"])


def _label(comparison: str, level: str) -> str:
    return f"{comparison.replace('_', ' ')}: {level}"


def _series(colours: Mapping[str, str]) -> dict[str, Any]:
    return {
        "field": "of",
        "type": "nominal",
        "sort": list(colours),
        "scale": {"domain": list(colours), "range": list(colours.values())},
    }


def _share_axis(field: str, title: str) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": {"domain": [0, 1]},
        "axis": {"format": ".0%", "tickCount": 5},
    }


def _threshold_line(thresholds: Mapping[str, float]) -> dict[str, Any]:
    return {
        "data": {"values": [{"at": at, "threshold": name} for name, at in thresholds.items()]},
        "mark": {"type": "rule", "color": "var(--ink-2)"},
        "encoding": {
            "x": {"field": "at", "type": "quantitative"},
            "strokeDash": {
                "field": "threshold",
                "type": "nominal",
                "scale": {"domain": ["proposed", _CURRENT], "range": [[1, 0], [4, 3]]},
                "legend": None,
            },
        },
    }
