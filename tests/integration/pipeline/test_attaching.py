"""Event Types are attached to and detached from a project: what ends, what is refused, how it is undone."""

import pytest
from typer.testing import CliRunner

from linkwright.cli import app
from linkwright.engine.update_mode import UpdateMode
from linkwright.envelopes.manifest import RequestType
from linkwright.queue.retry import why_not_retry
from linkwright.services.attach_event_type import AttachRefusedError, attach_event_type, change_update_mode
from linkwright.services.cancel_envelope import cancel_envelope
from linkwright.services.check_system import check_system
from linkwright.services.detach_event_type import DetachRefusedError, detach_event_type, preview_detach
from linkwright.services.retry_job import retry_job
from linkwright.services.roll_back_envelope import preview_rollback
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AttachedEventType,
    AuditLogEntry,
    AuditMessage,
    Envelope,
    EnvelopeReport,
    EnvelopeState,
    Job,
    JobKind,
    JobState,
    LinkageProject,
)
from tests.integration.pipeline.acting import A, B, C, groups, person, roll_back, statistics
from tests.integration.pipeline.conftest import System

pytestmark = pytest.mark.django_db

REASON = "the agreement has ended"


@pytest.fixture
def two_types(system: System) -> System:
    """Return a system whose project takes births, too: a and c are admissions, b, which joins them, is a birth."""
    attach_event_type(project(), "BIRTH", COMMAND_LINE)
    system.load("admissions", [A, C])
    births(system, "births")
    assert system.groups() == groups("abc")
    return system


def project() -> LinkageProject:
    return LinkageProject.objects.get(code="P1")


def births(system: System, name: str) -> Envelope:
    envelope = system.submit(system.build(name, [B], sender="REG", event_type="BIRTH"))
    system.drain()
    envelope.refresh_from_db()
    return envelope


def detach(system: System) -> Envelope:
    envelope = detach_event_type(project(), "BIRTH", COMMAND_LINE, reason=REASON)
    system.drain()
    envelope.refresh_from_db()
    return envelope


def attachment() -> AttachedEventType:
    return AttachedEventType.objects.get(project__code="P1", event_type__code="BIRTH")


def test_detaching_ends_all_records_of_the_event_type_through_a_job(two_types: System) -> None:
    preview = preview_detach(two_types.config, project(), "BIRTH")
    assert (preview.records_count, preview.groups_count, preview.waiting, preview.refusal) == (1, 1, (), "")
    envelope = detach(two_types)
    assert envelope.state == EnvelopeState.SUCCESS
    assert (envelope.name, envelope.request_type) == ("Detach BIRTH", RequestType.SUBMIT_DELETION)
    assert two_types.groups() == groups("a", "c")
    kinds = Job.objects.filter(envelope=envelope).order_by("chain_position").values_list("kind", flat=True)
    assert list(kinds) == ["Delete", "Group", "Report"]
    assert statistics(envelope, JobKind.DELETE) == {"event_type": "BIRTH", "records_count": 1}
    told = AuditMessage.objects.filter(job__envelope=envelope, job__kind=JobKind.DELETE).last()
    assert told is not None
    assert told.text == "Records of BIRTH that end, as it is detached: 1"
    assert EnvelopeReport.objects.get(envelope=envelope).statistics["project"]["records_count"] == 2
    entry = AuditLogEntry.objects.get(action="detach Event Type")
    assert (entry.target, entry.reason, entry.project_code) == ("BIRTH", REASON, "P1")


def test_no_new_data_is_taken_while_or_after_it_is_detached(two_types: System) -> None:
    detaching = detach_event_type(project(), "BIRTH", COMMAND_LINE, reason=REASON)
    behind = two_types.submit(two_types.build("behind", [person("x")], sender="REG", event_type="BIRTH"))
    two_types.drain()
    behind.refresh_from_db()
    assert behind.state == EnvelopeState.ERRORS
    message = Job.objects.get(envelope=behind, kind=JobKind.VALIDATE).error_message
    assert "Event Type 'BIRTH' is not attached to project P1" in message
    detaching.refresh_from_db()
    Envelope.objects.filter(pk=detaching.pk).update(state=EnvelopeState.ERRORS)
    refused = births(two_types, "more")
    message = Job.objects.get(envelope=refused, kind=JobKind.VALIDATE).error_message
    assert f"is being detached from project P1, by Envelope {detaching.pk} (Detach BIRTH)" in message


def test_what_was_sent_before_is_processed_before_and_ends_with_the_rest(two_types: System) -> None:
    before = two_types.submit(two_types.build("before", [person("x")], sender="REG", event_type="BIRTH"))
    assert preview_detach(two_types.config, project(), "BIRTH").waiting == (before,)
    envelope = detach(two_types)
    before.refresh_from_db()
    assert before.state == EnvelopeState.SUCCESS
    assert envelope.records_count == 2
    assert two_types.groups() == groups("a", "c")


def test_a_detachment_is_rolled_back_to_the_very_same_map_and_it_is_attached(
    two_types: System,
) -> None:
    before = two_types.group_ids()
    envelope = detach(two_types)
    assert preview_rollback(envelope).records_count == 1
    assert not attachment().is_attached
    roll_back(two_types, envelope)
    assert two_types.group_ids() == before
    assert attachment().is_attached
    with pytest.raises(AttachRefusedError, match="is attached to project P1 already"):
        attach_event_type(project(), "BIRTH", COMMAND_LINE)


def test_a_cancelled_detachment_has_changed_nothing(two_types: System) -> None:
    before = two_types.group_ids()
    envelope = detach_event_type(project(), "BIRTH", COMMAND_LINE, reason=REASON)
    two_types.drain(1)
    with pytest.raises(AttachRefusedError, match="Wait until that has ended, or cancel it"):
        attach_event_type(project(), "BIRTH", COMMAND_LINE)
    cancel_envelope(envelope.pk, COMMAND_LINE)
    assert attachment().is_attached
    assert two_types.group_ids() == before


def test_attached_again_it_takes_new_data_and_what_ended_stays_ended(two_types: System) -> None:
    detach(two_types)
    again = attach_event_type(project(), "BIRTH", COMMAND_LINE, updates=UpdateMode.SKIP)
    assert (again.is_attached, again.updates, again.detached_by) == (True, "skip", None)
    assert two_types.groups() == groups("a", "c")
    births(two_types, "again")
    assert two_types.groups() == groups("abc")


def test_a_failed_detachment_can_be_retried(two_types: System) -> None:
    envelope = failed_detachment(two_types)
    assert attachment().is_being_detached
    retry_job(Job.objects.get(envelope=envelope, state=JobState.ERRORS).pk, COMMAND_LINE)
    two_types.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.SUCCESS
    assert two_types.groups() == groups("a", "c")


def test_attached_again_after_a_failure_the_detachment_is_given_up(two_types: System) -> None:
    envelope = failed_detachment(two_types)
    before = two_types.group_ids()
    failed = Job.objects.get(envelope=envelope, state=JobState.ERRORS)
    attach_event_type(project(), "BIRTH", COMMAND_LINE)
    envelope.refresh_from_db()
    failed.refresh_from_db()
    assert envelope.state == EnvelopeState.CANCELLED
    assert "submit a new one instead" in why_not_retry(failed)
    two_types.drain()
    assert two_types.group_ids() == before


def failed_detachment(system: System) -> Envelope:
    """Detach, with a Group job that fails for want of a file; the file is back afterwards."""
    envelope = detach_event_type(project(), "BIRTH", COMMAND_LINE, reason=REASON)
    system.drain(1)
    file = next(path for path in system.project_folder.iterdir() if path.name.endswith("-assignments.parquet"))
    aside = file.rename(file.with_suffix(".aside"))
    system.drain()
    aside.rename(file)
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.ERRORS
    # an Envelope without a file: the message is as it was written
    assert "Detach BIRTH" not in Job.objects.get(envelope=envelope, state=JobState.ERRORS).error_message
    return envelope


def test_an_event_type_without_records_and_a_project_without_any_can_be_detached(system: System) -> None:
    attach_event_type(project(), "BIRTH", COMMAND_LINE)
    assert preview_detach(system.config, project(), "BIRTH").records_count == 0
    assert detach(system).state == EnvelopeState.SUCCESS
    assert system.groups() == set()
    attach_event_type(project(), "BIRTH", COMMAND_LINE)
    system.load("admissions", [A])
    assert detach(system).state == EnvelopeState.SUCCESS
    assert system.groups() == groups("a")


def test_refusals_say_what_is_wrong(two_types: System) -> None:
    with pytest.raises(DetachRefusedError, match="needs a reason"):
        detach_event_type(project(), "BIRTH", COMMAND_LINE, reason=" ")
    with pytest.raises(
        DetachRefusedError, match=r"'NONE' is not attached to project P1\. Attached are: ADM, BIRTH"
    ):
        detach_event_type(project(), "NONE", COMMAND_LINE, reason=REASON)
    with pytest.raises(AttachRefusedError, match=r"There is no Event Type 'NONE'\. There are: ADM, BIRTH"):
        attach_event_type(project(), "NONE", COMMAND_LINE)
    detach_event_type(project(), "BIRTH", COMMAND_LINE, reason=REASON)
    with pytest.raises(DetachRefusedError, match=r"is being detached from project P1 already, by Envelope \d+"):
        detach_event_type(project(), "BIRTH", COMMAND_LINE, reason=REASON)
    with pytest.raises(AttachRefusedError, match=r"is not attached to project P1\. Attached are: ADM"):
        change_update_mode(project(), "BIRTH", COMMAND_LINE, updates=UpdateMode.SKIP)


def test_a_change_of_the_update_mode_stands_in_the_audit_log_once(system: System) -> None:
    for _turn in range(2):
        change_update_mode(project(), "ADM", COMMAND_LINE, updates=UpdateMode.REPLACE)
    entry = AuditLogEntry.objects.get(action="change update mode")
    assert (entry.target, entry.detail) == ("ADM", {"from": "reject", "to": "replace"})


def test_an_envelope_without_a_file_is_no_fault_to_the_doctor_nor_the_sweep(two_types: System) -> None:
    detach_event_type(project(), "BIRTH", COMMAND_LINE, reason=REASON)
    findings = {finding.subject: finding for finding in check_system(two_types.config)}
    assert findings["Envelopes"].ok
    sweep_files(two_types.config)
    two_types.drain()
    assert two_types.groups() == groups("a", "c")


def test_the_project_file_attaches_what_it_names_and_detaches_nothing(
    system: System,
) -> None:
    text = (system.folder / "project.yaml").read_text()
    both = text.replace("event_types: [ADM]", "event_types: [{code: ADM, updates: replace}, BIRTH]")
    system.apply(both)
    attached = {one.event_type.code: one.updates for one in AttachedEventType.objects.all()}
    assert attached == {"ADM": "replace", "BIRTH": "reject"}
    # a code alone leaves the mode, and what is left out stays
    system.apply(text)
    assert AttachedEventType.objects.get(event_type__code="ADM").updates == "replace"
    assert attachment().is_attached
    detach(system)
    system.apply(both)
    assert attachment().is_attached


def run(*arguments: str) -> str:
    """Run a command in this process, and return what it prints."""
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_line_attaches_changes_previews_and_detaches(system: System) -> None:
    assert "BIRTH is attached to P1; records that come again: skip" in run(
        "attach", "BIRTH", "--project", "P1", "--updates", "skip"
    )
    assert "records that come again: replace" in run("attach", "BIRTH", "--project", "P1", "--updates", "replace")
    assert attachment().updates == "replace"
    births(system, "births")
    preview = run("detach", "BIRTH", "--project", "P1", "--reason", REASON, "--preview")
    assert "BIRTH: 1 records end; 1 groups are worked out anew" in preview
    assert attachment().is_attached
    assert "(Detach BIRTH) is queued" in run("detach", "BIRTH", "--project", "P1", "--reason", REASON)
    system.drain()
    assert system.groups() == set()
    with pytest.raises(AttachRefusedError, match="already"):
        run("attach", "ADM", "--project", "P1")
