"""Owns the suggestion of linkage fields by what the values of nameless columns look like.

Only what values can show: dates of birth, codes of sex and state, postcodes, a Source Unique ID. What could be one
of several fields, as a text that is a name, is left to the person, who checks the others as well. Must not read
files.

Source: SPEC section 1 (Import Format); docs/decisions/0029.
"""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from linkwright.engine.column_guesses import ColumnGuess, parse_date
from linkwright.engine.fields import SOURCE_UNIQUE_ID
from linkwright.engine.standardisation import DEFAULT_SEX_MAP, DEFAULT_STATE_MAP, map_key

# in fewer rows every column has another value in each
_LEAST_VALUES = 5
_READ_SHARE = 0.9
# people of a data set are of many ages; events lie within some years
_LEAST_BIRTH_YEARS = 15
_LEAST_POSTCODES = 3
_FOUR_DIGITS = re.compile(r"[0-9]{4}")
_BRITISH = re.compile(r"[a-z]{1,2}[0-9][a-z0-9]? ?[0-9][a-z]{2}")
_IDENTIFIER = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9/_-]*")
_FIRST_YEAR, _LAST_YEAR = 1850, 2100
# codes of digits alone may be anything
_SEXES = frozenset(map_key(word) for word in DEFAULT_SEX_MAP if not word.isdigit())
_STATES = frozenset(map_key(word) for word in DEFAULT_STATE_MAP if not word.isdigit())


class Suggestion(NamedTuple):
    """A linkage field for a column, and why: a few words; both '' where there is none."""

    field: str = ""
    why: str = ""


NO_SUGGESTION = Suggestion()


def suggest_by_values(
    columns: Sequence[Sequence[str]], guesses: Sequence[ColumnGuess], free: Collection[str]
) -> list[Suggestion]:
    """Suggest a linkage field for columns without a name.

    Args:
        columns: the values of each column, by row; none for a column that is not to be guessed.
        guesses: what the values of each look like.
        free: the names of the fields that may be suggested.

    Returns:
        One for each column; no field twice.
    """
    stripped = [[value.strip() for value in values] for values in columns]
    found: dict[str, tuple[int, str]] = {}
    for field, suggest in (
        (SOURCE_UNIQUE_ID, _unique_column),
        ("date_of_birth", _birth_column),
        ("sex", _sex_column),
        ("state", _state_column),
        ("postcode", _postcode_column),
    ):
        place, why = suggest(stripped, guesses)
        if field in free and place is not None:
            found[field] = place, why
    by_place = {place: Suggestion(field, why) for field, (place, why) in found.items()}
    return [by_place.get(place, NO_SUGGESTION) for place in range(len(columns))]


_Found = tuple[int | None, str]
_NOT_FOUND: _Found = (None, "")


def _unique_column(columns: Sequence[Sequence[str]], guesses: Sequence[ColumnGuess]) -> _Found:
    """Return the first column whose values all differ and are written as identifiers: files begin with theirs."""
    for place, values in enumerate(columns):
        are_identifiers = all(_IDENTIFIER.fullmatch(value) for value in values)
        are_others = len(set(values)) == len(values) and not guesses[place].date_formats
        if _is_enough(values) and are_identifiers and are_others:
            return place, "another value in every row"
    return _NOT_FOUND


def _birth_column(columns: Sequence[Sequence[str]], guesses: Sequence[ColumnGuess]) -> _Found:
    """Return the column of dates over many years; of several the one that is never the later."""
    dated = [place for place, guess in enumerate(guesses) if guess.date_formats and _is_enough(columns[place])]
    read = {
        place: [parse_date(value, guesses[place].date_formats[0]) for value in columns[place]] for place in dated
    }
    for place, dates in read.items():
        years = sorted(one.year for one in dates if one)
        # the first and the last may be mistakes
        if years[-1 - len(years) // 20] - years[len(years) // 20] < _LEAST_BIRTH_YEARS:
            continue
        pairs = [
            (one, other)
            for others in read.values()
            if others is not dates
            for one, other in zip(dates, others, strict=False)
            if one and other
        ]
        if all(one <= other for one, other in pairs):
            return place, "dates over many years" + (", before the others" if pairs else "")
    return _NOT_FOUND


def _sex_column(columns: Sequence[Sequence[str]], _guesses: Sequence[ColumnGuess]) -> _Found:
    return _of_words(columns, _SEXES, "words or codes of sex")


def _state_column(columns: Sequence[Sequence[str]], _guesses: Sequence[ColumnGuess]) -> _Found:
    return _of_words(columns, _STATES, "names or codes of states")


def _of_words(columns: Sequence[Sequence[str]], words: frozenset[str], why: str) -> _Found:
    """Return the one column of some words that has more than one of them; of two nobody knows which is meant."""
    fitting = []
    for place, values in enumerate(columns):
        present = [map_key(value) for value in values if value]
        known = [value for value in present if value in words]
        if _is_enough(values) and len(known) >= _READ_SHARE * len(present) and len(set(known)) > 1:
            fitting.append(place)
    return (fitting[0], why) if len(fitting) == 1 else _NOT_FOUND


def _postcode_column(columns: Sequence[Sequence[str]], guesses: Sequence[ColumnGuess]) -> _Found:
    """Return the column of postcodes: British ones, or four digits right beside the state."""
    state, _why = _state_column(columns, guesses)
    for place, values in enumerate(columns):
        present = [value.lower() for value in values if value]
        if not _is_enough(values) or len(set(present)) < _LEAST_POSTCODES:
            continue
        if _share(_BRITISH, present) >= _READ_SHARE:
            return place, "written as British postcodes"
        are_years = all(value.isdigit() and _FIRST_YEAR <= int(value) <= _LAST_YEAR for value in present)
        is_beside = state is not None and abs(place - state) == 1
        if is_beside and not are_years and _share(_FOUR_DIGITS, present) >= _READ_SHARE:
            return place, "four digits beside the state"
    return _NOT_FOUND


def _is_enough(values: Sequence[str]) -> bool:
    return sum(value != "" for value in values) >= _LEAST_VALUES


def _share(pattern: re.Pattern[str], present: Sequence[str]) -> float:
    return sum(pattern.fullmatch(value) is not None for value in present) / len(present)
