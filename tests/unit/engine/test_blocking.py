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
    expression_sql,
    rule_columns,
    rule_holds_sql,
    rule_key_sql,
    rule_text,
    rule_values_sql,
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
        (expression("surname"), 'l."surname"'),
        (transformed("surname", "soundex"), 'l."surname_soundex"'),
        (transformed("surname", "nysiis"), 'l."surname_nysiis"'),
        (transformed("surname", "initial"), 'l."surname_initial"'),
        (transformed("postcode", "prefix", 3), 'left(l."postcode", 3)'),
        (transformed("postcode", "suffix", 2), 'right(l."postcode", 2)'),
        (transformed("date_of_birth", "year"), 'year(l."date_of_birth")'),
        (
            transformed("date_of_birth", "month_day"),
            '(month(l."date_of_birth") * 100 + day(l."date_of_birth"))',
        ),
    ],
)
def test_each_transform_has_its_sql(part: BlockingExpression, sql: str) -> None:
    assert expression_sql(part, DUCKDB, "l") == sql


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
    sql = f'SELECT {expression_sql(part, DUCKDB, "l")} FROM (SELECT ? AS "{column}") AS l'
    assert engine.execute(sql, [value]).fetchall() == [(result,)]


@pytest.mark.parametrize(
    ("field_type", "allowed"),
    [
        (FieldType.NAME, "soundex nysiis initial prefix suffix"),
        (FieldType.TEXT, "prefix suffix"),
        (FieldType.IDENTIFIER, "prefix suffix"),
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
    sql = rule_key_sql(rule("surname", "postcode"), DUCKDB)
    rows = "SELECT CAST(? AS VARCHAR) AS surname, CAST(? AS VARCHAR) AS postcode"
    return [engine.execute(f"SELECT {sql} FROM ({rows})", row).fetchall()[0][0] for row in values]


def test_equal_values_have_one_key_and_different_values_or_order_another(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    keys = keyed(engine, ("smith", "2600"), ("smith", "2600"), ("smith", "2601"), ("2600", "smith"))
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_a_record_that_lacks_a_value_has_no_key(engine: duckdb.DuckDBPyConnection) -> None:
    assert keyed(engine, ("smith", None), (None, "2600"), (None, None)) == [None, None, None]


def test_whether_a_rule_holds_is_decided_by_all_of_its_values() -> None:
    sql = rule_holds_sql(rule("surname", {"field": "date_of_birth", "transform": "year"}), DUCKDB, "l", "r")
    assert sql == 'l."surname" = r."surname" AND year(l."date_of_birth") = year(r."date_of_birth")'


def test_the_values_of_a_block_read_as_one_text(engine: duckdb.DuckDBPyConnection) -> None:
    sql = rule_values_sql(rule("surname", {"field": "date_of_birth", "transform": "year"}), DUCKDB, "l")
    row = "SELECT 'smith' AS surname, DATE '1987-02-03' AS date_of_birth"
    assert engine.execute(f"SELECT {sql} FROM ({row}) AS l").fetchall() == [("smith · 1987",)]
