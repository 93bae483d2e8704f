"""Reading match configurations: what is accepted, what it means, and how every fault is named."""

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest

from linkwright.engine.fields import STANDARD_FIELDS, FieldType, LinkageField
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.errors import ConfigurationError

FIELDS = (*STANDARD_FIELDS, LinkageField("encoded", FieldType.BLOOM), LinkageField("weight", FieldType.NUMBER))


def level(when: str, m: float, u: float, **bound: float) -> dict[str, Any]:
    return {"when": when, **bound, "m_probability": m, "u_probability": u}


def configuration() -> dict[str, Any]:
    """A configuration without faults."""
    return {
        "prior": 0.01,
        "strategies": [
            {
                "name": "person",
                "match_threshold": 5,
                "review_threshold": 1,
                "blocking_rules": [["surname", {"field": "date_of_birth", "transform": "year"}], ["postcode"]],
                "comparisons": [
                    {
                        "field": "surname",
                        "method": "jaro_winkler",
                        "levels": [
                            level("exact", 0.8, 0.01),
                            level("similarity", 0.15, 0.04, at_least=0.9),
                            level("else", 0.05, 0.95),
                        ],
                    },
                    {
                        "name": "birth",
                        "field": "date_of_birth",
                        "method": "date",
                        "levels": [level("exact", 0.9, 0.001), level("else", 0.1, 0.999)],
                    },
                ],
            },
            {"name": "identifier", "blocking_rules": [["national_identifier"]]},
        ],
    }


def parsed(data: object) -> MatchConfiguration:
    return parse_match_configuration(data, FIELDS)


def faults_of(data: object, path: str = "match") -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        parse_match_configuration(data, FIELDS, path)
    return list(refused.value.faults)


def test_a_configuration_is_read_with_its_defaults() -> None:
    read = parsed(configuration())
    person, identifier = read.strategies
    assert [item.name for item in person.comparisons] == ["surname", "birth"]
    assert read.comparison_names == ("surname", "birth")
    assert identifier.is_deterministic
    assert not person.is_deterministic
    assert read.match_thresholds == {"person": 5.0, "identifier": math.inf}


def test_without_a_review_threshold_only_matches_are_kept() -> None:
    data = configuration()
    del data["strategies"][0]["review_threshold"]
    assert parsed(data).strategies[0].review_threshold == 5.0


def test_weights_are_log2_of_m_over_u_and_of_the_prior_odds() -> None:
    read = parsed(configuration())
    assert read.strategies[0].comparisons[0].levels[0].match_weight == math.log2(0.8 / 0.01)
    assert read.prior_weight == math.log2(0.01 / 0.99)


def test_levels_are_numbered_upwards_from_else() -> None:
    comparison = parsed(configuration()).strategies[0].comparisons[0]
    assert [comparison.level_number(index) for index in range(3)] == [2, 1, 0]


def test_what_a_configuration_is_stored_as_reads_back_the_same() -> None:
    read = parsed(configuration())
    assert parsed(read.model_dump(mode="json")) == read


def test_numbers_that_yaml_reads_as_text_are_numbers() -> None:
    data = configuration()
    data["prior"] = "1e-2"
    assert parsed(data).prior == 0.01


def set_in(*path: Any) -> Callable[[dict[str, Any]], None]:
    """Return a change that puts the last of `path` where the others lead."""
    *places, key, value = path

    def change(data: dict[str, Any]) -> None:
        part: Any = data
        for place in places:
            part = part[place]
        part[key] = value

    return change


S0, C0, C1 = ("strategies", 0), ("strategies", 0, "comparisons", 0), ("strategies", 0, "comparisons", 1)


@pytest.mark.parametrize(
    ("change", "place", "text"),
    [
        (set_in("prior", 1), "match.prior", "1 is out of bounds. It must be less than 1."),
        (set_in("prior", 0), "match.prior", "0 is out of bounds. It must be greater than 0."),
        (set_in("prior", True), "match.prior", "True is no number. Give one."),
        (set_in("prior", math.nan), "match.prior", "nan is not a number that can be computed with."),
        (set_in("prior", "much"), "match.prior", "'much' is no number. Give one, such as 0.95."),
        (set_in("priors", 1), "match.priors", "the key is unknown. Did you mean prior?"),
        (set_in("strategies", []), "match.strategies", "[] holds too little. Give at least 1 of them."),
        (set_in("strategies", 3), "match.strategies", "3 is no list. Write the values as a list."),
        (set_in(*S0, 7), "match.strategies[0]", "7 is no mapping. Write it as keys with values."),
        (set_in(*S0, "name", "A b"), "match.strategies[0].name", "'A b' is not allowed. A name starts with"),
        (set_in(*S0, "nmae", 1), "match.strategies[0].nmae", "the key is unknown. Did you mean name?"),
        (
            set_in("strategies", 1, "name", "person"),
            "match.strategies[1].name",
            "'person' is given 2 times. Each name may occur once: choose another.",
        ),
        (
            set_in(*S0, "review_threshold", 6),
            "match.strategies[0].review_threshold",
            "6.0 is over the match_threshold 5.0. Pairs between the two are for review:",
        ),
        (
            set_in(*S0, "match_threshold", None),
            "match.strategies[0].match_threshold",
            "is missing. Add the match weight (log2) that makes a match.",
        ),
        (
            set_in("strategies", 1, "match_threshold", 3),
            "match.strategies[1].match_threshold",
            "3 is of no use: without comparisons, each pair of the strategy is a match. Remove it",
        ),
        (
            set_in(*S0, "match_threshold", 90),
            "match.strategies[0].match_threshold",
            "90.0 cannot be reached: full agreement weighs 9.51, the prior included.",
        ),
        (
            set_in(*S0, "blocking_rules", []),
            "match.strategies[0].blocking_rules",
            "[] holds too little. Give at least 1 of them.",
        ),
        (
            set_in(*S0, "blocking_rules", 0, []),
            "match.strategies[0].blocking_rules[0]",
            "[] holds too little. Give at least 1 of them.",
        ),
        (
            set_in(*S0, "blocking_rules", 0, ["postcode"]),
            "match.strategies[0].blocking_rules",
            "['postcode'] is given 2 times and would find nothing the second time. Remove it.",
        ),
        (
            set_in(*S0, "blocking_rules", 1, ["surnam"]),
            "match.strategies[0].blocking_rules[1][0].field",
            "'surnam' is no linkage field of the project. Did you mean surname",
        ),
        (
            set_in(*S0, "blocking_rules", 1, ["encoded"]),
            "match.strategies[0].blocking_rules[1][0].field",
            "'encoded' is an encoded field, which cannot block. Choose another field.",
        ),
        (
            set_in(*S0, "blocking_rules", 1, [{"field": "suburb", "transform": "soundex"}]),
            "match.strategies[0].blocking_rules[1][0].transform",
            "a field of type text. Choose one of prefix, suffix, any_token, swapped, or leave it out.",
        ),
        (
            set_in(*S0, "blocking_rules", 1, [{"field": "weight", "transform": "prefix", "length": 2}]),
            "match.strategies[0].blocking_rules[1][0].transform",
            "'prefix' cannot be taken of 'weight', a field of type number. Leave it out.",
        ),
        (
            set_in(*S0, "blocking_rules", 1, [{"field": "suburb", "transform": "prefixx", "length": 2}]),
            "match.strategies[0].blocking_rules[1][0].transform",
            "'prefixx' is not allowed. Did you mean prefix",
        ),
        (
            set_in(*S0, "blocking_rules", 1, [{"field": "suburb", "transform": "suffix"}]),
            "match.strategies[0].blocking_rules[1][0].length",
            "is missing. Add the number of characters that prefix or suffix keeps.",
        ),
        (
            set_in(*S0, "blocking_rules", 1, [{"field": "suburb", "length": 3}]),
            "match.strategies[0].blocking_rules[1][0].length",
            "3 belongs to prefix or suffix only. Remove it, or choose one of them.",
        ),
        (
            set_in(*C1, "name", "surname"),
            "match.strategies[0].comparisons[1].name",
            "'surname' is given 2 times. Each name may occur once: choose another.",
        ),
        (
            set_in(*C0, "field", "srname"),
            "match.strategies[0].comparisons[0].field",
            "'srname' is no linkage field of the project. Did you mean surname",
        ),
        (
            set_in(*C0, "method", "jaro_wrinkler"),
            "match.strategies[0].comparisons[0].method",
            "'jaro_wrinkler' is not allowed. Did you mean jaro_winkler",
        ),
        (
            set_in(*C1, "method", "levenshtein"),
            "match.strategies[0].comparisons[1].method",
            "'levenshtein' cannot compare 'date_of_birth', a field of type date. Choose one of exact, date.",
        ),
        (
            set_in(*C1, "method", "date "),
            "match.strategies[0].comparisons[1].method",
            "'date ' is not allowed. Did you mean date?",
        ),
        (
            set_in(*C0, "levels", 1, level("distance", 0.15, 0.04, at_most=1)),
            "match.strategies[0].comparisons[0].levels[1].when",
            "'distance' is no level of jaro_winkler. Allowed: exact, similarity, else.",
        ),
        (
            set_in(*C0, "levels", 1, "at_least", None),
            "match.strategies[0].comparisons[0].levels[1].at_least",
            "is missing; similarity needs it. Add the bound of the level.",
        ),
        (
            set_in(*C0, "levels", 1, "at_least", 1.5),
            "match.strategies[0].comparisons[0].levels[1].at_least",
            "1.5 is out of bounds. It must be 1 or less.",
        ),
        (
            set_in(*C0, "levels", 0, "at_most", 2),
            "match.strategies[0].comparisons[0].levels[0].at_most",
            "2 belongs to distance, edits, within_absolute, within_days, within_months, within_percent",
        ),
        (
            set_in(*C0, "levels", 0, "m_probability", 0),
            "match.strategies[0].comparisons[0].levels[0].m_probability",
            "0 is out of bounds. It must be greater than 0.",
        ),
        (
            set_in(*C0, "levels", 0, "u_probability", 1.01),
            "match.strategies[0].comparisons[0].levels[0].u_probability",
            "1.01 is out of bounds. It must be 1 or less.",
        ),
        (
            set_in(*C0, "levels", 0, {"when": "exact", "u_probability": 0.5}),
            "match.strategies[0].comparisons[0].levels[0].m_probability",
            "is missing. Add it.",
        ),
        (
            set_in(*C0, "levels", 0, "m_probability", 0.2),
            "match.strategies[0].comparisons[0].levels",
            "the values of m_probability add up to 0.4. Every pair is in one level, so they must add up to 1",
        ),
        (
            set_in(*C0, "levels", 2, level("similarity", 0.05, 0.95, at_least=0.8)),
            "match.strategies[0].comparisons[0].levels",
            "the last level is 'similarity'. End with a level 'else'.",
        ),
        (
            set_in(*C0, "levels", 1, level("else", 0.15, 0.04)),
            "match.strategies[0].comparisons[0].levels[1].when",
            "'else' takes all pairs, and none reaches the levels after it. Move it last.",
        ),
        (
            set_in(*C0, "levels", 1, level("exact", 0.15, 0.04)),
            "match.strategies[0].comparisons[0].levels[1].when",
            "no pair reaches 'exact' after a looser level. Move it first, and once only.",
        ),
        (
            set_in(*C0, "levels", 0, level("similarity", 0.8, 0.01, at_least=0.8)),
            "match.strategies[0].comparisons[0].levels[1].when",
            "an earlier level takes all pairs of this 'similarity'. Order the levels from the closest",
        ),
        (
            set_in(*C0, "levels", [level("else", 1, 1)]),
            "match.strategies[0].comparisons[0].levels",
            "holds too little. Give at least 2 of them.",
        ),
    ],
)
def test_a_fault_is_named_with_place_value_bound_and_remedy(
    change: Callable[[dict[str, Any]], None], place: str, text: str
) -> None:
    data = configuration()
    change(data)
    (fault,) = faults_of(data)
    assert fault.startswith(f"{place}: ")
    assert text in fault


def test_days_months_and_years_are_ordered_on_one_scale() -> None:
    data = configuration()
    data["strategies"][0]["comparisons"][1]["levels"] = [
        level("exact", 0.7, 0.001),
        level("within_months", 0.1, 0.009, at_most=2),
        level("within_days", 0.1, 0.01, at_most=40),
        level("else", 0.1, 0.98),
    ]
    (fault,) = faults_of(data)
    assert "levels[2].when: an earlier level takes all pairs of this 'within_days'" in fault


def test_all_faults_of_a_configuration_are_named_at_once() -> None:
    data = configuration()
    person = data["strategies"][0]
    person["review_threshold"] = 9
    person["blocking_rules"] = [["surnam"], [{"field": "postcode", "transform": "year"}]]
    person["comparisons"][0]["levels"][0]["m_probability"] = 2
    person["comparisons"][1]["method"] = "sound"
    data["strategies"].append(copy.deepcopy(data["strategies"][1]))
    data["prior"] = -1
    places = [fault.split(": ")[0] for fault in faults_of(data, "projects[0].match")]
    assert places == [
        "projects[0].match.prior",
        "projects[0].match.strategies[0].blocking_rules[0][0].field",
        "projects[0].match.strategies[0].blocking_rules[1][0].transform",
        "projects[0].match.strategies[0].review_threshold",
        "projects[0].match.strategies[0].comparisons[0].levels[0].m_probability",
        "projects[0].match.strategies[0].comparisons[1].method",
        "projects[0].match.strategies[2].name",
    ]


@pytest.mark.parametrize("data", [None, "match", 3, [], [{}]])
def test_what_is_no_mapping_is_refused(data: object) -> None:
    (fault,) = faults_of(data)
    assert fault == f"match: {data!r} is no mapping. Write it as keys with values."


def test_a_long_value_is_shown_shortened() -> None:
    data = configuration()
    data["strategies"][0]["name"] = "x" * 500
    (fault,) = faults_of(data)
    assert len(fault) < 300
    assert "xxx…" in fault
