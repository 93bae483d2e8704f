"""A plot that is drawn for a page, in the form of those that reports store."""

from typing import Any

from linkwright.engine.charts import Plot, render_svg


def drawn_plot(plot: Plot) -> dict[str, Any]:
    """Draw a plot; takes tens of milliseconds."""
    return {
        "name": plot.name,
        "title": plot.title,
        "svg": render_svg(plot),
        "columns": plot.columns,
        "rows": plot.rows,
    }
