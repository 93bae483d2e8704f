"""What differs between two match configurations, told part by part."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from linkwright.engine.configuration_differences import Change, configuration_differences
from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.strategy import parse_match_configuration

BASE = default_match_definition(STANDARD_FIELDS)
PERSON = 0


def told(change: Callable[[dict[str, Any]], object]) -> list[str]:
    """Return the differences that a change of the default makes, in words."""
    # parts that the default shares between strategies become parts of their own
    changed = json.loads(json.dumps(BASE))
    change(changed)
    old, new = (parse_match_configuration(one, STANDARD_FIELDS) for one in (BASE, changed))
    return [str(one) for one in configuration_differences(old, new)]


def _comparison(definition: dict[str, Any], field: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in definition["strategies"][PERSON]["comparisons"] if one["field"] == field
    )
    return found


def test_a_configuration_does_not_differ_from_itself() -> None:
    assert told(lambda _: None) == []


def test_a_threshold_is_told_with_both_numbers() -> None:
    told_now = told(lambda one: one["strategies"][PERSON].update(match_threshold=6.5))
    assert told_now == ["strategy person: match threshold 4 → 6.5"]


def test_numbers_of_a_level_are_told_where_they_stand() -> None:
    def change(definition: dict[str, Any]) -> None:
        _comparison(definition, "surname")["levels"][0]["m_probability"] = 0.81

    assert told(change) == ["strategy person, comparison surname, level exact: m 0.8 → 0.81"]


def test_a_level_whose_bound_changed_is_another_level() -> None:
    def change(definition: dict[str, Any]) -> None:
        _comparison(definition, "surname")["levels"][1]["at_least"] = 0.92

    where = "strategy person, comparison surname, level similarity"
    assert told(change) == [
        f"{where} (at least 0.92): added (m 0.1, u 0.001)",
        f"{where} (at least 0.9): removed (m 0.1, u 0.001)",
    ]


def test_term_frequencies_that_are_switched_on_are_told() -> None:
    def change(definition: dict[str, Any]) -> None:
        _comparison(definition, "surname")["term_frequency"] = {"weight": 0.5}

    where = "strategy person, comparison surname: term frequency"
    assert told(change) == [f"{where} weight not set → 0.5", f"{where} minimum u not set → 0"]


def test_rules_are_told_by_their_words() -> None:
    def change(definition: dict[str, Any]) -> None:
        rules = definition["strategies"][PERSON]["blocking_rules"]
        rules[0] = ["surname", "postcode"]

    added, removed = told(change)
    assert added == "strategy person, blocking rule surname and postcode: added"
    assert removed.endswith(": removed")


def test_another_order_is_told_once() -> None:
    (only,) = told(lambda one: one["strategies"].reverse())
    assert only == "order of each strategy person, person_at_address → person_at_address, person"


@pytest.mark.parametrize(("old", "new", "change"), [(1, 2, Change.ADDED), (2, 1, Change.REMOVED)])
def test_whole_strategies_come_and_go(old: int, new: int, change: Change) -> None:
    sides = [
        parse_match_configuration({**BASE, "strategies": BASE["strategies"][:count]}, STANDARD_FIELDS)
        for count in (old, new)
    ]
    (only,) = configuration_differences(*sides)
    assert (only.place, only.change) == (("strategy person_at_address",), change)


def test_the_prior_stands_in_no_part() -> None:
    assert told(lambda one: one.update(prior=0.001)) == ["prior 1e-05 → 0.001"]
