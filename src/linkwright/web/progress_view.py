"""What a running job's progress says: stage, share, rate and time left. Pure; an unknown length stays unknown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from linkwright.web.formatting import format_bytes, format_duration, format_number, format_percent

_ENOUGH_S = 1.0
_WHOLE_FROM = 10
# stages are called after what the engine does; people read what that means
_STAGES = {
    "count": "Counting",
    "index": "Indexing records",
    "candidates": "Finding candidate pairs",
    "score": "Weighing candidate pairs",
    "read": "Reading",
    "merge": "Merging groups",
    "touched": "Finding touched groups",
    "drop": "Undoing",
    "write": "Writing",
    "sample": "Drawing a sample",
    "patterns": "Counting agreement patterns",
    "values": "Counting values",
    "estimate": "Estimating",
}


@dataclass(frozen=True)
class ProgressView:
    """`percent` is None while the length is unknown; texts are '' while there is nothing to say."""

    stage: str
    percent: float | None
    share_text: str
    done_text: str
    rate_text: str
    left_text: str


def view_progress(progress: Mapping[str, Any]) -> ProgressView:
    """Work out what can be said about a job's progress JSON."""
    done, total = progress.get("done") or 0, progress.get("total")
    unit = str(progress.get("unit") or "")
    stage = str(progress.get("stage") or "Starting")
    share = min(done / total, 1.0) if total else None
    per_second = _rate(progress, done)
    left = (total - done) / per_second if total and per_second and total > done else None
    return ProgressView(
        stage=_STAGES.get(stage, stage),
        percent=None if share is None else round(share * 100, 1),
        share_text="" if share is None else format_percent(share),
        done_text=_done_text(done, total, unit),
        rate_text=_rate_text(per_second, unit) if per_second else "",
        left_text=f"about {format_duration(max(left, 1.0))} left" if left is not None else "",
    )


def _done_text(done: float, total: float | None, unit: str) -> str:
    if not done and not total:
        return ""
    if not total:
        return _amount(done, unit)
    before = format_bytes(done) if unit == "bytes" else format_number(done)
    return f"{before} of {_amount(total, unit)}"


def _amount(count: float, unit: str) -> str:
    """Return a number with its unit: '1 234 records', '1.2 GiB'."""
    return format_bytes(count) if unit == "bytes" else f"{format_number(count)} {unit}".rstrip()


def _rate_text(per_second: float, unit: str) -> str:
    """Return a rate in the unit of time that gives it a number: '1 234 pairs/s', '2.5 plots/s', '12 rules/min'."""
    if unit == "bytes" or per_second >= _WHOLE_FROM:
        return f"{_amount(round(per_second), unit)}/s"
    count, per = (per_second, "s") if per_second >= 1 else (per_second * 60, "min")
    return f"{_amount(round(count, 0 if count >= _WHOLE_FROM else 1), unit)}/{per}"


def _rate(progress: Mapping[str, Any], done: float) -> float | None:
    if not done or "stage_started_at" not in progress or "reported_at" not in progress:
        return None
    started = datetime.fromisoformat(progress["stage_started_at"])
    seconds = (datetime.fromisoformat(progress["reported_at"]) - started).total_seconds()
    # the first moments of a stage say nothing about its speed
    return done / seconds if seconds >= _ENOUGH_S else None
