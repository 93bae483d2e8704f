"""What a file would be compared with is counted without loading it, and what cannot be counted is named."""

from pathlib import Path

import pytest
import yaml

from linkwright.errors import LinkwrightError
from linkwright.services.apply_project_file import apply_project_file
from linkwright.services.estimate_pairs import PairsEstimate, estimate_pairs
from linkwright.services.project_file import read_project_file
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Batch, Envelope, Job, JobKind
from tests.integration.pipeline.conftest import PROJECT_YAML, System, system

__all__ = ["system"]

HEADER = "id,given,surname,dob,postcode\n"
FIRST = [("a1", "Anna", "Berg", "1980-01-02", "2000"), ("a2", "Ben", "Low", "1971-05-06", "2010")]


def write(system: System, name: str, text: str) -> Path:
    path = system.folder / name
    path.write_text(text)
    return path


def estimated(system: System, path: Path, project: str = "P1", event_type: str = "ADM") -> PairsEstimate:
    return estimate_pairs(system.config, path, project, event_type)


def everything(system: System) -> tuple[object, ...]:
    """Return all that loading or matching would change."""
    files = sorted(path for path in system.config.home.rglob("*") if path.is_file())
    counts = [model.objects.count() for model in (Batch, Envelope, Job)]
    return files, counts, system.groups()


def test_the_counts_are_those_of_the_match_job_afterwards(system: System) -> None:
    system.load("first", FIRST)
    rows = [("b1", "Anna", "Berg", "1980-01-02", ""), ("b2", "Bea", "Berg", "1971-05-06", "")]
    path = write(system, "second.csv", HEADER + "".join(f"{','.join(row)}\n" for row in rows))
    before = everything(system)
    found = estimated(system, path)
    assert everything(system) == before
    system.load("second", rows)
    matched = Job.objects.filter(kind=JobKind.MATCH).order_by("-pk").first()
    assert matched is not None
    assert (found.records_count, found.held_records_count) == (2, 2)
    # a1 and b1 share a surname and a birthday: each rule counts them
    assert found.preflight.candidate_pairs_count == matched.statistics["candidate_pairs_count"] == 5
    assert [count for _strategy, _rule, count in found.rules] == [
        rule["candidate_pairs_count"] for rule in matched.statistics["rules"]
    ]


def test_blocks_over_the_limit_are_named_and_refused_nowhere(system: System) -> None:
    content = yaml.safe_load(PROJECT_YAML)
    content["projects"][0]["match"]["oversized_blocks"] = "fail"
    content["settings"] = {"Worker.Match.MaxBlockSize": 3}
    apply_project_file(
        read_project_file(write(system, "fail.yaml", yaml.safe_dump(content, sort_keys=False))), COMMAND_LINE
    )
    rows = "".join(f"c{number},Anna,Berg,19{number:02}-01-02,2000\n" for number in range(10, 20))
    found = estimated(system, write(system, "block.csv", HEADER + rows))
    assert [block.values for block in found.preflight.largest_blocks if block.is_oversized] == ["berg"]
    assert len(found.preflight.warnings) == 1
    assert "berg" in found.preflight.warnings[0]


@pytest.mark.parametrize(
    ("text", "project", "event_type", "said"),
    [
        ("id,given\nb1,Anna\n", "P1", "ADM", "bad.csv"),
        (HEADER + "b1,Anna,Berg,1980-01-02\n", "P1", "ADM", "1 of 1 rows are rejected"),
        (HEADER, "P1", "BIRTH", "The Event Type 'BIRTH' is not attached to P1. Attached are: ADM."),
        (HEADER, "P9", "ADM", "There is no Linkage Project 'P9'. There are: P1."),
    ],
)
def test_what_cannot_be_counted_is_named_and_leaves_nothing(
    system: System, text: str, project: str, event_type: str, said: str
) -> None:
    path = write(system, "bad.csv", text)
    before = everything(system)
    with pytest.raises(LinkwrightError) as refused:
        estimated(system, path, project, event_type)
    assert said in str(refused.value)
    assert everything(system) == before


def test_a_file_that_is_absent_is_named(system: System) -> None:
    with pytest.raises(LinkwrightError, match=r"There is no file .*absent\.csv"):
        estimated(system, system.folder / "absent.csv")
