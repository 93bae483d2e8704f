"""Owns the detection of how a sample is written: separator, quoting, header, or the columns of fixed width.

Gives a proposal that a person checks. Must not read files; the bytes become lines in `sample_text`.

Source: SPEC section 1 (Import Format); docs/decisions/0028.
"""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from linkwright.engine.column_guesses import guess_column, is_known_name
from linkwright.engine.fields import LinkageField
from linkwright.engine.fixed_width import find_ranges
from linkwright.engine.import_format import CharacterRange, SourceKind
from linkwright.engine.sample_text import SampleText

SEPARATORS = (",", ";", "\t", "|", "^", "~", ":")
QUOTES = ('"', "'")
LOOKED_AT_LINES = 500
_MOST_CHARACTERS_PER_LINE = 100_000
# a colon separates times and addresses, too: it has to be there in every row
_WEAK_SEPARATORS = {":", "^", "~"}
_GOOD_SHARE = 0.8


@dataclass(frozen=True)
class Sniffed:
    """How a sample seems to be written.

    Args:
        kind: delimited or fixed-width.
        separator: of delimited text; a comma if there is but one column.
        quote: the character around values; '"' also if none is quoted.
        escape: the character before a quote inside a value; None: it is doubled.
        header: whether the first line names the columns.
        ranges: the columns of fixed-width text.
        notes: what a person should know, full sentences.
    """

    kind: SourceKind
    separator: str = ","
    quote: str = '"'
    escape: str | None = None
    header: bool = True
    ranges: tuple[CharacterRange, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Trial:
    """What reading by one separator and quote gave."""

    separator: str
    quote: str
    columns_count: int
    share: float


def sniff(text: SampleText, fields: Sequence[LinkageField]) -> Sniffed:
    """Say how a sample seems to be written.

    Args:
        text: of the sample.
        fields: whose names are looked for in a header.
    """
    lines = [line for line in text.lines[:LOOKED_AT_LINES] if line.strip()]
    notes = []
    if any(len(line) > _MOST_CHARACTERS_PER_LINE for line in lines):
        notes.append(
            f"A line has more than {_MOST_CHARACTERS_PER_LINE:,} characters. Check that this is the right file."
        )
        lines = [line for line in lines if len(line) <= _MOST_CHARACTERS_PER_LINE] or [
            lines[0][:_MOST_CHARACTERS_PER_LINE]
        ]
    escape = _escape_of(lines)
    best = _best_trial(lines, escape)
    if best is None:
        ranges = find_ranges([line.rstrip("\r\n") for line in lines])
        if len(ranges) > 1:
            return Sniffed(SourceKind.FIXED_WIDTH, ranges=ranges, notes=tuple(notes))
        notes.append("No separator was found: the file seems to have one column.")
        best = _Trial(",", '"', 1, 1.0)
    rows = read_rows(lines, best.separator, best.quote, escape)
    return Sniffed(
        SourceKind.DELIMITED,
        separator=best.separator,
        quote=best.quote,
        escape=escape,
        header=has_header(rows, fields),
        notes=tuple(notes),
    )


def read_rows(
    lines: Sequence[str], separator: str, quote: str | None, escape: str | None = None
) -> list[list[str]]:
    """Read rows from lines; those behind a fault of the quoting are left out."""
    reader = csv.reader(
        lines,
        delimiter=separator,
        quotechar=quote,
        escapechar=escape,
        quoting=csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL,
    )
    rows: list[list[str]] = []
    try:
        rows.extend(row for row in reader if row)
    except csv.Error:
        # the rows before it tell enough
        return rows
    return rows


def has_header(rows: Sequence[Sequence[str]], fields: Sequence[LinkageField]) -> bool:
    """Tell whether the first row names the columns.

    It does if a name in it means a linkage field, or if it has texts over columns of dates, numbers or codes.
    """
    if not rows:
        return True
    first = [name.strip() for name in rows[0]]
    named = [name for name in first if name]
    if not named or len(set(named)) < len(named) or any(_is_value(name) for name in named):
        return False
    if any(is_known_name(name, fields) for name in named):
        return True
    below = [row for row in rows[1:] if len(row) == len(first)]
    return any(_is_value(value.strip()) for row in below for value in row)


def _is_value(text: str) -> bool:
    return bool(re.search(r"\d", text)) and (guess_column([text]).date_formats != () or _is_number(text))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?[\d ]*[.,]?\d+", text) is not None


def _escape_of(lines: Sequence[str]) -> str | None:
    text = "".join(lines)
    return "\\" if '\\"' in text and re.search(r'[^\\"]""[^"]', text) is None else None


def _best_trial(lines: Sequence[str], escape: str | None) -> _Trial | None:
    trials = [
        trial
        for quote in _quotes_in(lines)
        for separator in SEPARATORS
        if (trial := _try(lines, separator, quote, escape)) is not None
    ]
    if not trials:
        return None
    # of equal shares the one with more columns; then the more usual, which comes first
    return max(trials, key=lambda one: (round(one.share, 2), one.columns_count))


def _quotes_in(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the quotes to try: a single one only where values begin and end with it, unlike in O'Brien."""
    text = "".join(lines)
    edges = "".join(re.escape(separator) for separator in SEPARATORS)
    single = len(re.findall(rf"(?:^|[{edges}])'[^'\r\n]*'(?=[{edges}]|\r?$)", text, re.MULTILINE))
    return ("'",) if single >= len(lines) and '"' not in text else ('"',)


def _try(lines: Sequence[str], separator: str, quote: str, escape: str | None) -> _Trial | None:
    if separator not in "".join(lines[:5]):
        return None
    rows = read_rows(lines, separator, quote, escape)
    # half a pair of quotes in a value: it was cut at a character inside of it
    whole = [row for row in rows if all(cell.count(quote) % 2 == 0 for cell in row)]
    if not whole:
        return None
    columns_count, rows_count = Counter(map(len, whole)).most_common(1)[0]
    share = rows_count / len(rows)
    least = 1.0 if separator in _WEAK_SEPARATORS else _GOOD_SHARE
    if columns_count < 2 or share < least:  # noqa: PLR2004 - a separator makes two of one
        return None
    return _Trial(separator, quote, columns_count, share)
