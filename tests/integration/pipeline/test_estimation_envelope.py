"""An Envelope of data to estimate from: what comes of it, and that nothing of its data is kept."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.test import Client

from linkwright.envelopes.manifest import RequestType
from linkwright.jobs import estimate as estimate_job
from linkwright.jobs import report as report_job
from linkwright.services.cancel_envelope import cancel_envelope
from linkwright.services.check_system import check_system
from linkwright.services.retry_job import retry_job, why_not_retry
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AuditMessage,
    Batch,
    BatchState,
    Envelope,
    EnvelopeReport,
    EnvelopeState,
    Estimation,
    Job,
    JobState,
    LinkageProject,
    MatchConfigurationVersion,
    Notification,
    User,
)
from linkwright.store.queries.estimations import complete_estimations
from linkwright.store.queries.reports import read_latest_report
from linkwright.store.settings import change_setting
from tests.integration.pipeline.conftest import PROJECT_YAML, Row, System
from tests.integration.pipeline.test_pipeline import people

pytestmark = pytest.mark.django_db

PLANTED = "Zyxwvutsrq"
HELD: list[Row] = people(120, 1)
INCOMING: list[Row] = [(f"n{row[0]}", *row[1:]) for row in people(120, 2)]
WITH_FREQUENCIES = PROJECT_YAML.replace("field: surname\n", "field: surname\n              term_frequency: {}\n")


def planted(rows: list[Row]) -> list[Row]:
    """Return the rows with a name of a few persons that occurs nowhere else, and a value that cannot be read."""
    odd = ("p3", PLANTED, "Odd", f"{PLANTED[:4]}-date", "2000")
    return [*rows, ("p1", PLANTED, PLANTED, "1980-01-02", "2000"), ("p2", PLANTED, PLANTED, "1980-01-02", ""), odd]


def submit(system: System, name: str, rows: list[Row]) -> Envelope:
    """Take an estimation Envelope into the queue."""
    path = system.build(name, rows, request_type=RequestType.ESTIMATE_PROBABILITIES)
    envelope = system.submit(path)
    # the sender's own copy is not the server's
    path.unlink()
    (system.folder / f"{name}-ADM.csv").unlink()
    return envelope


def estimated(system: System, name: str, rows: list[Row]) -> Envelope:
    """Submit rows for an estimation and process them."""
    envelope = submit(system, name, rows)
    system.drain()
    envelope.refresh_from_db()
    return envelope


def holding(folder: Path, text: str) -> list[str]:
    """Return the files below a folder that hold a text, in any case; a zip counts as one, whatever is in it."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = (
                str(pq.read_table(path).to_pylist()).encode() if path.suffix == ".parquet" else path.read_bytes()
            )
            if text.lower().encode() in content.lower() or path.suffix == ".zip":
                found.append(path.name)
    return found


def database_text() -> str:
    """Return everything that an estimation may write into the database."""
    tables = (AuditMessage, Notification, Job, Estimation, EnvelopeReport, Envelope)
    return "\n".join(str(list(table.objects.values())) for table in tables)


def project() -> LinkageProject:
    """Return P1."""
    return LinkageProject.objects.get(code="P1")


def test_an_envelope_of_data_is_estimated_from_and_changes_nothing_of_the_map(system: System) -> None:
    first = system.load("first", HELD)
    before, batches = system.group_ids(), list(Batch.objects.values_list("pk", "state"))
    envelope = estimated(system, "more", INCOMING)
    assert envelope.state == EnvelopeState.SUCCESS
    kinds = list(Job.objects.filter(envelope=envelope).order_by("chain_position").values_list("kind", "state"))
    assert kinds == [(kind, "Success") for kind in ("Validate", "Load", "Estimate", "Report")]
    assert system.group_ids() == before
    assert list(Batch.objects.filter(envelope=first).values_list("pk", "state")) == batches
    estimation = Estimation.objects.get()
    assert (estimation.envelope, estimation.base_version.version) == (envelope, 1)
    assert estimation.results["records_count"] == len(HELD) + len(INCOMING)
    assert MatchConfigurationVersion.objects.count() == 1


def test_nothing_of_its_data_is_kept(system: System) -> None:
    system.load("first", HELD)
    envelope = estimated(system, "more", planted(INCOMING))
    assert envelope.state == EnvelopeState.SUCCESS
    sweep_files(system.config)
    assert set(Batch.objects.filter(envelope=envelope).values_list("state", flat=True)) == {BatchState.REMOVED}
    (system.folder / "first.zip").unlink()
    (system.config.incoming_folder / Envelope.objects.get(name="first").file_name).unlink()
    assert holding(system.folder, PLANTED) == []
    assert PLANTED.lower() not in database_text().lower()
    assert Envelope.objects.get(pk=envelope.pk).file_name == ""
    assert "1 value of date_of_birth could not be read" in Notification.objects.get(envelope=envelope).text


def test_records_that_come_again_are_not_rejected_and_count_once(system: System) -> None:
    system.load("first", HELD)
    envelope = estimated(system, "again", HELD)
    assert envelope.state == EnvelopeState.SUCCESS
    statistics = Job.objects.get(envelope=envelope, kind="Estimate").statistics
    assert statistics["records_count"] == statistics["repeated_records_count"] == len(HELD)
    assert statistics["new_records_count"] == statistics["held_records_count"] == len(HELD)


def test_a_project_that_holds_nothing_is_estimated_from_the_envelope_alone(system: System) -> None:
    envelope = estimated(system, "only", INCOMING)
    assert envelope.state == EnvelopeState.SUCCESS
    assert Estimation.objects.get().results["records_count"] == len(INCOMING)
    assert system.group_ids() == {}


@pytest.mark.usefixtures("real_plots")
def test_the_report_shows_the_tables_and_plots_and_is_not_the_projects(system: System) -> None:
    first = system.load("first", HELD)
    envelope = estimated(system, "more", INCOMING)
    report = EnvelopeReport.objects.get(envelope=envelope)
    assert [plot["name"] for plot in report.plots] == ["estimated_weights", "m_and_u", "thresholds", "unlinkables"]
    assert all(plot["svg"].startswith("<svg role=") and plot["rows"] for plot in report.plots)
    tables = report.statistics["envelope"]
    assert {row["comparison"] for row in tables["parameters"]} == {"given_name", "surname", "date_of_birth"}
    assert tables["thresholds"][0].keys() >= {"match_weight", "precision", "recall", "f1"}
    latest = read_latest_report(project())
    assert latest is not None
    assert latest.envelope == first


def test_term_frequencies_are_those_of_the_held_records_alone(system: System) -> None:
    system.load("first", HELD)
    system.apply(WITH_FREQUENCIES)
    estimated(system, "more", planted(INCOMING))
    sweep_files(system.config)
    estimation = Estimation.objects.get()
    rows = pq.read_table(system.project_folder / estimation.term_frequencies).to_pylist()
    assert {row["field"] for row in rows} == {"surname"}
    assert sum(row["frequency"] for row in rows) == pytest.approx(1)
    assert PLANTED.lower() not in str(rows).lower()


def test_without_held_records_there_are_no_term_frequencies_and_a_warning(system: System) -> None:
    system.apply(WITH_FREQUENCIES)
    envelope = estimated(system, "only", INCOMING)
    assert Estimation.objects.get().term_frequencies == ""
    assert "asks for term frequencies" in Notification.objects.get(envelope=envelope, severity="warning").text


def test_a_project_without_a_match_configuration_is_refused_and_can_be_mended(system: System) -> None:
    MatchConfigurationVersion.objects.all().delete()
    envelope = estimated(system, "more", INCOMING)
    failed = Job.objects.get(envelope=envelope, state=JobState.ERRORS)
    assert (failed.kind, envelope.state) == ("Estimate", EnvelopeState.ERRORS)
    assert "has no match configuration" in failed.error_message
    sweep_files(system.config)
    system.apply(PROJECT_YAML)
    retry_job(failed.pk, COMMAND_LINE)
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.SUCCESS


def test_a_failed_estimation_keeps_its_data_until_no_retry_is_possible(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise RuntimeError("no ink")

    with monkeypatch.context() as patch:
        patch.setattr(estimate_job, "drawn_plot", broken)
        envelope = estimated(system, "more", planted(INCOMING))
    assert envelope.state == EnvelopeState.ERRORS
    failed = Job.objects.get(envelope=envelope, state=JobState.ERRORS)
    sweep_files(system.config)
    assert holding(system.config.home, PLANTED)
    system.load("next", HELD)
    assert why_not_retry(failed)
    sweep_files(system.config, project())
    (system.config.incoming_folder / Envelope.objects.get(name="next").file_name).unlink()
    assert holding(system.config.home, PLANTED) == []
    envelopes = next(finding for finding in check_system(system.config) if finding.subject == "Envelopes")
    assert envelopes.ok


def test_a_failed_report_shows_no_estimation_until_its_retry(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_context: object) -> None:
        raise RuntimeError("no paper")

    with monkeypatch.context() as patch:
        patch.setattr(report_job, "report_estimation", broken)
        envelope = estimated(system, "more", INCOMING)
    assert envelope.state == EnvelopeState.ERRORS
    assert not complete_estimations().exists()
    retry_job(Job.objects.get(state=JobState.ERRORS).pk, COMMAND_LINE)
    system.drain()
    assert complete_estimations().get().envelope == envelope


@pytest.mark.parametrize("jobs_done", [0, 2, 3])
def test_a_cancelled_estimation_leaves_nothing(system: System, jobs_done: int) -> None:
    envelope = submit(system, "more", planted(INCOMING))
    assert len(system.drain(limit=jobs_done)) == jobs_done
    cancel_envelope(envelope.pk, COMMAND_LINE)
    sweep_files(system.config)
    envelope.refresh_from_db()
    assert (envelope.state, envelope.file_name) == (EnvelopeState.CANCELLED, "")
    assert not Estimation.objects.exists()
    assert holding(system.config.home, PLANTED) == []


def test_rejected_rows_are_told_by_line_and_without_their_values(system: System) -> None:
    twice: list[Row] = [
        ("p1", "Anna", "Berg", "1980-01-02", "2000"),
        (PLANTED, "Ben", "Cole", "1975-05-06", "3000"),
    ]
    envelope = estimated(system, "odd", [*twice, twice[1]])
    assert envelope.state == EnvelopeState.ERRORS
    text = Notification.objects.get(envelope=envelope).text
    assert "line 3 has a Source Unique ID that occurs 2 times" in text
    assert PLANTED.lower() not in database_text().lower()
    change_setting("Worker.Load.MaxRejectedRows", 2, COMMAND_LINE)
    retry_job(Job.objects.get(envelope=envelope, state=JobState.ERRORS).pk, COMMAND_LINE)
    system.drain(limit=1)
    assert PLANTED.lower() not in database_text().lower()


def test_the_result_of_an_estimation_is_no_data_to_estimate_from(system: System, client: Client) -> None:
    system.load("first", HELD)
    estimated(system, "more", INCOMING)
    client.force_login(User.objects.create(username="admin", is_superuser=True))
    response = client.get(f"/projects/P1/estimations/{Estimation.objects.get().pk}/download/")
    result = system.folder / "result.zip"
    result.write_bytes(response.content)
    envelope = system.submit(result)
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.ERRORS
    assert (
        "Data lists no file: there is nothing to estimate from."
        in Notification.objects.get(envelope=envelope).text
    )


def test_a_linkage_after_an_estimation_is_as_if_it_had_never_been(system: System) -> None:
    estimated(system, "more", INCOMING)
    system.load("first", HELD)
    assert min(system.group_ids().values()) == 1
    assert Batch.objects.get(kind="records", state=BatchState.LIVE).first_id == 1
