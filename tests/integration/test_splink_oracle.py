"""FEBRL 4 with the example's project file: Splink's pairs and weights, whole and in increments, and its truth."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.quality import pairwise_quality
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from tests.integration.linkage_data import febrl_rows
from tests.integration.linking import Linked, assert_same_pairs, components, link
from tests.integration.splink_conversion import ScoredPair, splink_pairs
from tests.record_batches import write_records

# in one process: what the tests share is made once
pytestmark = pytest.mark.xdist_group("splink oracle")

PROJECT_FILE = Path(__file__).parents[2] / "examples" / "febrl4" / "project.yaml"


@pytest.fixture(scope="module")
def configuration() -> MatchConfiguration:
    (project,) = yaml.safe_load(PROJECT_FILE.read_text())["projects"]
    return parse_match_configuration(project["match"], STANDARD_FIELDS)


@pytest.fixture(scope="module")
def people() -> list[dict[str, Any]]:
    return febrl_rows(4)


@pytest.fixture(scope="module")
def febrl(people: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_records(tmp_path_factory.mktemp("febrl") / "records.parquet", people)


@pytest.fixture(scope="module")
def whole(febrl: Path, configuration: MatchConfiguration, tmp_path_factory: pytest.TempPathFactory) -> Linked:
    return link([febrl], configuration, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def oracle(febrl: Path, configuration: MatchConfiguration) -> dict[tuple[int, int], ScoredPair]:
    return splink_pairs([febrl], configuration)


@pytest.fixture(scope="module", params=[2, 10])
def increments(
    request: pytest.FixtureRequest,
    people: Sequence[dict[str, Any]],
    configuration: MatchConfiguration,
    tmp_path_factory: pytest.TempPathFactory,
) -> Linked:
    """All records in so many batches of random records in random order."""
    folder = tmp_path_factory.mktemp("increments")
    shuffled = Random(request.param).sample(people, len(people))
    batches = [
        write_records(folder / f"records{number}.parquet", shuffled[number :: request.param])
        for number in range(request.param)
    ]
    return link(batches, configuration, folder / "linked", chunk_pairs_count=1000)


def test_the_whole_has_the_pairs_rules_levels_and_weights_of_splink(
    whole: Linked, oracle: dict[tuple[int, int], ScoredPair]
) -> None:
    assert len(oracle) > 4000
    assert_same_pairs(whole.pairs, oracle)


def test_increments_in_random_order_have_the_pairs_of_splink_in_one_run(
    increments: Linked, oracle: dict[tuple[int, int], ScoredPair]
) -> None:
    assert_same_pairs(increments.pairs, oracle)


def test_increments_in_random_order_give_the_groups_of_the_whole(increments: Linked, whole: Linked) -> None:
    assert increments.partition == whole.partition


def test_groups_equal_the_components_of_networkx(
    whole: Linked, people: Sequence[dict[str, Any]], configuration: MatchConfiguration
) -> None:
    (threshold,) = configuration.match_thresholds.values()
    ids = [person["record_id"] for person in people]
    assert whole.partition == components(ids, whole, threshold)
    assert sorted(whole.groups) == ids


def test_the_example_links_febrl_4_nearly_without_error(whole: Linked, people: Sequence[dict[str, Any]]) -> None:
    quality = pairwise_quality(
        [whole.groups[person["record_id"]] for person in people],
        [person["source_unique_id"].split("-")[1] for person in people],
    )
    assert quality.true_pairs_count == 5000
    assert quality.f1 >= 0.9995
