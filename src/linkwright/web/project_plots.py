"""The plots of a project over time, drawn when they are looked at: a rollback changes what lies behind them.

From stored reports alone; no file of the project is read.
"""

from collections.abc import Callable
from datetime import UTC
from functools import lru_cache
from typing import Any

from linkwright.engine.charts import Plot, growth_plot, linked_plot, render_svg
from linkwright.store.models import LinkageProject
from linkwright.store.queries.project_summaries import HistoryPoint, read_project_history

# one point is no line, and the numbers above say it
_FEWEST_POINTS = 2
_KEPT_DRAWINGS = 200
Point = tuple[tuple[str, Any], ...]


def history_plots(project: LinkageProject) -> list[dict[str, Any]]:
    """Return the plots of a project over time, as stored plots are; none before its second report."""
    points = read_project_history(project)
    growth = tuple(_point(one, records_count=one.records_count, groups_count=one.groups_count) for one in points)
    linked = tuple(_point(one, linked_share=one.linked_share) for one in points if one.linked_share is not None)
    drawn = []
    if len(growth) >= _FEWEST_POINTS:
        drawn.append(_drawn(growth_plot, growth))
    if len(linked) >= _FEWEST_POINTS:
        drawn.append(_drawn(linked_plot, linked))
    return drawn


def _point(one: HistoryPoint, **values: Any) -> Point:
    at = one.at.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00")
    return (("envelope", one.envelope_name), ("at", f"{at}Z"), *values.items())


@lru_cache(maxsize=_KEPT_DRAWINGS)
def _drawn(draw: Callable[[list[dict[str, Any]]], Plot], points: tuple[Point, ...]) -> dict[str, Any]:
    # drawing takes tens of milliseconds, and the same page is opened again and again
    plot = draw([dict(point) for point in points])
    return {
        "name": plot.name,
        "title": plot.title,
        "svg": render_svg(plot),
        "columns": plot.columns,
        "rows": plot.rows,
    }
