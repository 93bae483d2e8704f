"""What of a Splink model cannot be said here is refused, all at once, or taken nearly if that is asked for."""

import pytest

from linkwright.engine.splink_import import is_splink_settings, match_definition_from_splink
from tests.unit.engine.splink_models import FIELDS, comparison, faults, model, options, read


def test_term_frequencies_are_read_with_weight_minimum_and_levels() -> None:
    item = comparison("surname", "surname_l = surname_r", "levenshtein(surname_l, surname_r) <= 1")
    adjusted = {"tf_adjustment_column": "surname", "tf_adjustment_weight": 0.5, "tf_minimum_u_value": 0.001}
    for one in item["comparison_levels"][1:3]:
        one.update(adjusted)
    (found,) = read(model(item))["comparisons"]
    assert found["term_frequency"] == {"weight": 0.5, "minimum_u": 0.001}
    assert [one.get("term_frequency", False) for one in found["levels"]] == [False, True, False]


FREQUENCIES = {
    "not of equal values": ({}, {"tf_adjustment_column": "surname"}),
    "own u_probability": (
        {"tf_adjustment_column": "surname"},
        {"tf_adjustment_column": "surname", "disable_tf_exact_match_detection": True},
    ),
    "different weights": (
        {"tf_adjustment_column": "surname"},
        {"tf_adjustment_column": "surname", "tf_adjustment_weight": 0.5},
    ),
    "the values of 'given_name'": ({"tf_adjustment_column": "given_name"}, {}),
}


@pytest.mark.parametrize("case", FREQUENCIES)
def test_term_frequencies_that_differ_are_refused_unless_nearly_will_do(case: str) -> None:
    item = comparison("surname", "surname_l = surname_r", "levenshtein(surname_l, surname_r) <= 1")
    for one, more in zip(item["comparison_levels"][1:3], FREQUENCIES[case], strict=True):
        one.update(more)
    (fault,) = faults(model(item))
    assert case.split(" of ", maxsplit=1)[0] in fault
    assert "import approximately" in fault
    done = match_definition_from_splink(model(item), FIELDS, options=options(approximate=True))
    assert len(done.notes) == 1
    assert done.definition["strategies"][0]["comparisons"][0]["field"] == "surname"


def test_a_comparison_without_a_level_for_missing_values_is_refused_unless_nearly_will_do() -> None:
    item = comparison("surname", "surname_l = surname_r")
    del item["comparison_levels"][0]
    (fault,) = faults(model(item))
    assert "takes them for disagreement" in fault
    assert read(model(item), approximate=True)["comparisons"][0]["field"] == "surname"


def test_dates_written_otherwise_cannot_be_compared_by_their_digits() -> None:
    parsed = "try_strptime(date_of_birth_l, '%d/%m/%Y')"
    item = comparison("date_of_birth", "levenshtein(date_of_birth_l, date_of_birth_r) <= 1")
    item["comparison_levels"][0]["sql_condition"] = f"{parsed} IS NULL OR {parsed.replace('_l', '_r')} IS NULL"
    (fault,) = faults(model(item))
    assert "dates written as %d/%m/%Y" in fault


def test_all_faults_are_told_at_once_with_place_sql_and_remedy() -> None:
    untrained = comparison("sex", "sex_l = sex_r")
    del untrained["comparison_levels"][1]["u_probability"]
    mixed = comparison(
        "surname", "jaro_similarity(surname_l, surname_r) >= 0.9", "levenshtein(surname_l, surname_r) <= 1"
    )
    told = faults(
        model(
            untrained,
            comparison("email", "email_l = email_r"),
            comparison(
                "postcode", "regexp_extract(postcode_l, '^[a-z]', 0) = regexp_extract(postcode_r, '^[a-z]', 0)"
            ),
            comparison("suburb", "suburb_l LIKE suburb_r"),
            mixed,
            comparison("surname_soundex", "surname_soundex_l = surname_soundex_r"),
            rules=("l.surname = r.surname", "l.nickname = r.nickname"),
        ),
        columns={"sexx": "sex", "email": "e_mail"},
    )
    expected = [
        "blocking_rules_to_generate_predictions[1] `l.nickname = r.nickname`: the column 'nickname' is no",
        "comparisons[0] (sex), level 2 `sex_l = sex_r`: it has no u_probability: the model is not trained",
        "comparisons[1] (email), level 1",
        "comparisons[1] (email), level 2",
        "comparisons[2] (postcode), level 2 `regexp_extract(postcode_l",
        "comparisons[3] (suburb), level 2 `suburb_l LIKE suburb_r`: the SQL cannot be read: 'LIKE' is not",
        "comparisons[4] (surname): no one method has all of its levels: `jaro_similarity(surname_l",
        "comparisons[5] (surname_soundex): it compares the column 'surname_soundex', which Load works out",
        "column email=e_mail: 'e_mail' is no linkage field",
        "column sexx=sex: the model has no column 'sexx'. Did you mean sex?",
    ]
    assert len(told) == len(expected)
    assert all(fault.startswith(start) for fault, start in zip(told, expected, strict=True)), told


def test_what_the_engine_refuses_is_told_as_well() -> None:
    item = comparison("surname", "levenshtein(surname_l, surname_r) <= 1", "surname_l = surname_r")
    (fault,) = faults(model(item))
    assert fault.startswith("(as imported).strategies[0].comparisons[0].levels[1].when: no pair reaches 'exact'")


@pytest.mark.parametrize(
    "sql",
    [
        "surname_l =",
        "surname_l = surname_r)",
        "surname = surname",
        "x.surname = y.surname",
        "surname_l = surname_r; DROP TABLE records",
        "(" * 70 + "surname_l = surname_r" + ")" * 70,
        "surname_l = surname_r AND " * 900 + "sex_l = sex_r",
        "CASE WHEN surname_l = surname_r THEN 1 END",
        "-surname_l = 1",
        "",
    ],
)
def test_sql_that_is_no_condition_is_refused_and_never_guessed(sql: str) -> None:
    (fault,) = faults(model(comparison("surname", sql)))
    assert "the SQL cannot be read: " in fault


def test_a_long_condition_is_read_to_its_end() -> None:
    (fault,) = faults(model(comparison("surname", "surname_l" + " || surname_l" * 290 + " = surname_r")))
    assert "it cannot be said of 'surname'" in fault


@pytest.mark.parametrize("data", [None, [], "text", {}, {"prior": 0.1}])
def test_what_is_no_model_is_refused(data: object) -> None:
    assert not is_splink_settings(data)
    assert "save_model_to_json" in faults(data)[0]


def test_a_model_without_parts_says_which_are_absent() -> None:
    told = faults({"link_type": "dedupe_only"})
    assert [fault.split(":")[0] for fault in told] == [
        "probability_two_random_records_match",
        "blocking_rules_to_generate_predictions",
        "comparisons",
    ]
