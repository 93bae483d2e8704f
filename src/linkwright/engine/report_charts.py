"""The plots of a project's reports: over time, and between its Event Types.

Made in the manner of `engine.charts`, from the numbers of stored reports.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from linkwright.engine.charts import PRIMARY, SECONDARY, Plot, Row, vega_spec

_FEW_TIMES = 5
_TIME_FORMATS = (
    (timedelta(minutes=10), "%H:%M:%S"),
    (timedelta(days=1), "%H:%M"),
    (timedelta(days=120), "%-d %b"),
)
_LONG_SPAN = "%b %Y"
_STRENGTHS = [0.04, 0.45]
_CELL_HEIGHT = 44


def growth_plot(points: Sequence[Row]) -> Plot:
    """Draw how a project has grown.

    Args:
        points: envelope, at (ISO 8601), records_count, groups_count; after each Envelope, oldest first.
    """
    rows = tuple((row["envelope"], row["at"], row["records_count"], row["groups_count"]) for row in points)
    series = ["records", "groups"]
    values = [
        {"at": at, "count": count, "of": of}
        for _name, at, *counts in rows
        for of, count in zip(series, counts, strict=True)
    ]
    y = {"field": "count", "type": "quantitative", "title": "in the linkage map", "axis": {"format": ",d"}}
    colour = {
        "field": "of",
        "type": "nominal",
        "sort": series,
        "scale": {"domain": series, "range": [PRIMARY, SECONDARY]},
    }
    return Plot(
        name="growth",
        title="Records and groups over time",
        spec=_over_time(values, {"y": y, "color": colour}),
        columns=("after", "at (UTC)", *series),
        rows=rows,
    )


def linked_plot(points: Sequence[Row]) -> Plot:
    """Draw which share of each Envelope's records was linked to another record.

    Args:
        points: envelope, at (ISO 8601), linked_share (0-1); oldest first.
    """
    rows = tuple((row["envelope"], row["at"], row["linked_share"]) for row in points)
    values = [{"at": at, "share": share} for _name, at, share in rows]
    y = {
        "field": "share",
        "type": "quantitative",
        "title": "records linked to another",
        "scale": {"domain": [0, 1]},
        "axis": {"format": ".0%", "tickCount": 5},
    }
    return Plot(
        name="linked",
        title="Linking rate of each Envelope",
        spec=_over_time(values, {"y": y, "color": {"value": PRIMARY}}),
        columns=("Envelope", "at (UTC)", "share linked"),
        rows=rows,
    )


def throughput_plot(points: Sequence[Row]) -> Plot:
    """Draw how quickly each Envelope was processed, from the start of its first job to the end of its last.

    Args:
        points: envelope, at (ISO 8601), records_per_s; oldest first.
    """
    rows = tuple((row["envelope"], row["at"], row["records_per_s"]) for row in points)
    values = [{"at": at, "rate": rate} for _name, at, rate in rows]
    y = {"field": "rate", "type": "quantitative", "title": "records per second", "axis": {"format": ",~f"}}
    return Plot(
        name="throughput",
        title="Throughput of each Envelope",
        spec=_over_time(values, {"y": y, "color": {"value": PRIMARY}}),
        columns=("Envelope", "at (UTC)", "records per second"),
        rows=rows,
    )


def linking_rates_plot(rates: Sequence[Row]) -> Plot:
    """Draw which share of the records of each Event Type is linked to a record of each other.

    Args:
        rates: event_type, with_event_type, records_count, linked_count, linked_share (0-1).
    """
    rows = tuple(
        (
            row["event_type"],
            row["with_event_type"],
            row["records_count"],
            row["linked_count"],
            row["linked_share"],
        )
        for row in rates
    )
    values = [{"of": one, "with": other, "share": share} for one, other, _records, _linked, share in rows]
    places = {
        "y": {"field": "of", "type": "nominal", "title": "records of"},
        "x": {"field": "with", "type": "nominal", "title": "linked with", "axis": {"labelAngle": 0}},
    }
    # through the colour, as the page's variables cannot be mixed; never so strong that the number is hard to read
    strength = {
        "field": "share",
        "type": "quantitative",
        "legend": None,
        "scale": {"domain": [0, 1], "range": _STRENGTHS},
    }
    number = {"field": "share", "type": "quantitative", "format": ".2~%"}
    spec = {
        "data": {"values": values},
        "height": {"step": _CELL_HEIGHT},
        "encoding": places,
        "layer": [
            {"mark": {"type": "rect", "color": PRIMARY}, "encoding": {"opacity": strength}},
            {"mark": {"type": "text", "color": "var(--ink)"}, "encoding": {"text": number}},
        ],
    }
    return Plot(
        name="linking_rates",
        title="Rates of linking between Event Types",
        spec=vega_spec(spec),
        columns=("records of", "linked with", "records", "linked", "share"),
        rows=rows,
    )


def _over_time(values: Sequence[Row], encoding: Row) -> dict[str, Any]:
    times = sorted({str(value["at"]) for value in values})
    axis: dict[str, Any] = {"format": _time_format(times), "labelOverlap": True, "tickCount": _FEW_TIMES}
    if len(times) <= _FEW_TIMES:
        # the times themselves: round ones between them would say the same minute over and over
        axis["values"] = [datetime.fromisoformat(at).timestamp() * 1000 for at in times]
    x = {"field": "at", "type": "temporal", "title": "UTC", "scale": {"type": "utc"}, "axis": axis}
    return vega_spec(
        {"data": {"values": values}, "mark": {"type": "line", "point": True}, "encoding": {"x": x, **encoding}}
    )


def _time_format(times: Sequence[str]) -> str:
    """Return how times are written: as exactly as their span needs."""
    if not times:
        return _LONG_SPAN
    span = datetime.fromisoformat(times[-1]) - datetime.fromisoformat(times[0])
    return next((text for most, text in _TIME_FORMATS if span <= most), _LONG_SPAN)
