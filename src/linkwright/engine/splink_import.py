"""Owns the import of Splink's settings: a trained model, saved as JSON by Splink 4 or 5, as a match configuration.

What cannot be said exactly is refused, with all faults at once. Thresholds have no place in Splink's settings, and
are given. Must not know files or the database.

Source: SPEC section 1 and 8; Splink 4 and 5 (splink.internals.settings.Settings.as_dict).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from linkwright.engine.blocking import Transform, transforms_for
from linkwright.engine.fields import LinkageField
from linkwright.engine.splink_comparisons import read_comparison
from linkwright.engine.splink_context import ColumnNames, Findings, mappings_in
from linkwright.engine.splink_forms import expression_reading
from linkwright.engine.splink_sql import Node, columns_of, conjuncts, without_date_parsing
from linkwright.engine.splink_sql_reader import UnreadableSqlError, read_condition
from linkwright.engine.strategy import parse_match_configuration
from linkwright.errors import ConfigurationError

DEFAULT_MATCH_THRESHOLD = math.log2(0.95 / 0.05)
"""The match weight of a match probability of 0.95."""

REVIEW_BITS = 4.0
"""How far the review threshold is under the match threshold, if it is not given."""

_PRIOR = "probability_two_random_records_match"
_RULES = "blocking_rules_to_generate_predictions"
_OWN_KEYS = frozenset({_PRIOR, _RULES, "link_type"})
_SUPPORTED_RULES = (
    "Supported are l.x = r.x, joined by AND; of parts of x: substr(x, 1, n), right(x, n), year(x), strftime(x, "
    "'%m-%d'); words in common: len(list_intersect(string_split(l.x, ' '), string_split(r.x, ' '))) > 0; two "
    "values in either order: (l.x = r.x AND l.y = r.y) OR (l.x = r.y AND l.y = r.x)"
)


@dataclass(frozen=True)
class SplinkImportOptions:
    """What Splink's settings do not say.

    Args:
        columns: column of the model → linkage field, where their names differ.
        strategy: the name of the strategy.
        match_threshold: the match weight (log2) from which a pair joins groups.
        review_threshold: the match weight from which a pair is kept; a few bits under the other if left out.
        approximate: take what can be said nearly, and tell how it differs.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    strategy: str = "person"
    match_threshold: float = DEFAULT_MATCH_THRESHOLD
    review_threshold: float | None = None
    approximate: bool = False


class SplinkImport(NamedTuple):
    """A model as a match configuration, and what a person should know of it.

    definition: plain data for `parse_match_configuration`, which it has passed.
    notes: full sentences; how the model is meant here where that is not plain.
    """

    definition: dict[str, Any]
    notes: tuple[str, ...]


def is_splink_settings(data: object) -> bool:
    """Tell whether plain data is meant as Splink's settings, good or bad."""
    return isinstance(data, Mapping) and bool(_OWN_KEYS & data.keys())


def match_definition_from_splink(
    settings: object,
    fields: Sequence[LinkageField],
    path: str = "",
    options: SplinkImportOptions | None = None,
) -> SplinkImport:
    """Read a trained Splink model as a match configuration of one strategy.

    Args:
        settings: what `linker.misc.save_model_to_json` of Splink 4 or 5 wrote, as plain data.
        fields: the project's linkage fields.
        path: where the settings stand; the faults begin with it.
        options: what they do not say.

    Raises:
        ConfigurationError: naming everything that cannot be said here, with its SQL, what can, and the remedy.
    """
    options = options or SplinkImportOptions()
    before = f"{path}." if path else ""
    findings = Findings(approximate=options.approximate)
    names = ColumnNames(fields, options.columns)
    if not isinstance(settings, Mapping) or not is_splink_settings(settings):
        raise ConfigurationError("These are no settings of Splink.", [f"{before}{_PRIOR}: is missing. {_SAVE}"])
    if settings.get(_PRIOR) is None:
        findings.fault(f"{before}{_PRIOR}", f"is missing. {_SAVE}")
    strategy = _strategy(settings, before, names, findings, options)
    if settings.get("link_type") == "link_only":
        findings.note(
            f"{before}link_type",
            "Splink links two data sets only with each other; Linkwright also links the records within each",
        )
    findings.faults.extend(names.faults())
    if findings.faults:
        raise _refused(findings.faults)
    definition = {"prior": settings[_PRIOR], "strategies": [strategy]}
    try:
        parse_match_configuration(definition, fields, "(as imported)")
    except ConfigurationError as error:
        raise _refused(error.faults) from error
    return SplinkImport(definition, tuple(findings.notes))


_SAVE = "Save the trained model with linker.misc.save_model_to_json, and import that file."


def _refused(faults: Sequence[str]) -> ConfigurationError:
    return ConfigurationError("The Splink model is refused; nothing was changed.", faults)


def _strategy(
    settings: Mapping[str, Any], path: str, names: ColumnNames, findings: Findings, options: SplinkImportOptions
) -> dict[str, Any]:
    rules = [_rule(rule, f"{path}{_RULES}[{index}]", names, findings) for index, rule in _rules(settings)]
    comparisons = [
        read_comparison(item, index, path, names, findings)
        for index, item in enumerate(mappings_in(settings, "comparisons"))
    ]
    for key, read in ((_RULES, rules), ("comparisons", comparisons)):
        if not read:
            findings.fault(f"{path}{key}", f"there is none. {_SAVE}")
    review = (
        options.match_threshold - REVIEW_BITS if options.review_threshold is None else options.review_threshold
    )
    return {
        "name": options.strategy,
        "blocking_rules": rules,
        "match_threshold": options.match_threshold,
        "review_threshold": review,
        "comparisons": comparisons,
    }


def _rules(settings: Mapping[str, Any]) -> list[tuple[int, object]]:
    rules = settings.get(_RULES)
    return list(enumerate(rules)) if isinstance(rules, list | tuple) else []


def _rule(rule: object, place: str, names: ColumnNames, findings: Findings) -> list[dict[str, Any]]:
    """Read a blocking rule as a list of expressions."""
    sql = rule.get("blocking_rule") if isinstance(rule, Mapping) else rule
    exploded = rule.get("arrays_to_explode") if isinstance(rule, Mapping) else None
    if not isinstance(sql, str):
        findings.fault(place, f"{sql!r} is no SQL. {_SAVE}")
        return []
    place = f"{place} `{sql}`"
    try:
        parts = conjuncts(read_condition(sql))
    except UnreadableSqlError as error:
        findings.fault(place, f"the SQL cannot be read: {error}. {_SUPPORTED_RULES}. Change or remove the rule.")
        return []
    words = {names.name_of(str(column)) for column in exploded or ()}
    expressions: list[dict[str, Any]] = []
    for part in parts:
        node = names.renamed(without_date_parsing(part)[0], place, findings)
        expression = None if node is None else _expression(node, words, names)
        if expression is not None:
            expressions.append(expression)
            if expression.get("transform") == Transform.ANY_TOKEN and words:
                findings.note(
                    place, f"an array is read as the words of {expression['field']!r}: load them joined by blanks"
                )
        elif node is not None:
            findings.fault(
                place,
                f"a part of it cannot be said of its columns. {_SUPPORTED_RULES}. Change or remove the rule.",
            )
    return expressions


def _expression(node: Node, words: set[str | None], names: ColumnNames) -> dict[str, Any] | None:
    """Read one part of a blocking rule; None if it has no meaning here."""
    columns = columns_of(node)
    for transform, length, (name, *others) in expression_reading(node, columns):
        derived = names.derived_from(name)
        if transform is None and name in words:
            return {"field": name, "transform": Transform.ANY_TOKEN.value}
        if transform is None:
            return {"field": derived[0], "transform": derived[1].value} if derived else {"field": name}
        known = names.fields.get(name)
        if known is None or transform not in transforms_for(known.type):
            continue
        expression: dict[str, Any] = {"field": name, "transform": transform.value}
        if length is not None:
            expression["length"] = length
        if others:
            expression["swapped_with"] = others[0]
        return expression
    return None
