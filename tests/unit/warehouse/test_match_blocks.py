"""Blocks of Match: the largest are named, those over the limit are split, skipped or refused."""

from itertools import combinations
from pathlib import Path

import pytest

from linkwright.engine.identifying import revealed
from linkwright.engine.progress import Progress
from linkwright.warehouse.preflight import PAIRS_PER_SECOND, OverLimitsError
from tests.unit.warehouse.matching import (
    ANN,
    ANNE,
    BOB,
    DAY,
    PERSON,
    Project,
    configured,
    person,
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_block_over_the_limit_is_skipped_named_and_left_to_other_rules(project: Project) -> None:
    rows = [person(number, "ann", "lee", date_of_birth=DAY.replace(day=1 + number % 2)) for number in range(4)]
    result = project.match([project.records("new", rows)], max_block_size=3)
    assert [pair[:2] for pair in project.pairs()] == [(0, 2), (1, 3)]
    (warning,) = result.warnings
    assert revealed(warning) == (
        "The block 'lee · dapto' of the strategy person, blocking rule 1 (surname and suburb), holds 4 records, "
        "over the limit of 3, and would make 6 pairs. This rule skips its pairs; other rules may still find them. "
        "Add another field to the rule, or raise Worker.Match.MaxBlockSize."
    )
    first, second = result.rules
    assert (first.candidate_pairs_count, first.oversized_blocks_count, first.oversized_pairs_count) == (0, 1, 6)
    assert (second.candidate_pairs_count, second.oversized_blocks_count, second.oversized_pairs_count) == (2, 0, 0)


def test_held_records_count_for_the_size_of_a_block(project: Project) -> None:
    held = project.records("held", [person(number, "ann", "lee") for number in range(3)])
    new = project.records("new", [person(7, "ann", "lee")])
    assert project.match([new], [held], max_block_size=4).pairs.rows_count == 3
    skipped = project.match([new], [held], max_block_size=3)
    assert skipped.pairs.rows_count == 0
    assert [block.records_count for block in skipped.largest_blocks if block.is_oversized] == [4, 4]


def test_many_skipped_blocks_are_named_up_to_ten_and_then_counted(project: Project) -> None:
    rows = [person(number, "ann", f"lee{number % 14}", date_of_birth=None) for number in range(42)]
    result = project.match([project.records("new", rows)], max_block_size=2)
    assert len(result.warnings) == 11
    assert result.warnings[-1].startswith(
        "The strategy person has 4 more blocks of over 2 records, skipped likewise;"
    )


def test_the_largest_blocks_are_named_with_values_and_pairs(project: Project) -> None:
    result = project.match([project.records("new", [ANN, ANNE, BOB])])
    blocks = [(b.rule, b.values, b.records_count, b.pairs_count, b.is_oversized) for b in result.largest_blocks]
    assert blocks == [
        ("date_of_birth", "1987-02-03", 3, 3, False),
        ("surname and suburb", "lee · dapto", 2, 1, False),
    ]


def test_an_oversized_block_is_split_by_a_later_rule_whose_block_is_oversized_as_well(project: Project) -> None:
    # of the eight who share surname and suburb, and the eight who share the birth date, four share both
    rows = [
        person(
            number,
            "ann",
            "lee" if number < 8 else f"ray{number}",
            date_of_birth=DAY if number >= 4 else DAY.replace(day=10 + number),
        )
        for number in range(12)
    ]
    new = [project.records("new", rows)]
    result = project.match(new, configuration=configured(PERSON, oversized_blocks="split"), max_block_size=5)
    assert [pair[:2] for pair in project.pairs()] == [*combinations(range(4, 8), 2)]
    first, second = result.rules
    assert (first.oversized_blocks_count, first.oversized_pairs_count, first.split_pairs_count) == (1, 28, 6)
    assert (second.oversized_blocks_count, second.split_pairs_count) == (1, 0)
    assert "compares those of its pairs that a later rule also joins" in result.warnings[0]


def test_what_is_split_counts_held_records_of_every_batch(project: Project) -> None:
    batches = [
        project.records(f"held{part}", [person(10 * part + number, "ann", "lee") for number in range(3)])
        for part in (1, 2)
    ]
    other_day = person(99, "ann", "lee", date_of_birth=DAY.replace(day=9))
    new = project.records("new", [person(98, "ann", "lee"), other_day])
    held = [*batches, project.records("held3", [person(30, "ann", "lee", date_of_birth=DAY.replace(day=9))])]
    project.match([new], held, configuration=configured(PERSON, oversized_blocks="split"), max_block_size=3)
    assert [pair[:2] for pair in project.pairs()] == [(30, 99)]


def test_one_block_of_65_000_records_ends_well_and_soon(project: Project) -> None:
    rows = [person(number, f"g{number % 997}", f"s{number % 9973}", suburb="dapto") for number in range(65_000)]
    by_suburb = {**PERSON, "blocking_rules": [["suburb"], ["given_name", "surname"]]}
    for oversized in ("split", "skip"):
        result = project.match(
            [project.records("new", rows)],
            configuration=configured(by_suburb, oversized_blocks=oversized),
            max_block_size=5000,
        )
        assert result.pairs.rows_count == 0
        assert result.rules[0].oversized_pairs_count == 65_000 * 64_999 // 2
        assert "65,000 records" in result.warnings[0]
        assert sum(result.seconds.values()) < 20


def test_a_configuration_can_refuse_oversized_blocks_before_anything_is_compared(project: Project) -> None:
    new = [project.records("new", [person(number, "ann", "lee") for number in range(4)])]
    with pytest.raises(OverLimitsError, match=r"oversized_blocks: fail.*holds 4 records, over the limit of 3"):
        project.match(new, configuration=configured(PERSON, oversized_blocks="fail"), max_block_size=3)
    assert project.announced == []
    assert not (project.folder / "pairs.parquet").exists()
    assert (
        project.match(
            new, configuration=configured(PERSON, oversized_blocks="fail"), max_block_size=4
        ).pairs.rows_count
        == 6
    )


def test_more_candidate_pairs_than_allowed_are_refused_with_the_largest_blocks(project: Project) -> None:
    new = [project.records("new", [ANN, ANNE, BOB])]
    assert project.match(new, max_candidate_pairs=4).candidate_pairs_count == 4
    with pytest.raises(OverLimitsError, match=r"4 candidate pairs, over the limit of 3.*'1987-02-03'. \(3 p"):
        project.match(new, max_candidate_pairs=3)


def test_what_will_be_compared_is_announced_before_it_is(project: Project) -> None:
    heard: list[int] = []

    def report(progress: Progress) -> None:
        if progress.stage == "score":
            heard.append(len(project.announced))

    project.match([project.records("new", [ANN, ANNE, BOB])], report=report)
    (preflight,) = project.announced
    assert preflight.candidate_pairs_counts == {"person": (1, 3)}
    assert preflight.candidate_pairs_count == 4
    assert preflight.estimated_s == 4 / PAIRS_PER_SECOND
    assert [block.values for block in preflight.largest_blocks] == ["1987-02-03", "lee · dapto"]
    assert set(heard) == {1}
