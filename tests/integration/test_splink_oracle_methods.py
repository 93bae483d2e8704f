"""Every comparison method with all of its levels, and every transform, give Splink's pairs and weights."""

import datetime as dt
from pathlib import Path
from random import Random
from typing import Any

import pytest

from linkwright.engine.blocking import Transform
from linkwright.engine.comparison_methods import AT_LEAST, METHOD_RULES, LevelKind, Method
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from tests.integration.linking import assert_same_pairs, link
from tests.integration.splink_conversion import splink_pairs
from tests.record_batches import write_records

KEEP_ALL = -60.0
GIVEN_NAMES = ("martha", "marhta", "mary", "marty", "josé", "jose", "joseph", "ann", "anne", "o neill")
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
BOUNDS: dict[LevelKind, tuple[float, ...]] = {
    LevelKind.SIMILARITY: (0.95, 0.8, 0.6),
    LevelKind.DISTANCE: (1, 2, 3),
    LevelKind.WITHIN_DAYS: (1, 12),
    LevelKind.WITHIN_MONTHS: (1, 2),
    LevelKind.WITHIN_YEARS: (1, 10),
}


def people(count: int) -> list[dict[str, Any]]:
    """Make records of few and similar values, some of them missing."""
    random = Random(17)

    def some(value: Any) -> Any:
        return value if random.random() < 0.92 else None

    def birth() -> dt.date:
        day = dt.date(1987, 2, 3) + dt.timedelta(days=random.choice([0, 1, 6, 28, 31, 59, 366, 3650, 5000]))
        return day.replace(month=day.day, day=day.month) if day.day <= 12 and random.random() < 0.3 else day

    return [
        {
            "record_id": number,
            "given_name": some(random.choice(GIVEN_NAMES)),
            "surname": some(random.choice(SURNAMES)),
            "date_of_birth": some(birth()),
            "postcode": some(str(random.choice([2600, 2601, 2610, 3000, 3001, 260]))),
            "sex": some(random.choice("mf")),
        }
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_records(tmp_path_factory.mktemp("records") / "records.parquet", people(150))


def comparison(method: Method, field: str, kinds: list[LevelKind]) -> dict[str, Any]:
    """Return a comparison with a level per bound of each kind; the further down, the less it weighs."""
    conditions: list[dict[str, Any]] = []
    for kind in kinds:
        bound_key = "at_least" if kind in AT_LEAST else "at_most"
        conditions += [{"when": kind.value, bound_key: bound} for bound in BOUNDS.get(kind, ())]
        if kind not in BOUNDS:
            conditions.append({"when": kind.value})
    count = len(conditions)
    weights = [2.0**-index for index in range(count)]
    return {
        "name": f"{method}_{field}",
        "field": field,
        "method": method.value,
        "levels": [
            {**condition, "m_probability": weight / sum(weights), "u_probability": rising / sum(weights)}
            for condition, weight, rising in zip(conditions, weights, weights[::-1], strict=True)
        ],
    }


def configured(comparisons: list[dict[str, Any]], rules: list[Any]) -> MatchConfiguration:
    strategy = {
        "name": "person",
        "match_threshold": KEEP_ALL,
        "blocking_rules": rules,
        "comparisons": comparisons,
    }
    return parse_match_configuration({"prior": 0.02, "strategies": [strategy]}, STANDARD_FIELDS)


def assert_as_splink(records: Path, configuration: MatchConfiguration, folder: Path) -> set[int]:
    """Compare with Splink; return the levels that occurred in the first comparison."""
    linked = link([records], configuration, folder)
    assert_same_pairs(linked.pairs, splink_pairs([records], configuration))
    return {scored.levels[0] for scored in linked.pairs.values()}


FIELD_OF = {Method.DATE: "date_of_birth", Method.EXACT: "sex"}
BY_ITSELF = [
    [LevelKind.EXACT, kind, LevelKind.ELSE]
    for kind in METHOD_RULES[Method.DATE].kinds
    if kind not in {LevelKind.EXACT, LevelKind.ELSE}
]
CASES = [
    *((method, list(METHOD_RULES[method].kinds)) for method in Method if method is not Method.DATE),
    *((Method.DATE, kinds) for kinds in BY_ITSELF),
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
}


@pytest.mark.parametrize("transform", Transform)
def test_a_transform_blocks_as_in_splink_alone_and_joined(
    records: Path, tmp_path: Path, transform: Transform
) -> None:
    expression = {"transform": transform.value, **TRANSFORMED[transform]}
    item = comparison(Method.EXACT, "sex", list(METHOD_RULES[Method.EXACT].kinds))
    for number, rule in enumerate(([expression], ["given_name", expression])):
        linked = link([records], configured([item], [rule]), tmp_path / str(number))
        assert len(linked.pairs) > 10
        assert_same_pairs(linked.pairs, splink_pairs([records], configured([item], [rule])))


def test_pairs_of_many_rules_belong_to_the_first_as_in_splink(records: Path, tmp_path: Path) -> None:
    rules = [[{"transform": transform.value, **TRANSFORMED[transform]}] for transform in Transform]
    item = comparison(Method.LEVENSHTEIN, "surname", list(METHOD_RULES[Method.LEVENSHTEIN].kinds))
    configuration = configured([item], rules)
    linked = link([records], configuration, tmp_path, chunk_pairs_count=2000)
    assert_same_pairs(linked.pairs, splink_pairs([records], configuration))
    assert {scored.blocking_rule for scored in linked.pairs.values()} == set(range(len(rules)))
