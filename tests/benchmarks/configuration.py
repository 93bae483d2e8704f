"""The match configuration that all measurements of matching use: seven rules, eight comparisons."""

from typing import Any

from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration

_SIMILAR = [
    {"when": "exact", "m_probability": 0.8, "u_probability": 0.003},
    {"when": "similarity", "at_least": 0.9, "m_probability": 0.1, "u_probability": 0.003},
    {"when": "similarity", "at_least": 0.8, "m_probability": 0.04, "u_probability": 0.01},
    {"when": "else", "m_probability": 0.06, "u_probability": 0.984},
]
_EDITS = [
    {"when": "exact", "m_probability": 0.85, "u_probability": 0.002},
    {"when": "distance", "at_most": 1, "m_probability": 0.1, "u_probability": 0.02},
    {"when": "else", "m_probability": 0.05, "u_probability": 0.978},
]
_DATE = [
    {"when": "exact", "m_probability": 0.9, "u_probability": 0.0001},
    {"when": "distance", "at_most": 1, "m_probability": 0.06, "u_probability": 0.001},
    {"when": "same_year", "m_probability": 0.01, "u_probability": 0.012},
    {"when": "else", "m_probability": 0.03, "u_probability": 0.9869},
]
_SEX = [
    {"when": "exact", "m_probability": 0.99, "u_probability": 0.5},
    {"when": "else", "m_probability": 0.01, "u_probability": 0.5},
]
_COMPARED = (
    ("given_name", "jaro_winkler", _SIMILAR),
    ("surname", "jaro_winkler", _SIMILAR),
    ("date_of_birth", "date", _DATE),
    ("sex", "exact", _SEX),
    ("address_line_1", "jaro_winkler", _SIMILAR),
    ("street_number", "levenshtein", _EDITS),
    ("suburb", "jaro_winkler", _SIMILAR),
    ("postcode", "levenshtein", _EDITS),
)
_RULES: list[list[Any]] = [
    ["surname", "date_of_birth"],
    ["given_name", "date_of_birth"],
    [{"field": "surname", "transform": "soundex"}, {"field": "given_name", "transform": "soundex"}, "postcode"],
    ["postcode", "date_of_birth"],
    ["address_line_1", "street_number"],
    ["given_name", "surname", {"field": "date_of_birth", "transform": "year"}],
    ["suburb", "street_number", {"field": "date_of_birth", "transform": "month_day"}],
]


def benchmark_definition() -> dict[str, Any]:
    """Return the configuration as a project file has it."""
    strategy = {
        "name": "person",
        "match_threshold": 8,
        "review_threshold": 2,
        "blocking_rules": _RULES,
        "comparisons": [
            {"field": field, "method": method, "levels": levels} for field, method, levels in _COMPARED
        ],
    }
    return {"prior": 1e-6, "strategies": [strategy]}


def benchmark_configuration() -> MatchConfiguration:
    """Return the configuration, parsed."""
    return parse_match_configuration(benchmark_definition(), STANDARD_FIELDS)
