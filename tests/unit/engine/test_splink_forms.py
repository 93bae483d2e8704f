"""Which SQL of a Splink model is understood, in all its spellings, and how the rest is refused."""

from typing import Any

import pytest

from linkwright.engine.splink_import import match_definition_from_splink
from linkwright.engine.splink_settings import splink_settings
from linkwright.engine.strategy import parse_match_configuration
from tests.unit.engine.splink_models import FIELDS, comparison, faults, model, options, read

NAMES = [
    ('"surname_l" = "surname_r"', "exact", {"when": "exact"}),
    ("surname_r=surname_l", "exact", {"when": "exact"}),
    ("(((SURNAME_L) = `surname_R`))", "exact", {"when": "exact"}),
    ("lower(surname_l) = LOWER(trim(surname_r))", "exact", {"when": "exact"}),
    ("nullif(surname_l, '') = nullif(surname_r, '')", "exact", {"when": "exact"}),
    ("jaro_winkler_similarity(surname_l, surname_r) >= 0.9", "jaro_winkler", {"at_least": 0.9}),
    ("0.90 <= Jaro_Winkler(surname_r, surname_l)", "jaro_winkler", {"at_least": 0.9}),
    ("jaro_sim(surname_l, surname_r) >= 9e-1", "jaro", {"at_least": 0.9}),
    ("jaccard(surname_l, surname_r) >= cast('0.9' as double)", "jaccard", {"at_least": 0.9}),
    ("levenshtein(surname_l, surname_r) <= 2", "levenshtein", {"at_most": 2}),
    ("damerau_levenshtein(surname_l, surname_r) <= 2.0", "damerau_levenshtein", {"at_most": 2}),
    (
        "damerau_levenshtein(surname_l, surname_r) <= 1 and not (levenshtein(surname_r, surname_l) <= 1)",
        "identifier",
        {"when": "transposed"},
    ),
    ("substring(surname_l, 1, 3) = left(surname_r, 3)", "postcode", {"when": "same_prefix", "length": 3}),
    ("substr(surname_l::text, 1, 3) = substr(surname_r::varchar, 1, 3)", "postcode", {"length": 3}),
    (
        "array_length(list_intersect(string_split(surname_l, ' '), str_split(surname_r, ' '))) >= 2",
        "tokens",
        {"when": "shared_tokens", "at_least": 2},
    ),
]
DATES = [
    ("ABS(EPOCH(dob_l) - EPOCH(dob_r)) <= 2629800.0", {"when": "within_months", "at_most": 1}),
    ("ABS(EXTRACT(EPOCH FROM dob_l) - EXTRACT(EPOCH FROM dob_r))<= 31557600.0", {"when": "within_years"}),
    ("abs(datediff(dob_r, dob_l)) <= floor(315576000.0 / 86400)", {"when": "within_years", "at_most": 10}),
    ("abs(date_diff('day', dob_l, dob_r)) <= 3", {"when": "within_days", "at_most": 3}),
    (
        "ABS(EPOCH(try_strptime(dob_l, '%d/%m/%Y')) - EPOCH(try_strptime(dob_r, '%d/%m/%Y'))) <= 86400",
        {"when": "within_days", "at_most": 1},
    ),
    ("levenshtein(CAST(dob_l AS TEXT), CAST(dob_r AS TEXT)) <= 1", {"when": "edits", "at_most": 1}),
    ("damerau_levenshtein(dob_l, dob_r) <= 1", {"when": "distance", "at_most": 1}),
    ("date_part('year', dob_l) = year(dob_r)", {"when": "same_year"}),
    ("strftime(dob_l, '%Y') = substr(dob_r, 1, 4)", None),
    ("month(dob_l) = month(dob_r) and day(dob_r) = day(dob_l)", {"when": "same_day_and_month"}),
    ("strftime(dob_l, '%m-%d') = strftime(dob_r, '%d-%m')", None),
    ("strftime(dob_r, '%Y-%m-%d') = strftime(dob_l, '%Y-%d-%m')", {"when": "day_and_month_swapped"}),
    ("abs(epoch(dob_l) - epoch(dob_r)) <= 100", None),
    ("abs(date_diff('year', dob_l, dob_r)) <= 3", None),
]


@pytest.mark.parametrize(("sql", "method", "expected"), NAMES)
def test_a_level_is_understood_however_it_is_spelt(sql: str, method: str, expected: dict[str, Any]) -> None:
    (item,) = read(model(comparison("surname", sql)))["comparisons"]
    assert item["method"] == method
    assert item["levels"][0].items() >= expected.items()


@pytest.mark.parametrize(("sql", "expected"), DATES)
def test_a_level_of_dates_is_understood_if_it_means_one_of_ours(sql: str, expected: dict[str, Any] | None) -> None:
    settings, columns = model(comparison("dob", sql)), {"DOB": "date_of_birth"}
    if expected is None:
        (fault,) = faults(settings, columns=columns)
        assert f"level 2 `{sql}`: it cannot be said of 'date_of_birth', a field of type date" in fault
        return
    (item,) = read(settings, columns=columns)["comparisons"]
    assert (item["name"], item["field"], item["method"]) == ("dob", "date_of_birth", "date")
    assert item["levels"][0].items() >= expected.items()


def test_a_unit_of_time_is_the_one_that_the_label_names() -> None:
    item = comparison("date_of_birth", *["abs(epoch(date_of_birth_l) - epoch(date_of_birth_r)) <= 31557600"])
    item["comparison_levels"][1]["label_for_charts"] = "Abs date difference <= 12 month"
    (found,) = read(model(item))["comparisons"]
    assert found["levels"][0].items() >= {"when": "within_months", "at_most": 12}.items()


RULES = [
    ("l.surname = r.surname AND (r.sex = l.sex)", ["surname", "sex"]),
    ('(l."surname_soundex" = r."surname_soundex")', ["surname:soundex"]),
    ("SUBSTRING(l.surname, 1, 3) = SUBSTRING(r.surname, 1, 3)", ["surname:prefix 3"]),
    ("right(l.postcode, 2) = substr(r.postcode, -2)", ["postcode:suffix 2"]),
    ("EXTRACT(year FROM l.date_of_birth) = year(r.date_of_birth)", ["date_of_birth:year"]),
    ("substr(l.date_of_birth, 1, 4) = substr(r.date_of_birth, 1, 4)", ["date_of_birth:year"]),
    ("strftime(l.date_of_birth, '%m%d') = strftime(r.date_of_birth, '%m%d')", ["date_of_birth:month_day"]),
    ("list_has_any(string_split(l.suburb, ' '), string_split(r.suburb, ' '))", ["suburb:any_token"]),
    (
        "(l.surname=r.given_name AND l.given_name=r.surname) OR l.surname=r.surname AND l.given_name=r.given_name",
        ["surname:swapped"],
    ),
]


@pytest.mark.parametrize(("sql", "expected"), RULES)
def test_a_blocking_rule_is_understood_however_it_is_spelt(sql: str, expected: list[str]) -> None:
    (rule,) = read(model(comparison("sex", "sex_l = sex_r"), rules=(sql,)))["blocking_rules"]
    told = [
        part["field"] + (f":{part['transform']}" if "transform" in part else "") + f" {part.get('length', '')}"
        for part in rule
    ]
    assert [one.strip() for one in told] == expected


@pytest.mark.parametrize(
    "sql",
    [
        "l.surname = r.given_name",
        "l.surname = r.surname OR l.sex = r.sex",
        "levenshtein(l.surname, r.surname) <= 1",
        "1 = 1",
    ],
)
def test_a_blocking_rule_that_means_something_else_is_refused(sql: str) -> None:
    (fault,) = faults(model(comparison("sex", "sex_l = sex_r"), rules=(sql,)))
    assert f"blocking_rules_to_generate_predictions[0] `{sql}`: a part of it cannot be said" in fault
    assert "Supported are l.x = r.x" in fault


def test_arrays_become_words_with_a_note() -> None:
    rule = {"blocking_rule": "l.aliases = r.aliases", "sql_dialect": "duckdb", "arrays_to_explode": ["aliases"]}
    item = comparison("aliases", 'array_length(list_intersect("aliases_l", "aliases_r")) >= 1')
    done = match_definition_from_splink(model(item, rules=(rule,)), FIELDS, options=options())
    (strategy,) = done.definition["strategies"]
    assert strategy["blocking_rules"] == [[{"field": "aliases", "transform": "any_token"}]]
    assert strategy["comparisons"][0]["method"] == "tokens"
    assert len(done.notes) == 2
    assert all("joined by blanks" in note for note in done.notes)


def test_splinks_share_of_a_number_is_read_with_a_note() -> None:
    greater = 'CASE WHEN "weight_r" > "weight_l" THEN "weight_r" ELSE "weight_l" END'
    sql = f'(ABS("weight_l" - "weight_r") / ({greater})) < 0.07'
    done = match_definition_from_splink(model(comparison("weight", sql)), FIELDS, options=options())
    (item,) = done.definition["strategies"][0]["comparisons"]
    assert item["levels"][0].items() >= {"when": "within_percent", "at_most": 7}.items()
    assert "they differ below 0" in done.notes[0]


def test_linking_two_data_sets_only_is_told() -> None:
    settings = {**model(comparison("sex", "sex_l = sex_r")), "link_type": "link_only"}
    (note,) = match_definition_from_splink(settings, FIELDS, options=options()).notes
    assert "Linkwright also links the records within each" in note


def test_every_blocking_expression_comes_back_as_it_was() -> None:
    rules = [
        [{"field": "surname", "transform": "soundex"}, {"field": "given_name", "transform": "initial"}],
        [{"field": "surname", "transform": "nysiis"}, "sex"],
        [{"field": "postcode", "transform": "prefix", "length": 3}],
        [{"field": "postcode", "transform": "suffix", "length": 2}],
        [{"field": "date_of_birth", "transform": "year"}, {"field": "date_of_birth", "transform": "month_day"}],
        [{"field": "suburb", "transform": "any_token"}],
        [{"field": "surname", "transform": "swapped", "swapped_with": "given_name"}],
    ]
    levels = [
        {"when": "exact", "m_probability": 0.9, "u_probability": 0.1},
        {"when": "else", "m_probability": 0.1, "u_probability": 0.9},
    ]
    definition = {
        "prior": 0.25,
        "strategies": [
            {
                "name": "person",
                "blocking_rules": rules,
                "match_threshold": -100,
                "comparisons": [{"field": "sex", "method": "exact", "levels": levels}],
            }
        ],
    }
    configuration = parse_match_configuration(definition, FIELDS)
    saved = splink_settings(configuration, configuration.strategies[0])
    back = match_definition_from_splink(saved, FIELDS, options=options()).definition
    assert parse_match_configuration(back, FIELDS) == configuration


def test_a_model_in_the_form_of_splink_4_is_read() -> None:
    parsed = "ABS(EPOCH(try_strptime(\"dob_l\", '%Y-%m-%d')) - EPOCH(try_strptime(\"dob_r\", '%Y-%m-%d')))"
    birth = comparison(
        "dob",
        '"dob_l" = "dob_r"',
        'damerau_levenshtein("dob_l", "dob_r") <= 1',
        f"{parsed} <= 2629800.0",
        f"{parsed} <= 31557600.0",
    )
    asked = "try_strptime(\"dob_l\", '%Y-%m-%d') IS NULL OR try_strptime(\"dob_r\", '%Y-%m-%d') IS NULL"
    birth["comparison_levels"][0]["sql_condition"] = asked
    settings = {
        **model(birth, rules=('(SUBSTR(l.surname, 1, 4) = SUBSTR(r.surname, 1, 4)) AND (l."dob" = r."dob")',)),
        "sql_dialect": "duckdb",
        "linker_uid": "a1b2c3d4",
        "bayes_factor_column_prefix": "bf_",
        "unique_id_column_name": "unique_id",
    }
    settings["blocking_rules_to_generate_predictions"][0]["salting_partitions"] = 4
    strategy = read(settings, columns={"dob": "date_of_birth"})
    assert strategy["blocking_rules"] == [
        [{"field": "surname", "transform": "prefix", "length": 4}, {"field": "date_of_birth"}]
    ]
    kinds = [one["when"] for one in strategy["comparisons"][0]["levels"]]
    assert kinds == ["exact", "distance", "within_months", "within_years", "else"]


def test_dates_compared_as_text_from_the_first_level_on_are_dates() -> None:
    sides = ["CAST(date_of_birth_l AS TEXT)", "CAST(date_of_birth_r AS TEXT)"]
    item = comparison("date_of_birth", " = ".join(sides), f"levenshtein({', '.join(sides)}) <= 1")
    item["comparison_levels"][0]["sql_condition"] = " IS NULL OR ".join(sides) + " IS NULL"
    (found,) = read(model(item))["comparisons"]
    assert [one["when"] for one in found["levels"]] == ["exact", "edits", "else"]
