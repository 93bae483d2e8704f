"""The default match configuration: sound for every set of fields, and careful with families and twins."""

import math
from collections.abc import Collection
from typing import Any

import pytest

from linkwright.engine.default_configuration import (
    DEFAULT_MATCH_THRESHOLD,
    DEFAULT_REVIEW_THRESHOLD,
    PERSON,
    PERSON_AT_ADDRESS,
    IndistinctFieldsError,
    default_match_definition,
)
from linkwright.engine.fields import STANDARD_FIELDS, FieldType, parse_fields
from linkwright.engine.strategy import MatchConfiguration, Strategy, parse_match_configuration

OWN_FIELDS = {f"own_{field_type}": str(field_type) for field_type in FieldType}
NAMES = ("given_name", "surname")


def default(own: dict[str, str] | None = None, filled: Collection[str] | None = None) -> MatchConfiguration:
    fields = parse_fields(own or {})
    return parse_match_configuration(default_match_definition(fields, filled), fields)


def strategy(name: str) -> Strategy:
    (found,) = (one for one in default().strategies if one.name == name)
    return found


def weight(name: str, **levels: str) -> float:
    """Return the match weight of a pair by the first level of each kind named; other fields are missing."""
    configuration = default()
    total = configuration.prior_weight
    for comparison in strategy(name).comparisons:
        wanted = levels.get(comparison.name)
        if wanted is not None:
            total += next(level.match_weight for level in comparison.levels if level.when == wanted)
    return total


def compared_fields(configuration: MatchConfiguration) -> set[str]:
    return {item.field for one in configuration.strategies for item in one.comparisons}


def blocking_fields(configuration: MatchConfiguration) -> set[str]:
    return {
        column
        for one in configuration.strategies
        for rule in one.blocking_rules
        for part in rule
        for column in (part.field, part.swapped_with)
        if column
    }


def test_the_default_is_a_configuration_that_is_accepted() -> None:
    assert [one.name for one in default().strategies] == [PERSON, PERSON_AT_ADDRESS]


def test_every_standard_field_is_compared_but_what_may_differ_between_records_of_one_person() -> None:
    left_out = {field.name for field in STANDARD_FIELDS} - compared_fields(default())
    assert left_out == {"previous_surname", "event_date"}


def test_a_projects_own_fields_of_every_type_are_compared() -> None:
    assert compared_fields(default(OWN_FIELDS)) >= OWN_FIELDS.keys()


@pytest.mark.parametrize("own", [None, OWN_FIELDS])
def test_m_and_u_of_each_comparison_add_up_to_one(own: dict[str, str] | None) -> None:
    for one in default(own).strategies:
        for item in one.comparisons:
            for key in ("m_probability", "u_probability"):
                assert math.isclose(sum(getattr(level, key) for level in item.levels), 1, abs_tol=0.001), item.name


@pytest.mark.parametrize("own", [None, OWN_FIELDS])
def test_closer_agreement_never_weighs_less_than_disagreement(own: dict[str, str] | None) -> None:
    for one in default(own).strategies:
        for item in one.comparisons:
            *closer, last = [level.match_weight for level in item.levels]
            assert last < 0
            assert all(weighed > last for weighed in closer), item.name


def test_fields_that_carry_no_data_are_left_out_of_comparisons_and_rules() -> None:
    filled = {*NAMES, "date_of_birth", "postcode"}
    configuration = default(filled=filled)
    assert compared_fields(configuration) == filled
    assert blocking_fields(configuration) == filled


def test_names_and_dates_of_birth_alone_make_a_configuration_and_a_match() -> None:
    assert default(filled={*NAMES, "date_of_birth"})
    assert weight(PERSON, given_name="exact", surname="exact", date_of_birth="exact") > DEFAULT_MATCH_THRESHOLD


@pytest.mark.parametrize("filled", [set(), {"postcode", "sex"}, set(NAMES)])
def test_fields_that_cannot_tell_persons_apart_are_refused(filled: set[str]) -> None:
    with pytest.raises(IndistinctFieldsError, match="cannot tell persons apart"):
        default_match_definition(STANDARD_FIELDS, filled)


def test_names_that_changed_places_are_found_and_match() -> None:
    swapped = weight(PERSON, given_name="swapped", surname="else", date_of_birth="exact", postcode="exact")
    assert swapped + weight(PERSON, sex="exact", suburb="exact") - weight(PERSON) > DEFAULT_MATCH_THRESHOLD


def test_a_day_and_month_that_changed_places_weigh_nearly_a_date_that_agrees() -> None:
    swapped = weight(PERSON, date_of_birth="day_and_month_swapped")
    assert weight(PERSON, date_of_birth="distance") < swapped < weight(PERSON, date_of_birth="exact")


def test_twins_in_one_household_are_for_review() -> None:
    at_home: dict[str, Any] = {"postcode": "exact", "suburb": "exact", "address_line_1": "exact"}
    twins = weight(PERSON, given_name="else", surname="exact", date_of_birth="exact", sex="exact", **at_home)
    assert DEFAULT_REVIEW_THRESHOLD <= twins < DEFAULT_MATCH_THRESHOLD


def test_sisters_with_one_initial_in_one_household_are_no_match() -> None:
    at_home = dict.fromkeys(("postcode", "suburb", "address_line_1", "address_line_2", "street_number"), "exact")
    sisters = weight(
        PERSON_AT_ADDRESS, given_name="else", surname="exact", date_of_birth="else", sex="exact", **at_home
    )
    assert sisters < DEFAULT_MATCH_THRESHOLD


def test_every_rule_of_the_strategy_with_the_address_asks_for_a_given_name() -> None:
    for rule in strategy(PERSON_AT_ADDRESS).blocking_rules:
        assert any(part.field == "given_name" for part in rule)


def test_no_rule_rests_on_one_value_that_many_persons_share() -> None:
    for one in default().strategies:
        for rule in one.blocking_rules:
            alone = {part.field for part in rule}
            assert len(rule) > 1 or alone <= {"health_identifier", "national_identifier"}, rule
