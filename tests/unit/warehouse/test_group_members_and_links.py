"""A group's members and links, read without the map of all others; of very many links, those that hold it."""

from itertools import combinations
from pathlib import Path

import pytest

from linkwright.engine.link_path import strongest_path
from linkwright.warehouse import group_links
from linkwright.warehouse.group_links import read_group_links
from linkwright.warehouse.live_files import LiveFiles, RecordKey
from linkwright.warehouse.record_keys import find_records, read_groups, read_record_keys
from tests.grouped_project import GroupedProject


def files_of(project: GroupedProject) -> LiveFiles:
    """Return the files of a project, as the catalog lists them."""
    return LiveFiles(
        tuple(project.records), tuple(project.pairs), tuple(project.assignments), tuple(project.ended)
    )


def test_the_links_of_a_group_are_its_accepted_pairs(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path)
    project.group([1, 2, 3, 4], [(1, 2, 9.0), (2, 3, 6.0), (1, 3, 2.0), (3, 4, 1.0)])
    project.group([5], [(4, 5, 7.0)])
    found = read_group_links(project.limits, files_of(project), project.map[1])
    assert found.members == {number: RecordKey("E", f"s{number}") for number in (1, 2, 3)}
    assert [link[:3] for link in found.links] == [(1, 2, 9.0), (2, 3, 6.0)]
    assert found.links_count == 2


def test_records_that_ended_or_went_elsewhere_are_no_members(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path)
    project.group([1, 2, 3], [(1, 2, 9.0), (2, 3, 9.0)])
    group_id = project.map[1]
    project.end(2)
    project.regroup(groups=[group_id])
    files = files_of(project)
    assert set(read_group_links(project.limits, files, group_id).members) == {1}
    assert read_groups(project.limits, files, [1, 2, 3]) == project.map
    assert find_records(project.limits, files, [RecordKey("E", "s2"), RecordKey("E", "s3")]) == [None, 3]
    # the history of a group names records that are gone, too
    assert read_record_keys(project.limits, files, [2]) == {2: RecordKey("E", "s2")}


def test_of_very_many_links_those_that_hold_the_group_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = GroupedProject(tmp_path)
    ids = range(1, 9)
    pairs = [(one, other, 6.0 + (one * other) % 7) for one, other in combinations(ids, 2)]
    project.group(ids, pairs)
    files = files_of(project)
    whole = read_group_links(project.limits, files, 1)
    monkeypatch.setattr(group_links, "MOST_LINKS_COUNT", 20)
    part = read_group_links(project.limits, files, 1)
    assert (whole.links_count, part.links_count) == (len(pairs), len(pairs))
    assert (len(whole.links), len(part.links)) == (len(pairs), len(ids) - 1)
    for one, other in combinations(ids, 2):
        weakest = [
            min(link.match_weight for link in strongest_path(group.links, one, other) or ())
            for group in (whole, part)
        ]
        assert weakest[0] == weakest[1]


def test_a_project_without_data_has_no_group(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path)
    files = files_of(project)
    assert read_group_links(project.limits, files, 1).members == {}
    assert read_groups(project.limits, files, [1]) == {}
    assert read_record_keys(project.limits, files, [1]) == {}
