"""On the same data, our estimates are those of Splink's own training."""

import logging
from pathlib import Path
from typing import Any

import duckdb
import pytest
from splink import DuckDBAPI, Linker, SettingsCreator
from splink.blocking_rule_library import CustomRule
from splink.internals.blocking_rule_creator import BlockingRuleCreator

from linkwright.engine.strategy import MatchConfiguration
from tests.integration.splink_conversion import splink_comparison, splink_rule
from tests.integration.test_estimation_recovery import Design, Simulated, configuration_of, estimated, simulate

# u of what is compared is far over the prior, for Splink counts the matches among random pairs into it
DESIGN = Design(
    16_000,
    12_000,
    (
        Simulated("suburb", 8, (0.8, 0.1, 0.1), 0.05),
        Simulated("state", 20, (0.88, 0.12)),
        Simulated("postcode", 800, (0.85, 0.15)),
        Simulated("sex", 2, (0.9, 0.1), 0.02),
        Simulated("national_identifier", 3_000, (0.85, 0.15), 0.1),
    ),
    (["national_identifier"], ["postcode"]),
)

Parameters = dict[tuple[str, int], tuple[float, float]]
"""(m, u) by comparison and the level's place from the closest agreement."""


def splink_training(records: Path, configuration: MatchConfiguration) -> Parameters:
    """Let Splink train: u from random pairs, m by one session per blocking rule."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    (strategy,) = configuration.strategies
    rules: list[BlockingRuleCreator | dict[str, Any]] = [
        CustomRule(splink_rule(rule), sql_dialect="duckdb") for rule in strategy.blocking_rules
    ]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_id",
        probability_two_random_records_match=DESIGN.prior,
        comparisons=[splink_comparison(item) for item in strategy.comparisons],
        blocking_rules_to_generate_predictions=rules,
    )
    with duckdb.connect() as con:
        con.execute("CREATE TABLE records AS FROM read_parquet(?)", [str(records)])
        linker = Linker(DuckDBAPI(con).register("records"), settings)
        linker.training.estimate_u_using_random_sampling(max_pairs=3e6, seed=1, min_count_per_level=None)
        for rule in strategy.blocking_rules:
            linker.training.estimate_parameters_using_expectation_maximisation(splink_rule(rule))
        trained: dict[str, Any] = linker.misc.save_model_to_json()
    return {
        (comparison["output_column_name"], place): (level["m_probability"], level["u_probability"])
        for comparison in trained["comparisons"]
        for place, level in enumerate(item for item in comparison["comparison_levels"] if "m_probability" in item)
    }


def test_u_is_splinks_within_two_percent_and_m_within_five(tmp_path: Path) -> None:
    records = simulate(DESIGN, tmp_path / "records.parquet")
    configuration = configuration_of(DESIGN)
    oracle = splink_training(records, configuration)
    (strategy,) = estimated([records], configuration, tmp_path, sampled_pairs_count=3_000_000).strategies
    compared = 0
    for comparison in strategy.comparisons:
        for place, level in enumerate(comparison.levels):
            m, u = oracle[comparison.name, place]
            assert level.estimated_m == pytest.approx(m, rel=0.05), (comparison.name, level.level)
            # Splink counts rare agreement among 2,450 records, matches included: its own error is that large
            tolerance = 0.2 if u < 0.002 else 0.02
            assert level.estimated_u == pytest.approx(u, rel=tolerance), (comparison.name, level.level)
            compared += 1
    assert compared == len(oracle) == 11
