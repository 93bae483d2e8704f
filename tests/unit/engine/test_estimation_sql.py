"""How rules are cut into parts, and how their pairs are sampled."""

import pytest

from linkwright.engine.dialect import DUCKDB
from linkwright.engine.estimation_sql import (
    candidate_pairs_sql,
    comparison_of,
    cut_rules,
    date_parts,
    plan_slices,
    rule_blocks_sql,
    sampling_rate,
)
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.strategy import Strategy, parse_match_configuration

EXACT = [
    {"when": "exact", "m_probability": 0.9, "u_probability": 0.1},
    {"when": "else", "m_probability": 0.1, "u_probability": 0.9},
]
YEAR = {"field": "date_of_birth", "transform": "year"}
SOUNDEX = {"field": "surname", "transform": "soundex"}
INITIAL = {"field": "surname", "transform": "initial"}


def strategy_of(*rules: list[object]) -> Strategy:
    strategy = {
        "name": "person",
        "match_threshold": 0,
        "blocking_rules": list(rules),
        "comparisons": [
            {"field": "surname", "method": "exact", "levels": EXACT},
            {"field": "date_of_birth", "method": "date", "levels": EXACT},
        ],
    }
    return parse_match_configuration({"prior": 0.5, "strategies": [strategy]}, STANDARD_FIELDS).strategies[0]


def test_a_rule_is_cut_by_field_and_equal_parts_are_one() -> None:
    strategy = strategy_of(["surname", YEAR], [YEAR, SOUNDEX, INITIAL], ["surname"])
    parts = cut_rules(strategy.blocking_rules)
    assert [set(fields) for fields in parts.fields] == [{"surname"}, {"date_of_birth"}, {"surname"}]
    assert parts.rules == ((0, 1), (1, 2), (0,))
    assert [len(part) for part in parts.parts] == [1, 1, 2]


def test_a_part_on_plain_values_is_told_from_a_transformed_one() -> None:
    strategy = strategy_of(["surname"], [SOUNDEX], ["date_of_birth"], ["postcode"])
    parts = cut_rules(strategy.blocking_rules).parts
    assert [comparison_of(strategy, part) for part in parts] == [0, None, 1, None]


def test_a_date_is_cut_into_its_year_and_its_birthday() -> None:
    year, birthday = date_parts(strategy_of(["surname"]).comparisons[1])
    assert "year(" in rule_blocks_sql(year, DUCKDB, 10)
    assert "month(" in rule_blocks_sql(birthday, DUCKDB, 10)


@pytest.mark.parametrize(
    ("pairs_count", "most", "rate"), [(10, 10, 1), (11, 10, 2), (35, 10, 5), (81, 10, 11), (10**9, 10**6, 1009)]
)
def test_a_rule_with_too_many_pairs_is_sampled_at_a_prime(pairs_count: int, most: int, rate: int) -> None:
    assert sampling_rate(pairs_count, most) == rate


def test_slices_cut_what_is_looked_at_and_nothing_else() -> None:
    pieces = plan_slices(3, 2_100, 1_000, 300)
    rate = sampling_rate(2_100, 1_000)
    assert rate == 3
    taken = [record for record in range(300) if any(record % piece.divisor == piece.remainder for piece in pieces)]
    assert taken == [record for record in range(300) if record % rate == 0]
    assert sum(piece.pairs_count for piece in pieces) == pytest.approx(700, abs=len(pieces))
    assert {piece.blocking_rule for piece in pieces} == {3}
    assert plan_slices(0, 0, 1_000, 300) == ()


def test_a_whole_rule_has_no_condition_on_the_ids() -> None:
    (piece,) = plan_slices(0, 100, 1_000, 300)
    assert "%" not in candidate_pairs_sql(strategy_of(["surname"]).blocking_rules[0], piece)
