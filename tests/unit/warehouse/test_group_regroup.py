"""Regroup: touched groups worked out anew after deletions, reviews and rollbacks, with ids that stay."""

from pathlib import Path

import numpy as np
import pytest

from linkwright.engine.links import Refusal
from linkwright.engine.progress import Progress
from linkwright.warehouse.regroup import RegroupRequest, records_touched_by, regroup_records
from tests.grouped_project import GroupedProject


@pytest.fixture
def project(tmp_path: Path) -> GroupedProject:
    return GroupedProject(tmp_path)


CHAIN = [(1, 2, 9.0), (2, 3, 8.0), (3, 4, 9.0), (4, 5, 7.0)]


def test_a_group_without_its_middle_record_falls_apart_and_the_oldest_record_keeps_the_id(
    project: GroupedProject,
) -> None:
    project.group(range(1, 7), CHAIN)
    project.end(3)
    result = project.regroup(records=[3])
    assert project.written == [(4, 3), (5, 3)]
    assert project.map == {1: 1, 2: 1, 4: 3, 5: 3, 6: 2}
    assert (result.split_groups_count, result.new_groups_count, result.changed_records_count) == (1, 1, 2)
    assert (result.counts.groups_before_count, result.counts.groups_after_count) == (2, 3)
    assert result.max_group_id == 3


def test_a_group_can_be_named_by_its_id(project: GroupedProject) -> None:
    project.group(range(1, 6), CHAIN)
    project.end(1, 3)
    assert project.regroup(groups=[1]).split_groups_count == 1
    assert project.map == {2: 1, 4: 2, 5: 2}


def test_a_group_whose_records_all_ended_vanishes(project: GroupedProject) -> None:
    project.group([1, 2, 3], [(1, 2, 9.0)])
    project.end(1, 2)
    result = project.regroup(records=[1, 2])
    assert project.written == []
    assert (result.counts.groups_before_count, result.counts.groups_after_count) == (1, 1)
    assert project.map == {3: 2}


def test_groups_worked_out_anew_without_a_reason_stay_as_they_are(project: GroupedProject) -> None:
    project.group(range(1, 6), CHAIN)
    result = project.regroup(groups=[1, 77])
    assert project.written == []
    assert (result.accepted_pairs_count, result.max_group_id, result.split_groups_count) == (4, 1, 0)


def test_nothing_touched_is_nothing_changed(project: GroupedProject) -> None:
    project.group([1, 2])
    assert project.regroup(records=[99]).changed_records_count == 0
    assert GroupedProject(project.folder).regroup().counts.groups_after_count == 0


def test_records_that_a_person_put_apart_are_taken_apart_at_the_weakest_link(project: GroupedProject) -> None:
    project.group(range(1, 6), CHAIN)
    project.decide(apart=[(1, 5)])
    result = project.regroup(records=[1, 5])
    assert project.partition == {frozenset({1, 2, 3, 4}), frozenset({5})}
    assert [(one.record_id_l, one.record_id_r, one.reason) for one in result.ignored.named] == [
        (4, 5, Refusal.APART)
    ]
    # it outlives later grouping
    project.group([6], [(1, 6, 9.0), (5, 6, 8.0)])
    assert project.partition == {frozenset({1, 2, 3, 4, 6}), frozenset({5})}


def test_records_that_a_person_put_together_come_together(project: GroupedProject) -> None:
    project.group([1, 2, 3, 4], [(3, 4, 9.0)])
    project.decide(together=[(2, 4)])
    result = project.regroup(records=[2, 4])
    assert project.map == {1: 1, 2: 2, 3: 2, 4: 2}
    assert (result.merged_groups_count, result.grown_groups_count) == (1, 1)


def test_a_decision_that_was_turned_round_gives_the_old_groups_back(project: GroupedProject) -> None:
    project.group(range(1, 6), CHAIN)
    before = project.map
    project.decide(apart=[(1, 5)])
    project.regroup(records=[1, 5])
    project.decide(together=[(1, 5)])
    project.regroup(records=[1, 5])
    assert project.map == before


def test_a_group_that_was_kept_apart_is_worked_out_with_the_touched_one(project: GroupedProject) -> None:
    project.group([1, 2, 3], [(1, 2, 9.0), (2, 3, 8.0)])
    project.decide(apart=[(1, 3)])
    project.regroup(records=[1])
    assert project.partition == {frozenset({1, 2}), frozenset({3})}
    project.end(1)
    project.regroup(records=[1])
    assert project.partition == {frozenset({2, 3})}


def test_contradictions_are_told_with_the_records_of_the_chain(project: GroupedProject) -> None:
    project.group([1, 2, 3])
    project.decide(together=[(1, 2)])
    project.decide(together=[(2, 3)])
    project.decide(apart=[(1, 3)])
    result = project.regroup(records=[1, 2, 3])
    assert project.partition == {frozenset({1}), frozenset({2, 3})}
    assert result.contradictions_count == 1
    assert "through 1-2, 2-3" in result.contradictions[0]


def test_the_rule_of_authoritative_records_takes_groups_apart_that_broke_it(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path, authoritative=["BIRTH"])
    births = [{"record_id": number, "event_type": "BIRTH"} for number in (1, 2)]
    project.group([*births, 3], [(1, 3, 9.0), (2, 3, 8.0)])
    project.configuration = project.configuration.model_copy(update={"one_per_authoritative": True})
    result = project.regroup(groups=[1])
    assert project.map == {1: 1, 2: 2, 3: 1}
    assert result.flagged.count == 0


def test_with_best_link_the_envelopes_are_replayed_in_their_order(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path, method="best_link")
    project.group([1, 2])
    project.group([3], [(1, 3, 6.0), (2, 3, 7.0)])
    project.group([4], [(1, 4, 9.0), (3, 4, 8.0)])
    before = project.map
    assert before == {1: 1, 2: 2, 3: 2, 4: 1}
    assert project.regroup(groups=[1, 2]).changed_records_count == 0
    project.end(2)
    project.regroup(records=[2])
    # without record 2, record 3 would have joined record 1
    assert project.partition == {frozenset({1, 3, 4})}


def test_an_envelope_rolled_back_out_of_order_leaves_no_trace_in_the_groups(project: GroupedProject) -> None:
    project.group([1, 2])
    project.group([3], [(1, 3, 9.0), (2, 3, 9.0)])
    project.group([4, 5], [(2, 4, 9.0), (3, 5, 9.0)])
    assert project.partition == {frozenset({1, 2, 3, 4, 5})}
    project.roll_back(1)
    assert project.partition == {frozenset({1}), frozenset({2, 4}), frozenset({5})}
    assert project.map[1] == 1


def test_the_records_that_an_envelope_touched_are_those_of_the_groups_that_it_changed(
    project: GroupedProject,
) -> None:
    project.group([1, 2, 3])
    project.group([4, 5], [(1, 4, 9.0)])
    project.group([6], [(2, 6, 9.0)])
    touched = records_touched_by(project.limits, project.assignments, project.assignments[1:2])
    assert touched.tolist() == [1, 4, 5]
    assert records_touched_by(project.limits, project.assignments, []).tolist() == []


def test_stages_are_told(project: GroupedProject) -> None:
    project.group([1])
    reports: list[Progress] = []
    request = RegroupRequest(
        touched_group_ids=np.array([1], dtype=np.int64),
        touched_record_ids=np.array([], dtype=np.int64),
        records=tuple(project.records),
        pairs=tuple(project.pairs),
        assignments=tuple(project.assignments),
        arrivals=tuple(project.assignments),
        ended=(),
        decisions=(),
        configuration=project.configuration,
        authoritative_event_types=(),
        next_group_id=2,
        target=project.path(),
        limits=project.limits,
    )
    regroup_records(request, reports.append)
    assert [report.stage for report in reports] == ["read", "merge", "write", "count"]
