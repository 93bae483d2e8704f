"""Splink as the oracle: the same strategy in Splink's own terms, and what Splink finds with it.

Levels and rules are written with Splink's library, not with our SQL, so that a fault of ours cannot hide in both.
Dice's coefficient of encoded fields, which Splink lacks, is computed in Python.
"""

import logging
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import duckdb
import splink.comparison_level_library as levels
from duckdb.sqltypes import DOUBLE, VARCHAR
from splink import ColumnExpression, DuckDBAPI, Linker, SettingsCreator
from splink.blocking_rule_library import CustomRule
from splink.comparison_library import CustomComparison

from linkwright.engine.blocking import BlockingExpression, BlockingRule, Transform
from linkwright.engine.comparison_methods import LevelKind, Method
from linkwright.engine.comparisons import Comparison, ComparisonLevel
from linkwright.engine.strategy import MatchConfiguration, Strategy
from linkwright.engine.term_frequencies import frequency_fields


class ScoredPair(NamedTuple):
    """What is known of a pair: its rule, its levels in order of the comparisons, its weight."""

    blocking_rule: int
    levels: tuple[int, ...]
    match_weight: float


def splink_pairs(
    records: Sequence[Path], configuration: MatchConfiguration, term_frequencies: Path | None = None
) -> dict[tuple[int, int], ScoredPair]:
    """Let Splink find and score the pairs of a configuration's one strategy, all records in one run.

    Term frequencies are those of a file of ours if one is given; otherwise Splink counts them itself.
    """
    (strategy,) = configuration.strategies
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_id",
        probability_two_random_records_match=configuration.prior,
        comparisons=[splink_comparison(item) for item in strategy.comparisons],
        blocking_rules_to_generate_predictions=[
            CustomRule(splink_rule(rule), sql_dialect="duckdb") for rule in strategy.blocking_rules
        ],
        retain_intermediate_calculation_columns=True,
        retain_matching_columns=True,
    )
    return pairs_of_model(records, settings, strategy, term_frequencies)


def pairs_of_model(
    records: Sequence[Path],
    settings: SettingsCreator | dict[str, Any] | Path,
    strategy: Strategy,
    term_frequencies: Path | None = None,
) -> dict[tuple[int, int], ScoredPair]:
    """Let Splink find and score the pairs of a model of its own, whose comparisons are named as a strategy's."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    names = [item.name for item in strategy.comparisons]
    with duckdb.connect() as con:
        files = [str(path) for path in records]
        con.execute("CREATE TABLE records AS FROM read_parquet(?)", [files])
        con.create_function("dice_of_bits", dice_of_bits, [VARCHAR, VARCHAR], DOUBLE)
        api = DuckDBAPI(con)
        # its look for columns that are not there takes longer than all the rest on small data
        linker = Linker(api.register("records"), settings, validate_settings=False)
        if term_frequencies is not None:
            for field in frequency_fields(strategy):
                register_term_frequencies(con, api, linker, field, term_frequencies)
        found = linker.inference.predict(
            threshold_match_weight=strategy.review_threshold, warning_mode="never"
        ).physical_name
        gammas = "".join(f", gamma_{name}" for name in names)
        rows = con.execute(
            f"SELECT record_id_l, record_id_r, match_key, match_weight{gammas} FROM {found}"
        ).fetchall()
    return {
        (left, right): ScoredPair(int(rule), tuple(levels_), weight)
        for left, right, rule, weight, *levels_ in rows
    }


def register_term_frequencies(
    con: duckdb.DuckDBPyConnection, api: DuckDBAPI, linker: Linker, field: str, path: Path
) -> None:
    """Give Splink the term frequencies of one field."""
    con.execute(
        f"CREATE TABLE frequencies_of_{field} AS SELECT CAST(t.value AS {field_type(con, field)}) AS {field}, "
        f"t.frequency AS tf_{field} FROM read_parquet('{path}') AS t WHERE t.field = '{field}'"
    )
    linker.table_management.register_term_frequency_lookup(api.register(f"frequencies_of_{field}"), field)


def field_type(con: duckdb.DuckDBPyConnection, field: str) -> str:
    """Return the SQL type of a field of the table records."""
    ((name,),) = con.execute(f"SELECT DISTINCT typeof({field}) FROM records").fetchall()
    return str(name)


def dice_of_bits(one: str, other: str) -> float:
    """Return Dice's coefficient of the bits set in two values in base64; 0 if they are of unequal length."""
    filters = b64decode(one), b64decode(other)
    if len(filters[0]) != len(filters[1]):
        return 0.0
    bits, other_bits = (int.from_bytes(value, "big") for value in filters)
    in_both = (bits & other_bits).bit_count()
    return 1.0 if bits == other_bits else 2 * in_both / (bits.bit_count() + other_bits.bit_count())


def splink_rule(rule: BlockingRule) -> str:
    """Return a blocking rule as Splink takes it."""
    return " AND ".join(_shared(part) for part in rule)


def splink_comparison(item: Comparison) -> CustomComparison:
    """Return a comparison with its m and u as Splink takes it."""
    adjusted = item.adjusted_levels
    return CustomComparison(
        output_column_name=item.name,
        comparison_levels=[
            levels.NullLevel(item.field),
            *(
                _level(item, level).configure(
                    m_probability=level.m_probability,
                    u_probability=level.u_probability,
                    **(_adjustment(item) if item.level_number(index) in adjusted else {}),
                )
                for index, level in enumerate(item.levels)
            ),
        ],
    )


def _adjustment(item: Comparison) -> dict[str, Any]:
    assert item.term_frequency is not None
    return {
        "tf_adjustment_column": item.field,
        "tf_adjustment_weight": item.term_frequency.weight,
        "tf_minimum_u_value": item.term_frequency.minimum_u,
    }


def _shared(part: BlockingExpression) -> str:
    """Return the condition that two records share the value of an expression."""
    own, other = part.field, part.swapped_with
    if part.transform is Transform.ANY_TOKEN:
        tokens = (f"string_split({side}.{own}, ' ')" for side in "lr")
        return f"len(list_intersect({', '.join(tokens)})) > 0"
    if part.transform is Transform.SWAPPED:
        same = f"l.{own} = r.{own} AND l.{other} = r.{other}"
        return f"({same} OR (l.{own} = r.{other} AND l.{other} = r.{own}))"
    return f"{_value(part, 'l')} = {_value(part, 'r')}"


def _value(part: BlockingExpression, side: str) -> str:
    column = f"{side}.{part.field}"
    match part.transform:
        case None:
            return column
        case Transform.PREFIX:
            return f"substr({column}, 1, {part.length})"
        case Transform.SUFFIX:
            return f"substr({column}, -{part.length})"
        case Transform.YEAR:
            return f"date_part('year', {column})"
        case Transform.MONTH_DAY:
            return f"strftime({column}, '%m-%d')"
        case derived:
            return f"{column}_{derived.value}"


_METRICS: dict[LevelKind, Literal["day", "month", "year"]] = {
    LevelKind.WITHIN_DAYS: "day",
    LevelKind.WITHIN_MONTHS: "month",
    LevelKind.WITHIN_YEARS: "year",
}
_DATE_CONDITIONS = {
    LevelKind.DAY_AND_MONTH_SWAPPED: "strftime({0}_l, '%Y-%m-%d') = strftime({0}_r, '%Y-%d-%m')",
    LevelKind.SAME_YEAR: "strftime({0}_l, '%Y') = strftime({0}_r, '%Y')",
    LevelKind.SAME_DAY_AND_MONTH: "strftime({0}_l, '%m-%d') = strftime({0}_r, '%m-%d')",
}


def _dice_level(field: str, bound: float) -> levels.CustomLevel:
    return levels.CustomLevel(f"dice_of_bits({field}_l, {field}_r) >= {bound}")


_MEASURED: dict[Method, Any] = {
    Method.JARO_WINKLER: levels.JaroWinklerLevel,
    Method.JARO: levels.JaroLevel,
    Method.JACCARD: levels.JaccardLevel,
    Method.LEVENSHTEIN: levels.LevenshteinLevel,
    Method.DAMERAU_LEVENSHTEIN: levels.DamerauLevenshteinLevel,
    Method.NAME: levels.JaroWinklerLevel,
    Method.POSTCODE: levels.DamerauLevenshteinLevel,
    Method.IDENTIFIER: levels.DamerauLevenshteinLevel,
    Method.DICE: _dice_level,
}


def _level(item: Comparison, level: ComparisonLevel) -> Any:
    if level.when is LevelKind.ELSE:
        return levels.ElseLevel()
    if level.when is LevelKind.EXACT:
        return levels.ExactMatchLevel(item.field)
    if item.method is Method.DATE:
        return _level_of_date(level, item.field)
    if level.when in {LevelKind.SIMILARITY, LevelKind.DISTANCE}:
        return _MEASURED[item.method](item.field, level.condition.bound)
    return _level_of_one(level, item.field) if item.swapped_with is None else _level_of_two(item, level)


def _level_of_date(level: ComparisonLevel, field: str) -> Any:
    kind, bound = level.condition
    if kind in _METRICS:
        return levels.AbsoluteDateDifferenceLevel(
            field, input_is_string=False, threshold=bound or 0, metric=_METRICS[kind]
        )
    if kind in _DATE_CONDITIONS:
        return levels.CustomLevel(_DATE_CONDITIONS[kind].format(field))
    edits = levels.LevenshteinLevel if kind is LevelKind.EDITS else levels.DamerauLevenshteinLevel
    return edits(ColumnExpression(field).cast_to_string(), int(bound or 0))


def _level_of_two(item: Comparison, level: ComparisonLevel) -> Any:
    field, other = item.columns
    if level.when is LevelKind.SWAPPED:
        return levels.ColumnsReversedLevel(field, other, symmetrical=True)
    if level.when is LevelKind.EXACT_OTHER:
        return levels.ExactMatchLevel(other)
    if level.when is LevelKind.EXACT_BOTH:
        return levels.And(levels.ExactMatchLevel(field), levels.ExactMatchLevel(other))
    bound = level.at_least or 0
    return levels.And(levels.JaroWinklerLevel(field, bound), levels.JaroWinklerLevel(other, bound))


def _level_of_one(level: ComparisonLevel, field: str) -> Any:
    kind, bound = level.condition
    amount = bound or 0
    match kind:
        case LevelKind.TRANSPOSED:
            return levels.And(
                levels.DamerauLevenshteinLevel(field, 1), levels.Not(levels.LevenshteinLevel(field, 1))
            )
        case LevelKind.SAME_PREFIX:
            return levels.ExactMatchLevel(ColumnExpression(field).substr(1, int(amount)))
        case LevelKind.SHARED_TOKENS:
            return levels.ArrayIntersectLevel(ColumnExpression(f"string_split({field}, ' ')"), int(amount))
        case LevelKind.WITHIN_ABSOLUTE:
            return levels.AbsoluteDifferenceLevel(field, amount)
        case LevelKind.WITHIN_PERCENT:
            return levels.PercentageDifferenceLevel(field, amount / 100)
    raise ValueError(f"Splink has no level for {kind.value!r}")
