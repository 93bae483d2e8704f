"""Owns the search for the columns of fixed-width text: where each begins, by what stands at each place of lines.

Gives a proposal that a person corrects. Where columns touch, a boundary is proposed only where the lines show one:
filling that ends, dates, words of states, codes of sex, digits beside letters. Two numbers side by side of which
neither is a date stay one column. Must not read files.

Source: SPEC section 1 (Import Format: fixed-width); docs/decisions/0029.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from linkwright.engine.column_guesses import parse_date
from linkwright.engine.date_formats import date_shape
from linkwright.engine.import_format import CharacterRange
from linkwright.engine.standardisation import DEFAULT_STATE_MAP

_LEAST_LINES = 3
_LEAST_WIDTH = 8
# wider text is looked at for blanks alone
_MOST_WIDTH = 2000
_MOST_LINES = 300
# in fewer lines a short code, or words that are as long as each other, are met by chance
_LEAST_LINES_FOR_CODES = 8
# of the values that are there
_NEARLY_ALL = 0.97
_READ_SHARE = 0.9
# of the lines: values after filling at which a column begins; places that are filled where one before is not
_FEW = 0.02
_SPARSE = 0.1
_LEAST_LINES_BEGIN = 2
_STEP = 0.5
_OFTEN_FILLED = 0.5
_LEAST_OF_EACH_SEX = 0.05
_PROBES_COUNT = 5
# the longest first: the date in a moment is no column
_DATE_FORMATS = {
    19: ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S"),
    16: ("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"),
    11: ("%d-%b-%Y", "%d %b %Y"),
    10: ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y/%m/%d", "%m-%d-%Y"),
    9: ("%d%b%Y",),
    8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"),
}
_SHAPES = {one: re.compile(date_shape(one)) for formats in _DATE_FORMATS.values() for one in formats}
_STATES = frozenset(key for key in DEFAULT_STATE_MAP if key.isalpha())
_BRITISH_POSTCODE = re.compile(r"[a-z]{1,2}[0-9][a-z0-9]? ?[0-9][a-z]{2}")
_KNOWN_WIDTHS: tuple[tuple[int, Callable[[str], object]], ...] = (
    (3, _STATES.__contains__),
    (2, _STATES.__contains__),
    (8, _BRITISH_POSTCODE.fullmatch),
    (7, _BRITISH_POSTCODE.fullmatch),
)
_SEXES = frozenset("mfxuio")
_LONGEST_PREFIX = 3


class _Place(NamedTuple):
    """What stands at one place: the share of lines that are filled, and of these that have a digit, a letter."""

    filled: float
    digits: float
    letters: float


class _Window(NamedTuple):
    """A column that is known by what it holds: from place `start` to before `end`, counted from 0."""

    start: int
    end: int


def find_ranges(lines: Sequence[str]) -> tuple[CharacterRange, ...]:
    """Find columns of fixed width in lines without their ends.

    Returns:
        The columns, side by side from the first character to the last; none if the lines are too few or too short.
    """
    width = max(map(len, lines), default=0)
    if len(lines) < _LEAST_LINES or width < _LEAST_WIDTH:
        return ()
    padded = [line.ljust(width) for line in lines]
    starts = _behind_blanks(padded)
    if starts and width <= _MOST_WIDTH:
        looked_at = padded[:_MOST_LINES]
        places = [_place_of(characters) for characters in zip(*looked_at, strict=True)]
        starts = _without_last_words(padded, starts, _behind_filling(looked_at, places))
        # a list of values, one a line, is no fixed-width text because its values have parts
        if len(starts) > 1 or len(set(map(len, lines))) == 1:
            starts = _touching(looked_at, places, starts)
    ordered = sorted({0, *starts - {min(starts, default=0)}})
    return tuple(
        CharacterRange(start=start + 1, width=end - start)
        for start, end in zip(ordered, [*ordered[1:], width], strict=True)
    )


def _behind_blanks(lines: Sequence[str]) -> set[int]:
    """Return the places that some line fills, behind one at which every line has a blank."""
    is_blank = [all(line[place] == " " for line in lines) for place in range(len(lines[0]))]
    return {place for place, blank in enumerate(is_blank) if not blank and (place == 0 or is_blank[place - 1])}


def _without_last_words(lines: Sequence[str], starts: set[int], begun: set[int]) -> set[int]:
    """Join what stands behind blanks and behind filling, but for the last words of long values.

    Such values are few in a column of texts, so that where their words are apart every line may have a blank.
    """
    ordered = sorted(starts | begun)
    ends = [*ordered[1:], len(lines[0])]
    return {
        start
        for start, end in zip(ordered, ends, strict=True)
        if start in begun or start < 2 or not _are_last_words(lines, start, end)  # noqa: PLR2004 - two places before
    }


def _are_last_words(lines: Sequence[str], start: int, end: int) -> bool:
    filled = [line for line in lines if line[start:end].strip()]
    values_count = len({line[start:end] for line in filled})
    are_few = len(filled) <= max(1, _SPARSE * len(lines)) and values_count <= max(1, _FEW * len(lines))
    return are_few and all(line[start - 2] != " " for line in filled)


def _behind_filling(lines: Sequence[str], places: Sequence[_Place]) -> set[int]:
    """Return the places at which values begin behind two blanks or more: filling, as no value has inside.

    Where a column is right-aligned its values begin at several places, side by side: it begins at the first.
    """
    least = max(_LEAST_LINES_BEGIN, _FEW * len(lines))
    counts = {
        place: count
        for place in range(2, len(places))
        if (count := sum(line[place] != " " and line[place - 2 : place] == "  " for line in lines)) >= least
    }
    found, cluster = set(), list[int]()
    for place in (*sorted(counts), len(places) + 1):
        if cluster and cluster[-1] != place - 1:
            first = cluster[0]
            if all(places[one].digits >= _NEARLY_ALL for one in cluster):
                found.add(_first_digit(places, first))
            else:
                # a text that begins elsewhere has a blank too many, or too few
                found.add(max(cluster, key=lambda one: counts[one]))
            cluster = []
        cluster.append(place)
    return found


def _first_digit(places: Sequence[_Place], place: int) -> int:
    """Return where a right-aligned number begins: the larger ones, which are fewer, stand out to the left."""
    while place and places[place - 1].digits >= _NEARLY_ALL and places[place - 1].filled < places[place].filled:
        place -= 1
    return place


def _touching(lines: Sequence[str], places: Sequence[_Place], starts: set[int]) -> set[int]:
    """Add the boundaries inside what blanks and filling have told apart."""
    windows = [*_date_windows(lines, places)]
    taken = {place for window in windows for place in range(window.start, window.end)}
    windows += [one for one in _code_windows(lines, places) if not taken & set(range(one.start, one.end))]
    found = set(starts)
    for window in windows:
        found -= set(range(window.start + 1, window.end))
        found.add(window.start)
        # filling behind a column belongs to it
        if window.end < len(places) and places[window.end].filled:
            found.add(window.end)
    inside = {place for window in windows for place in range(window.start + 1, window.end)}
    for place in range(1, len(places)):
        if place not in inside and place not in found and _is_boundary(lines, places, place, found):
            found.add(place)
    return found


def _place_of(characters: Sequence[str]) -> _Place:
    filled = [one for one in characters if one != " "]
    count = len(filled) or 1
    digits = sum(one.isdigit() for one in filled) / count
    return _Place(len(filled) / len(characters), digits, sum(one.isalpha() for one in filled) / count)


def _date_windows(lines: Sequence[str], places: Sequence[_Place]) -> Iterator[_Window]:
    """Yield the columns of dates: characters of which nearly all that are there read by one format."""
    taken: set[int] = set()
    for width, formats in _DATE_FORMATS.items():
        for start in range(len(places) - width + 1):
            inside = range(start, start + width)
            # all formats begin and end with digits; where there are none nothing need be read
            if min(places[start].digits, places[inside[-1]].digits) < _OFTEN_FILLED:
                continue
            if taken.isdisjoint(inside) and any(
                _reads(lines, _Window(start, start + width), one) for one in formats
            ):
                taken.update(inside)
                yield _Window(start, start + width)


def _reads(lines: Sequence[str], window: _Window, date_format: str) -> bool:
    values = (value for line in lines if (value := line[window.start : window.end]).strip())
    probes = [value for value, _number in zip(values, range(_PROBES_COUNT), strict=False)]
    # most places are told by the first few
    if len(probes) < _LEAST_LINES or sum(not _is_date(value, date_format) for value in probes) > 1:
        return False
    present = [*probes, *values]
    return sum(_is_date(value, date_format) for value in present) >= _READ_SHARE * len(present)


def _is_date(text: str, date_format: str) -> bool:
    return _SHAPES[date_format].fullmatch(text.lower()) is not None and parse_date(text, date_format) is not None


def _code_windows(lines: Sequence[str], places: Sequence[_Place]) -> Iterator[_Window]:
    """Yield the columns of one letter for the sex, and of states, and of postcodes."""
    if len(lines) < _LEAST_LINES_FOR_CODES:
        return
    sexes = {place for place, found in enumerate(places) if _is_sex(lines, found, place)}
    place = 0
    while place < len(places):
        # two side by side are letters of something else
        is_sex = place in sexes and not sexes & {place - 1, place + 1}
        width = 1 if is_sex else _known_width(lines, place)
        if width:
            yield _Window(place, place + width)
        place += width or 1


def _is_sex(lines: Sequence[str], found: _Place, place: int) -> bool:
    if found.filled < _OFTEN_FILLED or found.letters < _NEARLY_ALL:
        return False
    letters = [line[place].lower() for line in lines if line[place] != " "]
    least = _LEAST_OF_EACH_SEX * len(letters)
    return set(letters) <= _SEXES and min(letters.count("m"), letters.count("f")) >= max(least, 1)


def _known_width(lines: Sequence[str], start: int) -> int:
    """Return how wide a column of states, or of British postcodes, at a place is; 0 if there is none."""
    for width, is_known in _KNOWN_WIDTHS:
        values = [value for line in lines if (value := line[start : start + width].lower()).strip()]
        if len(values) < _OFTEN_FILLED * len(lines):
            continue
        known = [value for value in values if is_known(value.rstrip())]
        if len(known) >= _READ_SHARE * len(values) and len(set(known)) > 1:
            return width
    return 0


def _is_boundary(lines: Sequence[str], places: Sequence[_Place], place: int, found: set[int]) -> bool:
    """Tell whether a column begins at a place: all at once it is filled, or digits and letters meet there."""
    before, here = places[place - 1], places[place]
    if here.filled < _OFTEN_FILLED:
        return False
    # the tens and the ones of a number
    are_digits = min(before.digits, here.digits) >= _NEARLY_ALL
    if (
        len(lines) >= _LEAST_LINES_FOR_CODES
        and here.filled >= _NEARLY_ALL
        and here.filled - before.filled >= _STEP
        and not are_digits
    ):
        return True
    if before.letters >= _NEARLY_ALL and here.digits >= _NEARLY_ALL:
        return not _is_identifier(lines, places, place, found)
    if before.digits >= _NEARLY_ALL and here.letters >= _NEARLY_ALL and before.filled >= _OFTEN_FILLED:
        return not _is_identifier(lines, places, place, found)
    return False


def _is_identifier(lines: Sequence[str], places: Sequence[_Place], place: int, found: set[int]) -> bool:
    """Tell whether letters and digits that meet at a place are rather one identifier, as A0001 or AB123456.

    They are if one part is the same in all lines, or if together they are others in each line: the parts are not,
    or the letters are few.
    """
    start = max(one for one in (0, *found) if one < place)
    end = min((one for one in (*found, len(places)) if one > place), default=len(places))
    is_digit = places[place].digits >= _NEARLY_ALL
    end = next((one for one in range(place, end) if (places[one].digits >= _NEARLY_ALL) is not is_digit), end)
    left, right = ([line[begin:stop] for line in lines] for begin, stop in ((start, place), (place, end)))
    if len(set(left)) == 1:
        return True
    is_full = all(places[one].filled == 1 for one in range(start, end))
    whole = [a + b for a, b in zip(left, right, strict=True)]
    if not is_full or len(set(whole)) < len(whole):
        return False
    digits, letters_width = (right, place - start) if is_digit else (left, end - place)
    return len(set(digits)) < len(digits) or letters_width <= _LONGEST_PREFIX
