"""Match as a whole: pairs file and statistics; new against held; ends; chunks and progress."""

import datetime as dt
from itertools import combinations
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest

from linkwright.engine.progress import Progress
from tests.record_batches import read_rows, write_ends
from tests.unit.warehouse.matching import (
    ANN,
    ANNE,
    BOB,
    IDENTIFIER,
    LEVELS,
    PERSON,
    Project,
    configured,
    person,
    random_people,
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_new_records_are_paired_among_themselves(project: Project) -> None:
    result = project.match([project.records("new", [ANN, ANNE, BOB])])
    assert project.pairs() == [(1, 2, "person", 9.68)]
    assert (result.new_count, result.held_count, result.pairs.rows_count) == (3, 0, 1)


def test_new_records_are_paired_with_held_ones_and_held_ones_not_with_each_other(project: Project) -> None:
    held = project.records("held", [ANN, ANNE])
    new = project.records("new", [person(3, "ann", "lee"), person(4, "tom", "lee")])
    result = project.match([new], [held])
    assert [pair[:2] for pair in project.pairs()] == [(1, 3), (1, 4), (2, 3), (2, 4), (3, 4)]
    assert (result.new_count, result.held_count) == (2, 2)


def test_new_records_may_have_smaller_ids_than_held_ones(project: Project) -> None:
    held = project.records("held", [person(9, "ann", "lee"), person(8, "ann", "lee")])
    project.match([project.records("new", [ANN, ANNE])], [held])
    assert [pair[:2] for pair in project.pairs()] == [(1, 2), (1, 8), (1, 9), (2, 8), (2, 9)]


def test_ended_records_take_no_part(project: Project, tmp_path: Path) -> None:
    held = project.records("held", [ANN, ANNE])
    new = project.records("new", [person(3, "ann", "lee"), person(4, "ann", "lee")])
    result = project.match([new], [held], ended=(write_ends(tmp_path / "ends.parquet", [1, 4]),))
    assert [pair[:2] for pair in project.pairs()] == [(2, 3)]
    assert (result.new_count, result.held_count) == (1, 1)


def test_the_pairs_file_has_the_columns_of_the_data_model(project: Project) -> None:
    birth = {"name": "birth", "field": "date_of_birth", "method": "exact", "levels": LEVELS}
    other = {**PERSON, "name": "birth_only", "comparisons": [birth], "match_threshold": 1}
    project.match([project.records("new", [ANN, ANNE])], configuration=configured(PERSON, other))
    schema = pq.read_schema(project.folder / "pairs.parquet")
    assert {field.name: str(field.type) for field in schema} == {
        "record_id_l": "int64",
        "record_id_r": "int64",
        "strategy": "string",
        "match_weight": "double",
        "is_match": "bool",
        "blocking_rule": "int32",
        "level_given_name": "int8",
        "level_surname": "int8",
        "level_date_of_birth": "int8",
        "level_birth": "int8",
    }


def test_levels_are_stored_and_those_of_other_strategies_are_empty(project: Project) -> None:
    birth = {"name": "birth", "field": "date_of_birth", "method": "exact", "levels": LEVELS}
    other = {**PERSON, "name": "birth_only", "comparisons": [birth], "match_threshold": 1}
    rows = [ANN, person(2, None, "lee")]
    project.match([project.records("new", rows)], configuration=configured(PERSON, other))
    (row,) = read_rows(project.folder / "pairs.parquet")
    levels = {name: value for name, value in row.items() if name.startswith("level_")}
    expected = {"level_given_name": -1, "level_surname": 1, "level_date_of_birth": 1, "level_birth": None}
    assert levels == expected


def test_a_deterministic_strategy_goes_before_a_scored_one(project: Project) -> None:
    rows = [{**ANN, "national_identifier": "7"}, {**ANNE, "national_identifier": "7"}, person(3, "ann", "lee")]
    result = project.match([project.records("new", rows)], configuration=configured(PERSON, IDENTIFIER))
    assert [pair[:3] for pair in project.pairs()] == [(1, 2, "identifier"), (1, 3, "person"), (2, 3, "person")]
    assert [(rule.strategy, rule.kept_pairs_count) for rule in result.rules] == [
        ("person", 2),
        ("person", 0),
        ("identifier", 1),
    ]


def test_rules_report_counted_scored_and_kept_pairs(project: Project) -> None:
    rows = [ANN, ANNE, BOB, person(4, "ann", "lee", date_of_birth=dt.date(1990, 1, 1))]
    result = project.match([project.records("new", rows)])
    counts = [
        (rule.rule, rule.candidate_pairs_count, rule.scored_pairs_count, rule.kept_pairs_count)
        for rule in result.rules
    ]
    assert counts == [("surname and suburb", 3, 3, 2), ("date_of_birth", 3, 2, 0)]
    assert result.candidate_pairs_count == 6


def test_weights_are_counted_over_all_chunks_and_strategies(project: Project) -> None:
    rows = [ANN, ANNE, BOB, person(4, "ann", "lee")]
    new = [project.records("new", rows)]
    expected = [("person", -1, 3, 0), ("person", 9, 2, 2), ("person", 19, 1, 1)]
    for chunk_pairs_count in (1, 1000):
        result = project.match(new, chunk_pairs_count=chunk_pairs_count)
        bins = [(b.strategy, b.weight_from, b.scored_pairs_count, b.kept_pairs_count) for b in result.weights]
        assert bins == expected


def test_chunks_and_batches_change_nothing(project: Project) -> None:
    people = random_people(60)
    project.match([project.records("all", people)])
    whole = project.pairs()
    batches = [project.records(f"batch{number}", people[number::3]) for number in range(3)]
    result = project.match(batches, chunk_pairs_count=50)
    assert project.pairs() == whole
    assert len(whole) > 100
    assert len([report for report in project.reports if report.stage == "score"]) > 10
    assert result.new_count == 60


@pytest.mark.parametrize("parts_count", [2, 10])
def test_increments_in_random_order_find_the_pairs_of_the_whole(project: Project, parts_count: int) -> None:
    people = random_people(60)
    project.match([project.records("all", people)])
    whole = project.pairs()
    Random(parts_count).shuffle(people)
    found: list[tuple[int, int, str, float]] = []
    held: list[Path] = []
    for number in range(parts_count):
        new = project.records(f"part{number}", people[number::parts_count])
        project.match([new], held)
        found += project.pairs()
        held.append(new)
    assert sorted(found) == whole


def test_every_pair_of_equal_people_is_found(project: Project) -> None:
    project.match([project.records("new", [person(number, "ann", "lee") for number in range(30)])])
    assert [pair[:2] for pair in project.pairs()] == list(combinations(range(30), 2))


def test_progress_counts_the_candidate_pairs_up_to_all_of_them(project: Project) -> None:
    result = project.match([project.records("new", random_people(50))], chunk_pairs_count=200)
    scored = [(report.done, report.total) for report in project.reports if report.stage == "score"]
    assert scored[0] == (0, result.candidate_pairs_count)
    assert scored[-1] == (result.candidate_pairs_count, result.candidate_pairs_count)
    assert scored == sorted(scored)
    assert [project.reports[number].stage for number in (0, 1, -1)] == ["index", "count", "write"]
    assert set(result.seconds) == {"index", "count", "candidates", "score", "part", "write"}


@pytest.mark.parametrize("ids", [[], [1]])
def test_one_record_or_none_makes_no_pair(project: Project, ids: list[int]) -> None:
    new = project.records("new", [person(number, "ann", "lee") for number in ids])
    result = project.match([new])
    assert result.pairs.rows_count == 0
    assert read_rows(project.folder / "pairs.parquet") == []
    assert (result.weights, result.largest_blocks, result.warnings) == ((), (), ())


def test_without_new_files_nothing_is_paired(project: Project) -> None:
    result = project.match([], [project.records("held", [ANN, ANNE])])
    assert (result.new_count, result.held_count, result.pairs.rows_count) == (0, 2, 0)


def test_batches_written_before_a_field_was_added_lack_its_values(project: Project, tmp_path: Path) -> None:
    new = project.records("new", [ANN, ANNE])
    table = pq.read_table(project.records("old", [person(3, "ann", "lee")]))
    old = tmp_path / "older.parquet"
    pq.write_table(table.drop_columns(["date_of_birth"]), old)
    held = project.records("held", [person(4, "ann", "lee")])
    project.match([new], [old, held])
    weights = {pair[:2]: pair[3] for pair in project.pairs()}
    assert weights[1, 3] == pytest.approx(weights[1, 4] - 6.49, abs=0.01)


def test_ended_records_are_paired_with_nobody_and_are_not_counted(project: Project) -> None:
    held = project.records("held", [person(1, "ann", "lee"), person(2, "ann", "lee")])
    new = project.records("new", [person(3, "ann", "lee"), person(4, "ann", "lee")])
    ended = (write_ends(project.folder / "ends.parquet", [2, 4]),)
    result = project.match([new], [held], ended=ended)
    assert [pair[:2] for pair in project.pairs()] == [(1, 3)]
    assert (result.new_count, result.held_count, result.candidate_pairs_count) == (1, 1, 2)


def test_records_that_share_one_word_or_swapped_names_are_brought_together(project: Project) -> None:
    rows = [
        {"record_id": 1, "given_name": "ann", "surname": "lee", "address_line_1": "3 high street"},
        {"record_id": 2, "given_name": "lee", "surname": "ann", "address_line_1": "high road"},
        {"record_id": 3, "given_name": "bob", "surname": "lee", "address_line_1": "low road road"},
        {"record_id": 4, "given_name": "lee", "surname": "ann", "address_line_1": None},
    ]
    swapped = {"field": "given_name", "transform": "swapped", "swapped_with": "surname"}
    word = {"field": "address_line_1", "transform": "any_token"}
    found = {}
    for name, rule in (("swapped", [swapped]), ("word", [word]), ("both", [swapped, word])):
        project.match(
            [project.records("new", rows)],
            configuration=configured({**PERSON, "review_threshold": -99, "blocking_rules": [rule]}),
        )
        found[name] = [pair[:2] for pair in project.pairs()]
    assert found == {"swapped": [(1, 2), (1, 4), (2, 4)], "word": [(1, 2), (2, 3)], "both": [(1, 2)]}


def test_writing_counts_pairs_so_that_it_has_a_rate(project: Project) -> None:
    project.match([project.records("new", [ANN, ANNE, BOB])])
    written = [report for report in project.reports if report.stage == "write"]
    assert written[0] == Progress("write", 0, 1, "pairs")
    assert written[-1] == Progress("write", 1, 1, "pairs")
