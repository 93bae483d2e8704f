"""Owns the export of a strategy as Splink's settings: the JSON that Splink saves a trained model in, and loads.

It runs over the project's records files as they are: columns named as the linkage fields, `record_id`, and those
that Load worked out. Splink has one model, so that each strategy is a model of its own. Must not know files.

Source: Splink 5 (splink.internals.settings.Settings.as_dict, which save_model_to_json writes).
"""

from typing import Any

from linkwright.engine.comparisons import Comparison, ComparisonLevel
from linkwright.engine.fields import RECORD_ID
from linkwright.engine.splink_forms import level_sql, missing_sql, rule_sql
from linkwright.engine.strategy import MatchConfiguration, Strategy
from linkwright.errors import LinkwrightError

DIALECT = "duckdb"


class NoSplinkModelError(LinkwrightError):
    """A strategy is no model that Splink could have."""


def splink_settings(configuration: MatchConfiguration, strategy: Strategy) -> dict[str, Any]:
    """Say a strategy as Splink's settings; thresholds have no place in them.

    Args:
        configuration: that the strategy belongs to; its prior is the model's.
        strategy: with comparisons.

    Returns:
        What `linker.misc.save_model_to_json` writes, as plain data.

    Raises:
        NoSplinkModelError: if the strategy is deterministic.
    """
    if strategy.is_deterministic:
        raise NoSplinkModelError(
            f"The strategy {strategy.name!r} has no comparisons, so that it has no model that Splink could load. "
            "In Splink, use its blocking rules with linker.inference.deterministic_link. Export another strategy."
        )
    return {
        "link_type": "dedupe_only",
        "probability_two_random_records_match": configuration.prior,
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": False,
        "additional_columns_to_retain": [],
        "sql_dialect": DIALECT,
        "linker_uid": None,
        "em_convergence": 0.0001,
        "max_iterations": 25,
        "match_weight_column_prefix": "mw_",
        "term_frequency_adjustment_column_prefix": "tf_",
        "comparison_vector_value_column_prefix": "gamma_",
        "unique_id_column_name": RECORD_ID,
        "source_dataset_column_name": "source_dataset",
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": rule_sql(rule), "sql_dialect": DIALECT} for rule in strategy.blocking_rules
        ],
        "comparisons": [_comparison(item) for item in strategy.comparisons],
    }


def method_note(item: Comparison) -> str:
    """Say what SQL leaves open when it is read back: which method the levels are of, and its fields."""
    other = f" with {item.swapped_with}" if item.swapped_with else ""
    return f"{item.field} by {item.method.value}{other}"


def _comparison(item: Comparison) -> dict[str, Any]:
    missing = {
        "sql_condition": missing_sql(item.field),
        "label_for_charts": "missing",
        "fix_m_probability": False,
        "fix_u_probability": False,
        "is_null_level": True,
    }
    return {
        "output_column_name": item.name,
        "comparison_levels": [missing, *(_level(item, index, level) for index, level in enumerate(item.levels))],
        "comparison_description": method_note(item),
    }


def _level(item: Comparison, index: int, level: ComparisonLevel) -> dict[str, Any]:
    kind, bound = level.condition
    plain = {
        "sql_condition": level_sql(item, level),
        "label_for_charts": kind.value if bound is None else f"{kind.value} {bound}",
        "m_probability": level.m_probability,
        "u_probability": level.u_probability,
        "fix_m_probability": False,
        "fix_u_probability": False,
    }
    if item.term_frequency is None or item.level_number(index) not in item.adjusted_levels:
        return plain
    adjusted = {**plain, "tf_adjustment_column": item.field}
    if item.term_frequency.minimum_u:
        adjusted["tf_minimum_u_value"] = item.term_frequency.minimum_u
    return {**adjusted, "tf_adjustment_weight": item.term_frequency.weight}
