"""Owns the default match configuration: what links an ordinary file of persons before anybody has tuned anything.

Says what is compared, how, and with which m and u, from nothing but the names and types of the linkage fields.
Must not see a record: what a project's own data says is Estimate's.

Two strategies. In `person`, names, date of birth, sex and identifiers decide, and an address weighs little: who
shares it and the surname may be family, and with the date of birth a twin. `person_at_address` weighs the address
more, but only looks at pairs whose given names agree in sound or initial, or have changed places with the surname.

Every m and u below is a round number that was chosen by hand: none is quoted from a publication, and which look at
data lies behind which was not kept. docs/project-file.md ('the default') says so to those who rely on them.

Source: SPEC section 1 (match configuration) and 5; docs/decisions/0014-default-configuration.md.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from linkwright.engine.fields import STANDARD_FIELDS, FieldType, LinkageField
from linkwright.errors import LinkwrightError

DEFAULT_PRIOR = 1e-5
"""One match per record among a hundred thousand records: the middle, by orders of magnitude, of what is linked."""

DEFAULT_MATCH_THRESHOLD = 4.0
"""Odds of 16 to 1, by that prior."""

DEFAULT_REVIEW_THRESHOLD = 0.0
"""Even odds, by that prior."""

PERSON = "person"
PERSON_AT_ADDRESS = "person_at_address"

_Rule = list[dict[str, Any] | str]


class IndistinctFieldsError(LinkwrightError):
    """The filled fields cannot tell one person from another, whatever they hold."""


class _Level(NamedTuple):
    when: str
    m: float
    u: float
    bound: float | None = None


class _Kind(NamedTuple):
    """How a field is compared; `swapped_with` is for the method `name` only."""

    method: str
    levels: tuple[_Level, ...]
    swapped_with: str | None = None


_BOUND_KEYS = {
    "similarity": "at_least",
    "distance": "at_most",
    "within_years": "at_most",
}

_GIVEN_NAME = _Kind(
    "name",
    (
        _Level("exact", 0.75, 0.007),
        _Level("swapped", 0.01, 0.00001),
        _Level("similarity", 0.12, 0.004, 0.9),
        _Level("similarity", 0.09, 0.02, 0.75),
        _Level("else", 0.03, 0.96899),
    ),
    swapped_with="surname",
)
_SURNAME = _Kind(
    "jaro_winkler",
    (
        _Level("exact", 0.8, 0.002),
        _Level("similarity", 0.1, 0.001, 0.9),
        _Level("similarity", 0.04, 0.01, 0.75),
        _Level("else", 0.06, 0.987),
    ),
)
# an initial against a name that begins with it has a similarity of 0.75 or more, up to six letters
_SECOND_GIVEN_NAME = _Kind(
    "jaro_winkler",
    (
        _Level("exact", 0.65, 0.03),
        _Level("similarity", 0.15, 0.03, 0.75),
        _Level("else", 0.2, 0.94),
    ),
)
_DATE_OF_BIRTH = _Kind(
    "date",
    (
        _Level("exact", 0.88, 0.0002),
        _Level("day_and_month_swapped", 0.01, 0.0002),
        _Level("distance", 0.09, 0.004, 1),
        _Level("within_years", 0.012, 0.02, 1),
        _Level("else", 0.008, 0.9758),
    ),
)
_OTHER_DATE = _Kind(
    "date", (_Level("exact", 0.85, 0.004), _Level("distance", 0.1, 0.03, 1), _Level("else", 0.05, 0.966))
)
_SEX = _Kind("exact", (_Level("exact", 0.97, 0.5), _Level("else", 0.03, 0.5)))
_COUNTRY = _Kind("exact", (_Level("exact", 0.95, 0.6), _Level("else", 0.05, 0.4)))
_IDENTIFIER = _Kind(
    "identifier",
    (
        _Level("exact", 0.85, 0.0000005),
        _Level("transposed", 0.02, 0.000002),
        _Level("distance", 0.05, 0.00001, 1),
        _Level("else", 0.08, 0.9999875),
    ),
)
_POSTCODE = _Kind(
    "postcode", (_Level("exact", 0.75, 0.004), _Level("distance", 0.1, 0.02, 1), _Level("else", 0.15, 0.976))
)
_SUBURB = _Kind(
    "jaro_winkler", (_Level("exact", 0.7, 0.01), _Level("similarity", 0.1, 0.003, 0.9), _Level("else", 0.2, 0.987))
)
_ADDRESS_LINE = _Kind(
    "jaro_winkler", (_Level("exact", 0.6, 0.07), _Level("similarity", 0.2, 0.02, 0.9), _Level("else", 0.2, 0.91))
)
_STREET_NUMBER = _Kind(
    "damerau_levenshtein",
    (_Level("exact", 0.7, 0.25), _Level("distance", 0.1, 0.15, 1), _Level("else", 0.2, 0.6)),
)
_STATE = _Kind("exact", (_Level("exact", 0.95, 0.35), _Level("else", 0.05, 0.65)))
_OTHER_TEXT = _Kind(
    "jaro_winkler", (_Level("exact", 0.7, 0.03), _Level("similarity", 0.1, 0.01, 0.9), _Level("else", 0.2, 0.96))
)
_OTHER_NUMBER = _Kind("number", (_Level("exact", 0.7, 0.05), _Level("else", 0.3, 0.95)))
_SHARED_ADDRESS_LINE = _Kind(
    "jaro_winkler", (_Level("exact", 0.7, 0.3), _Level("similarity", 0.1, 0.05, 0.9), _Level("else", 0.2, 0.65))
)
_SHARED_POSTCODE = _Kind(
    "postcode", (_Level("exact", 0.75, 0.3), _Level("distance", 0.1, 0.05, 1), _Level("else", 0.15, 0.65))
)
_ENCODED = _Kind(
    "dice",
    (
        _Level("exact", 0.7, 0.001),
        _Level("similarity", 0.15, 0.001, 0.9),
        _Level("similarity", 0.08, 0.005, 0.8),
        _Level("else", 0.07, 0.993),
    ),
)

_OF_A_PERSON: Mapping[str, _Kind] = {
    "given_name": _GIVEN_NAME,
    "surname": _SURNAME,
    "second_given_name": _SECOND_GIVEN_NAME,
    "date_of_birth": _DATE_OF_BIRTH,
    "date_of_death": _OTHER_DATE,
    "sex": _SEX,
    "country_of_birth": _COUNTRY,
    "health_identifier": _IDENTIFIER,
    "national_identifier": _IDENTIFIER,
}
# what people who live together share tells them apart from the rest, not from each other
_SHARED: Mapping[str, _Kind] = {
    "postcode": _SHARED_POSTCODE,
    "suburb": _SHARED_ADDRESS_LINE,
    "address_line_1": _SHARED_ADDRESS_LINE,
}
_OF_AN_ADDRESS: Mapping[str, _Kind] = {
    "postcode": _POSTCODE,
    "suburb": _SUBURB,
    "address_line_1": _ADDRESS_LINE,
    "address_line_2": _ADDRESS_LINE,
    "street_number": _STREET_NUMBER,
    "state": _STATE,
}
# a project's own fields; what they hold is not known, so they stand with the address, behind the given name
_BY_TYPE: Mapping[FieldType, _Kind] = {
    FieldType.NAME: _OTHER_TEXT,
    FieldType.TEXT: _OTHER_TEXT,
    FieldType.DATE: _OTHER_DATE,
    FieldType.SEX: _SEX,
    FieldType.STATE: _STATE,
    FieldType.POSTCODE: _POSTCODE,
    FieldType.IDENTIFIER: _IDENTIFIER,
    FieldType.NUMBER: _OTHER_NUMBER,
    FieldType.BLOOM: _ENCODED,
}

_GIVEN_SOUND = {"field": "given_name", "transform": "soundex"}
_GIVEN_INITIAL = {"field": "given_name", "transform": "initial"}
_SURNAME_SOUND = {"field": "surname", "transform": "soundex"}
_BOTH_NAMES = {"field": "given_name", "transform": "swapped", "swapped_with": "surname"}
_YEAR = {"field": "date_of_birth", "transform": "year"}
_BIRTHDAY = {"field": "date_of_birth", "transform": "month_day"}

_RULES_FOR_A_PERSON: tuple[_Rule, ...] = (
    ["health_identifier"],
    ["national_identifier"],
    [_SURNAME_SOUND, "date_of_birth"],
    [_GIVEN_SOUND, "date_of_birth"],
    ["date_of_birth", "postcode"],
    ["date_of_birth", "suburb"],
    [_BOTH_NAMES, _YEAR],
    [_BOTH_NAMES, _BIRTHDAY],
    [_GIVEN_SOUND, _SURNAME_SOUND, _YEAR],
    [_GIVEN_SOUND, _SURNAME_SOUND, _BIRTHDAY],
)
_RULES_AT_AN_ADDRESS: tuple[_Rule, ...] = (
    [_GIVEN_SOUND, "date_of_birth"],
    [_GIVEN_INITIAL, _SURNAME_SOUND, _YEAR],
    [_GIVEN_INITIAL, _SURNAME_SOUND, _BIRTHDAY],
    [_GIVEN_INITIAL, _SURNAME_SOUND, "postcode"],
    [_GIVEN_INITIAL, _SURNAME_SOUND, "suburb"],
    [_GIVEN_INITIAL, "date_of_birth", "postcode"],
    [_GIVEN_INITIAL, "date_of_birth", "suburb"],
    [_GIVEN_SOUND, "postcode", "street_number"],
    [_GIVEN_SOUND, "address_line_1"],
    [_BOTH_NAMES, "postcode"],
    [_BOTH_NAMES, "suburb"],
    [_BOTH_NAMES, _YEAR],
    [_BOTH_NAMES, _BIRTHDAY],
)


def default_match_definition(
    fields: Sequence[LinkageField], filled: Collection[str] | None = None
) -> dict[str, Any]:
    """Return the match configuration of a project that has declared none.

    Args:
        fields: the project's linkage fields: the standard ones and its own.
        filled: the names of those that carry data, if that is known. Without it all are taken to: a comparison
            of a field that nobody fills weighs nothing, and a rule on it finds nothing.

    Returns:
        Plain data for `parse_match_configuration`, which takes it with the same fields.

    Raises:
        IndistinctFieldsError: if nothing that is filled could make a match.
    """
    own = {field.name: field for field in fields if filled is None or field.name in filled}
    person, shared, address = (_compared(kinds, own) for kinds in (_OF_A_PERSON, _SHARED, _OF_AN_ADDRESS))
    others = [
        _comparison(name, _BY_TYPE[field.type]) for name, field in own.items() if field not in STANDARD_FIELDS
    ]
    strategies = [_strategy(PERSON, _RULES_FOR_A_PERSON, [*person, *shared], own)]
    if address or others:
        compared = [*person, *address, *others]
        strategies.append(_strategy(PERSON_AT_ADDRESS, _RULES_AT_AN_ADDRESS, compared, own))
    sound = [strategy for strategy in strategies if _can_match(strategy)]
    if not sound:
        raise IndistinctFieldsError(
            f"The filled linkage fields ({', '.join(own) or 'none'}) cannot tell persons apart. Fill given_name, "
            "surname and date_of_birth, or write a match configuration."
        )
    return {"prior": DEFAULT_PRIOR, "strategies": sound}


def _compared(kinds: Mapping[str, _Kind], fields: Collection[str]) -> list[dict[str, Any]]:
    return [_comparison(name, kind) for name, kind in kinds.items() if name in fields]


def _comparison(field: str, kind: _Kind) -> dict[str, Any]:
    swapped = {} if kind.swapped_with is None else {"swapped_with": kind.swapped_with}
    levels = []
    for level in kind.levels:
        bound = {} if level.bound is None else {_BOUND_KEYS[level.when]: level.bound}
        probabilities = {"m_probability": level.m, "u_probability": level.u}
        levels.append({"when": level.when, **bound, **probabilities})
    return {"field": field, "method": kind.method, **swapped, "levels": levels}


def _strategy(
    name: str, rules: Sequence[_Rule], comparisons: list[dict[str, Any]], fields: Collection[str]
) -> dict[str, Any]:
    return {
        "name": name,
        "match_threshold": DEFAULT_MATCH_THRESHOLD,
        "review_threshold": DEFAULT_REVIEW_THRESHOLD,
        "blocking_rules": [list(rule) for rule in rules if _fields_of(rule) <= set(fields)],
        "comparisons": comparisons,
    }


def _fields_of(rule: _Rule) -> set[str]:
    parts = [{"field": part} if isinstance(part, str) else part for part in rule]
    return {part[key] for part in parts for key in ("field", "swapped_with") if key in part}


def _can_match(strategy: Mapping[str, Any]) -> bool:
    """Return whether the strategy has a rule, and full agreement reaches its threshold."""
    highest = math.log2(DEFAULT_PRIOR / (1 - DEFAULT_PRIOR)) + sum(
        max(math.log2(level["m_probability"] / level["u_probability"]) for level in comparison["levels"])
        for comparison in strategy["comparisons"]
    )
    return bool(strategy["blocking_rules"]) and highest >= DEFAULT_MATCH_THRESHOLD
