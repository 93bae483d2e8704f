"""What is told by e-mail, and to whom."""

from pathlib import Path

import pytest

from linkwright.engine.identifying import identifying
from linkwright.jobs.context import UNDONE_ENVELOPES, JobResult
from linkwright.queue.claim import claim_next
from linkwright.queue.enqueue import Step, enqueue_chain, enqueue_job
from linkwright.services.cancel_envelope import cancel_envelope
from linkwright.services.deliver_mail import (
    deliver_due,
)
from linkwright.services.end_job import complete_job, fail_job
from linkwright.services.receive_envelope import receive_envelope
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AuditLogEntry,
    Envelope,
    EnvelopeState,
    JobKind,
    LinkageProject,
)
from linkwright.store.settings import change_setting
from tests.integration.services.mailing import ADDRESS, NOW, events, set_email
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db


def add_envelope(
    project: LinkageProject, name: str = "HOSP-2026-09", state: EnvelopeState = EnvelopeState.QUEUED
) -> Envelope:
    return Envelope.objects.create(
        name=name,
        state=state,
        project=project,
        project_code=project.code,
        file_name="a.zip",
        received_at=NOW,
        records_count=48_213,
    )


def run_to(project: LinkageProject, state: EnvelopeState, name: str = "HOSP-2026-09") -> Envelope:
    """Let an Envelope with one job end."""
    envelope = add_envelope(project, name)
    enqueue_chain(envelope, [Step(JobKind.REPORT)])
    job = claim_next()
    assert job is not None
    if state == EnvelopeState.SUCCESS:
        complete_job(job, attempt=job.attempt, result=JobResult(), raised=(), peak_memory_bytes=1)
    else:
        message = f"The block {identifying('Anna Lee')} is too large."
        fail_job(job, attempt=job.attempt, message=message, corrupt=state == EnvelopeState.CORRUPT)
    return envelope


def test_success_is_told_to_the_projects_address_with_a_link(sink: Sink, notified_project: LinkageProject) -> None:
    set_email(PagesAddress="https://linkage.example.org")
    envelope = run_to(notified_project, EnvelopeState.SUCCESS)
    assert deliver_due(NOW) == 1
    (mail,) = sink.mails
    line = f"Envelope {envelope.pk} (HOSP-2026-09) of P1: Success. 48,213 records."
    assert (mail["To"], mail["Subject"]) == (ADDRESS, f"Linkwright: {line}")
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content()
    assert text.startswith(line)
    assert f"https://linkage.example.org/jobs/envelopes/{envelope.pk}/jobs/" in text
    assert mail["Auto-Submitted"] == "auto-generated"


def test_a_failure_is_told_by_numbers_and_never_by_the_values_that_its_message_names(
    sink: Sink, notified_project: LinkageProject
) -> None:
    envelope = run_to(notified_project, EnvelopeState.ERRORS)
    job = envelope.jobs.get()
    assert events() == [
        (
            ADDRESS,
            (
                f"Envelope {envelope.pk} (HOSP-2026-09) of P1: Errors. "
                f"Job {job.pk} (Report) failed; nothing has been changed."
            ),
        )
    ]
    deliver_due(NOW)
    assert "Anna" not in sink.mails[0].as_string()


def test_a_pause_by_a_failure_is_told_to_the_system_address_and_stands_in_the_audit_log(
    sink: Sink, notified_project: LinkageProject
) -> None:
    change_setting("Worker.Jobs.PauseProcessingOnFailure", value=True, actor=COMMAND_LINE)
    envelope = run_to(notified_project, EnvelopeState.ERRORS)
    job = envelope.jobs.get()
    assert events()[1] == (
        "system@example.org",
        f"The Job Queue has paused itself: job {job.pk} (Report) of P1 failed.",
    )
    entry = AuditLogEntry.objects.get(action="pause queue")
    assert (entry.user, entry.origin, entry.is_steering) == (None, "system", True)
    assert (entry.detail["job"], entry.reason) == (job.pk, "The block [hidden] is too large.")


def test_a_corrupt_envelope_without_a_project_is_told_to_the_system_address(sink: Sink, tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"no zip")
    envelope = receive_envelope(tmp_path / "broken.zip", name="", actor=COMMAND_LINE)
    assert events() == [("system@example.org", f"Envelope {envelope.pk} (broken): Corrupt. It cannot be used.")]


def test_a_rollback_and_its_failure_are_told(sink: Sink, notified_project: LinkageProject) -> None:
    envelope = add_envelope(notified_project, state=EnvelopeState.SUCCESS)
    for fails in (False, True):
        job = enqueue_job(Step(JobKind.ROLLBACK, {UNDONE_ENVELOPES: [envelope.pk]}), notified_project)
        assert claim_next() == job
        if fails:
            fail_job(job, attempt=1, message="no")
        else:
            complete_job(job, attempt=1, result=JobResult(), raised=(), peak_memory_bytes=1)
    assert [text for _address, text in events()] == [
        f"Envelope {envelope.pk} (HOSP-2026-09) of P1: RolledBack.",
        f"Job {job.pk} (Rollback) of P1 failed.",
    ]


def test_what_a_person_did_or_nobody_wants_is_told_to_nobody(sink: Sink, notified_project: LinkageProject) -> None:
    envelope = add_envelope(notified_project)
    enqueue_chain(envelope, [Step(JobKind.REPORT)])
    cancel_envelope(envelope.pk, COMMAND_LINE)
    set_email(OnSuccess=False)
    run_to(notified_project, EnvelopeState.SUCCESS)
    set_email(OnSuccess=True, Enabled=False)
    run_to(notified_project, EnvelopeState.SUCCESS)
    notified_project.notification_email = ""
    notified_project.save()
    set_email(Enabled=True)
    run_to(notified_project, EnvelopeState.SUCCESS)
    assert events() == []


def test_what_is_undone_with_its_transaction_is_told_to_nobody(
    sink: Sink, notified_project: LinkageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("the disk is gone")

    enqueue_chain(add_envelope(notified_project), [Step(JobKind.REPORT)])
    job = claim_next()
    assert job is not None
    with pytest.raises(RuntimeError):
        complete_job(job, attempt=1, result=JobResult(commit=fail), raised=(), peak_memory_bytes=1)
    assert events() == []


def test_no_name_begins_a_header_or_a_line(sink: Sink, notified_project: LinkageProject) -> None:
    run_to(notified_project, EnvelopeState.SUCCESS, name="X\r\nBcc: thief@example.org\r\n\r\nGet \u202erich\x00")
    assert deliver_due(NOW) == 1
    (mail,) = sink.mails
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("Linkwright: Envelope")
    assert "X Bcc: thief@example.org Get rich" in mail.get_content().splitlines()[0]
    assert len([command for command in sink.commands if command.startswith(("RCPT", "rcpt"))]) == 1
