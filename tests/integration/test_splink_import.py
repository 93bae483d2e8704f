"""A model that Splink trained and saved finds, once imported, the same pairs with the same weights."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
import splink.comparison_library as library
from hypothesis import HealthCheck, given, settings
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from linkwright.engine.comparison_methods import LevelKind
from linkwright.engine.splink_import import SplinkImportOptions, match_definition_from_splink
from linkwright.engine.splink_settings import splink_settings
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.errors import ConfigurationError
from tests.integration.comparison_cases import FIELDS, KEEP_ALL
from tests.integration.linkage_data import febrl_rows
from tests.integration.linking import assert_same_pairs
from tests.integration.matching import match_batches
from tests.integration.splink_conversion import pairs_of_model
from tests.integration.test_splink_oracle_random import configurations, frequencies_of
from tests.record_batches import write_records

# in one process: what the tests share is made once
pytestmark = pytest.mark.xdist_group("splink import")

Definition = dict[str, Any]


def with_plain_exact_levels(definition: Definition) -> Definition:
    """Drop the mark for term frequencies from levels `exact`, which have the adjustment with or without it."""
    for strategy in definition["strategies"]:
        for item in strategy["comparisons"]:
            for level in item["levels"]:
                if level["when"] == LevelKind.EXACT:
                    level["term_frequency"] = False
    return definition


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(configuration=configurations())
def test_what_is_exported_and_imported_is_what_it_was(configuration: MatchConfiguration) -> None:
    (strategy,) = configuration.strategies
    assert strategy.match_threshold is not None
    saved = json.loads(json.dumps(splink_settings(configuration, strategy)))
    options = SplinkImportOptions(
        strategy=strategy.name,
        match_threshold=strategy.match_threshold,
        review_threshold=strategy.review_threshold,
    )
    imported = match_definition_from_splink(saved, FIELDS, options=options)
    assert not imported.notes
    read = parse_match_configuration(imported.definition, FIELDS)
    expected = with_plain_exact_levels(configuration.model_dump())
    assert with_plain_exact_levels(read.model_dump()) == expected


@pytest.fixture(scope="module")
def people() -> list[dict[str, Any]]:
    """The first originals of FEBRL 4, each with its duplicate."""
    return [row for row in febrl_rows(4) if int(row["source_unique_id"].split("-")[1]) < 2000]


@pytest.fixture(scope="module")
def records(people: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_records(tmp_path_factory.mktemp("febrl") / "records.parquet", people)


def trained(
    records: Path,
    folder: Path,
    comparisons: Sequence[Any],
    rules: Sequence[Any],
    columns: str = "*",
    *,
    sessions: Sequence[Any],
) -> Path:
    """Train a model of Splink's library on records, and let Splink save it."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    saved = folder / "model.json"
    creator = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_id",
        comparisons=list(comparisons),
        blocking_rules_to_generate_predictions=list(rules),
        probability_two_random_records_match=0.0005,
    )
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE records AS SELECT {columns} FROM read_parquet('{records}')")
        linker = Linker(DuckDBAPI(con).register("records"), creator)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e7)
        for session in sessions:
            linker.training.estimate_parameters_using_expectation_maximisation(session)
        linker.misc.save_model_to_json(str(saved))
    return saved


def imported(saved: Path, **options: Any) -> MatchConfiguration:
    """Import a saved model; keep all of its pairs."""
    given_options = SplinkImportOptions(match_threshold=KEEP_ALL, review_threshold=KEEP_ALL, **options)
    read = match_definition_from_splink(json.loads(saved.read_text()), FIELDS, options=given_options)
    return parse_match_configuration(read.definition, FIELDS)


def assert_scores_alike(records: Path, saved: Path, configuration: MatchConfiguration, folder: Path) -> None:
    """Compare the pairs of an imported model with those of Splink."""
    frequencies = frequencies_of(configuration, records, folder)
    pairs = match_batches([records], configuration, folder / "match", term_frequencies=frequencies)
    assert len(pairs) > 1000
    assert_same_pairs(pairs, pairs_of_model([records], saved, configuration.strategies[0], frequencies))


def test_a_model_of_names_and_dates_trained_by_splink_scores_alike(records: Path, tmp_path: Path) -> None:
    saved = trained(
        records,
        tmp_path,
        [
            library.NameComparison("given_name"),
            library.NameComparison("surname"),
            library.DateOfBirthComparison("date_of_birth", input_is_string=False),
            library.DamerauLevenshteinAtThresholds("postcode", [1, 2]),
            library.ExactMatch("suburb").configure(term_frequency_adjustments=True),
        ],
        [
            block_on("surname"),
            block_on("date_of_birth"),
            block_on("substr(given_name, 1, 3)", "postcode"),
            block_on("surname_soundex", "state"),
        ],
        sessions=[block_on("date_of_birth"), block_on("surname", "given_name")],
    )
    configuration = imported(saved)
    (strategy,) = configuration.strategies
    assert [item.term_frequency is not None for item in strategy.comparisons] == [True, True, False, False, True]
    assert strategy.comparisons[2].levels[1].when is LevelKind.EDITS
    assert_scores_alike(records, saved, configuration, tmp_path)


def test_a_model_of_the_other_comparisons_trained_by_splink_scores_alike(records: Path, tmp_path: Path) -> None:
    saved = trained(
        records,
        tmp_path,
        [
            library.JaroWinklerAtThresholds("given_name", [0.9]),
            library.JaroAtThresholds("surname", [0.9, 0.75]),
            library.LevenshteinAtThresholds("national_identifier", [1, 3]),
            library.JaccardAtThresholds("suburb", [0.8]),
            library.AbsoluteDateDifferenceAtThresholds(
                "date_of_birth", input_is_string=False, metrics=["month", "year"], thresholds=[3, 10]
            ),
            library.ExactMatch("state"),
        ],
        [block_on("postcode"), block_on("year(date_of_birth)", "substr(surname, 1, 1)")],
        sessions=[block_on("national_identifier"), block_on("surname", "given_name")],
    )
    configuration = imported(saved)
    kinds = [level.when for level in configuration.strategies[0].comparisons[4].levels[1:3]]
    assert kinds == [LevelKind.WITHIN_MONTHS, LevelKind.WITHIN_YEARS]
    assert_scores_alike(records, saved, configuration, tmp_path)


def test_a_model_with_columns_and_dates_of_its_own_scores_alike(
    people: list[dict[str, Any]], tmp_path: Path
) -> None:
    complete = [row for row in people if row["date_of_birth"]]
    records = write_records(tmp_path / "records.parquet", complete)
    saved = trained(
        records,
        tmp_path,
        [
            library.LevenshteinAtThresholds("Family Name", 1),
            library.DateOfBirthComparison("dob", input_is_string=True),
            library.ExactMatch("postcode"),
        ],
        [block_on("Family Name"), block_on("substr(dob, 1, 4)", "postcode")],
        sessions=[block_on("dob"), block_on("Family Name")],
        columns='record_id, surname AS "Family Name", CAST(date_of_birth AS VARCHAR) AS dob, postcode',
    )
    configuration = imported(saved, columns={"Family Name": "surname", "dob": "date_of_birth"})
    names = [item.name for item in configuration.strategies[0].comparisons]
    assert names == ["family_name", "dob", "postcode"]
    renamed = tmp_path / "renamed.parquet"
    with duckdb.connect() as con:
        con.execute(
            f'COPY (SELECT *, surname AS "Family Name", CAST(date_of_birth AS VARCHAR) AS dob '
            f"FROM read_parquet('{records}')) TO '{renamed}' (FORMAT parquet)"
        )
    assert pq.ParquetFile(renamed).metadata.num_rows == len(complete)
    model = json.loads(saved.read_text())
    model["comparisons"][0]["output_column_name"] = "family_name"
    strategy = configuration.strategies[0]
    pairs = match_batches([records], configuration, tmp_path / "match")
    assert len(pairs) > 1000
    assert_same_pairs(pairs, pairs_of_model([renamed], model, strategy))


def test_two_names_compared_together_are_imported_nearly(people: list[dict[str, Any]], tmp_path: Path) -> None:
    complete = [row for row in people if row.get("given_name") and row.get("surname")]
    records = write_records(tmp_path / "records.parquet", complete)
    names = library.ForenameSurnameComparison("given_name", "surname")
    saved = trained(
        records,
        tmp_path,
        [names, library.ExactMatch("postcode")],
        [block_on("date_of_birth"), block_on("postcode")],
        sessions=[block_on("date_of_birth"), block_on("postcode")],
    )
    model = json.loads(saved.read_text())
    with pytest.raises(ConfigurationError) as caught:
        match_definition_from_splink(model, FIELDS)
    assert len(caught.value.faults) == 2
    assert "missing values of given_name and surname together" in caught.value.faults[0]
    assert "how frequent the values of 'given_name' are" in caught.value.faults[1]
    notes = match_definition_from_splink(model, FIELDS, options=SplinkImportOptions(approximate=True)).notes
    assert len(notes) == 2
    del model["comparisons"][0]["comparison_levels"][-2]["tf_adjustment_column"]
    saved.write_text(json.dumps(model))
    assert_scores_alike(records, saved, imported(saved, approximate=True), tmp_path)
