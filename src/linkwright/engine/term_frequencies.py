"""Owns the SQL of term frequencies: which fields need them, how they are counted, what they change in a weight.

The frequencies belong to a version of the match configuration: counted once, then fixed, so that the weight of two
records is the same whatever is loaded later. Must not run anything, nor know which files hold them.

Source: SPEC section 5 (term frequencies); the adjustment as in Splink 5 (splink.internals.comparison_level and
splink.internals.term_frequencies), the test's oracle.
"""

import math
from collections.abc import Sequence

from linkwright.engine.comparisons import Comparison
from linkwright.engine.dialect import Dialect
from linkwright.engine.sql import identifier, literal
from linkwright.engine.strategy import MatchConfiguration, Strategy


def frequency_fields(part: MatchConfiguration | Strategy) -> tuple[str, ...]:
    """List the fields whose term frequencies a configuration or a strategy asks for, each once, in order.

    Returns:
        Names of linkage fields; none if scoring needs no table of term frequencies.
    """
    strategies = part.strategies if isinstance(part, MatchConfiguration) else (part,)
    return tuple(
        dict.fromkeys(
            item.field
            for strategy in strategies
            for item in strategy.comparisons
            if item.term_frequency is not None
        )
    )


def term_frequencies_sql(fields: Sequence[str], records: str, dialect: Dialect) -> str:
    """Count how frequent each value of some fields is.

    Args:
        fields: at least one.
        records: the name of the table of records.
        dialect: the engine's SQL.

    Reads:   `records`: the fields' columns.
    Returns: field (VARCHAR), value (VARCHAR: the value as text), frequency (DOUBLE, over 0 to 1: its share among
             the values that are not missing), one row per field and value, in their order.

    Raises:
        ValueError: if there are no fields.
    """
    if not fields:
        raise ValueError("term frequencies are counted of at least one field; none is given")
    counted = "\nUNION ALL\n".join(
        f"SELECT {literal(field)} AS field, {dialect.text(identifier(field))} AS value, "
        f"CAST(count(*) AS DOUBLE) / (SELECT count({identifier(field)}) FROM {identifier(records)}) AS frequency\n"
        f"FROM {identifier(records)} WHERE {identifier(field)} IS NOT NULL GROUP BY {identifier(field)}"
        for field in fields
    )
    return f"SELECT field, value, frequency FROM (\n{counted}\n) AS counted ORDER BY field, value"


def adjustment_sql(item: Comparison, level: str, frequency: str) -> str | None:
    """Return what the frequency of the values changes in a pair's weight.

    Args:
        item: the comparison.
        level: the SQL expression of the number of the pair's level.
        frequency: the SQL expression of the greater of the two values' frequencies; NULL if none is known.

    Returns:
        An SQL expression of a DOUBLE (log2), never NULL; None for a comparison without term frequencies.
    """
    adjustment, exact_u = item.term_frequency, item.exact_u_probability
    if adjustment is None or exact_u is None:
        return None
    numbers = ", ".join(str(number) for number in item.adjusted_levels)
    at_least = f"greatest({frequency}, {literal(adjustment.minimum_u)})"
    change = f"{literal(adjustment.weight)} * ({literal(math.log2(exact_u))} - log2({at_least}))"
    return f"CASE WHEN {level} IN ({numbers}) AND {frequency} IS NOT NULL THEN {change} ELSE {literal(0.0)} END"
