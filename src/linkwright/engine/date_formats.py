"""Owns the date formats that a source file may use: which are allowed, and which texts they read.

A format is written with strptime's directives. Each is turned into a strict shape, since strptime itself reads
'1/2/99' by %d/%m/%Y as the year 99. Two-digit years are refused, since nothing says which century is meant.
Must not know of fields or files.

Source: SPEC section 5 (dates by the declared format); Python's and DuckDB 2's strptime, which agree on these.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import combinations

DEFAULT_DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%Y%m%d")

_MONTHS_SHORT = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_MONTHS_LONG = "january|february|march|april|may|june|july|august|september|october|november|december"

# Without the year 0, which would be a date before Christ that few readers of Parquet can show
_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
# Beside another number, a number has its full width, or %Y%m%d could read '1999121'; elsewhere the zero may lack
_FULL_WIDTH = {"%Y": _YEAR, "%j": "[0-9]{3}", "%f": "[0-9]{1,6}"} | dict.fromkeys(
    ("%m", "%d", "%H", "%M", "%S"), "[0-9]{2}"
)
_ANY_WIDTH = _FULL_WIDTH | dict.fromkeys(("%m", "%d", "%H", "%M", "%S"), "[0-9]{1,2}")
_MONTH_NAMES = {"%b": f"(?:{_MONTHS_SHORT})", "%B": f"(?:{_MONTHS_LONG})"}
DIRECTIVES = (*_ANY_WIDTH, *_MONTH_NAMES)

_PERCENT = "%%"
_PROBES = tuple(date(1987, month, day) for month, day in ((2, 3), (3, 2), (11, 12), (12, 11)))

# a page asks of each of its project's Import Formats whether it can be loaded
_KEPT = 1000


def _tokens(date_format: str) -> list[str]:
    return re.findall(r"%.?|[^%]", date_format, flags=re.DOTALL)


def date_format_fault(date_format: str) -> str | None:
    """Say what is wrong with a date format.

    Returns:
        A full sentence that ends with the remedy, or None if the format is allowed.
    """
    directives = [token for token in _tokens(date_format) if token.startswith("%") and token != _PERCENT]
    if "%y" in directives:
        return f"{date_format!r} has a two-digit year, whose century nobody can know. Deliver years as %Y."
    unknown = [token for token in directives if token not in DIRECTIVES]
    if unknown:
        return f"{date_format!r} holds {unknown[0]!r}. Use only {', '.join(DIRECTIVES)}."
    repeated = sorted({token for token in directives if directives.count(token) > 1})
    if repeated:
        return f"{date_format!r} holds {repeated[0]} twice. Use each directive once."
    months = [token for token in directives if token in {"%m", "%b", "%B"}]
    by_month = len(months) == 1 and "%d" in directives and "%j" not in directives
    by_day_of_year = "%j" in directives and not months and "%d" not in directives
    if "%Y" not in directives or not (by_month or by_day_of_year):
        return (
            f"{date_format!r} does not make a date. "
            "Use %Y with %d and one of %m, %b and %B, or %Y with %j (the day of the year)."
        )
    return None


def ambiguous_formats(date_formats: Sequence[str]) -> list[tuple[str, str]]:
    """Find pairs of allowed formats that read the same text as different days, such as %d/%m/%Y and %m/%d/%Y."""
    return [
        (first, second)
        for first, second in combinations(dict.fromkeys(date_formats), 2)
        if any(_reads_otherwise(probe, first, second) for probe in _PROBES)
    ]


@lru_cache(maxsize=_KEPT)
def _reads_otherwise(probe: date, first: str, second: str) -> bool:
    text = probe.strftime(first)
    if not re.fullmatch(date_shape(second), text.lower()):
        return False
    try:
        return datetime.strptime(text, second).date() != probe  # noqa: DTZ007  # a date has no time zone
    except ValueError:
        return False


@lru_cache(maxsize=_KEPT)
def date_shape(date_format: str) -> str:
    """Return the regular expression that every text of an allowed format matches whole, in small letters.

    Two numbers without a sign between them have their full width. The pattern suits Python's re and DuckDB's RE2.
    """
    tokens = _tokens(date_format)
    shape = ""
    for index, token in enumerate(tokens):
        neighbours = tokens[max(index - 1, 0) : index] + tokens[index + 1 : index + 2]
        if token in _ANY_WIDTH:
            touches_number = any(neighbour in _ANY_WIDTH for neighbour in neighbours)
            shape += (_FULL_WIDTH if touches_number else _ANY_WIDTH)[token]
        elif token in _MONTH_NAMES:
            shape += _MONTH_NAMES[token]
        else:
            shape += re.escape("%" if token == _PERCENT else token.lower())
    return shape
