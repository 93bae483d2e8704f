"""Comparison methods: which level two values reach, and that an expensive measure is computed once."""

import datetime as dt
from base64 import b64encode
from collections.abc import Iterator
from random import Random
from typing import Any

import duckdb
import pytest

from linkwright.engine.comparison_methods import BOUND_RULES, METHOD_RULES, LevelCondition, LevelKind, Method
from linkwright.engine.comparison_sql import (
    FORM_PARTS,
    ComparedValues,
    Measures,
    condition_sql,
    form_sql,
    measures_sql,
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
    """Tell whether two values, or two pairs of values of two fields, meet a condition."""
    (own_l, other_l), (own_r, other_r) = (
        side if isinstance(side, tuple) else (side, None) for side in (left, right)
    )
    values = ComparedValues(("a", "b"), ("c", "d"), (("fa", "fb"), ("na", "nb")))
    forms = ", ".join(
        f"{sql} AS {name}{column}"
        for column in "ab"
        for name, sql in zip("fn", (*form_sql(method, column, DUCKDB), "NULL", "NULL"), strict=False)
    )
    measures = measures_sql(method, [condition], values, DUCKDB)
    sql = condition_sql(condition, values, Measures("measure", "other"), DUCKDB)
    row = f"SELECT *, {forms} FROM (SELECT ? AS a, ? AS b, ? AS c, ? AS d)"
    measured = (
        f"SELECT *, {measures.of_value or 'NULL'} AS measure, {measures.of_other or 'NULL'} AS other FROM ({row})"
    )
    return bool(
        engine.execute(f"SELECT {sql} FROM ({measured})", [own_l, own_r, other_l, other_r]).fetchall()[0][0]
    )


def bits(text: str) -> str:
    """Return the base64 of bits written as 0 and 1."""
    return b64encode(int(text, 2).to_bytes(len(text) // 8, "big")).decode()


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
        (Method.JACCARD, LevelCondition(LevelKind.SIMILARITY, 1), ("listen", "silent"), True),
        (Method.JACCARD, LevelCondition(LevelKind.SIMILARITY, 0.5), ("ab", "bc"), False),
        (Method.JACCARD, LevelCondition(LevelKind.SIMILARITY, 0.33), ("ab", "bc"), True),
        (Method.POSTCODE, LevelCondition(LevelKind.SAME_PREFIX, 3), ("2600", "2609"), True),
        (Method.POSTCODE, LevelCondition(LevelKind.SAME_PREFIX, 3), ("2600", "2690"), False),
        (Method.POSTCODE, LevelCondition(LevelKind.SAME_PREFIX, 3), ("26", "260"), False),
        (Method.POSTCODE, LevelCondition(LevelKind.DISTANCE, 1), ("2600", "6200"), True),
        (Method.IDENTIFIER, LevelCondition(LevelKind.TRANSPOSED, None), ("12345", "12435"), True),
        (Method.IDENTIFIER, LevelCondition(LevelKind.TRANSPOSED, None), ("12345", "12355"), False),
        (Method.IDENTIFIER, LevelCondition(LevelKind.TRANSPOSED, None), ("12345", "1234"), False),
        (Method.IDENTIFIER, LevelCondition(LevelKind.TRANSPOSED, None), ("12345", "12345"), False),
        (Method.IDENTIFIER, LevelCondition(LevelKind.TRANSPOSED, None), ("12345", "14325"), False),
        (Method.IDENTIFIER, LevelCondition(LevelKind.DISTANCE, 1), ("12345", "12435"), True),
        (Method.NUMBER, LevelCondition(LevelKind.EXACT, None), (1.5, 1.5), True),
        (Method.NUMBER, LevelCondition(LevelKind.WITHIN_ABSOLUTE, 0.5), (70.0, 70.5), True),
        (Method.NUMBER, LevelCondition(LevelKind.WITHIN_ABSOLUTE, 0.5), (70.0, 70.75), False),
        (Method.NUMBER, LevelCondition(LevelKind.WITHIN_PERCENT, 10), (100.0, 91.0), True),
        (Method.NUMBER, LevelCondition(LevelKind.WITHIN_PERCENT, 10), (100.0, 90.0), False),
        (Method.NUMBER, LevelCondition(LevelKind.WITHIN_PERCENT, 10), (-100.0, -91.0), True),
        (Method.NUMBER, LevelCondition(LevelKind.WITHIN_PERCENT, 10), (-100.0, -1.0), False),
        (Method.NUMBER, LevelCondition(LevelKind.WITHIN_PERCENT, 10), (0.0, 0.0), True),
        (Method.NUMBER, LevelCondition(LevelKind.WITHIN_PERCENT, 100), (5.0, 0.0), False),
        (Method.TOKENS, LevelCondition(LevelKind.SHARED_TOKENS, 2), ("1 long reef", "reef long"), True),
        (Method.TOKENS, LevelCondition(LevelKind.SHARED_TOKENS, 2), ("reef reef", "reef reef road"), False),
        (Method.TOKENS, LevelCondition(LevelKind.SHARED_TOKENS, 1), ("long reef", "road"), False),
        (Method.DICE, LevelCondition(LevelKind.SIMILARITY, 0.5), (bits("11000000"), bits("10100000")), True),
        (Method.DICE, LevelCondition(LevelKind.SIMILARITY, 0.51), (bits("11000000"), bits("10100000")), False),
        (Method.DICE, LevelCondition(LevelKind.SIMILARITY, 0.01), (bits("11000000"), bits("00100000")), False),
        (Method.DICE, LevelCondition(LevelKind.SIMILARITY, 1), (bits("00000000"), bits("00000000")), True),
        (Method.DICE, LevelCondition(LevelKind.SIMILARITY, 0.01), (bits("1" * 8), bits("1" * 16)), False),
        (Method.DICE, LevelCondition(LevelKind.EXACT, None), (bits("1" * 8), bits("1" * 8)), True),
        (Method.NAME, LevelCondition(LevelKind.SIMILARITY, 0.96), ("martha", "marhta"), True),
        (Method.NAME, LevelCondition(LevelKind.SWAPPED, None), (("ann", "lee"), ("lee", "ann")), True),
        (Method.NAME, LevelCondition(LevelKind.SWAPPED, None), (("ann", "lee"), ("lee", "anne")), False),
        (Method.NAME, LevelCondition(LevelKind.SWAPPED, None), (("ann", None), ("lee", "ann")), False),
        (Method.NAME, LevelCondition(LevelKind.EXACT_BOTH, None), (("ann", "lee"), ("ann", "lee")), True),
        (Method.NAME, LevelCondition(LevelKind.EXACT_BOTH, None), (("ann", "lee"), ("ann", "leigh")), False),
        (Method.NAME, LevelCondition(LevelKind.EXACT_BOTH, None), (("ann", None), ("ann", None)), False),
        (Method.NAME, LevelCondition(LevelKind.EXACT_OTHER, None), (("ann", "lee"), ("bob", "lee")), True),
        (Method.NAME, LevelCondition(LevelKind.EXACT_OTHER, None), (("ann", "lee"), ("ann", "fox")), False),
        (
            Method.NAME,
            LevelCondition(LevelKind.SIMILARITY_BOTH, 0.9),
            (("martha", "lee"), ("marhta", "lee")),
            True,
        ),
        (
            Method.NAME,
            LevelCondition(LevelKind.SIMILARITY_BOTH, 0.9),
            (("martha", "lee"), ("marhta", "fox")),
            False,
        ),
        (
            Method.NAME,
            LevelCondition(LevelKind.SIMILARITY_BOTH, 0.9),
            (("martha", "lee"), ("marhta", None)),
            False,
        ),
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


SIMILARITIES = (Method.JARO_WINKLER, Method.JARO, Method.JACCARD, Method.NAME, Method.DICE)
DISTANCES = (Method.LEVENSHTEIN, Method.DAMERAU_LEVENSHTEIN, Method.DATE, Method.POSTCODE, Method.IDENTIFIER)
SIDES = ComparedValues(("a", "b"), ("c", "d"), (("fa", "fb"), ("na", "nb")))


@pytest.mark.parametrize("method", [*SIMILARITIES, *DISTANCES])
def test_equal_values_are_closest_without_computing_the_measure(method: Method) -> None:
    kind = LevelKind.SIMILARITY if method in SIMILARITIES else LevelKind.DISTANCE
    sql = measures_sql(method, [LevelCondition(kind, 1), LevelCondition(kind, 2)], SIDES, DUCKDB).of_value
    assert sql is not None
    closest = "1.0" if kind is LevelKind.SIMILARITY else "0"
    assert sql.startswith(f"CASE WHEN a = b THEN {closest} ELSE ")
    assert sql.count("CASE WHEN a = b") == 1


def test_shared_words_are_counted_for_equal_values_only_where_no_level_takes_them_before() -> None:
    shared, exact = LevelCondition(LevelKind.SHARED_TOKENS, 2), LevelCondition(LevelKind.EXACT, None)
    after = measures_sql(Method.TOKENS, [exact, shared], SIDES, DUCKDB).of_value
    assert after == "CASE WHEN a = b THEN NULL ELSE len(list_intersect(fa, fb)) END"
    before = measures_sql(Method.TOKENS, [shared, exact], SIDES, DUCKDB).of_value
    assert before == "len(list_intersect(fa, fb))"


def test_no_measure_is_computed_where_no_level_needs_one() -> None:
    conditions = [LevelCondition(LevelKind.EXACT, None), LevelCondition(LevelKind.ELSE, None)]
    assert measures_sql(Method.JARO_WINKLER, conditions, SIDES, DUCKDB) == Measures()
    within = [LevelCondition(LevelKind.WITHIN_DAYS, 1), *conditions]
    assert measures_sql(Method.DATE, within, SIDES, DUCKDB) == Measures()
    alone = [LevelCondition(LevelKind.SIMILARITY, 0.9), *conditions]
    assert measures_sql(Method.NAME, alone, SIDES, DUCKDB).of_other is None


def test_only_words_and_bits_are_taken_apart_beforehand() -> None:
    parts = {method: len(form_sql(method, "a", DUCKDB)) for method in Method if form_sql(method, "a", DUCKDB)}
    assert parts == {method: len(names) for method, names in FORM_PARTS.items()}


def test_the_last_level_has_no_condition() -> None:
    with pytest.raises(ValueError, match="'else' takes what is left over"):
        condition_sql(LevelCondition(LevelKind.ELSE, None), SIDES, Measures("measure"), DUCKDB)


def test_a_level_of_two_fields_needs_the_second() -> None:
    with pytest.raises(ValueError, match="look at a second field"):
        condition_sql(
            LevelCondition(LevelKind.SWAPPED, None), ComparedValues(("a", "b")), Measures("measure"), DUCKDB
        )


def test_every_kind_of_level_belongs_to_a_method_and_every_bound_to_a_kind() -> None:
    offered = {kind for rule in METHOD_RULES.values() for kind in rule.kinds}
    assert offered == set(LevelKind)
    assert all(rule.kinds[-1] is LevelKind.ELSE for rule in METHOD_RULES.values())
    assert {rule.key for rule in BOUND_RULES.values()} == {"at_least", "at_most", "length"}


def test_swapping_sides_keeps_a_measure(engine: duckdb.DuckDBPyConnection) -> None:
    random = Random(5)
    texts = ["".join(random.choices("abcé ", k=random.randint(1, 8))) for _ in range(4000)]
    measures = []
    for method in (*SIMILARITIES[:4], *DISTANCES):
        kind = LevelKind.SIMILARITY if method in SIMILARITIES else LevelKind.DISTANCE
        measures += [
            measures_sql(method, [LevelCondition(kind, 1)], ComparedValues(sides), DUCKDB).of_value
            for sides in (("a", "b"), ("b", "a"))
        ]
    sql = f"SELECT {', '.join(map(str, measures))} FROM (SELECT unnest(?) AS a, unnest(?) AS b)"
    rows = engine.execute(sql, [texts[:2000], texts[2000:]]).fetchall()
    assert len(rows) == 2000
    assert all(row[0::2] == row[1::2] for row in rows)
