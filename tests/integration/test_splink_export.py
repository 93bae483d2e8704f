"""Splink, given what a strategy is exported as, finds the pairs, levels and weights that Linkwright finds."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from linkwright.engine.blocking import Transform
from linkwright.engine.comparison_methods import LevelKind, Method
from linkwright.engine.splink_settings import NoSplinkModelError, splink_settings
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from tests.integration.comparison_cases import FIELDS, comparison, configured, write_people
from tests.integration.linking import assert_same_pairs
from tests.integration.matching import match_batches
from tests.integration.splink_conversion import ScoredPair, pairs_of_model
from tests.integration.test_splink_oracle_frequencies import CASES as FREQUENCY_CASES
from tests.integration.test_splink_oracle_frequencies import built
from tests.integration.test_splink_oracle_frequencies import people as frequent_people
from tests.integration.test_splink_oracle_methods import CASES, FIELD_OF, TRANSFORMED, people
from tests.integration.test_splink_oracle_random import PEOPLE, configurations, frequencies_of


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("records") / "records.parquet", people(150))


def exported_pairs(
    records: Path, configuration: MatchConfiguration, folder: Path, frequencies: Path | None = None
) -> dict[tuple[int, int], ScoredPair]:
    """Save the one strategy as JSON, and let Splink load and run it."""
    (strategy,) = configuration.strategies
    saved = folder / "settings.json"
    saved.write_text(json.dumps(splink_settings(configuration, strategy)))
    return pairs_of_model([records], saved, strategy, frequencies)


@pytest.mark.parametrize(("method", "kinds"), CASES)
def test_an_exported_method_scores_all_pairs_alike(
    records: Path, tmp_path: Path, method: Method, kinds: list[LevelKind]
) -> None:
    item = comparison(method, FIELD_OF.get(method, "surname"), kinds)
    configuration = configured([item], [["sex"], ["postcode"]])
    pairs = match_batches([records], configuration, tmp_path)
    assert_same_pairs(pairs, exported_pairs(records, configuration, tmp_path))
    assert {scored.levels[0] for scored in pairs.values()} == set(range(-1, len(item["levels"])))


def test_all_exported_blocking_expressions_find_the_same_pairs_by_the_same_rules(
    records: Path, tmp_path: Path
) -> None:
    expressions = [{"transform": transform.value, **TRANSFORMED[transform]} for transform in Transform]
    rules = [["given_name", expressions[0]], *([expression] for expression in expressions)]
    configuration = configured([comparison(Method.EXACT, "sex", [LevelKind.EXACT, LevelKind.ELSE])], rules)
    pairs = match_batches([records], configuration, tmp_path)
    assert_same_pairs(pairs, exported_pairs(records, configuration, tmp_path))
    assert len({scored.blocking_rule for scored in pairs.values()}) >= len(rules) - 1


@pytest.mark.parametrize("comparisons", FREQUENCY_CASES.values(), ids=FREQUENCY_CASES)
def test_exported_term_frequencies_weigh_alike(tmp_path: Path, comparisons: list[dict[str, Any]]) -> None:
    records = write_people(tmp_path / "records.parquet", frequent_people(130))
    configuration = configured(comparisons, [["sex"], ["postcode"]])
    frequencies = built(records, configuration, tmp_path)
    pairs = match_batches([records], configuration, tmp_path, term_frequencies=frequencies)
    assert len(pairs) > 1000
    assert_same_pairs(pairs, exported_pairs(records, configuration, tmp_path))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(configuration=configurations(), people=PEOPLE)
def test_any_exported_configuration_scores_any_records_alike(
    configuration: MatchConfiguration, people: list[dict[str, Any]]
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        rows = [{**person, "record_id": number} for number, person in enumerate(people)]
        records = write_people(folder / "records.parquet", rows)
        frequencies = frequencies_of(configuration, records, folder)
        pairs = match_batches([records], configuration, folder, term_frequencies=frequencies)
        strategy = configuration.strategies[0]
        model = splink_settings(configuration, strategy)
        assert_same_pairs(pairs, pairs_of_model([records], model, strategy, frequencies))


def test_a_deterministic_strategy_is_no_model() -> None:
    strategy = {"name": "same_identifier", "blocking_rules": [["health_identifier"]]}
    configuration = parse_match_configuration({"prior": 0.01, "strategies": [strategy]}, FIELDS)
    with pytest.raises(NoSplinkModelError, match="'same_identifier' has no comparisons"):
        splink_settings(configuration, configuration.strategies[0])
