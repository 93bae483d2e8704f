"""Every kind of job can be started, retried and cancelled from the command line."""

from pathlib import Path

import pytest

from linkwright.jobs import kinds
from linkwright.jobs.context import JobContext, JobError, JobResult
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, Envelope, EnvelopeState, Job, JobKind, JobState
from linkwright.store.settings import change_setting
from tests.integration.pipeline.conftest import System
from tests.integration.pipeline.test_storage_commands import printed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_drawing")]

ROWS = "id,given,surname,dob,postcode\n"
ANNA = "Anna,Berg,1980-01-02,2000\n"


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def submit(system: System, name: str, text: str, action: str) -> None:
    file = write(system.folder, name, text)
    printed("submit-file", file, "--project", "P1", "--event-type", "ADM", "--action", action)
    assert {job.state for job in system.drain()} == {JobState.SUCCESS}


def test_every_kind_of_job_is_started_by_a_command(system: System, tmp_path: Path) -> None:
    change_setting("Worker.Compact.AfterBatches", 0, COMMAND_LINE)
    for number in (1, 2):
        submit(system, f"load{number}.csv", f"{ROWS}a{number},{ANNA}b{number},{ANNA}", "SubmitLinkage")
    submit(system, "gone.txt", "b1\n", "SubmitDeletion")
    submit(system, "review.csv", "P1,a1,ADM,one\nP1,a2,ADM,two\n", "SubmitQualityReview")
    submit(system, "more.csv", f"{ROWS}c1,{ANNA}", "EstimateProbabilities")
    for kind, code in (("enduring", "X1"), ("snapshot", "X2")):
        printed(
            *("create-extraction-project", "P1", code, "--name", "A study", "--approval", "HREC 2026/17"),
            *("--kind", kind, "--event-type", "ADM"),
        )
    printed("extract", "P1", "X1")
    package = str(tmp_path / "wanted.zip")
    printed(
        *("build", package, "--project", "P1", "--sender", "HOSP", "--request", "SubmitExtraction"),
        *("--extraction-project", "X1", "--data", f"ADM={write(tmp_path, 'wanted.txt', 'a1')}"),
    )
    printed("submit", package)
    assert {job.state for job in system.drain()} == {JobState.SUCCESS}
    assert Envelope.objects.get(name="wanted").records_count == 1
    last = Envelope.objects.get(name="review")
    for command in (
        ("compact", "P1"),
        ("purge", "P1", "--reason", "asked for"),
        ("rollback", str(last.pk), "--reason", "by mistake"),
    ):
        assert "is queued" in printed(*command)
        assert [job.state for job in system.drain()] == [JobState.SUCCESS]
    assert "Queued" in printed("backup")
    assert set(Job.objects.values_list("kind", flat=True)) == set(JobKind)


def test_an_envelope_of_all_records_of_an_extraction_project_has_no_data_file(tmp_path: Path) -> None:
    target = str(tmp_path / "all.zip")
    arguments = ("build", target, "--project", "P1", "--sender", "HOSP", "--request", "SubmitExtraction")
    assert "0 data file(s)" in printed(*arguments, "--extraction-project", "X1")
    assert "The element ExtractionProject is missing" in printed(*arguments)
    assert "SubmitLinkage needs at least one" in printed("build", target, "--project", "P1", "--sender", "HOSP")


def test_a_failed_job_is_retried_and_a_queued_envelope_cancelled(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_context: JobContext) -> JobResult:
        raise JobError("the power went. Retry the job.")

    envelope = system.submit(system.build("first", [("a1", *ANNA.strip().split(","))]))
    with monkeypatch.context() as patch:
        patch.setattr("linkwright.worker.child.RUN", {**kinds.RUN, JobKind.MATCH: fail})
        system.drain()
    failed = Job.objects.get(state=JobState.ERRORS)
    assert f"Job {failed.pk} (Match): Queued" in printed("retry-job", str(failed.pk))
    assert "Only a failed job can be retried." in printed("retry-job", str(failed.pk))
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.SUCCESS
    assert "There is no job 999" in printed("retry-job", "999")
    second = system.submit(system.build("second", [("a2", *ANNA.strip().split(","))]))
    number = str(second.pk)
    assert printed("cancel-envelope", number, "--reason", "the wrong file") == f"{second} is cancelled.\n"
    assert "only a queued or running one can be cancelled" in printed("cancel-envelope", number)
    assert AuditLogEntry.objects.get(action="cancel Envelope").reason == "the wrong file"
    assert system.drain() == []
