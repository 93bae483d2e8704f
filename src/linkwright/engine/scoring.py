"""Owns the SQL that compares and weighs candidate pairs, in named steps from values to match weight.

Fellegi and Sunter's model as Splink scores it: match weight = log2 of the prior's odds + per comparison log2(m/u)
of the level that the pair is in; a missing value adds nothing. Must not find pairs, nor run anything.

The left record of a pair is always the one with the smaller record_id, whichever was loaded later, so that order
and packaging cannot change a weight.

Columns of the steps: the values of both records as l_* and r_* (prefixes, because no field's own name can collide
with them), measure_* and level_* per comparison.

Source: Fellegi and Sunter (1969); weights as in Splink 5 (splink.internals.predict), the test's oracle.
"""

from linkwright.engine.blocking import rule_columns, rule_holds_sql
from linkwright.engine.comparison_methods import NULL_LEVEL, LevelKind, condition_sql, measure_sql
from linkwright.engine.comparisons import Comparison
from linkwright.engine.dialect import Dialect
from linkwright.engine.sql import identifier, literal
from linkwright.engine.steps import Step
from linkwright.engine.strategy import MatchConfiguration, Strategy


def strategy_columns(strategy: Strategy) -> tuple[str, ...]:
    """List the columns of the records files that a strategy reads, each once."""
    compared = (item.field for item in strategy.comparisons)
    return tuple(dict.fromkeys((*rule_columns(strategy.blocking_rules), *compared)))


def level_column(comparison_name: str) -> str:
    """Return the column of the pairs files that holds a comparison's level, quoted."""
    return identifier(f"level_{comparison_name}")


def scoring_steps(configuration: MatchConfiguration, strategy: Strategy, dialect: Dialect) -> tuple[Step, ...]:
    """Return the steps from candidate pairs to scored pairs.

    Reads:   candidate_pairs: record_id_l < record_id_r, blocking_rule, and the strategy's columns of both records
             as l_* and r_*.
    Returns: the last step's rows: record_id_l, record_id_r, blocking_rule, level_* (TINYINT) and match_weight
             (log2; infinity if the strategy is deterministic), one per candidate pair whose values meet its rule.
    """
    return (
        Step("compared_pairs", compared_pairs_sql(strategy, dialect)),
        Step("measured_pairs", measured_pairs_sql(strategy, dialect)),
        Step("leveled_pairs", leveled_pairs_sql(strategy, dialect)),
        Step("scored_pairs", scored_pairs_sql(configuration, strategy)),
    )


def compared_pairs_sql(strategy: Strategy, dialect: Dialect) -> str:
    """Drop the pairs that only share a block's key, and the values that are not compared.

    Reads:   candidate_pairs.
    Returns: record_id_l, record_id_r, blocking_rule, l_* and r_* per compared field.
    """
    fields = dict.fromkeys(item.field for item in strategy.comparisons)
    values = "".join(f", {identifier(f'{side}_{field}')}" for field in fields for side in "lr")
    holds = " ".join(
        f"WHEN {number} THEN {rule_holds_sql(rule, dialect)}"
        for number, rule in enumerate(strategy.blocking_rules)
    )
    return (
        f"SELECT record_id_l, record_id_r, blocking_rule{values}\nFROM candidate_pairs\n"
        f"WHERE CASE blocking_rule {holds} END"
    )


def measured_pairs_sql(strategy: Strategy, dialect: Dialect) -> str:
    """Compute each expensive similarity or distance once.

    Reads:   compared_pairs.
    Returns: the same rows plus measure_* for the comparisons that need one.
    """
    measures = []
    for item in strategy.comparisons:
        sql = measure_sql(item.method, item.conditions, *_sides(item), dialect)
        if sql is not None:
            measures.append(f",\n  {sql} AS {_measure_column(item)}")
    return f"SELECT *{''.join(measures)}\nFROM compared_pairs"


def leveled_pairs_sql(strategy: Strategy, dialect: Dialect) -> str:
    """Say which level each comparison of a pair is in.

    Reads:   measured_pairs.
    Returns: record_id_l, record_id_r, blocking_rule, level_* (TINYINT): -1 if a value is missing, 0 for `else`,
             counted upwards to the closest agreement.
    """
    levels = "".join(
        f",\n  CAST({_level_sql(item, dialect)} AS TINYINT) AS {level_column(item.name)}"
        for item in strategy.comparisons
    )
    return f"SELECT record_id_l, record_id_r, blocking_rule{levels}\nFROM measured_pairs"


def scored_pairs_sql(configuration: MatchConfiguration, strategy: Strategy) -> str:
    """Add the match weight to each pair.

    Reads:   leveled_pairs.
    Returns: the same rows plus match_weight (log2).
    """
    if strategy.is_deterministic:
        return f"SELECT *, {literal(float('inf'))} AS match_weight\nFROM leveled_pairs"
    terms = "".join(f"\n  + {_weight_sql(item)}" for item in strategy.comparisons)
    return f"SELECT *,\n  {literal(configuration.prior_weight)}{terms} AS match_weight\nFROM leveled_pairs"


def kept_pairs_sql(configuration: MatchConfiguration, number: int) -> str:
    """Keep the pairs of a strategy that are worth a look, with what their choice among strategies needs.

    Args:
        configuration: of the project.
        number: of the strategy, from 0.

    Reads:   scored_pairs.
    Returns: record_id_l, record_id_r, blocking_rule, level_*, match_weight, strategy_number (INTEGER), is_match.
    """
    strategy = configuration.strategies[number]
    if strategy.is_deterministic:
        is_match, condition = "TRUE", ""
    else:
        is_match = f"match_weight >= {literal(strategy.match_threshold)}"
        condition = f"\nWHERE match_weight >= {literal(strategy.review_threshold)}"
    return (
        f"SELECT *, CAST({number} AS INTEGER) AS strategy_number, {is_match} AS is_match\n"
        f"FROM scored_pairs{condition}"
    )


def kept_pairs_table_sql(configuration: MatchConfiguration) -> str:
    """Return the statement that makes the empty table kept_pairs, which gathers all strategies' pairs."""
    levels = "".join(f", {level_column(name)} TINYINT" for name in configuration.comparison_names)
    return (
        "CREATE TEMP TABLE kept_pairs (record_id_l BIGINT, record_id_r BIGINT, strategy_number INTEGER, "
        f"match_weight DOUBLE, is_match BOOLEAN, blocking_rule INTEGER{levels})"
    )


def pairs_file_sql(configuration: MatchConfiguration) -> str:
    """Choose one row per pair, and name its strategy.

    A match goes before a pair for review, then the highest weight, then the first strategy.

    Reads:   kept_pairs.
    Returns: the columns of a pairs file (ARCHITECTURE section 4), in order of record_id_l and record_id_r.
    """
    names = " ".join(
        f"WHEN {number} THEN {literal(strategy.name)}" for number, strategy in enumerate(configuration.strategies)
    )
    levels = "".join(f", {level_column(name)}" for name in configuration.comparison_names)
    ranked = "kept_pairs"
    if len(configuration.strategies) > 1:
        order = "is_match DESC, match_weight DESC, strategy_number"
        place = f"row_number() OVER (PARTITION BY record_id_l, record_id_r ORDER BY {order})"
        ranked = f"(SELECT *, {place} AS place FROM kept_pairs) AS ranked WHERE place = 1"
    return (
        f"SELECT record_id_l, record_id_r, CASE strategy_number {names} END AS strategy, match_weight, is_match, "
        f"blocking_rule{levels}\nFROM {ranked}\nORDER BY record_id_l, record_id_r"
    )


def tallies_sql(threshold: float | None) -> str:
    """Count the scored pairs per rule and whole match weight.

    Args:
        threshold: the match weight from which pairs are kept; None keeps all.

    Reads:   scored_pairs.
    Returns: blocking_rule, weight_from (the bin's lower edge; NULL for infinite weight), scored_pairs_count,
             kept_pairs_count.
    """
    kept = "count(*)" if threshold is None else f"count(*) FILTER (WHERE match_weight >= {literal(threshold)})"
    weight_from = f"CASE WHEN match_weight < {literal(float('inf'))} THEN CAST(floor(match_weight) AS INTEGER) END"
    return (
        f"SELECT blocking_rule, {weight_from} AS weight_from, count(*) AS scored_pairs_count, "
        f"{kept} AS kept_pairs_count FROM scored_pairs GROUP BY ALL"
    )


def _sides(item: Comparison) -> tuple[str, str]:
    return identifier(f"l_{item.field}"), identifier(f"r_{item.field}")


def _measure_column(item: Comparison) -> str:
    return identifier(f"measure_{item.name}")


def _level_sql(item: Comparison, dialect: Dialect) -> str:
    left, right = _sides(item)
    branches = [f"WHEN {left} IS NULL OR {right} IS NULL THEN {NULL_LEVEL}"]
    for index, condition in enumerate(item.conditions):
        if condition.kind is not LevelKind.ELSE:
            met = condition_sql(condition, left, right, _measure_column(item), dialect)
            branches.append(f"WHEN {met} THEN {item.level_number(index)}")
    return f"CASE {' '.join(branches)} ELSE 0 END"


def _weight_sql(item: Comparison) -> str:
    weights = " ".join(
        f"WHEN {item.level_number(index)} THEN {literal(level.match_weight)}"
        for index, level in enumerate(item.levels)
    )
    return f"CASE {level_column(item.name)} {weights} ELSE {literal(0.0)} END"
