"""The run of Estimate: what it takes in, what it leaves alone, what it says, and that it repeats itself."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.progress import Progress, silent
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.warehouse.estimate import EstimateRequest, EstimateResult, estimate_parameters
from linkwright.warehouse.limits import EngineLimits
from tests.integration.test_estimation_recovery import Design, Simulated, configuration_of, estimated, simulate
from tests.record_batches import write_ends, write_records

DESIGN = Design(
    4_000,
    3_000,
    (
        Simulated("suburb", 400, (0.8, 0.2), 0.1),
        Simulated("national_identifier", 2_000, (0.9, 0.1), 0.3),
        Simulated("postcode", 300, (0.8, 0.2)),
    ),
    (["suburb"], ["national_identifier"], ["postcode"]),
)
SECONDS: dict[str, float] = {}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(DESIGN, tmp_path_factory.mktemp("records") / "records.parquet")


@pytest.fixture(scope="module")
def configuration() -> MatchConfiguration:
    return configuration_of(DESIGN)


@pytest.fixture(scope="module")
def result(
    records: Path, configuration: MatchConfiguration, tmp_path_factory: pytest.TempPathFactory
) -> EstimateResult:
    return estimated([records], configuration, tmp_path_factory.mktemp("run"))


def request_of(records: Path, configuration: MatchConfiguration, folder: Path) -> EstimateRequest:
    limits = EngineLimits(folder / "scratch", memory_mib=1024, threads=2)
    return EstimateRequest((records,), (), (), configuration, limits, 100_000)


def with_strategies(configuration: MatchConfiguration, strategies: Sequence[Any]) -> MatchConfiguration:
    definition = configuration.model_dump(mode="json", exclude_none=True)
    return parse_match_configuration({**definition, "strategies": list(strategies)}, STANDARD_FIELDS)


def test_the_proposal_is_a_configuration_with_the_same_rules_and_conditions(
    result: EstimateResult, configuration: MatchConfiguration
) -> None:
    proposed = parse_match_configuration(result.proposed, STANDARD_FIELDS)
    assert proposed.prior == result.estimated_prior
    (own,), (current,) = proposed.strategies, configuration.strategies
    assert own.blocking_rules == current.blocking_rules
    for item, before, estimate in zip(
        own.comparisons, current.comparisons, result.strategies[0].comparisons, strict=True
    ):
        assert item.conditions == before.conditions
        assert [level.m_probability for level in item.levels] == [level.estimated_m for level in estimate.levels]
        assert sum(level.m_probability for level in item.levels) == pytest.approx(1, abs=1e-9)
        assert sum(level.u_probability for level in item.levels) == pytest.approx(1, abs=1e-9)
    assert own.match_threshold == result.strategies[0].proposed_match_threshold
    assert own.review_threshold == result.strategies[0].proposed_review_threshold


def test_current_parameters_and_counts_stand_beside_the_estimates(
    result: EstimateResult, configuration: MatchConfiguration
) -> None:
    (strategy,), (current,) = result.strategies, configuration.strategies
    assert result.current_prior == configuration.prior
    assert result.records_count == 10_000
    assert strategy.current_match_threshold == current.match_threshold
    for item, before in zip(strategy.comparisons, current.comparisons, strict=True):
        assert [level.current_m for level in item.levels] == [level.m_probability for level in before.levels]
        assert [level.level for level in item.levels] == ["exact", "else"]
        assert item.is_m_estimated
        assert sum(level.m_pairs_count for level in item.levels) > 1_000
    assert sum(level.u_pairs_count for level in strategy.comparisons[2].levels) == strategy.random_pairs_count


def test_the_same_seed_gives_the_same_result_and_another_one_nearly_so(
    result: EstimateResult, records: Path, configuration: MatchConfiguration, tmp_path: Path
) -> None:
    again = estimated([records], configuration, tmp_path)
    assert asdict(replace(again, seconds=SECONDS)) == asdict(replace(result, seconds=SECONDS))
    other = estimated([records], configuration, tmp_path, seed=2)
    assert other.strategies[0].comparisons != result.strategies[0].comparisons
    assert other.estimated_prior == pytest.approx(result.estimated_prior, rel=0.02)


def test_new_and_held_records_count_alike_and_ended_ones_not_at_all(
    result: EstimateResult, records: Path, configuration: MatchConfiguration, tmp_path: Path
) -> None:
    table = pq.read_table(records)
    ended = table.slice(0, 50).set_column(0, "record_id", pa.array(range(20_001, 20_051), pa.int64()))
    new, held = tmp_path / "new.parquet", tmp_path / "held.parquet"
    pq.write_table(pa.concat_tables([table.slice(3_000), ended]), new)
    pq.write_table(table.slice(0, 3_000), held)
    request = replace(
        request_of(new, configuration, tmp_path),
        held_records=(held,),
        ended=(write_ends(tmp_path / "ends.parquet", list(range(20_001, 20_051))),),
    )
    split = estimate_parameters(request, silent)
    assert asdict(replace(split, seconds=SECONDS)) == asdict(replace(result, seconds=SECONDS))


def test_rules_with_many_pairs_are_sampled_and_named(
    result: EstimateResult, records: Path, configuration: MatchConfiguration, tmp_path: Path
) -> None:
    sampled = estimated([records], configuration, tmp_path, max_candidate_pairs_count=150_000)
    rates = [rule.sampling_rate for rule in sampled.strategies[0].rules]
    assert rates == [3, 1, 5]
    assert sum("was looked at" in note for note in sampled.notes) == 2
    assert not result.notes
    assert sampled.estimated_prior == pytest.approx(result.estimated_prior, rel=0.1)
    all_pairs, some_pairs = (one.strategies[0].thresholds[0].pairs_count for one in (result, sampled))
    assert some_pairs == pytest.approx(all_pairs, rel=0.05)


def test_a_deterministic_strategy_stays_and_each_of_the_others_is_estimated(
    result: EstimateResult, records: Path, configuration: MatchConfiguration, tmp_path: Path
) -> None:
    (person,) = configuration.model_dump(mode="json", exclude_none=True)["strategies"]
    certain = {"name": "certain", "blocking_rules": [["suburb", "national_identifier", "postcode"]]}
    fewer = {**person, "name": "fewer", "blocking_rules": [["national_identifier"]]}
    both = estimated([records], with_strategies(configuration, [certain, person, fewer]), tmp_path)
    assert [item.strategy for item in both.strategies] == ["person", "fewer"]
    proposed = parse_match_configuration(both.proposed, STANDARD_FIELDS)
    assert proposed.strategies[0].is_deterministic
    assert [item.name for item in proposed.strategies] == ["certain", "person", "fewer"]
    # the prior is that of the strategy that sees the most
    assert both.estimated_prior == result.estimated_prior
    assert both.strategies[0] == result.strategies[0]
    (kept,) = (item for item in both.strategies[1].comparisons if item.name == "national_identifier")
    assert not kept.is_m_estimated
    assert [level.estimated_m for level in kept.levels] == [level.current_m for level in kept.levels]
    assert any("national_identifier" in note for note in both.strategies[1].notes)


def test_only_deterministic_strategies_leave_nothing_to_estimate(
    records: Path, configuration: MatchConfiguration, tmp_path: Path
) -> None:
    certain = with_strategies(configuration, [{"name": "certain", "blocking_rules": [["suburb", "postcode"]]}])
    found = estimated([records], certain, tmp_path)
    assert found.strategies == ()
    assert found.estimated_prior == certain.prior
    assert parse_match_configuration(found.proposed, STANDARD_FIELDS) == certain


def test_unlinkables_are_the_records_whose_values_weigh_too_little(result: EstimateResult, records: Path) -> None:
    (strategy,) = result.strategies
    prior = parse_match_configuration(result.proposed, STANDARD_FIELDS).prior_weight
    exact = {item.name: item.levels[0].estimated_weight for item in strategy.comparisons}
    rows = pq.read_table(records).to_pylist()
    weights = [prior + sum(weight for name, weight in exact.items() if row[name] is not None) for row in rows]
    under = sum(weight < strategy.proposed_match_threshold for weight in weights)
    assert strategy.unlinkable_share == pytest.approx(under / len(rows))
    assert under > 0
    for row in strategy.unlinkables:
        share = sum(weight < row.match_weight for weight in weights) / len(weights)
        assert row.records_share == pytest.approx(share)


@pytest.mark.parametrize("records_count", [0, 1, 2])
def test_hardly_any_record_gives_a_proposal_that_can_still_be_read(
    records_count: int, configuration: MatchConfiguration, tmp_path: Path
) -> None:
    people = [{"record_id": number, "suburb": "leeds", "postcode": "2000"} for number in range(records_count)]
    path = write_records(tmp_path / "records.parquet", people)
    found = estimated([path], configuration, tmp_path)
    parse_match_configuration(found.proposed, STANDARD_FIELDS)
    assert any("matches are expected" in note for note in found.notes)


def test_skipped_blocks_are_named_and_do_not_pull_the_prior_down(
    result: EstimateResult, records: Path, configuration: MatchConfiguration, tmp_path: Path
) -> None:
    # the median blocks of the first rule hold 22 records, of the last 33
    request = replace(request_of(records, configuration, tmp_path), max_block_size=22)
    found = estimate_parameters(request, silent)
    suburb, identifier, postcode = found.strategies[0].rules
    before = result.strategies[0].rules
    assert suburb.candidate_pairs_count < before[0].candidate_pairs_count / 2
    assert identifier.candidate_pairs_count == before[1].candidate_pairs_count
    assert 0.4 < suburb.skipped_records_share < 0.6
    assert 0.9 < postcode.skipped_records_share < 1
    assert sum("skips blocks" in note for note in found.notes) == 2
    assert found.estimated_prior == pytest.approx(result.estimated_prior, rel=0.1)


def test_a_rule_whose_blocks_are_all_skipped_finds_nothing(
    records: Path, configuration: MatchConfiguration, tmp_path: Path
) -> None:
    found = estimate_parameters(replace(request_of(records, configuration, tmp_path), max_block_size=1), silent)
    assert [rule.candidate_pairs_count for rule in found.strategies[0].rules] == [0, 0, 0]
    # a record that is alone in its block is not skipped
    assert all(rule.skipped_records_share > 0.95 for rule in found.strategies[0].rules)
    assert found.strategies[0].thresholds == ()
    parse_match_configuration(found.proposed, STANDARD_FIELDS)


def test_progress_names_its_stages(records: Path, configuration: MatchConfiguration, tmp_path: Path) -> None:
    heard: list[Progress] = []
    found = estimate_parameters(request_of(records, configuration, tmp_path), heard.append)
    assert list(dict.fromkeys(report.stage for report in heard)) == ["sample", "patterns", "values", "estimate"]
    assert set(found.seconds) == {"sample", "patterns", "values", "estimate"}


def test_term_frequencies_are_left_out_and_no_threshold_is_out_of_their_reach(
    records: Path, configuration: MatchConfiguration, tmp_path: Path
) -> None:
    (person,) = configuration.model_dump(mode="json", exclude_none=True)["strategies"]
    for comparison in person["comparisons"]:
        # so large a least frequency takes more off the exact levels than their estimates give
        comparison["term_frequency"] = {"minimum_u": 0.5}
    person["match_threshold"] = person["review_threshold"] = -40
    adjusted = with_strategies(configuration, [person])
    found = estimated([records], adjusted, tmp_path)
    proposed = parse_match_configuration(found.proposed, STANDARD_FIELDS)
    assert all(item.term_frequency is not None for item in proposed.strategies[0].comparisons)
    assert found.estimated_prior == pytest.approx(DESIGN.prior, rel=0.1)
