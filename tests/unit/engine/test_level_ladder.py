"""Ladders of levels: a level is refused exactly where an earlier one takes all of its pairs."""

import datetime as dt
from collections.abc import Callable
from itertools import product
from random import Random
from typing import Any

import duckdb
import pytest

from linkwright.engine.comparison_methods import BOUND_RULES, METHOD_RULES, LevelCondition, LevelKind, Method
from linkwright.engine.comparison_sql import ComparedValues, Measures, condition_sql, form_sql, measures_sql
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.level_ladder import covers, unreachable_faults

PAIRS_COUNT = 3000
K = LevelKind


def some_text(random: Random) -> str:
    return " ".join("".join(random.choices("abc", k=random.randint(1, 3))) for _ in range(random.randint(1, 3)))


def some_date(random: Random) -> dt.date:
    year = random.choice((1987, 1987, 1988, 2011))
    return dt.date(year, 1, 1) + dt.timedelta(days=random.choice((0, 1, 11, 32, 335, 364, random.randint(0, 364))))


MAKERS: dict[Method, Callable[[Random], Any]] = {
    Method.DATE: some_date,
    Method.NUMBER: lambda random: random.choice((-10.0, -1.0, 0.0, 1.0, 1.5, 9.0, 10.0, 100.0)),
    Method.DICE: lambda random: random.choice(("gA==", "wA==", "AA==", "//8=", "gAA=")),
}
BOUNDS = {"at_least": (0.3, 0.9, 1.0), "at_most": (1, 4, 8, 12), "length": (1, 2, 3)}


def conditions_of(method: Method) -> list[LevelCondition]:
    """List levels of all kinds of a method, with several bounds each."""
    listed = []
    for kind in METHOD_RULES[method].kinds:
        rule = BOUND_RULES.get(kind)
        bounds: tuple[float | None, ...] = (None,) if rule is None else BOUNDS[rule.key]
        if kind is K.SHARED_TOKENS:
            bounds = (1, 2, 3)
        listed += [LevelCondition(kind, bound) for bound in bounds]
    return listed


def met_by_pairs(method: Method) -> dict[LevelCondition, list[bool]]:
    """Tell for random pairs of values which conditions of a method each meets."""
    random = Random(11)
    make = MAKERS.get(method, some_text)
    rows = [tuple(make(random) for _ in "abcd") for _ in range(PAIRS_COUNT)]
    equal = [(row[0], row[0], row[2], random.choice((row[2], row[3]))) for row in rows[: PAIRS_COUNT // 5]]
    values = ComparedValues(("a", "b"), ("c", "d"), (("fa", "fb"), ("na", "nb")))
    forms = ", ".join(
        f"{sql} AS {name}{column}"
        for column in "ab"
        for name, sql in zip("fn", (*form_sql(method, column, DUCKDB), "NULL", "NULL"), strict=False)
    )
    met = {}
    with duckdb.connect() as con:
        table = "SELECT unnest(?) AS a, unnest(?) AS b, unnest(?) AS c, unnest(?) AS d"
        con.execute(
            f"CREATE TABLE pairs AS SELECT *, {forms} FROM ({table})",
            [list(column) for column in zip(*rows, *equal, strict=True)],
        )
        for condition in conditions_of(method):
            measures = measures_sql(method, [condition], values, DUCKDB)
            sql = "TRUE"
            if condition.kind is not K.ELSE:
                sql = condition_sql(condition, values, Measures("measure", "other"), DUCKDB)
            measured = f"{measures.of_value or 'NULL'} AS measure, {measures.of_other or 'NULL'} AS other"
            found = con.execute(f"SELECT ({sql}) IS TRUE FROM (SELECT *, {measured} FROM pairs)").fetchall()
            met[condition] = [bool(row[0]) for row in found]
    return met


@pytest.mark.parametrize("method", Method)
def test_a_level_covers_another_only_if_it_takes_all_of_its_pairs(method: Method) -> None:
    met = met_by_pairs(method)
    covered = 0
    for earlier, later in product(met, met):
        if earlier.kind is not K.ELSE and covers(method, earlier, later):
            covered += 1
            assert not any(b and not a for a, b in zip(met[earlier], met[later], strict=True)), (earlier, later)
    assert covered >= 1


LADDERS: list[tuple[Method, list[tuple[LevelKind, float | None]], list[int]]] = [
    (
        Method.DATE,
        [(K.EXACT, None), (K.DISTANCE, 1), (K.WITHIN_DAYS, 1), (K.WITHIN_YEARS, 10), (K.ELSE, None)],
        [],
    ),
    (
        Method.DATE,
        [
            (K.EXACT, None),
            (K.WITHIN_DAYS, 1),
            (K.WITHIN_MONTHS, 1),
            (K.DAY_AND_MONTH_SWAPPED, None),
            (K.WITHIN_YEARS, 1),
            (K.WITHIN_YEARS, 10),
            (K.ELSE, None),
        ],
        [],
    ),
    (
        Method.DATE,
        [(K.WITHIN_YEARS, 1), (K.DAY_AND_MONTH_SWAPPED, None), (K.SAME_YEAR, None), (K.ELSE, None)],
        [1, 2],
    ),
    (Method.DATE, [(K.SAME_YEAR, None), (K.DAY_AND_MONTH_SWAPPED, None), (K.ELSE, None)], [1]),
    (Method.DATE, [(K.DAY_AND_MONTH_SWAPPED, None), (K.SAME_YEAR, None), (K.ELSE, None)], []),
    (Method.DATE, [(K.DISTANCE, 4), (K.SAME_DAY_AND_MONTH, None), (K.ELSE, None)], [1]),
    (Method.DATE, [(K.EXACT, None), (K.DISTANCE, 8), (K.ELSE, None)], [2]),
    (Method.NAME, [(K.EXACT_BOTH, None), (K.EXACT, None), (K.SWAPPED, None), (K.ELSE, None)], []),
    (Method.NAME, [(K.SWAPPED, None), (K.EXACT, None), (K.EXACT_BOTH, None), (K.ELSE, None)], [2]),
    (Method.NAME, [(K.SIMILARITY, 0.8), (K.SIMILARITY_BOTH, 0.9), (K.SIMILARITY_BOTH, 0.7), (K.ELSE, None)], [1]),
    (Method.IDENTIFIER, [(K.TRANSPOSED, None), (K.DISTANCE, 1), (K.ELSE, None)], []),
    (Method.IDENTIFIER, [(K.DISTANCE, 1), (K.TRANSPOSED, None), (K.ELSE, None)], [1]),
    (
        Method.POSTCODE,
        [(K.EXACT, None), (K.SAME_PREFIX, 3), (K.SAME_PREFIX, 1), (K.DISTANCE, 1), (K.ELSE, None)],
        [],
    ),
    (Method.POSTCODE, [(K.SAME_PREFIX, 1), (K.SAME_PREFIX, 3), (K.ELSE, None)], [1]),
    (Method.NUMBER, [(K.WITHIN_ABSOLUTE, 2), (K.WITHIN_PERCENT, 1), (K.WITHIN_ABSOLUTE, 1), (K.ELSE, None)], [2]),
    (Method.TOKENS, [(K.SHARED_TOKENS, 2), (K.EXACT, None), (K.SHARED_TOKENS, 1), (K.ELSE, None)], []),
    (Method.TOKENS, [(K.SHARED_TOKENS, 1), (K.EXACT, None), (K.SHARED_TOKENS, 2), (K.ELSE, None)], [1, 2]),
    (Method.JARO, [(K.EXACT, None), (K.SIMILARITY, 1), (K.ELSE, None)], [1]),
    (Method.JACCARD, [(K.EXACT, None), (K.SIMILARITY, 1), (K.ELSE, None)], []),
    (Method.JARO, [(K.ELSE, None), (K.SIMILARITY, 0.9), (K.ELSE, None)], [0]),
]


@pytest.mark.parametrize(("method", "ladder", "unreachable"), LADDERS)
def test_levels_that_no_pair_reaches_are_named(
    method: Method, ladder: list[tuple[LevelKind, float | None]], unreachable: list[int]
) -> None:
    faults = unreachable_faults(method, [LevelCondition(*level) for level in ladder])
    assert [place for place, _text in faults] == [(index, "when") for index in unreachable]
    assert all(text.endswith(".") for _place, text in faults)


def test_the_order_of_levels_is_judged_even_if_the_method_is_not_known() -> None:
    ladder = [LevelCondition(K.WITHIN_MONTHS, 2), LevelCondition(K.WITHIN_DAYS, 40), LevelCondition(K.ELSE, None)]
    ((place, text),) = unreachable_faults(None, ladder)
    assert place == (1, "when")
    assert text.startswith("an earlier level takes all pairs of this 'within_days'.")
