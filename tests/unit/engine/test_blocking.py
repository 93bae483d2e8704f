"""Blocking expressions: their SQL as text and as result, and the rules that they make."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError

from linkwright.engine.blocking import (
    BlockingExpression,
    BlockingRule,
    Transform,
    block_keys_sql,
    block_values_sql,
    expression_sql,
    rule_columns,
    rule_holds_sql,
    rule_identity,
    rule_text,
    transforms_for,
)
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.fields import STANDARD_FIELDS, FieldType
from linkwright.engine.strategy_faults import FIELDS

CONTEXT = {FIELDS: {field.name: field for field in STANDARD_FIELDS}}


def expression(data: str | dict[str, Any]) -> BlockingExpression:
    return BlockingExpression.model_validate(data, context=CONTEXT)


def rule(*parts: str | dict[str, Any]) -> BlockingRule:
    return tuple(expression(part) for part in parts)


def transformed(field: str, transform: str, length: int | None = None) -> BlockingExpression:
    return expression({"field": field, "transform": transform, "length": length})


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        yield con


@pytest.mark.parametrize(
    ("part", "sql"),
    [
        (expression("surname"), '"l_surname"'),
        (transformed("surname", "soundex"), '"l_surname_soundex"'),
        (transformed("surname", "nysiis"), '"l_surname_nysiis"'),
        (transformed("surname", "initial"), '"l_surname_initial"'),
        (transformed("postcode", "prefix", 3), 'left("l_postcode", 3)'),
        (transformed("postcode", "suffix", 2), 'right("l_postcode", 2)'),
        (transformed("date_of_birth", "year"), 'year("l_date_of_birth")'),
        (
            transformed("date_of_birth", "month_day"),
            '(month("l_date_of_birth") * 100 + day("l_date_of_birth"))',
        ),
    ],
)
def test_each_transform_has_its_sql(part: BlockingExpression, sql: str) -> None:
    assert expression_sql(part, DUCKDB, "l_") == sql


@pytest.mark.parametrize(
    ("part", "column", "value", "result"),
    [
        (transformed("postcode", "prefix", 3), "postcode", "2600", "260"),
        (transformed("postcode", "prefix", 3), "postcode", "26", "26"),
        (transformed("postcode", "suffix", 2), "postcode", "2617", "17"),
        (transformed("suburb", "prefix", 2), "suburb", "été", "ét"),
        (transformed("date_of_birth", "year"), "date_of_birth", dt.date(1987, 2, 3), 1987),
        (transformed("date_of_birth", "month_day"), "date_of_birth", dt.date(1987, 2, 3), 203),
    ],
)
def test_a_transform_gives_the_part_that_it_names(
    engine: duckdb.DuckDBPyConnection, part: BlockingExpression, column: str, value: Any, result: Any
) -> None:
    sql = f'SELECT {expression_sql(part, DUCKDB)} FROM (SELECT ? AS "{column}")'
    assert engine.execute(sql, [value]).fetchall() == [(result,)]


@pytest.mark.parametrize(
    ("field_type", "allowed"),
    [
        (FieldType.NAME, "soundex nysiis initial prefix suffix any_token swapped"),
        (FieldType.TEXT, "prefix suffix any_token swapped"),
        (FieldType.IDENTIFIER, "prefix suffix any_token swapped"),
        (FieldType.DATE, "year month_day"),
        (FieldType.NUMBER, ""),
        (FieldType.BLOOM, ""),
    ],
)
def test_a_field_allows_the_transforms_of_its_type(field_type: FieldType, allowed: str) -> None:
    assert list(transforms_for(field_type)) == [Transform(name) for name in allowed.split()]


def test_a_project_without_the_field_refuses_the_expression() -> None:
    with pytest.raises(ValidationError):
        BlockingExpression.model_validate("surname", context={FIELDS: {}})


def test_a_rule_is_said_in_words() -> None:
    words = rule_text(rule("surname", {"field": "postcode", "transform": "prefix", "length": 2}))
    assert words == "surname and postcode (prefix 2)"


def test_rules_list_each_column_that_they_read_once() -> None:
    rules = [rule("surname", "postcode"), rule({"field": "surname", "transform": "nysiis"}, "postcode")]
    assert rule_columns(rules) == ("surname", "postcode", "surname_nysiis")


def keyed(engine: duckdb.DuckDBPyConnection, *values: tuple[str | None, str | None]) -> list[int | None]:
    """Return the block keys of rows of surname and postcode."""
    rows = "(SELECT 0 AS position, CAST(? AS VARCHAR) AS surname, CAST(? AS VARCHAR) AS postcode)"
    sql = block_keys_sql(rule("surname", "postcode"), DUCKDB, rows)
    return [next((row[1] for row in engine.execute(sql, one).fetchall()), None) for one in values]


def test_equal_values_have_one_key_and_different_values_or_order_another(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    keys = keyed(engine, ("smith", "2600"), ("smith", "2600"), ("smith", "2601"), ("2600", "smith"))
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_a_record_that_lacks_a_value_has_no_key(engine: duckdb.DuckDBPyConnection) -> None:
    assert keyed(engine, ("smith", None), (None, "2600"), (None, None)) == [None, None, None]


def test_whether_a_rule_holds_is_decided_by_all_of_its_values() -> None:
    sql = rule_holds_sql(rule("surname", {"field": "date_of_birth", "transform": "year"}), DUCKDB)
    assert sql == '"l_surname" = "r_surname" AND year("l_date_of_birth") = year("r_date_of_birth")'


def test_the_values_of_a_block_read_as_one_text(engine: duckdb.DuckDBPyConnection) -> None:
    row = "(SELECT 7 AS position, 'smith' AS surname, DATE '1987-02-03' AS date_of_birth)"
    by_year = rule("surname", {"field": "date_of_birth", "transform": "year"})
    ((position, key, values),) = engine.execute(block_values_sql(by_year, DUCKDB, row)).fetchall()
    assert (position, values) == (7, "smith · 1987")
    assert engine.execute(block_keys_sql(by_year, DUCKDB, row)).fetchall() == [(7, key)]


WORDS: dict[str, Any] = {"field": "suburb", "transform": "any_token"}
SWAPPED: dict[str, Any] = {"field": "given_name", "transform": "swapped", "swapped_with": "surname"}


def blocks_of(engine: duckdb.DuckDBPyConnection, by: BlockingRule, **values: str | None) -> set[str]:
    """Return the values of the blocks that a record is in."""
    columns = ", ".join(f"CAST(? AS VARCHAR) AS {name}" for name in values)
    sql = block_values_sql(by, DUCKDB, f"(SELECT 0 AS position, {columns})")
    rows = engine.execute(sql, list(values.values())).fetchall()
    assert len({row[1] for row in rows}) == len(rows)
    return {row[2] for row in rows}


def test_a_record_is_in_a_block_per_word_and_per_combination_of_words(engine: duckdb.DuckDBPyConnection) -> None:
    assert blocks_of(engine, rule(WORDS), suburb="low high low") == {"low", "high"}
    assert blocks_of(engine, rule(WORDS), suburb=None) == set()
    both = rule(WORDS, {"field": "state", "transform": "any_token"}, "sex")
    found = blocks_of(engine, both, suburb="a b", state="x y", sex="f")
    assert found == {"a · x · f", "a · y · f", "b · x · f", "b · y · f"}


def test_swapped_values_are_in_one_block(engine: duckdb.DuckDBPyConnection) -> None:
    in_order = blocks_of(engine, rule(SWAPPED), given_name="ann", surname="lee")
    assert blocks_of(engine, rule(SWAPPED), given_name="lee", surname="ann") == in_order
    assert blocks_of(engine, rule(SWAPPED), given_name="ann", surname="ann") != in_order
    assert blocks_of(engine, rule(SWAPPED), given_name="ann", surname=None) == set()
    assert str(expression(SWAPPED)) == "given_name (swapped with surname)"


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ({"field": "given_name", "transform": "swapped"}, "is missing. Add the linkage field"),
        ({**SWAPPED, "swapped_with": "given_name"}, "'given_name' cannot be swapped with 'given_name'"),
        ({**SWAPPED, "swapped_with": "date_of_birth"}, "'date_of_birth' cannot be swapped with 'given_name'"),
        ({**SWAPPED, "swapped_with": "no_field"}, "'no_field' is no linkage field"),
        ({"field": "surname", "swapped_with": "given_name"}, "'given_name' belongs to swapped only"),
    ],
)
def test_swapping_needs_another_field_of_text(part: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        expression(part)


def test_rules_that_make_the_same_blocks_have_one_identity() -> None:
    assert rule_identity(rule("surname", WORDS)) == rule_identity(rule({"field": "surname"}, WORDS))
    assert rule_identity(rule("surname", WORDS)) != rule_identity(rule(WORDS, "surname"))
