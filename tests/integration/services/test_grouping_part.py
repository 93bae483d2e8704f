"""The grouping part of a project file: what is read, and how its faults are told."""

from pathlib import Path

import pytest

from linkwright.errors import ConfigurationError
from linkwright.services.project_file import ProjectPart, read_project_file


def read_project(folder: Path, grouping: str) -> ProjectPart:
    path = folder / "project.yaml"
    path.write_text(f"projects:\n  - code: P\n    name: People\n    grouping: {grouping}\n")
    return read_project_file(path).content.projects[0]


def test_every_key_of_the_grouping_configuration_is_read(tmp_path: Path) -> None:
    written = (
        "{method: best_link, one_per_authoritative: true, largest_expected_group: 20, flag_links_under: 12.5, "
        "flag_conflicting_date: date_of_death, flag_conflicting_sex: null}"
    )
    assert read_project(tmp_path, written).grouping.model_dump() == {
        "method": "best_link",
        "one_per_authoritative": True,
        "largest_expected_group": 20,
        "flag_links_under": 12.5,
        "flag_conflicting_date": "date_of_death",
        "flag_conflicting_sex": None,
    }


def test_a_file_that_says_merge_only_stores_merge_only(tmp_path: Path) -> None:
    assert read_project(tmp_path, "{method: merge}").grouping.model_dump() == {"method": "merge"}


def test_faults_of_the_grouping_are_told_at_once_with_line_value_and_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_project(tmp_path, "{method: best_links, largest_expected_group: 0, weak: 3}")
    method, size, unknown = caught.value.faults
    place = "line 4: projects[0].grouping"
    assert method == f"{place}.method: 'best_links' is not allowed. Did you mean best_link?"
    assert size == f"{place}.largest_expected_group: 0 is out of bounds. It must be 1 or more."
    assert unknown == (
        f"{place}.weak: the key is unknown. Allowed: method, one_per_authoritative, largest_expected_group, "
        "flag_links_under, flag_conflicting_date, flag_conflicting_sex."
    )
