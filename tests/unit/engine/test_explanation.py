"""The explanation of a pair: its numbers in words, what becomes of it, and what is hidden."""

import json
import math
from typing import Any

import pytest

from linkwright.engine.explanation import (
    PairExplanation,
    Verdict,
    decisive_explanation,
    explain_pair,
    level_text,
)
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration


def level(when: str, m: float, u: float, **bound: float) -> dict[str, Any]:
    return {"when": when, **bound, "m_probability": m, "u_probability": u}


CONFIGURATION: MatchConfiguration = parse_match_configuration(
    {
        "prior": 0.02,
        "strategies": [
            {
                "name": "person",
                "blocking_rules": [["surname"], ["postcode", {"field": "date_of_birth", "transform": "year"}]],
                "match_threshold": 6,
                "review_threshold": 1,
                "comparisons": [
                    {
                        "field": "given_name",
                        "method": "name",
                        "swapped_with": "surname",
                        "levels": [
                            level("exact", 0.7, 0.01),
                            level("swapped", 0.1, 0.001),
                            level("similarity", 0.1, 0.05, at_least=0.9),
                            level("else", 0.1, 0.939),
                        ],
                    },
                    {
                        "field": "date_of_birth",
                        "method": "date",
                        "levels": [
                            level("exact", 0.9, 0.001),
                            level("within_days", 0.05, 0.009, at_most=3),
                            level("else", 0.05, 0.99),
                        ],
                    },
                ],
            },
            {"name": "identifier", "blocking_rules": [["health_identifier"]]},
        ],
    },
    STANDARD_FIELDS,
)
PERSON, IDENTIFIER = CONFIGURATION.strategies
VALUES: dict[str, tuple[str | None, str | None]] = {
    "given_name": ("anna", "berg"),
    "surname": ("berg", "anna"),
    "date_of_birth": (None, "1990-01-02"),
}


def scored(weight: float, given_name: int = 2, birth: int = -1) -> dict[str, Any]:
    return {
        "level_given_name": given_name,
        "weight_given_name": 6.5,
        "tf_weight_given_name": 0.25,
        "level_date_of_birth": birth,
        "weight_date_of_birth": 0.0,
        "tf_weight_date_of_birth": 0.0,
        "match_weight": weight,
    }


def explained(weight: float, *rules: int) -> PairExplanation:
    return explain_pair(CONFIGURATION, PERSON, rules, scored(weight), VALUES)


def test_levels_are_said_in_words_with_their_bounds() -> None:
    names, birth = PERSON.comparisons
    assert [level_text(names, number) for number in (-1, 0, 1, 2, 3)] == [
        "a value is missing",
        "else",
        "similarity (at least 0.9)",
        "swapped",
        "exact",
    ]
    assert level_text(birth, 1) == "within days (at most 3)"


def test_a_part_has_the_level_its_m_and_u_and_the_values_of_all_fields_that_it_looks_at() -> None:
    names, birth = explained(3.0, 0).parts
    assert (names.level, names.level_number, names.m_probability, names.u_probability) == (
        "swapped",
        2,
        0.1,
        0.001,
    )
    assert names.values is not None
    assert [(one.field, one.left, one.right) for one in names.values] == [
        ("given_name", "anna", "berg"),
        ("surname", "berg", "anna"),
    ]
    assert (names.weight, names.frequency_weight) == (6.5, 0.25)
    assert (birth.m_probability, birth.u_probability, birth.weight) == (None, None, 0.0)


def test_rules_are_told_in_words() -> None:
    assert explained(3.0, 0, 1).rules == ("surname", "postcode and date_of_birth (year)")


@pytest.mark.parametrize(
    ("weight", "verdict"),
    [
        (6.0, Verdict.MATCH),
        (5.999, Verdict.REVIEW),
        (1.0, Verdict.REVIEW),
        (0.999, Verdict.NO_MATCH),
        (-30.0, Verdict.NO_MATCH),
    ],
)
def test_the_verdict_is_that_of_the_thresholds(weight: float, verdict: Verdict) -> None:
    assert explained(weight, 1).verdict is verdict


def test_a_pair_that_no_rule_finds_is_not_compared_whatever_it_weighs() -> None:
    apart = explained(40.0)
    assert (apart.verdict, apart.match_weight) == (Verdict.NOT_COMPARED, 40.0)


def test_a_deterministic_strategy_weighs_infinitely_or_not_at_all() -> None:
    row = {"match_weight": math.inf}
    found = explain_pair(CONFIGURATION, IDENTIFIER, [0], row, {})
    absent = explain_pair(CONFIGURATION, IDENTIFIER, [], row, {})
    assert (found.verdict, found.match_weight, found.prior_weight) == (Verdict.MATCH, math.inf, 0.0)
    assert (absent.verdict, absent.match_weight) == (Verdict.NOT_COMPARED, None)
    assert found.is_deterministic
    assert not explained(1.0).is_deterministic


def test_a_match_goes_before_review_then_the_highest_weight_then_the_first() -> None:
    review, match = explained(5.9, 0), explained(6.1, 0)
    certain = explain_pair(CONFIGURATION, IDENTIFIER, [0], {"match_weight": math.inf}, {})
    assert decisive_explanation([review, match]) is match
    assert decisive_explanation([match, certain, review]) is certain
    assert decisive_explanation([review, explained(40.0)]) is review
    assert decisive_explanation([match, explained(6.1, 1)]) is match
    assert decisive_explanation([explained(40.0)]) is None


def test_hidden_values_leave_levels_and_weights() -> None:
    hidden = explained(6.5, 0).without_values()
    assert all(part.values is None for part in hidden.parts)
    assert [part.level for part in hidden.parts] == ["swapped", "a value is missing"]
    for value in ("anna", "berg", "1990"):
        assert value not in json.dumps(hidden.as_plain())


def test_it_becomes_json_without_infinity() -> None:
    certain = explain_pair(CONFIGURATION, IDENTIFIER, [0], {"match_weight": math.inf}, {})
    plain = json.loads(json.dumps([certain.as_plain(), explained(6.5, 0).as_plain()], allow_nan=False))
    assert plain[0]["match_weight"] == "infinity"
    assert plain[0]["verdict"] == "match"
    assert plain[1]["comparisons"][0]["values"][0] == {"field": "given_name", "left": "anna", "right": "berg"}
    assert plain[1]["match_threshold"] == 6
