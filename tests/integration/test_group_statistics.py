"""What the Group job stores and tells of a run: as JSON, in words, as the page shows it."""

import json
import math
from pathlib import Path

from linkwright.jobs.group import group_statistics, group_warnings
from linkwright.web.statistics_view import view_statistics
from tests.grouped_project import GroupedProject


def test_statistics_are_json_and_say_everything_in_words(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path, authoritative=["BIRTH"], method="best_link")
    births = [{"record_id": number, "event_type": "BIRTH"} for number in (1, 2)]
    project.group([*births, 3], [(1, 2, 9.0)])
    result = project.group([4], [(1, 4, math.inf), (3, 4, math.inf)])
    statistics = group_statistics(result)
    assert json.loads(json.dumps(statistics, allow_nan=False)) == statistics
    assert (statistics["ignored_merges_count"], statistics["flagged_groups_count"]) == (1, 1)
    reason = "more than one record of an authoritative Event Type"
    assert statistics["flagged_by_reason"] == [{"reason": reason, "groups_count": 1}]
    assert statistics["flagged_groups"] == [
        {"group_id": 1, "reason": reason, "records_count": 2, "event_type": "BIRTH"}
    ]
    assert statistics["ignored_merges"] == [
        {
            "group_id": 2,
            "other_group_id": 1,
            "record_id": 3,
            "other_record_id": 4,
            "match_weight": None,
            "reason": "both groups existed before",
        }
    ]
    tables = {table.title: table for table in view_statistics(statistics).tables}
    assert {"Flagged by reason", "Flagged groups", "Ignored merges", "Sizes", "Stages"} <= tables.keys()
    # an id is a name, and gets no bar
    assert all(cell.bar is None for cell in tables["Ignored merges"].rows[0])


def test_a_run_without_anything_to_look_at_warns_of_nothing(tmp_path: Path) -> None:
    assert group_warnings(GroupedProject(tmp_path).group([1, 2], [(1, 2, 9.0)])) == []


def test_flagged_groups_and_contradictions_are_a_warning_each(tmp_path: Path) -> None:
    project = GroupedProject(tmp_path, authoritative=["E"], largest_expected_group=1)
    project.group([1, 2, 3])
    project.decide(together=[(1, 2), (2, 3)])
    project.decide(apart=[(1, 3)])
    flagged, contradicted = group_warnings(project.regroup(records=[1, 2, 3]))
    assert flagged == (
        "1 group should be looked at: more than one record of an authoritative Event Type: 1; more records than "
        "expected: 1. The first is group 1, more records than expected. The statistics of the job list them."
    )
    assert contradicted.startswith(
        "1 Quality Review decision about these groups cannot hold. The first: Records 1"
    )
    assert contradicted.endswith("The statistics of the job list them.")
