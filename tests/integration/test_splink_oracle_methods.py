"""Every comparison method with all of its levels, and every transform, give Splink's pairs and weights."""

import datetime as dt
from pathlib import Path
from random import Random
from typing import Any

import pytest

from linkwright.engine.blocking import Transform
from linkwright.engine.comparison_methods import METHOD_RULES, LevelKind, Method
from linkwright.engine.strategy import MatchConfiguration
from tests.integration.comparison_cases import comparison, configured, encoded, write_people
from tests.integration.linkage_data import shuffled_parts
from tests.integration.linking import assert_same_pairs
from tests.integration.matching import match_batches
from tests.integration.splink_conversion import splink_pairs

GIVEN_NAMES = ("martha", "marhta", "mary", "marty", "josé", "jose", "joseph", "ann", "anne", "o neill")
PARTS_COUNT = 10
SURNAMES = (
    "smith",
    "smyth",
    "smithe",
    "miller",
    "müller",
    "muller",
    "lee",
    "leigh",
    "schwarzenberger",
    "schwarzenbergr",
    "philips",
    "filips",
)
ADDRESSES = ("12 long reef road", "12 reef road", "long reef road 12", "1 reef lane", "4 bay street", "bay street")
IDENTIFIERS = (
    "4950123",
    "4951023",
    "4950124",
    "4590123",
    "495012",
    "8800551",
    "8805051",
    "8800515",
    "4950877",
    "7316",
)
ENCODED = (
    "anna maria schwarzenberger from upper meadow",
    "anna maria schwarzenberger from upper meadows",
    "anna marie schwarzenbergr from upper meadows",
    "anna schwarzenberger from lower meadow",
    "maria schwarzenberger upper reef",
    "wolfgang peter philips",
)
WEIGHTS = (70.0, 70.5, 71.25, 76.0, 79.0, 90.0, 120.0)


def people(count: int) -> list[dict[str, Any]]:
    """Make records of few and similar values, some of them missing."""
    random = Random(17)

    def some(value: Any) -> Any:
        return value if random.random() < 0.92 else None

    def birth() -> dt.date:
        day = dt.date(1987, 2, 3) + dt.timedelta(days=random.choice([0, 1, 6, 28, 31, 59, 366, 3650, 5000]))
        return day.replace(month=day.day, day=day.month) if day.day <= 12 and random.random() < 0.3 else day

    def person(number: int) -> dict[str, Any]:
        names = [some(random.choice(GIVEN_NAMES)), some(random.choice(SURNAMES))]
        given_name, surname = reversed(names) if random.random() < 0.2 else names
        return {
            "record_id": number,
            "given_name": given_name,
            "surname": surname,
            "date_of_birth": some(birth()),
            "postcode": some(str(random.choice([2600, 2601, 2610, 2713, 3000, 3001, 260, 9155]))),
            "sex": some(random.choice("mf")),
            "address_line_1": some(random.choice(ADDRESSES)),
            "health_identifier": some(random.choice(IDENTIFIERS)),
            "weight": some(random.choice(WEIGHTS)),
            "encoded": some(encoded(random.choice(ENCODED), random.choice([64, 64, 64, 32]))),
        }

    return [person(number) for number in range(count)]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("records") / "records.parquet", people(150))


def assert_as_splink(records: Path, configuration: MatchConfiguration, folder: Path) -> set[int]:
    """Compare with Splink; return the levels that occurred in the first comparison."""
    pairs = match_batches([records], configuration, folder / "whole")
    (folder / "parts").mkdir()
    parts = shuffled_parts(records, PARTS_COUNT, folder / "parts")
    assert match_batches(parts, configuration, folder / "increments") == pairs
    assert_same_pairs(pairs, splink_pairs([records], configuration))
    return {scored.levels[0] for scored in pairs.values()}


FIELD_OF = {
    Method.EXACT: "sex",
    Method.DATE: "date_of_birth",
    Method.POSTCODE: "postcode",
    Method.IDENTIFIER: "health_identifier",
    Method.NUMBER: "weight",
    Method.TOKENS: "address_line_1",
    Method.DICE: "encoded",
}
ONE_AT_A_TIME = (Method.DATE, Method.POSTCODE, Method.NUMBER)
CASES = [
    *((method, list(METHOD_RULES[method].kinds)) for method in Method if method not in ONE_AT_A_TIME),
    *(
        (method, [LevelKind.EXACT, kind, LevelKind.ELSE])
        for method in ONE_AT_A_TIME
        for kind in METHOD_RULES[method].kinds
        if kind not in {LevelKind.EXACT, LevelKind.ELSE}
    ),
]


@pytest.mark.parametrize(("method", "kinds"), CASES)
def test_a_method_scores_all_pairs_as_splink_does(
    records: Path, tmp_path: Path, method: Method, kinds: list[LevelKind]
) -> None:
    item = comparison(method, FIELD_OF.get(method, "surname"), kinds)
    names = comparison(Method.JARO_WINKLER, "given_name", list(METHOD_RULES[Method.JARO_WINKLER].kinds))
    levels = assert_as_splink(records, configured([item, names], [["sex"], ["postcode"]]), tmp_path)
    assert levels == set(range(-1, len(item["levels"])))


def test_all_levels_of_the_date_method_go_together(records: Path, tmp_path: Path) -> None:
    kinds = [
        LevelKind.EXACT,
        LevelKind.DISTANCE,
        LevelKind.DAY_AND_MONTH_SWAPPED,
        LevelKind.WITHIN_DAYS,
        LevelKind.WITHIN_MONTHS,
        LevelKind.SAME_YEAR,
        LevelKind.WITHIN_YEARS,
        LevelKind.ELSE,
    ]
    item = comparison(Method.DATE, "date_of_birth", kinds)
    assert assert_as_splink(records, configured([item], [["sex"]]), tmp_path) >= {
        -1,
        0,
        1,
        len(item["levels"]) - 1,
    }


TRANSFORMED: dict[Transform, dict[str, Any]] = {
    Transform.SOUNDEX: {"field": "surname"},
    Transform.NYSIIS: {"field": "surname"},
    Transform.INITIAL: {"field": "given_name"},
    Transform.PREFIX: {"field": "postcode", "length": 3},
    Transform.SUFFIX: {"field": "postcode", "length": 2},
    Transform.YEAR: {"field": "date_of_birth"},
    Transform.MONTH_DAY: {"field": "date_of_birth"},
    Transform.ANY_TOKEN: {"field": "address_line_1"},
    Transform.SWAPPED: {"field": "given_name", "swapped_with": "surname"},
}


@pytest.mark.parametrize("transform", Transform)
def test_a_transform_blocks_as_in_splink_alone_and_joined(
    records: Path, tmp_path: Path, transform: Transform
) -> None:
    expression = {"transform": transform.value, **TRANSFORMED[transform]}
    item = comparison(Method.EXACT, "sex", list(METHOD_RULES[Method.EXACT].kinds))
    for number, rule in enumerate(([expression], ["given_name", expression])):
        pairs = match_batches([records], configured([item], [rule]), tmp_path / str(number))
        assert len(pairs) > 10
        assert_same_pairs(pairs, splink_pairs([records], configured([item], [rule])))


def test_pairs_of_many_rules_belong_to_the_first_as_in_splink(records: Path, tmp_path: Path) -> None:
    rules = [[{"transform": transform.value, **TRANSFORMED[transform]}] for transform in Transform]
    item = comparison(Method.LEVENSHTEIN, "surname", list(METHOD_RULES[Method.LEVENSHTEIN].kinds))
    configuration = configured([item], rules)
    pairs = match_batches([records], configuration, tmp_path, chunk_pairs_count=2000)
    assert_same_pairs(pairs, splink_pairs([records], configuration))
    assert {scored.blocking_rule for scored in pairs.values()} == set(range(len(rules)))
