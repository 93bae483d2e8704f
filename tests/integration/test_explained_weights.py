"""The explained weight of a pair is the stored one, for every comparison method and on FEBRL 4; parts add up."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from linkwright.engine.comparison_methods import METHOD_RULES, LevelKind, Method
from linkwright.engine.explanation import PairExplanation, Verdict
from linkwright.engine.fields import STANDARD_FIELDS, FieldType, LinkageField
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.engine.term_frequencies import frequency_fields
from linkwright.warehouse.explain import PairRequest, explain_records
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles
from linkwright.warehouse.term_frequencies import build_term_frequencies
from tests.integration.comparison_cases import FIELDS, comparison, configured, write_people
from tests.integration.linkage_data import febrl_rows
from tests.integration.matching import match_batches
from tests.integration.splink_conversion import ScoredPair
from tests.integration.test_splink_oracle import PROJECT_FILE
from tests.integration.test_splink_oracle_methods import FIELD_OF, people
from tests.record_batches import write_records

PLACES = 1e-9
ADJUSTED = {Method.EXACT, Method.JARO_WINKLER, Method.NAME, Method.IDENTIFIER}


def explained(
    records: Path,
    configuration: MatchConfiguration,
    pair: tuple[int, int],
    *,
    term_frequencies: Path | None = None,
    fields: tuple[LinkageField, ...] = FIELDS,
) -> tuple[PairExplanation, ...]:
    return explain_records(
        PairRequest(
            files=LiveFiles((records,), (), (), ()),
            fields=fields,
            record_ids=pair,
            configuration=configuration,
            term_frequencies=term_frequencies,
            limits=EngineLimits(records.parent / "scratch", memory_mib=512, threads=1),
        )
    )


def assert_explains(told: PairExplanation, stored: ScoredPair) -> None:
    """Require the stored weight, levels and rule; and that prior and parts add up to the weight."""
    assert told.match_weight is not None
    assert abs(told.match_weight - stored.match_weight) <= PLACES
    assert tuple(part.level_number for part in told.parts) == stored.levels
    added = told.prior_weight + sum(part.weight + part.frequency_weight for part in told.parts)
    assert abs(added - stored.match_weight) <= PLACES
    assert told.rules
    assert told.verdict in {Verdict.MATCH, Verdict.REVIEW}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("people") / "records.parquet", people(60))


@pytest.mark.parametrize("method", Method)
def test_every_comparison_method_weighs_as_match_did(records: Path, tmp_path: Path, method: Method) -> None:
    kinds = METHOD_RULES[method].kinds
    if method is Method.DATE:
        kinds = (LevelKind.EXACT, LevelKind.WITHIN_MONTHS, LevelKind.DAY_AND_MONTH_SWAPPED, LevelKind.ELSE)
    if method is Method.POSTCODE:
        kinds = (LevelKind.EXACT, LevelKind.DISTANCE, LevelKind.ELSE)
    if method is Method.NUMBER:
        kinds = (LevelKind.EXACT, LevelKind.WITHIN_PERCENT, LevelKind.ELSE)
    more: dict[str, Any] = {"term_frequency": {"weight": 0.9}} if method in ADJUSTED else {}
    item = comparison(method, FIELD_OF.get(method, "surname"), kinds, **more)
    configuration = configured([item], [["sex"], ["postcode"]])
    frequencies = None
    if more:
        limits = EngineLimits(tmp_path / "scratch")
        target = tmp_path / "frequencies.parquet"
        frequencies = build_term_frequencies([records], [], frequency_fields(configuration), target, limits).path
    pairs = match_batches([records], configuration, tmp_path / "match", term_frequencies=frequencies)
    by_level = {scored.levels: pair for pair, scored in pairs.items()}
    assert len(by_level) >= 3
    for pair in [*by_level.values(), *Random(1).sample(sorted(pairs), 4)]:
        (told,) = explained(records, configuration, pair, term_frequencies=frequencies)
        assert_explains(told, pairs[pair])
    if more:
        assert any(
            explained(records, configuration, pair, term_frequencies=frequencies)[0].parts[0].frequency_weight
            for pair in by_level.values()
        )


def test_pairs_of_febrl_4_weigh_as_match_did(tmp_path: Path) -> None:
    (project,) = yaml.safe_load(PROJECT_FILE.read_text())["projects"]
    configuration = parse_match_configuration(project["match"], STANDARD_FIELDS)
    febrl = write_records(tmp_path / "records.parquet", febrl_rows(4))
    pairs = match_batches([febrl], configuration, tmp_path / "match")
    assert len(pairs) > 4000
    for pair in Random(4).sample(sorted(pairs), 120):
        (told,) = explained(febrl, configuration, pair, fields=STANDARD_FIELDS)
        assert_explains(told, pairs[pair])


def test_the_order_in_which_records_are_named_changes_nothing(records: Path, tmp_path: Path) -> None:
    item = comparison(Method.NAME, "surname", METHOD_RULES[Method.NAME].kinds)
    configuration = configured([item], [["sex"]])
    pairs = match_batches([records], configuration, tmp_path)
    for left, right in Random(2).sample(sorted(pairs), 5):
        assert explained(records, configuration, (right, left)) == explained(records, configuration, (left, right))


def test_a_pair_that_no_rule_finds_is_weighed_all_the_same(records: Path, tmp_path: Path) -> None:
    item = comparison(Method.LEVENSHTEIN, "surname", METHOD_RULES[Method.LEVENSHTEIN].kinds)
    by_sex, by_postcode = (configured([item], [[field]]) for field in ("sex", "postcode"))
    found = match_batches([records], by_sex, tmp_path)
    other_rule = sorted(match_batches([records], by_postcode, tmp_path / "other").keys() ^ found.keys())
    pair = next(pair for pair in other_rule if pair in found)
    (told,) = explained(records, by_postcode, pair)
    assert (told.verdict, told.rules) == (Verdict.NOT_COMPARED, ())
    assert told.match_weight == pytest.approx(found[pair].match_weight, abs=PLACES)


def test_a_field_that_no_batch_has_yet_is_missing(records: Path) -> None:
    late = LinkageField("later_number", FieldType.NUMBER)
    strategy = {
        "name": "person",
        "match_threshold": -100,
        "blocking_rules": [["sex"], ["later_number"]],
        "comparisons": [
            {
                "field": "later_number",
                "method": "number",
                "levels": [
                    {"when": "exact", "m_probability": 0.9, "u_probability": 0.1},
                    {"when": "within_absolute", "at_most": 2, "m_probability": 0.05, "u_probability": 0.1},
                    {"when": "else", "m_probability": 0.05, "u_probability": 0.8},
                ],
            }
        ],
    }
    fields = (*FIELDS, late)
    configuration = parse_match_configuration({"prior": 0.1, "strategies": [strategy]}, fields)
    (told,) = explained(records, configuration, (1, 2), fields=fields)
    assert told.parts[0].level == "a value is missing"
    assert told.match_weight == pytest.approx(configuration.prior_weight)
