"""Group under its rules: weighted best-link, one record per authoritative Event Type, Quality Reviews."""

from pathlib import Path

import pytest

from linkwright.engine.links import Refusal
from linkwright.warehouse.group_input import InvalidDecisionError
from linkwright.warehouse.group_result import NAMED_COUNT, IgnoredMerge
from tests.grouped_project import GroupedProject
from tests.record_batches import write_decisions


@pytest.fixture
def project(tmp_path: Path) -> GroupedProject:
    return GroupedProject(tmp_path)


@pytest.fixture
def best_link(tmp_path: Path) -> GroupedProject:
    return GroupedProject(tmp_path, method="best_link")


def test_with_best_link_a_new_record_joins_the_group_of_its_strongest_pair(best_link: GroupedProject) -> None:
    best_link.group([1, 2])
    result = best_link.group([3], [(1, 3, 7.0), (2, 3, 9.5)])
    assert best_link.written == [(3, 2)]
    assert (result.ignored.count, result.ignored.pairs_count) == (1, 1)
    assert result.ignored.named == (IgnoredMerge(1, 2, 1, 3, 7.0, Refusal.EXISTING),)
    assert result.merged_groups_count == 0


def test_with_best_link_the_records_of_one_envelope_merge_freely_among_themselves(
    best_link: GroupedProject,
) -> None:
    result = best_link.group([1, 2, 3, 4], [(1, 2, 9.0), (3, 4, 9.0), (2, 3, 5.0)])
    assert best_link.partition == {frozenset({1, 2, 3, 4})}
    assert result.ignored.count == 0


def test_with_best_link_groups_exist_from_the_end_of_their_envelope_on(best_link: GroupedProject) -> None:
    best_link.group([1, 2, 3, 4], [(1, 2, 9.0), (3, 4, 9.0)])
    result = best_link.group([5], [(1, 5, 6.0), (3, 5, 5.0)])
    assert best_link.partition == {frozenset({1, 2, 5}), frozenset({3, 4})}
    assert result.ignored.count == 1


def test_with_best_link_new_records_that_found_each_other_join_one_group_together(
    best_link: GroupedProject,
) -> None:
    best_link.group([1, 2])
    best_link.group([3, 4], [(3, 4, 12.0), (1, 3, 8.0), (2, 4, 11.0)])
    assert best_link.partition == {frozenset({1}), frozenset({2, 3, 4})}


def test_ignored_merges_are_counted_by_couples_of_groups_and_named_with_their_strongest_pair(
    best_link: GroupedProject,
) -> None:
    best_link.group([1, 2, 3, 4], [(1, 2, 9.0), (3, 4, 9.0)])
    result = best_link.group([5], [(1, 5, 9.0), (3, 5, 6.0), (4, 5, 8.0)])
    assert (result.ignored.count, result.ignored.pairs_count) == (1, 2)
    assert result.ignored.named == (IgnoredMerge(2, 1, 4, 5, 8.0, Refusal.EXISTING),)


def test_ignored_merges_are_all_counted_but_named_up_to_a_limit(best_link: GroupedProject) -> None:
    count = NAMED_COUNT + 3
    best_link.group(range(2 * count))
    new = [2 * count + number for number in range(count)]
    pairs = [(2 * number + side, one, 9.0 - side) for number, one in enumerate(new) for side in (0, 1)]
    result = best_link.group(new, pairs)
    assert (result.ignored.count, len(result.ignored.named)) == (count, NAMED_COUNT)


def records(**codes: str) -> list[dict[str, object]]:
    return [{"record_id": int(name[1:]), "event_type": code} for name, code in codes.items()]


@pytest.mark.parametrize("method", ["merge", "best_link"])
def test_a_group_takes_one_record_of_an_authoritative_event_type(tmp_path: Path, method: str) -> None:
    project = GroupedProject(tmp_path, authoritative=["BIRTH"], method=method, one_per_authoritative=True)
    result = project.group(
        records(r1="BIRTH", r2="VISIT", r3="BIRTH", r4="VISIT"),
        [(1, 2, 6.0), (2, 3, 7.0), (1, 4, 8.0), (2, 4, 5.0)],
    )
    assert project.partition == {frozenset({2, 3}), frozenset({1, 4})}
    assert [one.reason for one in result.ignored.named] == [Refusal.AUTHORITATIVE]
    assert (result.ignored.count, result.ignored.pairs_count) == (1, 2)
    assert result.flagged.count == 0


def test_existing_groups_with_an_authoritative_record_each_do_not_merge(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path, authoritative=["BIRTH"], one_per_authoritative=True)
    project.group(records(r1="BIRTH", r2="VISIT", r3="BIRTH"), [(1, 2, 9.0)])
    result = project.group(records(r4="VISIT"), [(2, 4, 6.0), (3, 4, 9.0)])
    assert project.partition == {frozenset({1, 2}), frozenset({3, 4})}
    assert result.ignored.count == 1


def test_groups_that_hold_two_authoritative_records_already_stay_and_can_grow(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path, authoritative=["BIRTH"])
    project.group(records(r1="BIRTH", r2="BIRTH"), [(1, 2, 9.0)])
    project.configuration = project.configuration.model_copy(update={"one_per_authoritative": True})
    project.group(records(r3="VISIT", r4="BIRTH"), [(1, 3, 9.0), (2, 4, 9.0)])
    assert project.partition == {frozenset({1, 2, 3}), frozenset({4})}


def test_records_that_were_put_together_share_a_group_whatever_the_weights(best_link: GroupedProject) -> None:
    best_link.group([1, 2, 3])
    best_link.decide(together=[(1, 2)])
    result = best_link.group([4])
    assert best_link.partition == {frozenset({1, 2}), frozenset({3}), frozenset({4})}
    assert (result.merged_groups_count, result.changed_records_count) == (1, 1)


def test_records_that_were_put_apart_share_no_group_whatever_chain_of_pairs_joins_them(
    project: GroupedProject,
) -> None:
    project.group([1, 2])
    project.decide(apart=[(1, 2)])
    result = project.group([3, 4], [(1, 3, 9.0), (3, 4, 8.0), (2, 4, 7.0)])
    assert project.partition == {frozenset({1, 3, 4}), frozenset({2})}
    assert result.ignored.named == (IgnoredMerge(2, 1, 2, 4, 7.0, Refusal.APART),)
    assert result.contradictions == ()


def test_decisions_about_other_groups_change_nothing(project: GroupedProject) -> None:
    project.group([1, 2, 3, 4], [(1, 2, 9.0), (3, 4, 9.0)])
    project.decide(apart=[(1, 3), (2, 4)], together=[(1, 2)])
    result = project.group([5], [(4, 5, 9.0)])
    assert project.written == [(5, 2)]
    assert result.ignored.count == 0


def test_contradictions_about_touched_records_are_told_and_do_not_fail_the_job(project: GroupedProject) -> None:
    project.group([1, 2, 3])
    project.decide(together=[(1, 2), (2, 3)])
    project.decide(apart=[(1, 3)])
    result = project.group([4], [(1, 4, 9.0)])
    assert project.partition == {frozenset({1, 2, 4}), frozenset({3})}
    assert result.contradictions_count == 1
    assert "Records 1 and 3 were put apart" in result.contradictions[0]
    assert "through 1-2, 2-3" in result.contradictions[0]
    assert project.group([5]).contradictions == ()


def test_group_never_takes_a_group_apart_but_says_what_it_cannot_keep(project: GroupedProject) -> None:
    project.group([1, 2, 3, 4], [(1, 2, 9.0), (2, 3, 9.0)])
    project.decide(apart=[(1, 2)])
    project.decide(together=[(2, 4)], apart=[(3, 4)])
    result = project.group([5], [(3, 5, 9.0)])
    assert project.partition == {frozenset({1, 2, 3, 5}), frozenset({4})}
    assert len(result.contradictions) == 2
    assert result.contradictions[0].startswith("Records 1 and 2 were put apart, but are both in group 1")
    assert result.contradictions[1].startswith("Records 2 and 4 were put together, but their groups hold records")


def test_a_word_that_is_no_decision_is_refused(project: GroupedProject) -> None:
    project.decisions.append(write_decisions(project.path(), [(1, 2, "maybe")]))
    with pytest.raises(InvalidDecisionError, match="is 'maybe'; it must be 'together' or 'apart'"):
        project.group([1, 2])
