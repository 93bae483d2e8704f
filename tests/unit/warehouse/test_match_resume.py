"""Match after a crash: finished chunks and match indexes are taken over, those of another run are not."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from linkwright.engine.progress import Progress, ReportProgress
from tests.unit.warehouse.matching import (
    ANN,
    ANNE,
    BOB,
    PERSON,
    Project,
    configured,
    person,
    random_people,
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


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
