"""The waterfall of a pair: from the prior, field by field, to its match weight against the thresholds.

Source: Splink's waterfall chart; https://vega.github.io/vega-lite/docs/.
"""

from typing import Any

from linkwright.engine.charts import FAINT, PRIMARY, SECONDARY, Plot, vega_spec
from linkwright.engine.comparison_sql import NULL_LEVEL
from linkwright.engine.explanation import PairExplanation

_BAR_HEIGHT = 24
_PRIOR, _SUM = "prior: two random records", "match weight: the sum"


def waterfall_plot(explanation: PairExplanation) -> Plot:
    """Draw how a pair's match weight comes about. It shows no value of a record.

    Comparisons that lack a value weigh nothing; two or more of them are one line, before the sum.

    Args:
        explanation: of a strategy that weighs pairs.

    Raises:
        ValueError: for a deterministic strategy, which weighs nothing.
    """
    if explanation.match_threshold is None or explanation.match_weight is None:
        raise ValueError(f"the strategy {explanation.strategy} is deterministic: there is nothing to draw")
    bars, at = [], 0.0
    for label, weight in _steps(explanation):
        bars.append(_bar(label, at, at + weight, weight))
        at += weight
    bars.append({**_bar(_SUM, 0.0, explanation.match_weight, explanation.match_weight), "fate": "sum"})
    layers = [_bars(bars), *_thresholds(explanation), _labels(bars)]
    return Plot(
        name="waterfall",
        title=f"Match weight by the strategy {explanation.strategy}",
        spec=vega_spec({"layer": layers, "height": _BAR_HEIGHT * len(bars)}),
        columns=("part", "weight", "sum"),
        rows=tuple((bar["part"], bar["weight"], bar["to"]) for bar in bars),
    )


_Rows = list[dict[str, Any]]


def _steps(explanation: PairExplanation) -> list[tuple[str, float]]:
    steps = [(_PRIOR, explanation.prior_weight)]
    without_value = [part for part in explanation.parts if part.level_number == NULL_LEVEL]
    is_one_line = len(without_value) > 1
    for part in explanation.parts:
        if is_one_line and part.level_number == NULL_LEVEL:
            continue
        name = part.comparison.replace("_", " ")
        steps.append((f"{name}: {part.level}", part.weight))
        if part.frequency_weight:
            steps.append((f"{name}: how frequent it is", part.frequency_weight))
    if is_one_line:
        steps.append((f"{len(without_value)} comparisons: a value is missing", 0.0))
    return steps


def _bar(label: str, start: float, end: float, weight: float) -> dict[str, Any]:
    return {
        "part": label,
        "from": start,
        "to": end,
        "weight": weight,
        "fate": "for" if weight >= 0 else "against",
        "edge": max(start, end),
    }


def _place(bars: _Rows) -> dict[str, Any]:
    return {
        "field": "part",
        "type": "nominal",
        "sort": [bar["part"] for bar in bars],
        "title": None,
        "axis": {"labelLimit": 260, "grid": True},
    }


def _bars(bars: _Rows) -> dict[str, Any]:
    fates = {"for": PRIMARY, "against": SECONDARY, "sum": FAINT}
    return {
        "data": {"values": bars},
        "mark": {"type": "bar"},
        "encoding": {
            "y": _place(bars),
            "x": {"field": "from", "type": "quantitative", "title": "match weight (log2)"},
            "x2": {"field": "to"},
            "color": {
                "field": "fate",
                "type": "nominal",
                "scale": {"domain": list(fates), "range": list(fates.values())},
                "legend": None,
            },
        },
    }


def _labels(bars: _Rows) -> dict[str, Any]:
    return {
        "data": {"values": bars},
        "mark": {"type": "text", "align": "left", "dx": 4, "color": "var(--ink)", "fontSize": 11},
        "encoding": {
            "y": _place(bars),
            "x": {"field": "edge", "type": "quantitative"},
            "text": {"field": "weight", "type": "quantitative", "format": "+.2f"},
        },
    }


def _thresholds(explanation: PairExplanation) -> _Rows:
    """Draw the thresholds as lines through all bars, with their names above; equal ones as one."""
    lines = [{"at": explanation.match_threshold, "what": "match"}]
    if explanation.review_threshold != explanation.match_threshold:
        lines.append({"at": explanation.review_threshold, "what": "review"})
    at = {"field": "at", "type": "quantitative"}
    return [
        {
            "data": {"values": lines},
            "mark": {"type": "rule", "color": "var(--ink-2)", "strokeDash": [4, 3]},
            "encoding": {"x": at},
        },
        *(
            {
                "data": {"values": [line]},
                # the review threshold is the lower one: its name goes to the left, so that the two never meet
                "mark": {
                    "type": "text",
                    "align": align,
                    "dx": shift,
                    "y": -8,
                    "color": "var(--ink-2)",
                    "fontSize": 11,
                },
                "encoding": {"x": at, "text": {"field": "what", "type": "nominal"}},
            }
            for line, align, shift in zip(lines, ("left", "right"), (3, -3), strict=False)
        ),
    ]
