"""Owns the SQL that compares and weighs candidate pairs, in named steps from values to match weight.

Fellegi and Sunter's model as Splink scores it: match weight = log2 of the prior's odds + per comparison log2(m/u)
of the level that the pair is in; a missing value adds nothing. Where a comparison asks for it, the frequency of
the values changes the level's weight. Must not find pairs, nor run anything.

The left record of a pair is always the one with the smaller record_id, whichever was loaded later, so that order
and packaging cannot change a weight.

Columns of the steps: the values of both records as l_* and r_* (prefixes, because no field's own name can collide
with them); per comparison the parts of values that its method takes apart (bits_l_*, count_l_*, words_l_* and the
same of r), measure_*, other_measure_* and level_*; per field frequency_*. What is prepared of a single record has
a name that begins with an underscore, as no field's does.

Source: Fellegi and Sunter (1969); weights as in Splink 5 (splink.internals.predict), the test's oracle.
"""

from collections.abc import Sequence

from linkwright.engine.blocking import rule_columns, rule_holds_sql
from linkwright.engine.comparison_methods import LevelKind
from linkwright.engine.comparison_sql import (
    FORM_PARTS,
    NULL_LEVEL,
    ComparedValues,
    Measures,
    condition_sql,
    form_sql,
    measures_sql,
)
from linkwright.engine.comparisons import Comparison
from linkwright.engine.dialect import Dialect
from linkwright.engine.sql import identifier, literal
from linkwright.engine.steps import Step
from linkwright.engine.strategy import MatchConfiguration, Strategy
from linkwright.engine.term_frequencies import adjustment_sql, frequency_fields


def strategy_columns(strategy: Strategy) -> tuple[str, ...]:
    """List the columns of the records files that a strategy reads, each once."""
    return tuple(dict.fromkeys((*rule_columns(strategy.blocking_rules), *_compared_columns(strategy))))


LEVEL_PREFIX = "level_"
"""The names of the columns of the pairs files that hold levels begin with it; the comparison's name follows."""


def level_column(comparison_name: str) -> str:
    """Return the column of the pairs files that holds a comparison's level, quoted."""
    return identifier(LEVEL_PREFIX + comparison_name)


def candidate_values_sql(columns: Sequence[str]) -> str:
    """Put the values of both records beside each pair of ids, where that is not done outside of SQL.

    Reads:   id_pairs: record_id_l < record_id_r, blocking_rule; compared_records: record_id and `columns`.
    Returns: the same rows with l_* and r_* per column: candidate_pairs, as `scoring_steps` reads them.
    """
    values = "".join(
        f", {side}.{identifier(name)} AS {identifier(f'{side}_{name}')}" for name in columns for side in "lr"
    )
    joins = " ".join(f"JOIN compared_records AS {side} ON {side}.record_id = p.record_id_{side}" for side in "lr")
    return f"SELECT p.record_id_l, p.record_id_r, p.blocking_rule{values} FROM id_pairs AS p {joins}"


def scoring_steps(
    configuration: MatchConfiguration,
    strategy: Strategy,
    dialect: Dialect,
    *,
    with_parts: bool = False,
    any_pair: bool = False,
) -> tuple[Step, ...]:
    """Return the steps from candidate pairs to scored pairs.

    Args:
        configuration: of the project.
        strategy: one of its strategies.
        dialect: the engine's SQL.
        with_parts: as for `scored_pairs_sql`.
        any_pair: whether pairs are scored that no blocking rule brings together, too.

    Reads:   candidate_pairs: record_id_l < record_id_r, blocking_rule, and the strategy's columns of both records
             as l_* and r_*; compared_records and term_frequencies as `prepared_records_sql` does.
    Returns: the last step's rows: record_id_l, record_id_r, blocking_rule, level_* (TINYINT) and match_weight
             (log2; infinity if the strategy is deterministic), one per candidate pair whose values meet its rule.
    """
    prepared = prepared_records_sql(strategy, dialect)
    return (
        *((Step("prepared_records", prepared),) if prepared else ()),
        Step("compared_pairs", compared_pairs_sql(strategy, dialect, any_pair=any_pair)),
        Step("measured_pairs", measured_pairs_sql(strategy, dialect)),
        Step("leveled_pairs", leveled_pairs_sql(strategy, dialect, with_frequencies=True)),
        Step("scored_pairs", scored_pairs_sql(configuration, strategy, with_parts=with_parts)),
    )


def prepared_records_sql(strategy: Strategy, dialect: Dialect) -> str | None:
    """Do once per record what every pair of it needs: take values apart, look up how frequent they are.

    A record's value is looked up once, not once per pair.

    Reads:   compared_records (record_id and the columns that are compared), every record of candidate_pairs once;
             term_frequencies (field, value, frequency; one row per field and value) if the strategy asks for them.
    Returns: record_id, the parts of its values (_bits_*, _count_*, _words_*) and _frequency_* (DOUBLE, NULL for a
             value that is not in the table) per field. None if there is nothing to prepare.
    """
    forms = "".join(
        f",\n  {sql} AS {_prepared_column(item, part)}"
        for item in strategy.comparisons
        for part, sql in _forms(item, "c", dialect)
    )
    fields = frequency_fields(strategy)
    if not (forms or fields):
        return None
    frequencies = "".join(
        f",\n  f{number}.frequency AS {identifier(f'_frequency_{field}')}" for number, field in enumerate(fields)
    )
    joins = "".join(
        f"\nLEFT JOIN (SELECT value, frequency FROM term_frequencies WHERE field = {literal(field)}) AS f{number}"
        f" ON f{number}.value = {dialect.text(f'c.{identifier(field)}')}"
        for number, field in enumerate(fields)
    )
    return f"SELECT c.record_id{forms}{frequencies}\nFROM compared_records AS c{joins}"


def compared_pairs_sql(strategy: Strategy, dialect: Dialect, *, any_pair: bool = False) -> str:
    """Drop the pairs that only share a block's key (unless `any_pair`), and the values that are not compared.

    Reads:   candidate_pairs; prepared_records if the strategy has any.
    Returns: record_id_l, record_id_r, blocking_rule, what `pair_values_sql` lists, and frequency_* (DOUBLE, the
             greater of the two sides') per field that needs it.
    """
    listed = [f"p.{identifier(f'{side}_{column}')}" for column in _compared_columns(strategy) for side in "lr"] + [
        f"{side}.{_prepared_column(item, part)} AS {_form_column(item, side, part)}"
        for item in strategy.comparisons
        for part in FORM_PARTS.get(item.method, ())
        for side in "lr"
    ]
    for field in frequency_fields(strategy):
        # greatest() leaves out what is missing
        sides = ", ".join(f"{side}.{identifier(f'_frequency_{field}')}" for side in "lr")
        listed.append(f"greatest({sides}) AS {_frequency_column(field)}")
    joins = ""
    if prepared_records_sql(strategy, dialect) is not None:
        joins = "".join(f"JOIN prepared_records AS {s} ON {s}.record_id = p.record_id_{s}\n" for s in "lr")
    holds = " ".join(
        f"WHEN {number} THEN {rule_holds_sql(rule, dialect)}"
        for number, rule in enumerate(strategy.blocking_rules)
    )
    return (
        f"SELECT {', '.join(('p.record_id_l', 'p.record_id_r', 'p.blocking_rule', *listed))}\n"
        f"FROM candidate_pairs AS p\n{joins}{'' if any_pair else f'WHERE CASE p.blocking_rule {holds} END'}"
    )


def pair_values_sql(strategy: Strategy, dialect: Dialect, left: str = "l", right: str = "r") -> str:
    """Return what `measured_pairs_sql` and `leveled_pairs_sql` read of a pair's records, as part of a SELECT list.

    Args:
        strategy: whose comparisons read it.
        dialect: the engine's SQL.
        left: the table alias of one record's row.
        right: of the other's.

    Returns:
        A comma and an expression, for each of: l_* and r_* per compared field, the parts of values per
        comparison that takes them apart. Empty if the strategy compares nothing.
    """
    listed = [
        f"{alias}.{identifier(column)} AS {identifier(f'{side}_{column}')}"
        for column in _compared_columns(strategy)
        for side, alias in (("l", left), ("r", right))
    ]
    for item in strategy.comparisons:
        for side, alias in (("l", left), ("r", right)):
            listed += [f"{sql} AS {_form_column(item, side, part)}" for part, sql in _forms(item, alias, dialect)]
    return "".join(f",\n  {expression}" for expression in listed)


def measured_pairs_sql(strategy: Strategy, dialect: Dialect) -> str:
    """Compute each expensive similarity or distance once.

    Reads:   compared_pairs.
    Returns: the same rows plus measure_* and other_measure_* for the comparisons that need them.
    """
    listed = ""
    for item in strategy.comparisons:
        measures = measures_sql(item.method, item.conditions, _values(item), dialect)
        names = _measure_columns(item)
        for sql, name in ((measures.of_value, names.of_value), (measures.of_other, names.of_other)):
            if sql is not None:
                listed += f",\n  {sql} AS {name}"
    return f"SELECT *{listed}\nFROM compared_pairs"


def leveled_pairs_sql(strategy: Strategy, dialect: Dialect, *, with_frequencies: bool = False) -> str:
    """Say which level each comparison of a pair is in.

    Args:
        strategy: whose comparisons.
        dialect: the engine's SQL.
        with_frequencies: whether to pass on frequency_*, which `scored_pairs_sql` reads where the strategy asks
            for term frequencies.

    Reads:   measured_pairs.
    Returns: record_id_l, record_id_r, blocking_rule, level_* (TINYINT): -1 if a value is missing, 0 for `else`,
             counted upwards to the closest agreement.
    """
    levels = "".join(
        f",\n  CAST({_level_sql(item, dialect)} AS TINYINT) AS {level_column(item.name)}"
        for item in strategy.comparisons
    )
    if with_frequencies:
        levels += "".join(f",\n  {_frequency_column(field)}" for field in frequency_fields(strategy))
    return f"SELECT record_id_l, record_id_r, blocking_rule{levels}\nFROM measured_pairs"


def scored_pairs_sql(configuration: MatchConfiguration, strategy: Strategy, *, with_parts: bool = False) -> str:
    """Add the match weight to each pair.

    Args:
        configuration: of the project.
        strategy: one of its strategies.
        with_parts: whether to show what each comparison adds, too.

    Reads:   leveled_pairs, with frequency_* if the strategy asks for term frequencies.
    Returns: record_id_l, record_id_r, blocking_rule, level_*, match_weight (log2). With parts, per comparison also
             weight_* (DOUBLE, log2: the level's) and tf_weight_* (DOUBLE, log2: what the frequency of the values
             changes), 0 where nothing is added. The prior and all parts add up to match_weight.
    """
    levels = "".join(f", {level_column(item.name)}" for item in strategy.comparisons)
    columns = f"record_id_l, record_id_r, blocking_rule{levels}"
    if strategy.is_deterministic:
        return f"SELECT {columns}, {literal(float('inf'))} AS match_weight\nFROM leveled_pairs"
    terms, parts = "", ""
    for item in strategy.comparisons:
        weight = _weight_sql(item)
        adjustment = adjustment_sql(item, level_column(item.name), _frequency_column(item.field))
        terms += f"\n  + {weight}" + (f"\n  + {adjustment}" if adjustment else "")
        parts += f",\n  {weight} AS {identifier(f'weight_{item.name}')}"
        parts += f",\n  {adjustment or literal(0.0)} AS {identifier(f'tf_weight_{item.name}')}"
    total = f"{literal(configuration.prior_weight)}{terms} AS match_weight"
    return f"SELECT {columns}{parts if with_parts else ''},\n  {total}\nFROM leveled_pairs"


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


def _compared_columns(strategy: Strategy) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column for item in strategy.comparisons for column in item.columns))


def _forms(item: Comparison, alias: str, dialect: Dialect) -> list[tuple[str, str]]:
    """Return the names and the SQL expressions of the parts that a record's value is taken apart into."""
    expressions = form_sql(item.method, f"{alias}.{identifier(item.field)}", dialect)
    return list(zip(FORM_PARTS.get(item.method, ()), expressions, strict=True))


def _prepared_column(item: Comparison, part: str) -> str:
    return identifier(f"_{part}_{item.name}")


def _form_column(item: Comparison, side: str, part: str) -> str:
    return identifier(f"{part}_{side}_{item.name}")


def _frequency_column(field: str) -> str:
    return identifier(f"frequency_{field}")


def _measure_columns(item: Comparison) -> Measures:
    return Measures(identifier(f"measure_{item.name}"), identifier(f"other_measure_{item.name}"))


def _values(item: Comparison) -> ComparedValues:
    value = _side_columns(item.field)
    other = None if item.swapped_with is None else _side_columns(item.swapped_with)
    form = tuple(
        (_form_column(item, "l", part), _form_column(item, "r", part)) for part in FORM_PARTS.get(item.method, ())
    )
    return ComparedValues(value, other, form)


def _side_columns(column: str) -> tuple[str, str]:
    return identifier(f"l_{column}"), identifier(f"r_{column}")


def _level_sql(item: Comparison, dialect: Dialect) -> str:
    values = _values(item)
    left, right = values.value
    branches = [f"WHEN {left} IS NULL OR {right} IS NULL THEN {NULL_LEVEL}"]
    for index, condition in enumerate(item.conditions):
        if condition.kind is not LevelKind.ELSE:
            met = condition_sql(condition, values, _measure_columns(item), dialect)
            branches.append(f"WHEN {met} THEN {item.level_number(index)}")
    return f"CASE {' '.join(branches)} ELSE 0 END"


def _weight_sql(item: Comparison) -> str:
    weights = " ".join(
        f"WHEN {item.level_number(index)} THEN {literal(level.match_weight)}"
        for index, level in enumerate(item.levels)
    )
    return f"CASE {level_column(item.name)} {weights} ELSE {literal(0.0)} END"
