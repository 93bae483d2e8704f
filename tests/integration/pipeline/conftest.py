"""A small project, Envelopes made of rows, and a way to run their jobs inside the test's own process."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from linkwright.config import ServerConfig, load_config, prepare_home
from linkwright.envelopes.builder import SourceFile, build_package
from linkwright.envelopes.manifest import RequestType
from linkwright.jobs.context import project_folder
from linkwright.queue.claim import claim_next
from linkwright.services.apply_project_file import apply_project_file
from linkwright.services.project_file import read_project_file
from linkwright.services.receive_envelope import receive_envelope
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.batch_catalog import live_batches
from linkwright.store.models import BatchKind, Envelope, Job, LinkageProject
from linkwright.store.settings import change_setting
from linkwright.warehouse.identified_map import read_identified_map
from linkwright.warehouse.limits import EngineLimits
from linkwright.worker.child import run_attempt

PROJECT_YAML = """
providers:
  - {code: HOSP, organisation: A hospital}
  - {code: REG, organisation: A registry}
import_formats:
  - code: person-csv
    kind: delimited
    columns: {source_unique_id: id, given_name: given, surname: surname, date_of_birth: dob, postcode: postcode}
    date_formats: ["%Y-%m-%d"]
event_types:
  - {code: ADM, provider: HOSP, import_format: person-csv, description: admissions}
  - {code: BIRTH, provider: REG, import_format: person-csv, description: births, authoritative: true}
projects:
  - code: P1
    name: A small project
    event_types: [ADM]
    match:
      prior: 0.001
      strategies:
        - name: person
          blocking_rules: [[surname], [date_of_birth]]
          match_threshold: 2
          review_threshold: -3
          comparisons:
            - field: given_name
              method: jaro_winkler
              levels:
                - {when: exact, m_probability: 0.8, u_probability: 0.01}
                - {when: similarity, at_least: 0.9, m_probability: 0.1, u_probability: 0.02}
                - {when: else, m_probability: 0.1, u_probability: 0.97}
            - field: surname
              method: exact
              levels:
                - {when: exact, m_probability: 0.9, u_probability: 0.01}
                - {when: else, m_probability: 0.1, u_probability: 0.99}
            - field: date_of_birth
              method: exact
              levels:
                - {when: exact, m_probability: 0.95, u_probability: 0.001}
                - {when: else, m_probability: 0.05, u_probability: 0.999}
"""
COLUMNS = ("id", "given", "surname", "dob", "postcode")
Row = Sequence[str]


@dataclass(frozen=True)
class System:
    """A data folder with project P1 in the test's database."""

    config: ServerConfig
    folder: Path

    def build(
        self,
        name: str,
        rows: Iterable[Row],
        *,
        project: str = "P1",
        sender: str = "HOSP",
        event_type: str = "ADM",
        columns: Sequence[str] = COLUMNS,
        request_type: RequestType = RequestType.SUBMIT_LINKAGE,
    ) -> Path:
        """Write an Envelope with one CSV file."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([columns, *rows])
        content = {event_type: text.getvalue().encode()}
        return self.build_raw(name, content, project=project, sender=sender, request_type=request_type)

    def build_raw(
        self,
        name: str,
        content: Mapping[str, bytes],
        *,
        project: str = "P1",
        sender: str = "HOSP",
        request_type: RequestType = RequestType.SUBMIT_LINKAGE,
    ) -> Path:
        """Write an Envelope with one file for each Event Type, of any content."""
        sources = []
        for event_type, data in content.items():
            path = self.folder / f"{name}-{event_type}.csv"
            path.write_bytes(data)
            sources.append(SourceFile(path=path, event_type_code=event_type))
        return build_package(
            self.folder / f"{name}.zip",
            linkage_project=project,
            sender=sender,
            request_type=request_type,
            data=sources,
        )

    def apply(self, text: str) -> None:
        """Apply a project file."""
        path = self.folder / "project.yaml"
        path.write_text(text)
        apply_project_file(read_project_file(path), COMMAND_LINE)

    @property
    def project_folder(self) -> Path:
        """Where the files of P1 lie."""
        return project_folder(self.config, LinkageProject.objects.get(code="P1"))

    def submit(self, path: Path) -> Envelope:
        """Take an Envelope into the queue."""
        return receive_envelope(path, name="", actor=COMMAND_LINE)

    def drain(self, limit: int | None = None) -> list[Job]:
        """Run queued jobs in this process, all or the first `limit`; returns them as they ended."""
        done: list[Job] = []
        while (limit is None or len(done) < limit) and (job := claim_next()) is not None:
            run_attempt(Job.objects.select_related("envelope__project", "project").get(pk=job.pk), job.attempt)
            job.refresh_from_db()
            done.append(job)
        return done

    def load(self, name: str, rows: Iterable[Row]) -> Envelope:
        """Submit rows as one Envelope and process it."""
        envelope = self.submit(self.build(name, rows))
        self.drain()
        envelope.refresh_from_db()
        return envelope

    def groups(self, project: str = "P1") -> set[frozenset[str]]:
        """Return the live map as sets of Source Unique IDs."""
        members: dict[int, set[str]] = {}
        for source_unique_id, group_id in self.group_ids(project).items():
            members.setdefault(group_id, set()).add(source_unique_id)
        return {frozenset(group) for group in members.values()}

    def group_ids(self, project: str = "P1") -> dict[str, int]:
        """Return the live map: Source Unique ID → group id."""
        row = LinkageProject.objects.get(code=project)
        folder = project_folder(self.config, row)
        files = {
            kind: [folder / batch.file_name for batch in live_batches(row, kind)]
            for kind in (BatchKind.RECORDS, BatchKind.ASSIGNMENTS, BatchKind.ENDS)
        }
        rows = read_identified_map(
            EngineLimits(self.config.scratch_folder),
            files[BatchKind.RECORDS],
            files[BatchKind.ASSIGNMENTS],
            files[BatchKind.ENDS],
        )
        return {one.source_unique_id: one.group_id for one in rows}


def draw_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plots be empty: drawing takes longer than all the rest of a small chain, the first time a second."""
    monkeypatch.setattr(
        "linkwright.engine.charts.render_svg", lambda plot: f"<svg aria-label='{plot.title}'></svg>"
    )


@pytest.fixture
def real_plots() -> None:
    """Have plots drawn that a test looks at."""


@pytest.fixture
def system(request: pytest.FixtureRequest, db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    """Return a system with project P1 applied, whose reports have `real_plots` only where a test asks for them."""
    if "real_plots" not in request.fixturenames:
        draw_nothing(monkeypatch)
    monkeypatch.setenv("LINKWRIGHT_HOME", str(tmp_path / "home"))
    config = load_config()
    prepare_home(config)
    made = System(config, tmp_path)
    made.apply(PROJECT_YAML)
    return made


@pytest.fixture
def without_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the plots of reports out altogether."""
    monkeypatch.setattr("linkwright.jobs.report.drawn_plot", lambda plot: {"name": plot.name})


@pytest.fixture
def by_hand(system: System) -> System:
    """Return a system that compacts only when it is told to."""
    change_setting("Worker.Compact.AfterBatches", 0, COMMAND_LINE)
    return system
