"""Scoring: the steps as text and as result; which pairs are kept, and which strategy's row of a pair is stored."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pytest

from linkwright.engine import scoring
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.steps import Step, chain_sql
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration

INFINITY = math.inf
NAME_LEVELS = [
    {"when": "exact", "m_probability": 0.8, "u_probability": 0.1},
    {"when": "similarity", "at_least": 0.9, "m_probability": 0.1, "u_probability": 0.1},
    {"when": "else", "m_probability": 0.1, "u_probability": 0.8},
]
BIRTH_LEVELS = [
    {"when": "exact", "m_probability": 0.5, "u_probability": 0.25},
    {"when": "else", "m_probability": 0.5, "u_probability": 0.75},
]
PERSON: dict[str, Any] = {
    "name": "person",
    "match_threshold": 3,
    "review_threshold": 0,
    "blocking_rules": [["suburb"], [{"field": "surname", "transform": "soundex"}]],
    "comparisons": [
        {"field": "surname", "method": "jaro_winkler", "levels": NAME_LEVELS},
        {"name": "birth", "field": "date_of_birth", "method": "exact", "levels": BIRTH_LEVELS},
    ],
}
SAME_IDENTIFIER = {"name": "same_identifier", "blocking_rules": [["national_identifier"]]}


def configured(*strategies: dict[str, Any], prior: float = 0.5) -> MatchConfiguration:
    return parse_match_configuration({"prior": prior, "strategies": list(strategies)}, STANDARD_FIELDS)


CONFIGURATION = configured(PERSON, SAME_IDENTIFIER)


@pytest.fixture
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE found_pairs (record_id_l BIGINT, record_id_r BIGINT, blocking_rule INTEGER)")
        con.execute(
            "CREATE TABLE compared_records (record_id BIGINT, suburb VARCHAR, surname VARCHAR, "
            "surname_soundex VARCHAR, date_of_birth DATE, national_identifier VARCHAR)"
        )
        con.executemany(
            "INSERT INTO compared_records VALUES (?, ?, ?, ?, ?, ?)",
            [
                (1, "dapto", "smith", "S530", "1987-02-03", "77"),
                (2, "dapto", "smith", "S530", "1987-02-03", "77"),
                (3, "dapto", "smithe", "S530", "1987-02-04", "77"),
                (4, "dapto", "lee", "L000", None, None),
                (5, "lyons", None, None, "1987-02-03", None),
            ],
        )
        columns = ("suburb", "surname", "surname_soundex", "date_of_birth", "national_identifier")
        values = ", ".join(f"{side}.{column} AS {side}_{column}" for column in columns for side in "lr")
        con.execute(
            f"CREATE VIEW candidate_pairs AS SELECT p.*, {values} FROM found_pairs AS p "
            "JOIN compared_records AS l ON l.record_id = p.record_id_l "
            "JOIN compared_records AS r ON r.record_id = p.record_id_r"
        )
        yield con


def scored(
    con: duckdb.DuckDBPyConnection, number: int, pairs: Sequence[tuple[int, int, int]]
) -> list[dict[str, Any]]:
    con.executemany("INSERT INTO found_pairs VALUES (?, ?, ?)", pairs)
    steps = scoring.scoring_steps(CONFIGURATION, CONFIGURATION.strategies[number], DUCKDB)
    con.execute(f"CREATE OR REPLACE TABLE scored_pairs AS {chain_sql(steps)}")
    return scored_rows(con)


def scored_rows(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    result = con.execute("FROM scored_pairs ORDER BY ALL")
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def test_a_pair_weighs_the_prior_and_the_levels_that_it_is_in(engine: duckdb.DuckDBPyConnection) -> None:
    assert scored(engine, 0, [(1, 2, 0), (1, 3, 0), (1, 4, 0)]) == [
        {
            "record_id_l": 1,
            "record_id_r": 2,
            "blocking_rule": 0,
            "level_surname": 2,
            "level_birth": 1,
            "match_weight": pytest.approx(math.log2(8) + math.log2(2), abs=1e-12),
        },
        {
            "record_id_l": 1,
            "record_id_r": 3,
            "blocking_rule": 0,
            "level_surname": 1,
            "level_birth": 0,
            "match_weight": pytest.approx(0 + math.log2(0.5 / 0.75), abs=1e-12),
        },
        {
            "record_id_l": 1,
            "record_id_r": 4,
            "blocking_rule": 0,
            "level_surname": 0,
            "level_birth": -1,
            "match_weight": pytest.approx(math.log2(0.1 / 0.8), abs=1e-12),
        },
    ]


def test_the_prior_is_part_of_the_weight(engine: duckdb.DuckDBPyConnection) -> None:
    configuration = configured({**PERSON, "match_threshold": 0}, prior=0.1)
    sql = scoring.scored_pairs_sql(configuration, configuration.strategies[0])
    engine.execute(
        "CREATE TABLE leveled_pairs AS SELECT 1 AS record_id_l, 2 AS record_id_r, 0 AS blocking_rule, "
        "2 AS level_surname, -1 AS level_birth"
    )
    weight = engine.execute(f"SELECT match_weight FROM ({sql})").fetchall()[0][0]
    assert weight == pytest.approx(math.log2(0.1 / 0.9) + math.log2(8), abs=1e-12)


def test_a_pair_that_shares_only_the_key_of_a_block_is_dropped(engine: duckdb.DuckDBPyConnection) -> None:
    rows = scored(engine, 0, [(1, 5, 0), (1, 4, 1), (1, 3, 1)])
    assert [(row["record_id_l"], row["record_id_r"], row["blocking_rule"]) for row in rows] == [(1, 3, 1)]


def test_pairs_of_a_deterministic_strategy_weigh_infinitely_much(engine: duckdb.DuckDBPyConnection) -> None:
    rows = scored(engine, 1, [(1, 2, 0), (1, 4, 0)])
    assert rows == [{"record_id_l": 1, "record_id_r": 2, "blocking_rule": 0, "match_weight": INFINITY}]


def test_an_expensive_measure_is_written_once_however_many_levels_use_it() -> None:
    levels = [
        NAME_LEVELS[0],
        *(
            {**NAME_LEVELS[1], "at_least": bound, "m_probability": 0.05, "u_probability": 0.05}
            for bound in (0.9, 0.8)
        ),
        NAME_LEVELS[2],
    ]
    comparison = {"field": "surname", "method": "jaro_winkler", "levels": levels}
    configuration = configured({**PERSON, "comparisons": [comparison], "match_threshold": 1})
    sql = chain_sql(scoring.scoring_steps(configuration, configuration.strategies[0], DUCKDB))
    assert sql.count("jaro_winkler_similarity") == 1
    assert sql.count('"measure_surname"') == 3


def test_the_level_of_a_missing_value_is_asked_first() -> None:
    sql = scoring.leveled_pairs_sql(CONFIGURATION.strategies[0], DUCKDB)
    assert sql == (
        "SELECT record_id_l, record_id_r, blocking_rule,\n"
        '  CAST(CASE WHEN "l_surname" IS NULL OR "r_surname" IS NULL THEN -1 '
        'WHEN "l_surname" = "r_surname" THEN 2 '
        'WHEN "measure_surname" >= CAST(\'0.9\' AS DOUBLE) THEN 1 ELSE 0 END AS TINYINT) AS "level_surname",\n'
        '  CAST(CASE WHEN "l_date_of_birth" IS NULL OR "r_date_of_birth" IS NULL THEN -1 '
        'WHEN "l_date_of_birth" = "r_date_of_birth" THEN 1 ELSE 0 END AS TINYINT) AS "level_birth"\n'
        "FROM measured_pairs"
    )


def test_steps_can_be_run_one_by_one_or_as_one_statement(engine: duckdb.DuckDBPyConnection) -> None:
    together = scored(engine, 0, [(1, 2, 0), (2, 3, 1)])
    for step in scoring.scoring_steps(CONFIGURATION, CONFIGURATION.strategies[0], DUCKDB):
        engine.execute(f"CREATE OR REPLACE TABLE {step.name} AS {step.sql}")
    assert scored_rows(engine) == together
    assert len(together) == 2


def test_a_chain_of_steps_is_one_statement() -> None:
    assert chain_sql([Step("a", "SELECT 1 AS x")]) == "SELECT 1 AS x"
    chained = chain_sql([Step("a", "SELECT 1 AS x"), Step("b", "SELECT x FROM a"), Step("c", "FROM b")])
    assert chained == 'WITH "a" AS (\nSELECT 1 AS x\n),\n"b" AS (\nSELECT x FROM a\n)\nFROM b'
    with pytest.raises(ValueError, match="at least one step"):
        chain_sql([])


def test_a_strategy_reads_the_columns_of_its_rules_and_comparisons() -> None:
    columns = scoring.strategy_columns(CONFIGURATION.strategies[0])
    assert columns == ("suburb", "surname_soundex", "surname", "date_of_birth")


def kept(con: duckdb.DuckDBPyConnection, weights: dict[tuple[int, int], float], number: int) -> None:
    """Score pairs of a strategy as given, and gather what it keeps."""
    values = ", ".join(f"({left}, {right}, 0, '{weight}'::DOUBLE)" for (left, right), weight in weights.items())
    con.execute(
        "CREATE OR REPLACE TABLE scored_pairs AS SELECT * "
        f"FROM (VALUES {values}) AS t(record_id_l, record_id_r, blocking_rule, match_weight)"
    )
    con.execute(f"INSERT INTO kept_pairs BY NAME {scoring.kept_pairs_sql(STRATEGIES, number)}")


STRATEGIES = configured(
    {**PERSON, "name": "strict", "match_threshold": 4, "review_threshold": 0},
    {**PERSON, "name": "lenient", "match_threshold": 1, "review_threshold": 0},
    SAME_IDENTIFIER,
)


def stored(con: duckdb.DuckDBPyConnection) -> list[tuple[int, int, str, float]]:
    return con.execute(
        f"SELECT record_id_l, record_id_r, strategy, match_weight FROM ({scoring.pairs_file_sql(STRATEGIES)})"
    ).fetchall()


def test_pairs_at_the_review_threshold_are_kept_and_those_below_are_not(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    engine.execute(scoring.kept_pairs_table_sql(STRATEGIES))
    kept(engine, {(1, 2): 0.0, (1, 3): -0.0001, (1, 4): 9.0}, 0)
    assert stored(engine) == [(1, 2, "strict", 0.0), (1, 4, "strict", 9.0)]


def test_of_several_strategies_a_match_goes_first_then_the_weight_then_the_order(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    engine.execute(scoring.kept_pairs_table_sql(STRATEGIES))
    kept(engine, {(1, 2): 3.0, (1, 3): 5.0, (1, 4): 4.0, (1, 5): 5.0}, 0)
    kept(engine, {(1, 2): 2.0, (1, 3): 6.0, (1, 4): 4.0, (1, 5): 7.0}, 1)
    kept(engine, {(1, 5): INFINITY}, 2)
    assert stored(engine) == [
        (1, 2, "lenient", 2.0),
        (1, 3, "lenient", 6.0),
        (1, 4, "strict", 4.0),
        (1, 5, "same_identifier", INFINITY),
    ]


def test_weights_are_counted_in_bins_of_one_with_those_that_are_kept(engine: duckdb.DuckDBPyConnection) -> None:
    engine.execute(
        "CREATE TABLE scored_pairs AS SELECT unnest([0, 0, 0, 1, 1, 1]) AS blocking_rule, "
        "unnest([-1.5, -1.0, -0.2, 0.9, 0.5, 'inf'::DOUBLE]) AS match_weight"
    )
    rows = engine.execute(f"{scoring.tallies_sql(0.6)} ORDER BY ALL").fetchall()
    assert rows == [(0, -2, 1, 0), (0, -1, 2, 0), (1, 0, 2, 1), (1, None, 1, 1)]
    kept = engine.execute(f"SELECT kept_pairs_count FROM ({scoring.tallies_sql(None)}) ORDER BY ALL").fetchall()
    assert kept == [(1,), (1,), (2,), (2,)]


FREQUENT_LEVELS = [NAME_LEVELS[0], {**NAME_LEVELS[1], "term_frequency": True}, NAME_LEVELS[2]]
ADJUSTED = configured(
    {
        **PERSON,
        "match_threshold": 0,
        "comparisons": [
            {
                "field": "surname",
                "method": "jaro_winkler",
                "term_frequency": {"weight": 0.5, "minimum_u": 0.02},
                "levels": FREQUENT_LEVELS,
            },
            PERSON["comparisons"][1],
        ],
    },
    prior=0.1,
)
PARTS = {
    (1, 2): (3.0, 0.5 * math.log2(0.1 / 0.4)),
    (1, 3): (0.0, 0.5 * math.log2(0.1 / 0.4)),
    (1, 4): (math.log2(0.1 / 0.8), 0.0),
    (3, 6): (3.0, 0.5 * math.log2(0.1 / 0.02)),
    (4, 7): (3.0, 0.0),
}


@pytest.fixture
def frequencies(engine: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    engine.execute(
        "INSERT INTO compared_records VALUES (6, 'dapto', 'smithe', 'S530', NULL, NULL), "
        "(7, 'dapto', 'lee', 'L000', NULL, NULL)"
    )
    engine.execute(
        "CREATE TABLE term_frequencies AS SELECT * FROM (VALUES ('surname', 'smith', 0.4::DOUBLE), "
        "('surname', 'smithe', 0.001), ('suburb', 'lee', 0.9)) AS t(field, value, frequency)"
    )
    engine.executemany("INSERT INTO found_pairs VALUES (?, ?, 0)", list(PARTS))
    return engine


def parts_of(con: duckdb.DuckDBPyConnection) -> dict[tuple[int, int], dict[str, Any]]:
    return {(row["record_id_l"], row["record_id_r"]): row for row in scored_rows(con)}


def test_the_parts_of_a_weight_are_its_levels_and_what_frequencies_change(
    frequencies: duckdb.DuckDBPyConnection,
) -> None:
    steps = scoring.scoring_steps(ADJUSTED, ADJUSTED.strategies[0], DUCKDB, with_parts=True)
    frequencies.execute(f"CREATE TABLE scored_pairs AS {chain_sql(steps)}")
    found = parts_of(frequencies)
    assert found.keys() == PARTS.keys()
    for pair, (weight, adjustment) in PARTS.items():
        row = found[pair]
        assert row["weight_surname"] == pytest.approx(weight, abs=1e-12)
        assert row["tf_weight_surname"] == pytest.approx(adjustment, abs=1e-12)
        assert row["tf_weight_birth"] == 0
        parts = ("weight_surname", "tf_weight_surname", "weight_birth", "tf_weight_birth")
        total = math.log2(0.1 / 0.9) + sum(row[part] for part in parts)
        assert row["match_weight"] == pytest.approx(total, abs=1e-12)
    assert found[1, 2]["weight_birth"] == pytest.approx(1, abs=1e-12)
    assert found[4, 7]["weight_birth"] == 0


def test_adjusted_weights_are_the_same_without_their_parts_and_step_by_step(
    frequencies: duckdb.DuckDBPyConnection,
) -> None:
    with_parts = scoring.scoring_steps(ADJUSTED, ADJUSTED.strategies[0], DUCKDB, with_parts=True)
    frequencies.execute(f"CREATE TABLE scored_pairs AS {chain_sql(with_parts)}")
    whole = parts_of(frequencies)
    for step in scoring.scoring_steps(ADJUSTED, ADJUSTED.strategies[0], DUCKDB):
        frequencies.execute(f"CREATE OR REPLACE TABLE {step.name} AS {step.sql}")
    columns = ["record_id_l", "record_id_r", "blocking_rule", "level_surname", "level_birth", "match_weight"]
    assert [list(row) for row in scored_rows(frequencies)] == [columns] * len(PARTS)
    assert parts_of(frequencies) == {pair: {name: row[name] for name in columns} for pair, row in whole.items()}


def test_records_are_prepared_only_where_a_comparison_needs_it() -> None:
    assert scoring.prepared_records_sql(CONFIGURATION.strategies[0], DUCKDB) is None
    names = [step.name for step in scoring.scoring_steps(ADJUSTED, ADJUSTED.strategies[0], DUCKDB)]
    assert names == ["prepared_records", "compared_pairs", "measured_pairs", "leveled_pairs", "scored_pairs"]


def test_values_are_taken_apart_once_per_record() -> None:
    levels = [{**BIRTH_LEVELS[0], "when": "shared_tokens", "at_least": 1}, BIRTH_LEVELS[1]]
    words = {"field": "suburb", "method": "tokens", "levels": levels}
    (strategy,) = configured({**PERSON, "comparisons": [words], "match_threshold": 1}).strategies
    steps = {step.name: step.sql for step in scoring.scoring_steps(CONFIGURATION, strategy, DUCKDB)}
    taken = [name for name, sql in steps.items() if "string_split" in sql]
    assert taken == ["prepared_records"]
    assert scoring.pair_values_sql(strategy, DUCKDB, "new_records", "new_records").count("string_split") == 2


def test_a_strategy_reads_the_field_that_names_may_be_swapped_with() -> None:
    name = {
        "field": "surname",
        "method": "name",
        "swapped_with": "given_name",
        "levels": [NAME_LEVELS[0], {**NAME_LEVELS[1], "when": "swapped", "at_least": None}, NAME_LEVELS[2]],
    }
    (strategy,) = configured({**PERSON, "blocking_rules": [["suburb"]], "comparisons": [name]}).strategies
    assert scoring.strategy_columns(strategy) == ("suburb", "surname", "given_name")
