"""Term-frequency adjustment gives Splink's weights, whole and in increments with the same table."""

import datetime as dt
import math
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from linkwright.engine.comparison_methods import METHOD_RULES, LevelKind, Method
from linkwright.engine.strategy import MatchConfiguration
from linkwright.engine.term_frequencies import frequency_fields
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.term_frequencies import build_term_frequencies
from tests.integration.comparison_cases import comparison, configured, write_people
from tests.integration.linking import assert_same_pairs
from tests.integration.matching import match_batches
from tests.integration.splink_conversion import splink_pairs
from tests.record_batches import read_rows

SURNAMES = ("smith",) * 9 + ("smyth", "smithe", "miller", "miller", "lee", "leigh", "quist")
GIVEN_NAMES = ("ann", "ann", "anne", "joe")
RULES = [["sex"], ["postcode"]]


def people(count: int) -> list[dict[str, Any]]:
    """Make records of which some values are frequent, some rare and some missing."""
    random = Random(23)

    def some(value: Any) -> Any:
        return value if random.random() < 0.9 else None

    def names() -> tuple[Any, Any]:
        both = some(random.choice(GIVEN_NAMES)), some(random.choice(SURNAMES))
        return both if random.random() < 0.7 else both[::-1]

    return [
        {
            "record_id": number,
            **dict(zip(("given_name", "surname"), names(), strict=True)),
            "date_of_birth": some(dt.date(1987, 2, 3) + dt.timedelta(days=random.choice((0, 0, 0, 1, 30, 400)))),
            "postcode": some(random.choice(("2600", "2600", "2601", "3000"))),
            "sex": some(random.choice("mf")),
            "suburb": some(
                random.choice(
                    (
                        "12 long reef road",
                        "12 long reef road",
                        "long reef lane",
                        "long reef road",
                        "reef",
                        "upper reef",
                        "lyons",
                    )
                )
            ),
        }
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("records") / "records.parquet", people(130))


def built(records: Path, configuration: MatchConfiguration, folder: Path) -> Path:
    """Build the term frequencies that a configuration asks for."""
    limits = EngineLimits(folder / "scratch", memory_mib=512, threads=2)
    target = folder / "frequencies.parquet"
    return build_term_frequencies([records], [], frequency_fields(configuration), target, limits).path


def adjusted(method: Method, field: str, adjustment: dict[str, Any], *levels: LevelKind) -> dict[str, Any]:
    """Return a comparison with all levels of a method, adjusted in `exact` and in `levels`."""
    item = comparison(method, field, METHOD_RULES[method].kinds, term_frequency=adjustment)
    for level in item["levels"]:
        if level["when"] in levels:
            level["term_frequency"] = True
    return item


CASES = {
    "plain": [adjusted(Method.JARO_WINKLER, "surname", {}), adjusted(Method.EXACT, "postcode", {})],
    "partly": [adjusted(Method.LEVENSHTEIN, "surname", {"weight": 0.35})],
    "with a minimum": [adjusted(Method.JARO, "surname", {"weight": 1, "minimum_u": 0.05})],
    "hardly": [adjusted(Method.EXACT, "surname", {"weight": 0.001})],
    "similar values too": [
        adjusted(Method.JARO_WINKLER, "surname", {"weight": 0.8, "minimum_u": 0.01}, LevelKind.SIMILARITY)
    ],
    "dates": [
        {
            **adjusted(Method.DATE, "date_of_birth", {}),
            "levels": comparison(
                Method.DATE, "date_of_birth", [LevelKind.EXACT, LevelKind.WITHIN_MONTHS, LevelKind.ELSE]
            )["levels"],
        }
    ],
    "one field in two comparisons": [
        adjusted(Method.TOKENS, "suburb", {"weight": 0.5}, LevelKind.SHARED_TOKENS),
        adjusted(Method.EXACT, "suburb", {"minimum_u": 0.2}),
    ],
    "names that are swapped": [adjusted(Method.NAME, "surname", {}, LevelKind.SWAPPED, LevelKind.EXACT_BOTH)],
    "a letter wrong": [adjusted(Method.IDENTIFIER, "surname", {"minimum_u": 0.1}, LevelKind.DISTANCE)],
}


@pytest.mark.parametrize("comparisons", CASES.values(), ids=CASES)
def test_weights_are_splinks_with_frequencies_that_splink_counts_itself(
    records: Path, tmp_path: Path, comparisons: list[dict[str, Any]]
) -> None:
    configuration = configured(comparisons, RULES)
    pairs = match_batches(
        [records], configuration, tmp_path, term_frequencies=built(records, configuration, tmp_path)
    )
    assert_same_pairs(pairs, splink_pairs([records], configuration))
    assert len(pairs) > 1000
    reached = {scored.levels[0] for scored in pairs.values()}
    assert reached >= {-1, 0, *configuration.strategies[0].comparisons[0].adjusted_levels}


def test_increments_weigh_as_the_whole_does_with_the_same_table(records: Path, tmp_path: Path) -> None:
    rows = people(130)
    batches = [
        write_people(tmp_path / f"batch{number}.parquet", [row for row in rows if row["record_id"] % 2 == number])
        for number in range(2)
    ]
    configuration = configured(CASES["similar values too"] + CASES["dates"], RULES)
    frequencies = built(records, configuration, tmp_path)
    pairs = match_batches(batches, configuration, tmp_path / "match0", term_frequencies=frequencies)
    assert pairs == match_batches([records], configuration, tmp_path / "match1", term_frequencies=frequencies)
    assert_same_pairs(pairs, splink_pairs([records], configuration))


def test_values_of_unknown_frequency_weigh_as_in_splink(records: Path, tmp_path: Path) -> None:
    configuration = configured(CASES["similar values too"] + CASES["plain"][1:], RULES)
    whole = read_rows(built(records, configuration, tmp_path))
    known = [row for row in whole if row["value"] not in {"smith", "lee", "2600"}]
    assert 0 < len(known) < len(whole)
    part = tmp_path / "part.parquet"
    pq.write_table(pa.Table.from_pylist(known), part)
    pairs = match_batches([records], configuration, tmp_path / "match2", term_frequencies=part)
    assert_same_pairs(pairs, splink_pairs([records], configuration, part))
    assert pairs != match_batches(
        [records], configuration, tmp_path / "match3", term_frequencies=tmp_path / "frequencies.parquet"
    )


def test_a_rare_value_weighs_more_than_a_frequent_one(records: Path, tmp_path: Path) -> None:
    configuration = configured([adjusted(Method.EXACT, "surname", {})], RULES)
    frequencies = {row["value"]: row["frequency"] for row in read_rows(built(records, configuration, tmp_path))}
    pairs = match_batches(
        [records], configuration, tmp_path / "match4", term_frequencies=tmp_path / "frequencies.parquet"
    )
    names = {row["record_id"]: row["surname"] for row in people(130)}
    weights = {
        names[left]: scored.match_weight for (left, _right), scored in pairs.items() if scored.levels == (1,)
    }
    assert weights["miller"] - weights["smith"] == pytest.approx(
        math.log2(frequencies["smith"] / frequencies["miller"]), abs=1e-9
    )
