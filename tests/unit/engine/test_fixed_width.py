"""Where the columns of fixed-width text begin: apart, touching, right-aligned; and what is no boundary."""

import csv
from collections.abc import Sequence
from pathlib import Path
from random import Random
from time import process_time

import pytest

from linkwright.engine.fixed_width import find_ranges
from linkwright.services.demo_data import write_demo_files

GIVEN = ("Ada", "Bo", "Catherine", "Di", "Elizabeth", "Finn", "Gus", "Henrietta", "Ida", "Jo")
SURNAMES = ("Berg", "Abernathy", "Cole", "Ng", "Featherstone", "Dunn", "Ek", "Fry", "Gale", "O'Brien")
STATES = ("NSW", "SA", "WA", "VIC")
ROWS_COUNT = 40


def columns_of(lines: Sequence[str]) -> list[str]:
    """Return the first line, cut where columns were found."""
    return [lines[0][one.start - 1 : one.end] for one in find_ranges(lines)]


def cut(*columns: Sequence[str], gap: str = "") -> tuple[list[str], list[str]]:
    """Write columns side by side; return the lines, and the first one cut as it should be."""
    lines = [gap.join(row) for row in zip(*columns, strict=True)]
    first = [column[0] + gap for column in columns]
    return lines, [*first[:-1], columns[-1][0]]


def many(values: Sequence[str], width: int = 0) -> list[str]:
    rng = Random(str(values))
    width = width or max(map(len, values))
    return [rng.choice(values).ljust(width) for _number in range(ROWS_COUNT)]


def numbered(template: str) -> list[str]:
    return [template.format(number) for number in range(1, ROWS_COUNT + 1)]


DATES = [f"{1940 + number}{1 + number % 12:02}{1 + number % 28:02}" for number in range(ROWS_COUNT)]
AGES = [f"{5 + number * 3:3}" for number in range(ROWS_COUNT)]


@pytest.mark.parametrize("gap", ["", " "])
@pytest.mark.parametrize(
    "columns",
    [
        (many(GIVEN), many(SURNAMES), many(GIVEN)),
        (numbered("{:06}"), DATES, many("MF"), many(SURNAMES)),
        (DATES, numbered("{:06}"), many(STATES), many(["2000", "3141", "4999", "5012"]), many(GIVEN)),
        (many(SURNAMES), AGES, many(GIVEN)),
        (many(GIVEN), [f"{one[6:]}/{one[4:6]}/{one[:4]}" for one in DATES], numbered("{:04}")),
        (numbered("A{:05}"), many(SURNAMES)),
        (many(SURNAMES), many(["", "", "", "Abernathy", "Cole"], 10), many(GIVEN)),
        (many(["SE1 7EQ", "W1A 1AA", "CV10 9RZ", "LN1 3XE"], 8), many(SURNAMES)),
        (many(["01JAN1980", "02FEB1975", "28DEC1999"]), many("FM"), many(SURNAMES)),
    ],
)
def test_columns_are_found_whether_they_touch_or_not(columns: Sequence[Sequence[str]], gap: str) -> None:
    lines, expected = cut(*columns, gap=gap)
    assert columns_of(lines) == expected


@pytest.mark.parametrize("gap", ["", " "])
def test_every_column_of_febrl_is_found(tmp_path: Path, gap: str) -> None:
    for file in write_demo_files(tmp_path):
        with file.path.open(newline="") as opened:
            rows = list(csv.reader(opened))[1:501]
        columns = [list(column) for column in zip(*rows, strict=True)]
        padded = [[value.ljust(max(map(len, column))) for value in column] for column in columns]
        lines, expected = cut(*padded, gap=gap)
        assert columns_of(lines) == expected


def test_a_date_with_blanks_inside_is_one_column() -> None:
    lines, expected = cut(
        numbered("{:03} "), many(["01 Jan 1980", "17 Feb 1975", "28 Dec 1999"]), numbered(" {:03}")
    )
    assert columns_of(lines)[1].strip() == expected[1]


def test_two_numbers_side_by_side_stay_one_where_nothing_tells_them_apart() -> None:
    lines, _expected = cut(numbered("7{:04}31"), many(GIVEN))
    assert columns_of(lines)[0] == "7000131"


@pytest.mark.parametrize("template", ["A{:07}", "ID{:06}"])
def test_letters_of_an_identifier_are_no_column(template: str) -> None:
    lines, expected = cut(numbered(template), many(SURNAMES))
    assert columns_of(lines) == expected


def test_the_last_words_of_long_texts_are_no_column() -> None:
    places = ["Winston Hills", "Dapto", "Kela", "Miami", "Bega Flats"] * 20
    lines = [f"{place:<30}{number:03}" for number, place in enumerate([*places, "Kingston upon Hull, City of"])]
    assert [one.start for one in find_ranges(lines)] == [1, 31]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["", "", ""],
        ["        ", "        ", "        "],
        ["short", "texts", "only"],
        ["Ada Berg", "Bo Cole and his wife", "Catherine"],
        ["a b c d e f", "abcdefghijk", "xyz abc def"],
    ],
)
def test_what_is_not_of_fixed_width_has_one_column_or_none(lines: list[str]) -> None:
    assert len(find_ranges(lines)) <= 1


@pytest.mark.parametrize("alphabet", ["0123456789", "a1 ", "MF", "12 "])
def test_a_hostile_sample_costs_little_and_its_columns_cover_it(alphabet: str) -> None:
    rng = Random(1)
    lines = ["".join(rng.choices(alphabet, k=1999)) + "x" for _number in range(300)]
    started_s = process_time()
    found = find_ranges(lines)
    assert process_time() - started_s < 10
    assert sum(one.width for one in found) == 2000
    assert [one.start for one in found[1:]] == [one.start + one.width for one in found[:-1]]
