"""The plots of a project over time, drawn when they are looked at: a rollback changes what lies behind them.

From stored reports alone; no file of the project is read.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from functools import lru_cache
from typing import Any

from linkwright.engine.charts import Plot, drawn_plot
from linkwright.engine.report_charts import growth_plot, linked_plot, linking_rates_plot, throughput_plot
from linkwright.store.models import LinkageProject
from linkwright.store.queries.reports import HistoryPoint, read_project_history

# one point is no line, and the numbers above say it
_FEWEST_POINTS = 2
_KEPT_DRAWINGS = 200
Point = tuple[tuple[str, Any], ...]
Draw = Callable[[list[dict[str, Any]]], Plot]


def history_plots(project: LinkageProject) -> list[dict[str, Any]]:
    """Return the plots of a project over time, as stored plots are; none before its second report."""
    points = read_project_history(project)
    growth = [_point(one, records_count=one.records_count, groups_count=one.groups_count) for one in points]
    linked = [_point(one, linked_share=one.linked_share) for one in points if one.linked_share is not None]
    speed = [_point(one, records_per_s=one.records_per_s) for one in points if one.records_per_s is not None]
    series: list[tuple[Draw, list[Point]]] = [
        (growth_plot, growth),
        (linked_plot, linked),
        (throughput_plot, speed),
    ]
    return [_drawn(draw, tuple(found)) for draw, found in series if len(found) >= _FEWEST_POINTS]


def rates_plots(rates: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the plot of the rates of linking between Event Types, as stored plots are; none without rates."""
    return [_drawn(linking_rates_plot, tuple(tuple(row.items()) for row in rates))] if rates else []


def _point(one: HistoryPoint, **values: Any) -> Point:
    at = one.at.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00")
    return (("envelope", one.envelope_name), ("at", f"{at}Z"), *values.items())


@lru_cache(maxsize=_KEPT_DRAWINGS)
def _drawn(draw: Draw, points: tuple[Point, ...]) -> dict[str, Any]:
    # drawing takes tens of milliseconds, and the same page is opened again and again
    return drawn_plot(draw([dict(point) for point in points]))
