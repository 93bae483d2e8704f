"""Match as a whole: pairs file and statistics; new against held; ends; skipped blocks; chunks and progress."""

import datetime as dt
import shutil
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest

from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.warehouse.connection import EngineLimits
from linkwright.warehouse.match import MatchRequest, MatchResult, match_records
from linkwright.warehouse.preflight import PAIRS_PER_SECOND, MatchLimits, OverLimitsError, Preflight
from linkwright.warehouse.record_sources import RecordSources
from tests.record_batches import Row, read_rows, write_ends, write_records

LEVELS = [
    {"when": "exact", "m_probability": 0.9, "u_probability": 0.01},
    {"when": "else", "m_probability": 0.1, "u_probability": 0.99},
]
PERSON = {
    "name": "person",
    "match_threshold": 5,
    "review_threshold": 0,
    "blocking_rules": [["surname", "suburb"], ["date_of_birth"]],
    "comparisons": [
        {"field": name, "method": "exact", "levels": LEVELS} for name in ("given_name", "surname", "date_of_birth")
    ],
}
IDENTIFIER = {"name": "identifier", "blocking_rules": [["national_identifier"]]}
DAY = dt.date(1987, 2, 3)


def configured(*strategies: dict[str, Any], **settings: Any) -> MatchConfiguration:
    definition = {"prior": 0.5, "strategies": list(strategies), "oversized_blocks": "skip", **settings}
    return parse_match_configuration(definition, STANDARD_FIELDS)


class Project:
    """Writes batches into a folder and matches them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reports: list[Progress] = []
        self.announced: list[Preflight] = []

    def records(self, name: str, rows: Sequence[Row]) -> Path:
        return write_records(self.folder / f"{name}.parquet", rows)

    def match(
        self,
        new: Sequence[Path],
        held: Sequence[Path] = (),
        configuration: MatchConfiguration | None = None,
        report: ReportProgress | None = None,
        **settings: Any,
    ) -> MatchResult:
        request = MatchRequest(
            sources=RecordSources(
                tuple(new), tuple(held), settings.pop("ended", ()), self.folder, "x", settings.pop("indexes", {})
            ),
            configuration=configuration or configured(PERSON),
            target=self.folder / "pairs.parquet",
            parts_folder=self.folder / "parts",
            limits=EngineLimits(self.folder / "scratch", memory_mib=512, threads=1),
            match_limits=MatchLimits(
                settings.pop("max_block_size", 1000), settings.pop("max_candidate_pairs", None)
            ),
            **settings,
        )
        return match_records(request, report or self.reports.append, self.announced.append)

    def pairs(self) -> list[tuple[int, int, str, float]]:
        """Return record ids, strategy and rounded weight of the stored pairs, in their order."""
        return [
            (row["record_id_l"], row["record_id_r"], row["strategy"], round(row["match_weight"], 2))
            for row in read_rows(self.folder / "pairs.parquet")
        ]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def person(record_id: int, given: str | None, surname: str | None, **values: Any) -> dict[str, Any]:
    row = {"record_id": record_id, "given_name": given, "surname": surname, "suburb": "dapto"}
    return {**row, "date_of_birth": DAY, **values}


ANN, ANNE, BOB = person(1, "ann", "lee"), person(2, "anne", "lee"), person(3, "bob", "ray")


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


def test_a_block_over_the_limit_is_skipped_named_and_left_to_other_rules(project: Project) -> None:
    rows = [person(number, "ann", "lee", date_of_birth=DAY.replace(day=1 + number % 2)) for number in range(4)]
    result = project.match([project.records("new", rows)], max_block_size=3)
    assert [pair[:2] for pair in project.pairs()] == [(0, 2), (1, 3)]
    (warning,) = result.warnings
    assert warning == (
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


def random_people(count: int) -> list[dict[str, Any]]:
    random = Random(11)
    return [
        person(
            number,
            random.choice(["ann", "bob", "cy", None]),
            random.choice(["lee", "ray", "fox", None]),
            suburb=random.choice(["dapto", "lyons", None]),
            date_of_birth=random.choice([DAY, DAY.replace(day=4), None]),
        )
        for number in range(count)
    ]


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
    with pytest.raises(OverLimitsError, match=r"4 candidate pairs, over the limit of 3.*'1987-02-03' \(3 pairs\)"):
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


class Killed(BaseException):
    """Stands for the end of the process."""


def kill_after(chunks_count: int) -> ReportProgress:
    reports: list[Progress] = []

    def report(progress: Progress) -> None:
        if progress.stage == "score":
            reports.append(progress)
            if len(reports) > chunks_count:
                raise Killed

    return report


def test_a_run_that_is_killed_goes_on_after_its_last_finished_chunk(project: Project) -> None:
    new = [project.records("new", random_people(60))]
    untouched = project.match(new, chunk_pairs_count=60)
    pairs = project.pairs()
    shutil.rmtree(project.folder / "parts")
    with pytest.raises(Killed):
        project.match(new, chunk_pairs_count=60, report=kill_after(3))
    resumed = project.match(new, chunk_pairs_count=60)
    assert resumed.resumed_chunks_count == 3
    assert untouched.resumed_chunks_count == 0
    assert project.pairs() == pairs
    assert (resumed.rules, resumed.weights) == (untouched.rules, untouched.weights)


@pytest.mark.parametrize("changed", ["chunk_pairs_count", "configuration", "file"])
def test_parts_of_another_run_are_not_taken_over(project: Project, changed: str) -> None:
    people = random_people(60)
    new: list[Path] = [project.records("new", people)]
    settings: dict[str, Any] = {"chunk_pairs_count": 60}
    with pytest.raises(Killed):
        project.match(new, **settings, report=kill_after(3))
    if changed == "file":
        new = [project.records("renewed", people)]
    elif changed == "chunk_pairs_count":
        settings = {"chunk_pairs_count": 70}
    configuration = configured(PERSON, prior=0.4) if changed == "configuration" else None
    result = project.match(new, configuration=configuration, **settings)
    assert result.resumed_chunks_count == 0
    assert sum(rule.kept_pairs_count for rule in result.rules) == len(project.pairs())


def test_a_chunk_without_its_counts_is_not_finished(project: Project) -> None:
    new = [project.records("new", random_people(60))]
    with pytest.raises(Killed):
        project.match(new, chunk_pairs_count=60, report=kill_after(2))
    counts = sorted((project.folder / "parts").glob("*.json"))
    counts[0].unlink()
    assert project.match(new, chunk_pairs_count=60).resumed_chunks_count == 1


def test_indexes_are_made_once_and_used_afterwards(project: Project) -> None:
    held, new = project.records("held", [ANN, ANNE]), project.records("new", [BOB, person(4, "ann", "lee")])
    made = project.match([new], [held]).made_indexes
    pairs = project.pairs()
    assert set(made) == {held, new}
    indexes = {records: index.path for records, index in made.items()}
    assert project.match([new], [held], indexes=indexes).made_indexes == {}
    assert project.pairs() == pairs


@pytest.mark.parametrize("harm", ["cut", "foreign", "gone", "other rules"])
def test_an_index_that_cannot_serve_is_made_anew(project: Project, harm: str) -> None:
    new = project.records("new", [ANN, ANNE, BOB])
    configuration = None
    index = project.match([new]).made_indexes[new].path
    pairs = project.pairs()
    if harm == "cut":
        index.write_bytes(index.read_bytes()[:-20])
    elif harm == "foreign":
        index.write_bytes(b"something else")
    elif harm == "gone":
        index.unlink()
    else:
        configuration = configured({**PERSON, "blocking_rules": [["surname"]]})
    kept = index.rename(index.with_name("kept")) if index.exists() else index
    result = project.match([new], indexes={new: kept}, configuration=configuration)
    assert set(result.made_indexes) == {new}
    assert project.pairs() == pairs


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
