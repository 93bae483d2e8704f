"""Term frequencies: which fields need them, how they are counted, and what they change."""

import math
from typing import Any

import duckdb
import pytest

from linkwright.engine.comparisons import Comparison
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.engine.term_frequencies import adjustment_sql, frequency_fields, term_frequencies_sql

LEVELS = [
    {"when": "exact", "m_probability": 0.8, "u_probability": 0.1},
    {"when": "else", "m_probability": 0.2, "u_probability": 0.9},
]


def compared(field: str, adjustment: dict[str, float] | None) -> dict[str, Any]:
    return {"field": field, "method": "exact", "levels": LEVELS, "term_frequency": adjustment}


def configured(*strategies: list[dict[str, Any]]) -> MatchConfiguration:
    named = [
        {"name": f"s{number}", "match_threshold": 0, "blocking_rules": [["sex"]], "comparisons": comparisons}
        for number, comparisons in enumerate(strategies)
    ]
    return parse_match_configuration({"prior": 0.5, "strategies": named}, STANDARD_FIELDS)


def item_with(adjustment: dict[str, float] | None) -> Comparison:
    return configured([compared("surname", adjustment)]).strategies[0].comparisons[0]


def test_the_fields_are_those_that_a_comparison_asks_for_each_once() -> None:
    configuration = configured(
        [compared("surname", {}), compared("sex", None)], [compared("date_of_birth", {}), compared("surname", {})]
    )
    assert frequency_fields(configuration) == ("surname", "date_of_birth")
    assert frequency_fields(configuration.strategies[1]) == ("date_of_birth", "surname")
    assert frequency_fields(configured([compared("sex", None)])) == ()


def test_a_frequency_is_the_share_among_values_that_are_there() -> None:
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE people AS SELECT * FROM (VALUES ('lee', DATE '1987-02-03', NULL), ('lee', NULL, NULL), "
            "('fox', DATE '1987-02-03', NULL), (NULL, DATE '0900-01-01', NULL)) AS t(name, birth, suburb)"
        )
        sql = term_frequencies_sql(["name", "birth", "suburb"], "people", DUCKDB)
        rows = con.execute(sql).fetchall()
        types = [column[1] for column in con.execute(sql).description or ()]
    assert rows == [
        ("birth", "0900-01-01", 1 / 3),
        ("birth", "1987-02-03", 2 / 3),
        ("name", "fox", 1 / 3),
        ("name", "lee", 2 / 3),
    ]
    assert types == ["VARCHAR", "VARCHAR", "DOUBLE"]


def test_frequencies_of_no_field_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one field"):
        term_frequencies_sql([], "people", DUCKDB)


@pytest.mark.parametrize(
    ("adjustment", "level", "frequency", "expected"),
    [
        ({}, 1, 0.01, math.log2(0.1 / 0.01)),
        ({}, 1, 0.5, math.log2(0.1 / 0.5)),
        ({"weight": 0.25}, 1, 0.01, 0.25 * math.log2(0.1 / 0.01)),
        ({"minimum_u": 0.05}, 1, 0.01, math.log2(0.1 / 0.05)),
        ({"minimum_u": 0.05}, 1, 0.06, math.log2(0.1 / 0.06)),
        ({"minimum_u": 0.05}, 1, None, 0),
        ({}, 0, 0.01, 0),
        ({}, -1, None, 0),
    ],
)
def test_an_adjustment_is_log2_of_u_over_the_frequency_times_its_weight(
    adjustment: dict[str, float], level: int, frequency: float | None, expected: float
) -> None:
    sql = adjustment_sql(item_with(adjustment), "level", "frequency")
    with duckdb.connect() as con:
        rows = con.execute(f"SELECT {sql} FROM (SELECT ? AS level, ?::DOUBLE AS frequency)", [level, frequency])
        assert rows.fetchall()[0][0] == pytest.approx(expected, abs=1e-12)


def test_without_an_adjustment_there_is_nothing_to_add() -> None:
    assert adjustment_sql(item_with(None), "level", "frequency") is None
