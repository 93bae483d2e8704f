"""The plots of a job's statistics, by its kind: drawn when they are looked at, and kept for the next look.

A Report's own plots are stored with it; here they are not drawn again.
"""

import json
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from linkwright.engine.charts import Plot, drawn_plot, group_sizes_plot, weights_plot
from linkwright.engine.job_charts import blocking_rules_plot, field_values_plot
from linkwright.store.models import JobKind

_KEPT_DRAWINGS = 200
# what is drawn counts; numbers of one place say as much in a line
_FEWEST_RULES = 2

Statistics: TypeAlias = Mapping[str, Any]


def job_plots(kind: str, statistics: Statistics) -> list[dict[str, Any]]:
    """Return the plots of a job, in the form of stored ones; none for a kind or numbers without a distribution."""
    draw = _KINDS.get(JobKind(kind))
    if draw is None:
        return []
    wanted = {key: statistics[key] for key in _READ[JobKind(kind)] if statistics.get(key)}
    return _drawn(draw, json.dumps(wanted)) if wanted else []


def drawn_keys(kind: str, statistics: Statistics) -> Collection[str]:
    """Return the keys of the statistics whose tables the plots show."""
    if kind == JobKind.GROUP:
        return ("sizes",)
    return ("weight_histogram",) if kind == JobKind.MATCH and statistics.get("thresholds") else ()


def _load_plots(statistics: Statistics) -> list[Plot]:
    if "fields" not in statistics or "rows_loaded_count" not in statistics:
        return []
    return [field_values_plot(statistics["fields"], statistics["rows_loaded_count"])]


def _match_plots(statistics: Statistics) -> list[Plot]:
    plots = []
    bins, thresholds = statistics.get("weight_histogram"), statistics.get("thresholds")
    if bins and thresholds:
        # of several strategies that weigh, the first one's are drawn; all stand in the table
        match = float(thresholds[0]["match_threshold"] or 0.0)
        review = thresholds[0]["review_threshold"]
        plots.append(
            weights_plot(bins, match_threshold=match, review_threshold=match if review is None else float(review))
        )
    rules = statistics.get("rules", [])
    if len(rules) >= _FEWEST_RULES:
        plots.append(blocking_rules_plot(rules))
    return plots


def _group_plots(statistics: Statistics) -> list[Plot]:
    return [group_sizes_plot(statistics["sizes"])]


_KINDS: Mapping[JobKind, Callable[[Statistics], list[Plot]]] = {
    JobKind.LOAD: _load_plots,
    JobKind.MATCH: _match_plots,
    JobKind.GROUP: _group_plots,
}
_READ: Mapping[JobKind, Collection[str]] = {
    JobKind.LOAD: ("fields", "rows_loaded_count"),
    JobKind.MATCH: ("weight_histogram", "thresholds", "rules"),
    JobKind.GROUP: ("sizes",),
}


@lru_cache(maxsize=_KEPT_DRAWINGS)
def _drawn(draw: Callable[[Statistics], list[Plot]], statistics: str) -> list[dict[str, Any]]:
    # drawing takes tens of milliseconds, and the same rows are opened again and again
    return [drawn_plot(plot) for plot in draw(json.loads(statistics))]
