"""Numbers, sizes, durations and moments as people read them. Pure; knows no request and no table."""

import math
from datetime import UTC, datetime

# NARROW NO-BREAK SPACE: a thin separator that never wraps
THIN_SPACE = "\u202f"
NO_VALUE = "–"

_KIB = 1024
_TENTHS_BELOW = 100
_TENTHS_BELOW_S = 10
_DATE_AFTER_DAYS = 30
_MINUTE_S = 60
_HOUR_S = 3_600
_DAY_S = 86_400
_JUST_NOW_S = 5
_SMALL = 0.001


def format_number(value: float) -> str:
    """Return a number with thin thousands separators; fractions with as many digits as they need, at most three.

    Example: 1234567 → '1 234 567'; 0.98765 → '0.988'.
    """
    if isinstance(value, float):
        if math.isinf(value) or math.isnan(value):
            return {math.inf: "∞", -math.inf: "−∞"}.get(value, NO_VALUE)
        if not value.is_integer():
            return _format_fraction(value)
    return f"{int(value):,}".replace(",", THIN_SPACE).replace("-", "−")


def _format_fraction(value: float) -> str:
    if 0 < abs(value) < _SMALL:
        return f"{value:.1e}".replace("-", "−")
    text = f"{value:,.3f}".rstrip("0").rstrip(".")
    return text.replace(",", THIN_SPACE).replace("-", "−")


def format_bytes(count: float) -> str:
    """Return a size in binary units: 512 B, 1.5 KiB, 320 MiB."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < _KIB:
            digits = 0 if unit == "B" or abs(size) >= _TENTHS_BELOW else 1
            return f"{size:.{digits}f}{THIN_SPACE}{unit}"
        size /= _KIB
    return f"{size:.1f}{THIN_SPACE}TiB"


def format_duration(seconds: float) -> str:
    """Return a duration in its two largest units: 40 ms, 4.2 s, 1 min 12 s, 2 h 5 min, 3 d 4 h."""
    seconds = max(seconds, 0.0)
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < _TENTHS_BELOW_S:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S} s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S} min"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S} h"


def format_percent(part: float) -> str:
    """Return how much of something is done, as whole percent; 100 only when all of it is: 0.6293 → '62 %'."""
    return f"{math.floor(part * 100)}{THIN_SPACE}%"


def format_share(part: float) -> str:
    """Return a share of one as percent, in as many digits as keep 'nearly' from 'all': 0.9998 → '99.98 %'."""
    percent = part * 100
    for digits in (1, 2, 3):
        text = f"{percent:.{digits}f}"
        if 0 < float(text) < 100:  # noqa: PLR2004 - percent
            return f"{text.rstrip('0').rstrip('.')}{THIN_SPACE}%"
    return f"{percent:.0f}{THIN_SPACE}%"


def format_points(difference: float) -> str:
    """Return a difference of shares in percentage points: -0.367 → '−36.7'; what rounds to none has no sign."""
    text = f"{abs(difference) * 100:.1f}"
    sign = "" if float(text) == 0 else "−" if difference < 0 else "+"
    return f"{sign}{text}"


def format_moment(at: datetime) -> str:
    """Return the exact time, for tooltips and downloads."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def format_probability(value: float) -> str:
    """Return a probability with three digits that count, if small too: 0.98168 → '0.982', 0.000012 → '1.2e−05'."""
    return f"{value:.3g}".replace("-", "−")


def format_weight(value: float) -> str:
    """Return a match weight (log2) with its sign: '+7.25', '−3.1', '0'."""
    text = f"{value:+.2f}".rstrip("0").rstrip(".")
    return "0" if text in {"+0", "-0"} else text.replace("-", "−")


def format_age(at: datetime, now: datetime) -> str:
    """Return how long ago something was: 'just now', '3 min ago', '2 d ago', or the date after a month."""
    seconds = (now - at).total_seconds()
    if seconds < _JUST_NOW_S:
        return "just now"
    for size, unit in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "min")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{at:%Y-%m-%d}" if unit == "d" and count > _DATE_AFTER_DAYS else f"{count} {unit} ago"
    return f"{int(seconds)} s ago"


def count_words(count: int, singular: str, plural: str = "") -> str:
    """Return a count with its noun: '1 job', '14 jobs'."""
    noun = singular if count == 1 else plural or f"{singular}s"
    return f"{format_number(count)} {noun}"
