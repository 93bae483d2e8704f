"""The plots of single jobs: what the fields of a data file hold, and what each blocking rule finds.

Made in the manner of `engine.charts`, from the numbers that the jobs store.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from linkwright.engine.charts import FAINT, PRIMARY, SECONDARY, Plot, Row, log_axis, vega_spec

_FATES = {"filled": PRIMARY, "not readable": SECONDARY, "empty": FAINT}
_CANDIDATES, _KEPT = "candidate pairs", "kept pairs"
_BAR_HEIGHT = 16


def field_values_plot(fields: Sequence[Row], rows_loaded_count: int) -> Plot:
    """Draw which share of the loaded rows has a value in each field, an unreadable one, or none.

    Args:
        fields: field, filled_count, invalid_count; in the order of the linkage fields.
        rows_loaded_count: the whole, at least 1.
    """
    rows = tuple(
        (
            row["field"],
            row["filled_count"],
            row["invalid_count"],
            rows_loaded_count - row["filled_count"] - row["invalid_count"],
        )
        for row in fields
    )
    values = [
        {"field": name.replace("_", " "), "share": count / rows_loaded_count, "fate": fate, "order": order}
        for name, *counts in rows
        for order, (fate, count) in enumerate(zip(_FATES, counts, strict=True))
    ]
    spec = {
        "data": {"values": values},
        "mark": {"type": "bar"},
        "height": {"step": _BAR_HEIGHT},
        "encoding": {
            "y": {"field": "field", "type": "nominal", "sort": None, "title": None},
            "x": {
                "field": "share",
                "type": "quantitative",
                "title": "rows loaded",
                "scale": {"domain": [0, 1]},
                "axis": {"format": ".0%", "tickCount": 5},
            },
            "order": {"field": "order", "type": "quantitative"},
            "color": _series("fate", _FATES),
        },
    }
    return Plot(
        name="field_values",
        title="Values of the linkage fields",
        spec=vega_spec(spec),
        columns=("field", *_FATES),
        rows=rows,
    )


def blocking_rules_plot(rules: Sequence[Row]) -> Plot:
    """Draw how many candidate pairs each blocking rule finds, and how many of them are kept.

    Args:
        rules: strategy, rule, candidate_pairs_count, kept_pairs_count; in the order in which they are applied.
    """
    rows = tuple(
        (row["strategy"], row["rule"], row["candidate_pairs_count"], row["kept_pairs_count"]) for row in rules
    )
    has_strategies = len({strategy for strategy, *_ in rows}) > 1
    series = [_CANDIDATES, _KEPT]
    values = [
        {"rule": f"{strategy}: {rule}" if has_strategies else rule, "pairs": count, "of": of}
        for strategy, rule, *counts in rows
        for of, count in zip(series, counts, strict=True)
    ]
    spec = {
        "data": {"values": values},
        "mark": {"type": "bar"},
        "height": {"step": _BAR_HEIGHT // 2},
        "encoding": {
            "y": {"field": "rule", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 240}},
            "yOffset": {"field": "of", "sort": series},
            "x": {
                "field": "pairs",
                "type": "quantitative",
                "title": "pairs (log scale)",
                "scale": {"type": "symlog"},
                "axis": log_axis(max((value["pairs"] for value in values), default=0)),
            },
            "color": _series("of", {_CANDIDATES: FAINT, _KEPT: PRIMARY}),
        },
    }
    return Plot(
        name="blocking_rules",
        title="Pairs of each blocking rule",
        spec=vega_spec(spec),
        columns=("strategy", "blocking rule", *series),
        rows=rows,
    )


def _series(field: str, colours: Mapping[str, str]) -> dict[str, Any]:
    names = list(colours)
    return {
        "field": field,
        "type": "nominal",
        "sort": names,
        "scale": {"domain": names, "range": list(colours.values())},
    }
