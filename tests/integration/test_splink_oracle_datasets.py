"""On every data set exactly Splink's pairs, rules, levels and weights: whole, and in ten increments."""

from pathlib import Path

import pytest
import yaml

from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from tests.benchmarks.configuration import benchmark_configuration
from tests.integration.linkage_data import (
    HISTORICAL_FILE,
    febrl_rows,
    historical_rows,
    shuffled_parts,
    write_generated,
)
from tests.integration.linking import assert_same_pairs
from tests.integration.matching import match_batches
from tests.integration.splink_conversion import splink_pairs
from tests.record_batches import write_records

PROJECT_FILE = Path(__file__).parents[2] / "examples" / "febrl4" / "project.yaml"
PARTS_COUNT = 10
GENERATED_COUNT = 100_000
HISTORICAL_COUNT = 20_000
HISTORICAL_RULES = [
    ["given_name", "surname"],
    ["surname", "date_of_birth"],
    ["postcode", "given_name"],
    [{"field": "given_name", "transform": "soundex"}, "date_of_birth"],
    [{"field": "given_name", "transform": "swapped", "swapped_with": "surname"}],
]


@pytest.fixture
def febrl_configuration() -> MatchConfiguration:
    (project,) = yaml.safe_load(PROJECT_FILE.read_text())["projects"]
    return parse_match_configuration(project["match"], STANDARD_FIELDS)


def historical_configuration() -> MatchConfiguration:
    definition = benchmark_configuration().model_dump(mode="json", exclude_none=True)
    strategy = {**definition["strategies"][0], "blocking_rules": HISTORICAL_RULES, "match_threshold": 3}
    return parse_match_configuration({**definition, "strategies": [strategy]}, STANDARD_FIELDS)


def assert_as_splink(records: Path, configuration: MatchConfiguration, folder: Path, least_pairs: int) -> None:
    oracle = splink_pairs([records], configuration)
    assert len(oracle) >= least_pairs
    assert_same_pairs(match_batches([records], configuration, folder / "whole"), oracle)
    parts = shuffled_parts(records, PARTS_COUNT, folder)
    assert_same_pairs(match_batches(parts, configuration, folder / "parts", chunk_pairs_count=50_000), oracle)


@pytest.mark.parametrize(("number", "least_pairs"), [(1, 480), (2, 1500), (3, 6000), (4, 4900)])
def test_febrl(number: int, least_pairs: int, febrl_configuration: MatchConfiguration, tmp_path: Path) -> None:
    records = write_records(tmp_path / "records.parquet", febrl_rows(number))
    assert_as_splink(records, febrl_configuration, tmp_path, least_pairs)


def test_generated_persons(tmp_path: Path) -> None:
    records = write_generated(tmp_path / "generated", GENERATED_COUNT)
    assert_as_splink(records, benchmark_configuration(), tmp_path, 70_000)


@pytest.mark.skipif(not HISTORICAL_FILE.exists(), reason=f"{HISTORICAL_FILE} is absent (set LINKWRIGHT_DATA)")
def test_historical_figures(tmp_path: Path) -> None:
    records = write_records(tmp_path / "records.parquet", historical_rows(HISTORICAL_COUNT))
    assert_as_splink(records, historical_configuration(), tmp_path, 40_000)
