"""The grouping configuration: its form, what is stored of it, and its faults."""

import pytest
from pydantic import ValidationError

from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.grouping import GroupingConfiguration, GroupingMethod, grouping_faults


def test_without_a_word_groups_are_merged_and_dates_of_birth_and_sex_are_looked_at() -> None:
    configuration = GroupingConfiguration()
    assert configuration.method is GroupingMethod.MERGE
    assert not configuration.one_per_authoritative
    assert configuration.flag_conflicting_date == "date_of_birth"
    assert configuration.flag_conflicting_sex == "sex"
    assert grouping_faults(configuration, STANDARD_FIELDS, "grouping") == []


def test_what_is_stored_is_what_a_person_would_write() -> None:
    assert GroupingConfiguration().model_dump() == {"method": "merge"}
    written = {"method": "best_link", "one_per_authoritative": True, "flag_links_under": 12.5}
    configuration = GroupingConfiguration.model_validate({**written, "largest_expected_group": 50})
    assert configuration.model_dump() == written
    assert GroupingConfiguration.model_validate(configuration.model_dump()) == configuration


def test_a_look_at_dates_that_was_turned_off_stays_off_when_stored() -> None:
    configuration = GroupingConfiguration(flag_conflicting_date=None)
    assert configuration.model_dump() == {"method": "merge", "flag_conflicting_date": None}
    assert GroupingConfiguration.model_validate(configuration.model_dump()) == configuration


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "best"},
        {"largest_expected_group": 0},
        {"flag_links_under": float("inf")},
        {"one_per_authoritative": "perhaps"},
        {"weakest_link": 3},
    ],
)
def test_what_the_form_does_not_know_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        GroupingConfiguration.model_validate(wrong)
    assert caught.value.errors()[0]["loc"] == tuple(wrong)


def test_fields_that_the_project_does_not_have_are_named_with_the_nearest_ones() -> None:
    configuration = GroupingConfiguration(flag_conflicting_date="dat_of_birth", flag_conflicting_sex="surname")
    date, sex = grouping_faults(configuration, STANDARD_FIELDS, "projects[0].grouping")
    assert date == (
        "projects[0].grouping.flag_conflicting_date: 'dat_of_birth' is no linkage field of type date of the "
        "project. Did you mean date_of_birth or date_of_death?"
    )
    assert sex == (
        "projects[0].grouping.flag_conflicting_sex: 'surname' is no linkage field of type sex of the project. "
        "Allowed: sex."
    )
