"""Splink as the oracle: the same strategy in Splink's own terms, and what Splink finds with it.

Levels and rules are written with Splink's library, not with our SQL, so that a fault of ours cannot hide in both.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import duckdb
import splink.comparison_level_library as levels
from splink import ColumnExpression, DuckDBAPI, Linker, SettingsCreator
from splink.blocking_rule_library import CustomRule
from splink.comparison_library import CustomComparison

from linkwright.engine.blocking import BlockingExpression, BlockingRule, Transform
from linkwright.engine.comparison_methods import LevelKind, Method
from linkwright.engine.comparisons import Comparison, ComparisonLevel
from linkwright.engine.strategy import MatchConfiguration


class ScoredPair(NamedTuple):
    """What is known of a pair: its rule, its levels in order of the comparisons, its weight."""

    blocking_rule: int
    levels: tuple[int, ...]
    match_weight: float


def splink_pairs(records: Sequence[Path], configuration: MatchConfiguration) -> dict[tuple[int, int], ScoredPair]:
    """Let Splink find and score the pairs of a configuration's one strategy, all records in one run."""
    (strategy,) = configuration.strategies
    logging.getLogger("splink").setLevel(logging.ERROR)
    names = [item.name for item in strategy.comparisons]
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
    with duckdb.connect() as con:
        files = [str(path) for path in records]
        con.execute("CREATE TABLE records AS FROM read_parquet(?)", [files])
        api = DuckDBAPI(con)
        linker = Linker(api.register("records"), settings)
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


def splink_rule(rule: BlockingRule) -> str:
    """Return a blocking rule as Splink takes it."""
    return " AND ".join(f"{_value(part, 'l')} = {_value(part, 'r')}" for part in rule)


def splink_comparison(item: Comparison) -> CustomComparison:
    """Return a comparison with its m and u as Splink takes it."""
    return CustomComparison(
        output_column_name=item.name,
        comparison_levels=[
            levels.NullLevel(item.field),
            *(
                _level(item, level).configure(m_probability=level.m_probability, u_probability=level.u_probability)
                for level in item.levels
            ),
        ],
    )


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
_MEASURED: dict[Method, Any] = {
    Method.JARO_WINKLER: levels.JaroWinklerLevel,
    Method.JARO: levels.JaroLevel,
    Method.LEVENSHTEIN: levels.LevenshteinLevel,
    Method.DAMERAU_LEVENSHTEIN: levels.DamerauLevenshteinLevel,
}


def _level(item: Comparison, level: ComparisonLevel) -> Any:
    kind, bound = level.condition
    if kind is LevelKind.ELSE:
        return levels.ElseLevel()
    if kind is LevelKind.EXACT:
        return levels.ExactMatchLevel(item.field)
    if kind in _METRICS:
        return levels.AbsoluteDateDifferenceLevel(
            item.field, input_is_string=False, threshold=bound or 0, metric=_METRICS[kind]
        )
    if kind in _DATE_CONDITIONS:
        return levels.CustomLevel(_DATE_CONDITIONS[kind].format(item.field))
    if item.method is Method.DATE:
        return levels.DamerauLevenshteinLevel(ColumnExpression(item.field).cast_to_string(), int(bound or 0))
    return _MEASURED[item.method](item.field, bound)
