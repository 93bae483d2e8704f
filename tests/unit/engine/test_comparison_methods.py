"""Comparison methods: which level two values reach, and that an expensive measure is computed once."""

import datetime as dt
from collections.abc import Iterator
from random import Random
from typing import Any

import duckdb
import pytest

from linkwright.engine.comparison_methods import (
    METHOD_RULES,
    LevelCondition,
    LevelKind,
    Method,
    condition_sql,
    measure_sql,
)
from linkwright.engine.dialect import DUCKDB

DAY = dt.date(1987, 3, 9)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        yield con


def met(
    engine: duckdb.DuckDBPyConnection, method: Method, condition: LevelCondition, left: Any, right: Any
) -> bool:
    """Tell whether two values meet a condition."""
    measure = measure_sql(method, [condition], "a", "b", DUCKDB) or "NULL"
    sql = condition_sql(condition, "a", "b", "measure", DUCKDB)
    row = f"SELECT a, b, {measure} AS measure FROM (SELECT ? AS a, ? AS b)"
    return bool(engine.execute(f"SELECT {sql} FROM ({row})", [left, right]).fetchall()[0][0])


@pytest.mark.parametrize(
    ("method", "condition", "values", "expected"),
    [
        (Method.EXACT, LevelCondition(LevelKind.EXACT, None), ("m", "m"), True),
        (Method.EXACT, LevelCondition(LevelKind.EXACT, None), ("m", "f"), False),
        (Method.JARO_WINKLER, LevelCondition(LevelKind.SIMILARITY, 0.96), ("martha", "marhta"), True),
        (Method.JARO_WINKLER, LevelCondition(LevelKind.SIMILARITY, 0.97), ("martha", "marhta"), False),
        (Method.JARO, LevelCondition(LevelKind.SIMILARITY, 0.94), ("martha", "marhta"), True),
        (Method.JARO, LevelCondition(LevelKind.SIMILARITY, 0.95), ("martha", "marhta"), False),
        (Method.LEVENSHTEIN, LevelCondition(LevelKind.DISTANCE, 2), ("martha", "marhta"), True),
        (Method.LEVENSHTEIN, LevelCondition(LevelKind.DISTANCE, 1), ("martha", "marhta"), False),
        (Method.DAMERAU_LEVENSHTEIN, LevelCondition(LevelKind.DISTANCE, 1), ("martha", "marhta"), True),
        (Method.DAMERAU_LEVENSHTEIN, LevelCondition(LevelKind.DISTANCE, 1), ("martha", "marth"), True),
        (Method.DAMERAU_LEVENSHTEIN, LevelCondition(LevelKind.DISTANCE, 1), ("martha", "maria"), False),
        (Method.DATE, LevelCondition(LevelKind.DISTANCE, 1), (DAY, DAY.replace(day=8)), True),
        (Method.DATE, LevelCondition(LevelKind.DISTANCE, 1), (DAY, DAY.replace(day=10)), False),
        (Method.DATE, LevelCondition(LevelKind.WITHIN_DAYS, 1), (DAY, DAY.replace(day=10)), True),
        (Method.DATE, LevelCondition(LevelKind.WITHIN_DAYS, 1), (DAY.replace(day=11), DAY), False),
        (Method.DATE, LevelCondition(LevelKind.WITHIN_MONTHS, 1), (DAY, DAY + dt.timedelta(days=30)), True),
        (Method.DATE, LevelCondition(LevelKind.WITHIN_MONTHS, 1), (DAY, DAY + dt.timedelta(days=31)), False),
        (Method.DATE, LevelCondition(LevelKind.WITHIN_YEARS, 1), (DAY, DAY - dt.timedelta(days=365)), True),
        (Method.DATE, LevelCondition(LevelKind.WITHIN_YEARS, 1), (DAY, DAY - dt.timedelta(days=366)), False),
        (Method.DATE, LevelCondition(LevelKind.DAY_AND_MONTH_SWAPPED, None), (DAY, dt.date(1987, 9, 3)), True),
        (Method.DATE, LevelCondition(LevelKind.DAY_AND_MONTH_SWAPPED, None), (DAY, dt.date(1988, 9, 3)), False),
        (Method.DATE, LevelCondition(LevelKind.SAME_YEAR, None), (DAY, dt.date(1987, 12, 31)), True),
        (Method.DATE, LevelCondition(LevelKind.SAME_YEAR, None), (DAY, dt.date(1986, 3, 9)), False),
        (Method.DATE, LevelCondition(LevelKind.SAME_DAY_AND_MONTH, None), (DAY, dt.date(1912, 3, 9)), True),
        (Method.DATE, LevelCondition(LevelKind.SAME_DAY_AND_MONTH, None), (DAY, dt.date(1987, 3, 8)), False),
    ],
)
def test_two_values_meet_a_level_up_to_its_bound(
    engine: duckdb.DuckDBPyConnection,
    method: Method,
    condition: LevelCondition,
    values: tuple[Any, Any],
    expected: bool,
) -> None:
    left, right = values
    assert met(engine, method, condition, left, right) is expected
    assert met(engine, method, condition, right, left) is expected


MEASURED = [method for method in Method if method not in {Method.EXACT, Method.DATE}]


@pytest.mark.parametrize("method", [*MEASURED, Method.DATE])
def test_equal_values_are_closest_without_computing_the_measure(method: Method) -> None:
    kind = LevelKind.SIMILARITY if LevelKind.SIMILARITY in METHOD_RULES[method].kinds else LevelKind.DISTANCE
    sql = measure_sql(method, [LevelCondition(kind, 1), LevelCondition(kind, 2)], "a", "b", DUCKDB)
    assert sql is not None
    closest = "1.0" if kind is LevelKind.SIMILARITY else "0"
    assert sql.startswith(f"CASE WHEN a = b THEN {closest} ELSE ")
    assert sql.count("(") <= 4


def test_no_measure_is_computed_where_no_level_needs_one() -> None:
    conditions = [LevelCondition(LevelKind.EXACT, None), LevelCondition(LevelKind.ELSE, None)]
    assert measure_sql(Method.JARO_WINKLER, conditions, "a", "b", DUCKDB) is None
    within = [LevelCondition(LevelKind.WITHIN_DAYS, 1), *conditions]
    assert measure_sql(Method.DATE, within, "a", "b", DUCKDB) is None


def test_the_last_level_has_no_condition() -> None:
    with pytest.raises(ValueError, match="'else' takes what is left over"):
        condition_sql(LevelCondition(LevelKind.ELSE, None), "a", "b", "measure", DUCKDB)


def test_swapping_sides_keeps_a_measure(engine: duckdb.DuckDBPyConnection) -> None:
    random = Random(5)
    texts = ["".join(random.choices("abcé ", k=random.randint(0, 8))) for _ in range(4000)]
    measures = []
    for method in MEASURED:
        conditions = [LevelCondition(METHOD_RULES[method].kinds[1], 1)]
        measures += [measure_sql(method, conditions, *sides, DUCKDB) for sides in (("a", "b"), ("b", "a"))]
    sql = f"SELECT {', '.join(map(str, measures))} FROM (SELECT unnest(?) AS a, unnest(?) AS b)"
    rows = engine.execute(sql, [texts[:2000], texts[2000:]]).fetchall()
    assert len(rows) == 2000
    assert all(row[0::2] == row[1::2] for row in rows)
