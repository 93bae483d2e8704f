"""Owns the SQL that counts what estimation learns from: levels of random pairs, patterns, equal values.

The comparison itself is scoring's: pairs are given their values here, and `scoring.measured_pairs_sql` and
`scoring.leveled_pairs_sql` say their levels, so that what is estimated is what is scored. Must not estimate, nor
run anything.

A *part* of a blocking rule is all that the rule asks of one field (or of fields that it asks for together). Which
parts hold for a pair says which rules do, and how often the values behind them agree in pairs that other rules
found. Each rule's pairs are found by themselves, whether or not an earlier rule finds them too.

Tables:
    new_records             record_id and the columns that the strategy reads, all records
    rule_blocks             record_id, block_key: one rule's blocks of two records up to the size limit
    candidate_pairs         record_id_l < record_id_r: a slice of one rule's pairs
    compared_records        the records of these pairs

Source: SPEC section 5 (Estimate); counts of agreement patterns as in Splink 5
(splink.internals.expectation_maximisation).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from linkwright.engine.blocking import (
    DERIVED_SUFFIX,
    BlockingExpression,
    BlockingRule,
    Transform,
    block_keys_sql,
    expression_sql,
    rule_columns,
)
from linkwright.engine.comparison_methods import LevelKind
from linkwright.engine.comparisons import Comparison
from linkwright.engine.dialect import Dialect
from linkwright.engine.scoring import level_column, leveled_pairs_sql, measured_pairs_sql, pair_values_sql
from linkwright.engine.sql import identifier, literal
from linkwright.engine.steps import Step, chain_sql
from linkwright.engine.strategy import Strategy


@dataclass(frozen=True)
class RuleParts:
    """The blocking rules of a strategy, cut by field.

    Args:
        parts: what rules ask of one field each, every such demand once.
        fields: per part, the fields that it reads; one, unless an expression reads several.
        rules: per rule, the indexes of its parts.
    """

    parts: tuple[BlockingRule, ...]
    fields: tuple[frozenset[str], ...]
    rules: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Slice:
    """A part of one rule's pairs: those whose left record's id leaves `remainder` when divided by `divisor`."""

    blocking_rule: int
    divisor: int
    remainder: int
    pairs_count: int


def cut_rules(rules: Sequence[BlockingRule]) -> RuleParts:
    """Cut blocking rules into parts that have no field in common."""
    indexes: dict[BlockingRule, int] = {}
    cut = tuple(tuple(indexes.setdefault(part, len(indexes)) for part in _parts(rule)) for rule in rules)
    fields = tuple(frozenset(field for item in part for field in _fields(item)) for part in indexes)
    return RuleParts(tuple(indexes), fields, cut)


def _parts(rule: BlockingRule) -> list[BlockingRule]:
    parts: list[BlockingRule] = []
    for item in rule:
        fields = _fields(item)
        joined = [part for part in parts if any(fields & _fields(other) for other in part)]
        parts = [part for part in parts if part not in joined]
        parts.append((*(other for part in joined for other in part), item))
    return parts


def _fields(item: BlockingExpression) -> set[str]:
    """Return the fields of an expression: its own, also where a column derived from it is read, and any other."""
    derived = item.field + DERIVED_SUFFIX.get(item.transform, "") if item.transform else item.field
    return {item.field, *rule_columns(((item,),))} - ({derived} - {item.field})


def compared_columns(strategy: Strategy) -> tuple[str, ...]:
    """List the columns of the records files that the comparisons of a strategy read, each once."""
    return tuple(dict.fromkeys(column for item in strategy.comparisons for column in item.columns))


def paired_records_sql(strategy: Strategy, parts: RuleParts, dialect: Dialect) -> str:
    """Fetch the records of candidate pairs, with what the rules ask of them worked out once per record.

    Reads:   new_records, candidate_pairs.
    Returns: record_id, the compared columns, part_i_j (the j-th value of part i, NULL if missing).
    """
    columns = ("record_id", *compared_columns(strategy))
    values = (
        f"{expression_sql(item, dialect)} AS {_value_column(index, place)}"
        for index, part in enumerate(parts.parts)
        for place, item in enumerate(part)
    )
    selected = ", ".join((*(identifier(column) for column in columns), *values))
    return (
        f"SELECT {selected} FROM new_records WHERE record_id IN "
        "(SELECT record_id_l FROM candidate_pairs UNION ALL SELECT record_id_r FROM candidate_pairs)"
    )


def random_levels_sql(strategy: Strategy, dialect: Dialect) -> str:
    """Count the levels of pairs that nothing brought together, for all comparisons at once.

    Reads:   random_pairs(record_id_l, record_id_r), compared_records.
    Returns: level_* and pairs_count, one row per agreement pattern.
    """
    return _counted_sql(strategy, dialect, _valued_pairs_sql(strategy, dialect, "random_pairs"))


def self_levels_sql(strategy: Strategy, dialect: Dialect) -> str:
    """Count the levels that records reach against themselves: the most that any pair of theirs can reach.

    Reads:   new_records.
    Returns: level_* and pairs_count, one row per agreement pattern.
    """
    selves = (
        "SELECT n.record_id AS record_id_l, n.record_id AS record_id_r, CAST(0 AS INTEGER) AS blocking_rule"
        f"{pair_values_sql(strategy, dialect, 'n', 'n')}\nFROM new_records AS n"
    )
    return _counted_sql(strategy, dialect, selves)


def candidate_steps(strategy: Strategy, parts: RuleParts, dialect: Dialect) -> tuple[Step, ...]:
    """Return the steps from candidate pairs to the count of each agreement pattern.

    Reads:   candidate_pairs, compared_records (as `paired_records_sql` fetches them).
    Returns: the last step's rows: level_*, part_* (BOOLEAN: whether the part holds), pairs_count.
    """
    levels = ", ".join(f"p.{level_column(item.name)}" for item in strategy.comparisons)
    holds = ", ".join(
        f"({_part_holds_sql(index, part, dialect)}) IS TRUE AS part_{index}"
        for index, part in enumerate(parts.parts)
    )
    return (
        Step("compared_pairs", _valued_pairs_sql(strategy, dialect, "candidate_pairs")),
        Step("measured_pairs", measured_pairs_sql(strategy, dialect)),
        Step("leveled_pairs", leveled_pairs_sql(strategy, dialect)),
        Step(
            "parted_pairs",
            f"SELECT {levels}, {holds}\nFROM leveled_pairs AS p\n"
            "JOIN compared_records AS l ON l.record_id = p.record_id_l\n"
            "JOIN compared_records AS r ON r.record_id = p.record_id_r",
        ),
        Step("patterns", "SELECT *, count(*) AS pairs_count\nFROM parted_pairs\nGROUP BY ALL"),
    )


def equal_pairs_sql(part: BlockingRule, dialect: Dialect) -> str:
    """Count the records that have a part's values, and the pairs of them that agree on these.

    Reads:   new_records.
    Returns: one row: records_count, pairs_count (DOUBLE).
    """
    return f"""SELECT coalesce(sum(size), 0) AS records_count,
  coalesce(sum(CAST(size AS DOUBLE) * (size - 1) / 2), 0) AS pairs_count
FROM (SELECT count(*) AS size FROM ({_keys_sql(part, dialect)}) AS keyed GROUP BY block_key) AS blocks"""


def kept_shares_sql(rule: BlockingRule, dialect: Dialect, max_block_size: int) -> str:
    """Say how much of a rule is left when the blocks over the size limit are skipped.

    Reads:   new_records.
    Returns: one row: kept_records_share of the records with the rule's values, kept_pairs_share of their pairs;
             NULL if there are none.
    """
    sizes = (
        f"SELECT CAST(count(*) AS DOUBLE) AS size FROM ({_keys_sql(rule, dialect)}) AS keyed GROUP BY block_key"
    )
    kept = f"FILTER (WHERE size <= {literal(max_block_size)})"
    return (
        f"SELECT coalesce(sum(size) {kept}, 0) / sum(size) AS kept_records_share,\n"
        f"  coalesce(sum(size * (size - 1)) {kept}, 0) / nullif(sum(size * (size - 1)), 0) AS kept_pairs_share\n"
        f"FROM ({sizes}) AS blocks"
    )


def rule_blocks_sql(rule: BlockingRule, dialect: Dialect, max_block_size: int) -> str:
    """Put the records into the blocks of a rule, without blocks of one record and blocks over the size limit.

    Reads:   new_records.
    Returns: record_id, block_key.
    """
    return (
        f"WITH keyed AS ({_keys_sql(rule, dialect)})\n"
        "SELECT record_id, block_key FROM keyed WHERE block_key IN "
        f"(SELECT block_key FROM keyed GROUP BY block_key HAVING count(*) BETWEEN 2 AND {literal(max_block_size)})"
    )


def blocks_count_sql() -> str:
    """Count a rule's pairs.

    Reads:   rule_blocks.
    Returns: one row: pairs_count.
    """
    return (
        "SELECT CAST(coalesce(sum(size * (size - 1) / 2), 0) AS BIGINT) AS pairs_count FROM "
        "(SELECT count(*) AS size FROM rule_blocks GROUP BY block_key) AS sized"
    )


def candidate_pairs_sql(rule: BlockingRule, piece: Slice) -> str:
    """Find the pairs of a slice.

    Reads:   rule_blocks.
    Returns: record_id_l < record_id_r.
    """
    # records that share two words meet twice
    distinct = "DISTINCT " if any(item.has_many_values for item in rule) else ""
    part = f" AND l.record_id % {piece.divisor} = {piece.remainder}" if piece.divisor > 1 else ""
    return (
        f"SELECT {distinct}l.record_id AS record_id_l, r.record_id AS record_id_r\n"
        "FROM rule_blocks AS l JOIN rule_blocks AS r ON l.block_key = r.block_key\n"
        f"WHERE l.record_id < r.record_id{part}"
    )


def _keys_sql(rule: BlockingRule, dialect: Dialect) -> str:
    keys_sql = block_keys_sql(rule, dialect, "(SELECT record_id AS position, * FROM new_records)")
    return f"SELECT position AS record_id, block_key FROM ({keys_sql})"


def _value_column(index: int, place: int) -> str:
    return f"part_{index}_{place}"


def _part_holds_sql(index: int, part: BlockingRule, dialect: Dialect) -> str:
    conditions = []
    for place, item in enumerate(part):
        left, right = (f"{side}.{_value_column(index, place)}" for side in "lr")
        conditions.append(dialect.share_element(left, right) if item.has_many_values else f"{left} = {right}")
    return " AND ".join(conditions)


def counts_equal_values(item: Comparison) -> bool:
    """Say whether a comparison's first level is nothing but equal values of one column, which can be counted."""
    return item.levels[0].when is LevelKind.EXACT and item.columns == (item.field,)


def value_of(item: Comparison) -> BlockingRule:
    """Return the demand for equal values of a comparison's field."""
    return (BlockingExpression.model_construct(field=item.field),)


def date_parts(item: Comparison) -> tuple[BlockingRule, BlockingRule]:
    """Return the demands for the same year, and for the same day of the year, of a date's comparison."""
    year, birthday = (
        (BlockingExpression.model_construct(field=item.field, transform=transform),)
        for transform in (Transform.YEAR, Transform.MONTH_DAY)
    )
    return year, birthday


def comparison_of(strategy: Strategy, part: BlockingRule) -> int | None:
    """Return the comparison whose first level is the same as a part of a rule: equal values of one field."""
    for index, item in enumerate(strategy.comparisons):
        if counts_equal_values(item) and part == value_of(item):
            return index
    return None


def plan_slices(number: int, pairs_count: int, max_pairs_count: int, chunk_pairs_count: int) -> tuple[Slice, ...]:
    """Choose which pairs of a rule to look at, so that they are at most about so many, and cut them into slices.

    Args:
        number: of the rule.
        pairs_count: of the rule.
        max_pairs_count: to look at. A rule with more is sampled: the pairs of every k-th left record.
        chunk_pairs_count: how many pairs are worked off together.
    """
    if not pairs_count:
        return ()
    rate = sampling_rate(pairs_count, max_pairs_count)
    taken = pairs_count // rate
    pieces = max(1, -(-taken // chunk_pairs_count))
    # ids that `rate` divides, cut by their remainder at `rate * pieces`: all multiples of `rate`
    return tuple(Slice(number, rate * pieces, rate * piece, taken // pieces) for piece in range(pieces))


def sampling_rate(pairs_count: int, max_pairs_count: int) -> int:
    """Return of how many of a rule's pairs one is looked at: 1, or a prime, that no cycle in the ids meets."""
    rate = max(1, -(-pairs_count // max_pairs_count))
    while any(rate % divisor == 0 for divisor in range(2, int(rate**0.5) + 1)):
        rate += 1
    return rate


def _valued_pairs_sql(strategy: Strategy, dialect: Dialect, pairs: str) -> str:
    return (
        "SELECT p.record_id_l, p.record_id_r, CAST(0 AS INTEGER) AS blocking_rule"
        f"{pair_values_sql(strategy, dialect)}\nFROM {pairs} AS p\n"
        "JOIN compared_records AS l ON l.record_id = p.record_id_l\n"
        "JOIN compared_records AS r ON r.record_id = p.record_id_r"
    )


def _counted_sql(strategy: Strategy, dialect: Dialect, values_sql: str) -> str:
    levels = ", ".join(level_column(item.name) for item in strategy.comparisons)
    return chain_sql(
        (
            Step("compared_pairs", values_sql),
            Step("measured_pairs", measured_pairs_sql(strategy, dialect)),
            Step("leveled_pairs", leveled_pairs_sql(strategy, dialect)),
            Step("patterns", f"SELECT {levels}, count(*) AS pairs_count FROM leveled_pairs GROUP BY {levels}"),
        )
    )
