"""Reading comparisons: what methods with bounds, second fields and term frequencies take, and what they refuse."""

import math
from collections.abc import Sequence
from typing import Any

import pytest

from linkwright.engine.comparison_methods import LevelCondition, LevelKind
from linkwright.engine.comparisons import Comparison
from linkwright.engine.fields import STANDARD_FIELDS, FieldType, LinkageField
from linkwright.engine.strategy import parse_match_configuration
from linkwright.errors import ConfigurationError

FIELDS = (*STANDARD_FIELDS, LinkageField("encoded", FieldType.BLOOM), LinkageField("weight", FieldType.NUMBER))
PLACE = "match.strategies[0].comparisons[0]"

Condition = tuple[str, dict[str, Any]]


def comparison(field: str, method: str, conditions: Sequence[Condition], **more: Any) -> dict[str, Any]:
    """Return a comparison of levels that are all as likely, closed by `else`."""
    rungs = [*conditions, ("else", {})]
    share = 1 / len(rungs)
    levels = [{"when": when, "m_probability": share, "u_probability": share, **bound} for when, bound in rungs]
    return {"field": field, "method": method, "levels": levels, **more}


def read(item: dict[str, Any]) -> Comparison:
    strategy = {"name": "s", "match_threshold": -9, "blocking_rules": [["sex"]], "comparisons": [item]}
    read_configuration = parse_match_configuration({"prior": 0.5, "strategies": [strategy]}, FIELDS)
    assert parse_match_configuration(read_configuration.model_dump(mode="json"), FIELDS) == read_configuration
    return read_configuration.strategies[0].comparisons[0]


def faults_of(item: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        read(item)
    return list(refused.value.faults)


EXACT: Condition = ("exact", {})
NAME = {"swapped_with": "given_name"}


@pytest.mark.parametrize(
    ("item", "conditions"),
    [
        (comparison("surname", "jaccard", [("similarity", {"at_least": 1})]), [("similarity", 1)]),
        (
            comparison(
                "weight", "number", [("within_absolute", {"at_most": 0.5}), ("within_percent", {"at_most": 2})]
            ),
            [("within_absolute", 0.5), ("within_percent", 2)],
        ),
        (
            comparison("postcode", "postcode", [EXACT, ("same_prefix", {"length": 2})]),
            [("exact", None), ("same_prefix", 2)],
        ),
        (
            comparison("health_identifier", "identifier", [("transposed", {}), ("distance", {"at_most": 2})]),
            [("transposed", None), ("distance", 2)],
        ),
        (comparison("suburb", "tokens", [("shared_tokens", {"at_least": 3})]), [("shared_tokens", 3)]),
        (
            comparison("encoded", "dice", [EXACT, ("similarity", {"at_least": 0.85})]),
            [("exact", None), ("similarity", 0.85)],
        ),
        (
            comparison("surname", "name", [("exact_both", {}), ("swapped", {}), ("exact_other", {})], **NAME),
            [("exact_both", None), ("swapped", None), ("exact_other", None)],
        ),
    ],
)
def test_every_method_reads_its_levels_and_is_stored_as_it_was_read(
    item: dict[str, Any], conditions: list[tuple[str, float | None]]
) -> None:
    expected = [LevelCondition(LevelKind(kind), bound) for kind, bound in [*conditions, ("else", None)]]
    assert list(read(item).conditions) == expected


def test_a_whole_bound_stays_whole_and_a_level_says_what_it_reads() -> None:
    item = read(comparison("surname", "name", [("similarity", {"at_least": 0.9})], **NAME))
    assert item.columns == ("surname", "given_name")
    edits = read(comparison("surname", "levenshtein", [("distance", {"at_most": "2"})])).levels[0]
    assert repr(edits.at_most) == "2"
    assert repr(edits.condition.bound) == "2"


@pytest.mark.parametrize(
    ("item", "place", "text"),
    [
        (
            comparison("surname", "levenshtein", [("distance", {"at_most": 1.5})]),
            ".levels[0].at_most",
            "1.5 is no whole number. Give one, such as 3.",
        ),
        (
            comparison("surname", "levenshtein", [("distance", {"at_most": 0})]),
            ".levels[0].at_most",
            "0 is out of bounds. It must be 1 or more.",
        ),
        (
            comparison("weight", "number", [("within_absolute", {"at_most": 0})]),
            ".levels[0].at_most",
            "0 is out of bounds. It must be greater than 0.",
        ),
        (
            comparison("weight", "number", [("within_percent", {"at_most": 101})]),
            ".levels[0].at_most",
            "101 is out of bounds. It must be 100 or less.",
        ),
        (
            comparison("surname", "jaro", [("similarity", {"at_least": -0.5})]),
            ".levels[0].at_least",
            "-0.5 is out of bounds. It must be greater than 0.",
        ),
        (
            comparison("suburb", "tokens", [("shared_tokens", {"at_least": 0.5})]),
            ".levels[0].at_least",
            "0.5 is no whole number.",
        ),
        (
            comparison("suburb", "tokens", [("shared_tokens", {})]),
            ".levels[0].at_least",
            "is missing; shared_tokens needs it. Add the bound of the level.",
        ),
        (
            comparison("postcode", "postcode", [("same_prefix", {"at_least": 2, "length": 2})]),
            ".levels[0].at_least",
            "2 belongs to shared_tokens, similarity, similarity_both only. Remove it.",
        ),
        (
            comparison("postcode", "postcode", [("distance", {"at_most": 1, "length": 2})]),
            ".levels[0].length",
            "2 belongs to same_prefix only. Remove it.",
        ),
        (comparison("surname", "name", [EXACT]), ".swapped_with", "is missing; name needs it. Add the field that"),
        (
            comparison("surname", "name", [EXACT], swapped_with="surname"),
            ".swapped_with",
            "'surname', a field of type name, cannot be swapped with 'surname'. Choose another field",
        ),
        (
            comparison("surname", "name", [EXACT], swapped_with="date_of_birth"),
            ".swapped_with",
            "'date_of_birth', a field of type date, cannot be swapped with 'surname'. Choose another field,",
        ),
        (
            comparison("surname", "name", [EXACT], swapped_with="given_nam"),
            ".swapped_with",
            "'given_nam' is no linkage field of the project. Did you mean given_name",
        ),
        (
            comparison("surname", "exact", [EXACT], swapped_with="given_name"),
            ".swapped_with",
            "'given_name' belongs to the method name only. Remove it, or choose name.",
        ),
        (
            comparison("encoded", "exact", [EXACT]),
            ".method",
            "'exact' cannot compare 'encoded', a field of type bloom. Choose one of dice.",
        ),
        (
            comparison("weight", "exact", [EXACT], term_frequency={}),
            ".term_frequency",
            "it cannot be given for 'weight', a field of type number. It is for fields of type date, identifier,",
        ),
        (
            comparison("surname", "jaro", [("similarity", {"at_least": 0.9})], term_frequency={}),
            ".levels",
            "term_frequency is reckoned from the u_probability of a level 'exact', and there is none.",
        ),
        (
            comparison("surname", "jaro", [("exact", {"term_frequency": True})]),
            ".levels[0].term_frequency",
            "True is of no use without term_frequency of the comparison. Add it, or remove this.",
        ),
        (
            comparison("surname", "jaro", [("exact", {"term_frequency": "perhaps"})], term_frequency={}),
            ".levels[0].term_frequency",
            "'perhaps' is neither true nor false. Write one of them.",
        ),
        (
            comparison("surname", "exact", [EXACT], term_frequency={"weight": 0}),
            ".term_frequency.weight",
            "0 is out of bounds. It must be greater than 0.",
        ),
        (
            comparison("surname", "exact", [EXACT], term_frequency={"weight": 1.01}),
            ".term_frequency.weight",
            "1.01 is out of bounds. It must be 1 or less.",
        ),
        (
            comparison("surname", "exact", [EXACT], term_frequency={"minimum_u": -0.1}),
            ".term_frequency.minimum_u",
            "-0.1 is out of bounds. It must be 0 or more.",
        ),
        (
            comparison("surname", "exact", [EXACT], term_frequency={"minimum": 0.1}),
            ".term_frequency.minimum",
            "the key is unknown.",
        ),
        (
            comparison("surname", "exact", [EXACT], term_frequency=True),
            ".term_frequency",
            "True is no mapping. Write it as keys with values.",
        ),
        (
            comparison("surname", "exact", [("exact", {})] * 101),
            ".levels",
            "holds too much. Give at most 100 of them.",
        ),
    ],
)
def test_a_fault_of_a_comparison_is_named_with_place_value_bound_and_remedy(
    item: dict[str, Any], place: str, text: str
) -> None:
    (fault,) = faults_of(item)
    assert fault.startswith(f"{PLACE}{place}: ")
    assert text in fault


def test_else_cannot_be_adjusted() -> None:
    item = comparison("surname", "exact", [EXACT], term_frequency={})
    item["levels"][1]["term_frequency"] = True
    (fault,) = faults_of(item)
    assert fault == (
        f"{PLACE}.levels[1].term_frequency: True is not allowed for 'else', whose values agree in nothing. "
        "Remove it."
    )


def test_all_faults_of_a_comparison_are_named_at_once() -> None:
    item = comparison(
        "health_identifier",
        "identifier",
        [("distance", {"at_most": 2}), ("transposed", {"term_frequency": True}), ("within_days", {"at_most": 1})],
        swapped_with="surname",
    )
    item["levels"][0]["m_probability"] = 0.9
    assert [fault.split(": ")[0].removeprefix(PLACE) for fault in faults_of(item)] == [
        ".swapped_with",
        ".levels",
        ".levels[1].when",
        ".levels[2].when",
        ".levels[1].term_frequency",
    ]


def test_the_adjusted_levels_are_exact_and_those_that_say_so() -> None:
    conditions: list[Condition] = [
        ("exact", {}),
        ("similarity", {"at_least": 0.9, "term_frequency": True}),
        ("similarity", {"at_least": 0.8}),
    ]
    assert read(comparison("surname", "jaro", conditions, term_frequency={})).adjusted_levels == (3, 2)
    assert read(comparison("surname", "jaro", conditions[::2])).adjusted_levels == ()


@pytest.mark.parametrize(
    ("adjustment", "highest"),
    [
        (None, math.log2(0.8 / 0.2)),
        ({}, math.inf),
        ({"minimum_u": 0.05}, math.log2(0.8 / 0.2) + 2),
        ({"minimum_u": 0.05, "weight": 0.5}, math.log2(0.8 / 0.2) + 1),
        ({"minimum_u": 0.9}, math.log2(0.8 / 0.2)),
    ],
)
def test_the_highest_weight_of_a_comparison_allows_for_the_rarest_value(
    adjustment: dict[str, float] | None, highest: float
) -> None:
    item = comparison("surname", "exact", [EXACT], term_frequency=adjustment)
    item["levels"][0] |= {"m_probability": 0.8, "u_probability": 0.2}
    item["levels"][1] |= {"m_probability": 0.2, "u_probability": 0.8}
    assert read(item).highest_weight == pytest.approx(highest)
