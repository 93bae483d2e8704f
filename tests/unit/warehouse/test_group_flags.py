"""Flagged groups: each reason, of touched groups only, all counted and the first named."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from linkwright.warehouse.group_result import NAMED_COUNT, FlaggedGroup
from tests.grouped_project import GroupedProject


def record(record_id: int, event_type: str = "E", **values: Any) -> dict[str, Any]:
    return {"record_id": record_id, "event_type": event_type, **values}


def test_a_touched_group_with_two_authoritative_records_of_a_kind_is_flagged(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path, authoritative=["BIRTH"])
    held = [record(1, "BIRTH"), record(2, "VISIT"), record(3, "BIRTH"), record(4, "BIRTH")]
    assert project.group(held, [(1, 2, 9.0), (3, 4, 9.0)]).flagged.named == (
        FlaggedGroup(2, "several_authoritative_records", 2, "BIRTH"),
    )
    new = [record(7, "BIRTH"), record(8, "VISIT"), record(9, "BIRTH")]
    result = project.group(new, [(1, 7, 9.0), (1, 8, 9.0)])
    assert result.flagged.named == (FlaggedGroup(1, "several_authoritative_records", 2, "BIRTH"),)
    assert (result.flagged.count, result.flagged.by_reason) == (1, {"several_authoritative_records": 1})


def test_groups_that_merge_are_flagged_by_their_records_together(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path, authoritative=["BIRTH", "DEATH"])
    project.group([record(1, "DEATH"), record(2, "DEATH")])
    result = project.group([record(7)], [(1, 7, 9.0), (2, 7, 9.0)])
    assert result.flagged.named == (FlaggedGroup(1, "several_authoritative_records", 2, "DEATH"),)


def test_a_group_with_more_records_than_expected_is_flagged(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path, largest_expected_group=2)
    result = project.group(range(1, 6), [(1, 2, 9.0), (2, 3, 9.0), (4, 5, 9.0)])
    assert result.flagged.named == (FlaggedGroup(1, "more_records_than_expected", 3),)


def test_a_group_that_only_weak_pairs_hold_together_is_flagged_with_its_weakest_link(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path, flag_links_under=7.0)
    assert project.group([1, 2, 3], [(1, 2, 5.5), (1, 3, 9.0)]).flagged.named == (
        FlaggedGroup(1, "weak_link", 3, None, 5.5),
    )
    # the group's own weak link counts in a later Envelope too, as long as no stronger way goes round it
    assert project.group([4], [(3, 4, 8.0)]).flagged.named == (FlaggedGroup(1, "weak_link", 4, None, 5.5),)
    assert project.group([5], [(2, 5, 7.0), (4, 5, 7.5)]).flagged.named == ()


def test_records_that_a_person_put_together_are_no_weak_link(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path, flag_links_under=7.0)
    project.group([1, 2], [(1, 2, 5.5)])
    project.decide(together=[(1, 2)])
    assert project.group([3], [(1, 3, 9.0)]).flagged.named == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(date(1980, 3, 7), date(1980, 7, 3), id="day and month swapped"),
        pytest.param(date(1980, 3, 7), date(1981, 3, 7), id="one digit of the year"),
        pytest.param(date(1980, 3, 7), date(1980, 3, 17), id="one digit of the day"),
        pytest.param(date(987, 3, 7), date(1987, 3, 7), id="a short year"),
        pytest.param(date(1980, 3, 7), None, id="a missing one"),
    ],
)
def test_dates_that_one_slip_explains_are_no_conflict(tmp_path: Path, one: date, other: date | None) -> None:
    project = GroupedProject(tmp_path)
    new = [record(1, date_of_birth=one), record(2, date_of_birth=other)]
    assert project.group(new, [(1, 2, 9.0)]).flagged.count == 0


def test_dates_that_differ_by_more_are_a_conflict(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path)
    project.group([record(1, date_of_birth=date(1980, 3, 7))])
    result = project.group([record(2, date_of_birth=date(1981, 7, 3))], [(1, 2, 9.0)])
    assert result.flagged.named == (FlaggedGroup(1, "conflicting_dates", 2),)


def test_so_many_different_dates_are_a_conflict_without_comparing_them(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path)
    new = [record(number, date_of_birth=date(1900 + number, 1, 1)) for number in range(1, 41)]
    result = project.group(new, [(1, number, 9.0) for number in range(2, 41)])
    assert result.flagged.by_reason == {"conflicting_dates": 1}


def test_both_sexes_in_a_group_are_a_conflict_and_other_values_are_not(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path)
    sexes = {1: "m", 2: "f", 3: "m", 4: "x", 5: None, 6: "f"}
    new = [record(number, sex=sex) for number, sex in sexes.items()]
    result = project.group(new, [(1, 2, 9.0), (3, 4, 9.0), (5, 6, 9.0)])
    assert result.flagged.named == (FlaggedGroup(1, "conflicting_sex", 2),)


def test_conflicts_that_the_project_does_not_look_for_are_not_flagged(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path, flag_conflicting_date=None, flag_conflicting_sex=None)
    new = [record(1, sex="m", date_of_birth=date(1980, 3, 7)), record(2, sex="f", date_of_birth=date(1991, 4, 8))]
    assert project.group(new, [(1, 2, 9.0)]).flagged.count == 0


@pytest.mark.parametrize("field", ["surname", "no_such_column"])
def test_a_field_that_holds_no_dates_is_not_looked_at(tmp_path: Path, field: str) -> None:
    project = GroupedProject(tmp_path, flag_conflicting_date=field)
    new = [record(1, surname="lee"), record(2, surname="fox")]
    assert project.group(new, [(1, 2, 9.0)]).flagged.count == 0


def test_a_batch_older_than_a_field_counts_as_without_it(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path)
    project.group([record(1, sex="m"), record(2, sex="m")], [(1, 2, 9.0)])
    without_sex = pq.read_table(project.records[0]).drop_columns(["sex"])
    pq.write_table(without_sex, project.records[0])
    result = project.group([record(3, sex="m"), record(4, sex="f")], [(1, 3, 9.0), (2, 4, 9.0)])
    assert result.flagged.by_reason == {"conflicting_sex": 1}


def test_a_group_with_several_reasons_counts_once_and_is_named_with_each(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path, authoritative=["E"], largest_expected_group=1)
    result = project.group([record(1, sex="m"), record(2, sex="f")], [(1, 2, 9.0)])
    assert result.flagged.count == 1
    assert result.flagged.by_reason == {
        "several_authoritative_records": 1,
        "more_records_than_expected": 1,
        "conflicting_sex": 1,
    }
    assert [one.reason for one in result.flagged.named] == [
        "conflicting_sex",
        "more_records_than_expected",
        "several_authoritative_records",
    ]


def test_flagged_groups_are_all_counted_but_named_up_to_a_limit(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path, authoritative=["E"])
    count = NAMED_COUNT + 3
    pairs = [(2 * number, 2 * number + 1, 9.0) for number in range(count)]
    result = project.group(range(2 * count), pairs)
    assert result.flagged.count == count
    assert [flagged.group_id for flagged in result.flagged.named] == list(range(1, NAMED_COUNT + 1))
