"""The waterfall of a pair: from the prior, field by field, to its match weight against the thresholds.

Source: Splink's waterfall chart; https://vega.github.io/vega-lite/docs/.
"""

from linkwright.engine.charts import FAINT, PRIMARY, SECONDARY, Plot, vega_spec
from linkwright.engine.explanation import PairExplanation

_BAR_HEIGHT = 24


def waterfall_plot(explanation: PairExplanation) -> Plot:
    """Draw how a pair's match weight comes about.

    Args:
        explanation: of a strategy that weighs pairs.

    Raises:
        ValueError: for a deterministic strategy, which weighs nothing.
    """
    if explanation.match_threshold is None:
        raise ValueError(f"the strategy {explanation.strategy} is deterministic: there is nothing to draw")
    steps = [("prior", explanation.prior_weight, "two random records")]
    for part in explanation.parts:
        steps.append((part.comparison, part.weight, part.level))
        if part.frequency_weight:
            steps.append((f"{part.comparison}: how frequent", part.frequency_weight, "term frequency"))
    bars, at = [], 0.0
    for place, (name, weight, level) in enumerate(steps):
        bars.append(
            {"place": place, "part": name, "from": at, "to": at + weight, "weight": weight, "level": level}
        )
        at += weight
    total = explanation.match_weight
    bars.append(
        {"place": len(steps), "part": "match weight", "from": 0.0, "to": total, "weight": total, "level": ""}
    )
    thresholds = [
        {"at": at, "what": what}
        for at, what in (
            (explanation.match_threshold, "match threshold"),
            (explanation.review_threshold, "review threshold"),
        )
        if at is not None
    ]
    return Plot(
        name="waterfall",
        title=f"Match weight by {explanation.strategy}",
        spec=vega_spec(
            {"layer": [_bars(bars), _labels(bars), _rules(thresholds)], "height": _BAR_HEIGHT * len(bars)}
        ),
        columns=("part", "level", "weight", "sum"),
        rows=tuple((bar["part"], bar["level"], bar["weight"], bar["to"]) for bar in bars),
    )


_Rows = list[dict[str, object]]
_PLACE = {"field": "part", "type": "nominal", "sort": {"field": "place"}, "title": None}


def _bars(bars: _Rows) -> dict[str, object]:
    return {
        "data": {"values": bars},
        "mark": {"type": "bar"},
        "encoding": {
            "y": _PLACE,
            "x": {"field": "from", "type": "quantitative", "title": "match weight (log2)"},
            "x2": {"field": "to"},
            "color": {
                "condition": [
                    {"test": "datum.part === 'match weight'", "value": FAINT},
                    {"test": "datum.weight < 0", "value": SECONDARY},
                ],
                "value": PRIMARY,
            },
        },
    }


def _labels(bars: _Rows) -> dict[str, object]:
    return {
        "data": {"values": bars},
        "mark": {"type": "text", "align": "left", "dx": 4, "color": "var(--ink-2)", "fontSize": 11},
        "transform": [{"calculate": "max(datum.from, datum.to)", "as": "edge"}],
        "encoding": {
            "y": _PLACE,
            "x": {"field": "edge", "type": "quantitative"},
            "text": {"field": "weight", "type": "quantitative", "format": "+.2f"},
        },
    }


def _rules(thresholds: _Rows) -> dict[str, object]:
    return {
        "data": {"values": thresholds},
        "mark": {"type": "rule", "color": "var(--ink-2)", "strokeDash": [4, 3]},
        "encoding": {"x": {"field": "at", "type": "quantitative"}},
    }
