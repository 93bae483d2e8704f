"""Owns how the term-frequency adjustment of one comparison of a Splink model is read.

Linkwright adjusts a comparison for the values of its one field, always in the level `exact`, with one weight; what
a model asks for beyond is not exactly the same. Must not know SQL.

Source: Splink 4 and 5 (splink.internals.comparison_level); engine.comparisons.TermFrequency.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from linkwright.engine.comparison_methods import LevelKind
from linkwright.engine.splink_context import ColumnNames, Findings


def read_frequencies(
    levels: Sequence[Mapping[str, Any]],
    definition: Mapping[str, Any],
    place: str,
    names: ColumnNames,
    findings: Findings,
) -> dict[str, Any]:
    """Add the adjustment to a comparison.

    Args:
        levels: as Splink's settings have them, without the one for missing values.
        definition: the comparison as read so far, its levels in the same order.
        place: of the comparison.
        names: of the columns.
        findings: takes faults and notes.

    Returns:
        The comparison with `term_frequency`, if the model asks for it.
    """
    read: list[Mapping[str, Any]] = definition["levels"]
    own = [
        index
        for index, level in enumerate(levels)
        if read[index]["when"] != LevelKind.ELSE
        and _is_of_field(level, definition["field"], place, names, findings)
    ]
    exact = next((index for index in own if read[index]["when"] == LevelKind.EXACT), None)
    if not own:
        return dict(definition)
    if exact is None:
        findings.inexact(
            place,
            "it adjusts levels for term frequencies, but not the one of equal values",
            "the comparison is not adjusted",
        )
        return dict(definition)
    _tell_differences([levels[index] for index in own if index != exact], levels[exact], place, findings)
    flagged = [
        {**level, "term_frequency": True} if index in own and index != exact else dict(level)
        for index, level in enumerate(read)
    ]
    return {**definition, "term_frequency": _adjustment(levels[exact]), "levels": flagged}


def _tell_differences(
    others: Sequence[Mapping[str, Any]], exact: Mapping[str, Any], place: str, findings: Findings
) -> None:
    """Tell where other levels are not adjusted as the level of equal values is."""
    if any(level.get("disable_tf_exact_match_detection") for level in others):
        findings.inexact(
            place,
            "a level is adjusted by its own u_probability",
            "it is adjusted by that of the level of equal values",
        )
    if any(_adjustment(level) != _adjustment(exact) for level in others):
        findings.inexact(
            place,
            "its levels are adjusted with different weights or minimums",
            "those of the level of equal values hold for all",
        )


def _is_of_field(level: Mapping[str, Any], field: str, place: str, names: ColumnNames, findings: Findings) -> bool:
    """Tell whether a level is adjusted for the values of the comparison's field."""
    column = level.get("tf_adjustment_column")
    if column is None or level.get("tf_adjustment_weight") == 0:
        return False
    plain = str(column).strip('"`')
    if names.name_of(plain) == field:
        return True
    findings.inexact(
        place,
        f"a level is adjusted for how frequent the values of {plain!r} are, and one of {field!r} can be for its "
        "own only",
        "that level is not adjusted",
    )
    return False


def _adjustment(level: Mapping[str, Any]) -> dict[str, Any]:
    """Return the weight and the minimum of a level, as Splink takes them where they are left out."""
    weight, minimum_u = level.get("tf_adjustment_weight"), level.get("tf_minimum_u_value")
    return {"weight": 1.0 if weight is None else weight, "minimum_u": 0.0 if minimum_u is None else minimum_u}
