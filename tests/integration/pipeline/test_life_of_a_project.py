"""The life of a project, step by step, with the numbers that docs/life-of-a-project.md promises."""

from collections import defaultdict
from pathlib import Path

import pytest

from linkwright.queue.claim import claim_next
from linkwright.services.recover_jobs import recover_orphans
from linkwright.services.retry_job import retry_job
from linkwright.services.roll_back_envelope import preview_rollback
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AuditMessage,
    Envelope,
    EnvelopeState,
    ExtractionResult,
    Job,
    JobKind,
    ResultEnd,
)
from linkwright.store.settings import change_setting
from tests.integration.pipeline.acting import delete, review, roll_back
from tests.integration.pipeline.conftest import Row, System
from tests.integration.pipeline.extracting import create, extract, package, rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_drawing")]

PAGE = Path(__file__).resolve().parents[3] / "docs" / "life-of-a-project.md"
CHANGES = "data-changes.csv"


def table(first_heading: str) -> list[list[str]]:
    """Return the rows of the page's table whose first column has this heading."""
    lines = iter(PAGE.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.startswith(f"| {first_heading} |"):
            next(lines)
            found = []
            while (row := next(lines)).startswith("|"):
                found.append([cell.strip() for cell in row.strip("|").split("|")])
            return found
    raise AssertionError(f"{PAGE.name} has no table that begins with {first_heading!r}")


def rows_of(month: str) -> list[Row]:
    return [
        (record, given, surname, birth, "2000")
        for record, given, surname, birth, comes_in in table("record")
        if comes_in == month
    ]


class Life:
    """A project that is looked at after each step."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.steps: list[list[str]] = []
        self.extractions: list[list[str]] = []
        self.packages: dict[tuple[str, int], bytes] = {}
        self.keys: dict[tuple[str, int], dict[str, str]] = {}

    def look(self, expected: list[str]) -> None:
        """Note the map as the page writes it, under the page's words for the step."""
        groups: dict[int, list[str]] = defaultdict(list)
        group_ids = self.system.group_ids()
        for record, group_id in group_ids.items():
            groups[group_id].append(record)
        told = "; ".join(f"{group_id}: {' '.join(sorted(groups[group_id]))}" for group_id in groups)
        ours = sorted(told.split("; "))
        # the page may name the groups in the order of the story
        same = ours == sorted(expected[4].split("; "))
        number = str(len(self.steps) + 1)
        written = expected[4] if same else told
        self.steps.append([number, expected[1], str(len(group_ids)), str(len(groups)), written])

    def extract(self, code: str, after_step: int) -> Job:
        """Extract, and note what came out."""
        job = extract(self.system, code)
        found = {record: key for key, record in rows(self.system, job)[1:]}
        # there is nothing to compare the first extraction with, and a snapshot never changes
        is_compared = code == "LIVE" and any(known == code for known, _step in self.keys)
        changes = rows(self.system, job, CHANGES)[1:] if is_compared else []
        self.keys[code, after_step] = found
        self.packages[code, after_step] = package(self.system, job)
        counts = [len(found), len(set(found.values())), len(changes)]
        self.extractions.append([code, str(after_step), *map(str, counts)])
        return job


def kill_match(system: System, envelope: Envelope) -> Job:
    """Run the chain up to Match, and let Match's process die."""
    system.drain(limit=2)
    job = claim_next()
    assert job is not None
    assert (job.kind, job.envelope_id) == (JobKind.MATCH, envelope.pk)
    recover_orphans()
    return job


def load_delete_and_review(life: Life, steps: list[list[str]]) -> dict[str, Envelope]:
    """Do steps 1 to 5; returns the Envelopes by month."""
    system, envelopes = life.system, {}
    for number, month in enumerate(("January", "February", "March")):
        envelopes[month] = system.load(month, rows_of(month))
        life.look(steps[number])
    delete(system, "b")
    life.look(steps[3])
    review(system, "a>one person", "c>one person")
    life.look(steps[4])
    return envelopes


def create_and_extract(life: Life) -> None:
    create("SNAP", "snapshot")
    life.system.drain()
    create("LIVE", "enduring")
    life.extract("SNAP", 5)
    life.extract("LIVE", 5)


def crash_and_retry(life: Life, steps: list[list[str]]) -> tuple[Envelope, dict[str, int]]:
    """Do steps 6 and 7; returns April, and the map before its retry."""
    system = life.system
    change_setting("Worker.Jobs.MaxAttemptsAfterCrash", 0, COMMAND_LINE)
    april = system.submit(system.build("April", rows_of("April")))
    killed = kill_match(system, april)
    april.refresh_from_db()
    assert april.state == EnvelopeState.ERRORS
    life.look(steps[5])
    before = system.group_ids()
    retry_job(killed.pk, COMMAND_LINE)
    assert [job.kind for job in system.drain()] == [JobKind.MATCH, JobKind.GROUP, JobKind.REPORT]
    assert set(AuditMessage.objects.filter(job=killed).values_list("attempt", flat=True)) >= {2}
    april.refresh_from_db()
    assert april.state == EnvelopeState.SUCCESS
    life.look(steps[6])
    return april, before


def test_the_life_of_a_project_is_as_the_page_tells_it(system: System) -> None:
    life, steps = Life(system), table("step")
    envelopes = load_delete_and_review(life, steps)
    create_and_extract(life)
    april, before = crash_and_retry(life, steps)
    withdrawn = life.extract("LIVE", 7)
    life.extract("SNAP", 7)

    roll_back(system, april)
    assert system.group_ids() == before
    life.look(steps[7])
    assert ExtractionResult.objects.get(job=withdrawn).removed_why == ResultEnd.WITHDRAWN
    told = life.extract("LIVE", 8)
    assert rows(system, told, CHANGES)[1:] == [[life.keys["LIVE", 7]["g"], "", "rolled back"]]
    life.extract("SNAP", 8)

    assert [one.name for one in preview_rollback(envelopes["March"]).reviews] == ["review"]
    roll_back(system, envelopes["March"])
    life.look(steps[8])
    life.extract("SNAP", 9)

    assert life.steps == steps
    assert life.extractions == table("extraction")
    assert life.packages["SNAP", 5] == life.packages["SNAP", 7] == life.packages["SNAP", 8]
    snapshot, live = life.keys["SNAP", 5], life.keys["LIVE", 5]
    assert not set(snapshot.values()) & set(live.values())
    assert snapshot["a"] == snapshot["c"] == life.keys["SNAP", 9]["a"]
    assert {record: life.keys["LIVE", 8][record] for record in live} == live


def test_nothing_of_a_rolled_back_month_is_left_in_the_data_folder(system: System) -> None:
    system.load("January", rows_of("January"))
    march = system.load("March", [("e", "Planted", "Wintergreen", "1955-05-05", "2000")])
    create("SNAP", "snapshot")
    system.drain()
    extract(system, "SNAP")
    roll_back(system, march)
    sweep_files(system.config)
    held = [
        path for path in system.config.home.rglob("*") if path.is_file() and path.suffix in {".parquet", ".index"}
    ]
    assert held
    for path in held:
        content = path.read_bytes().lower()
        assert b"planted" not in content
        assert b"wintergreen" not in content
    assert not list(system.config.results_folder.glob("*.zip"))
