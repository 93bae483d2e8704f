"""A project is created, archived, taken out of the archive, and deleted with everything of it."""

import json

import pytest
from django.apps import apps
from django.db import connection, transaction

from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.fields import parse_fields
from linkwright.envelopes.manifest import RequestType
from linkwright.jobs.context import project_folder
from linkwright.queue.retry import why_not_retry
from linkwright.services.archive_project import archive_project, unarchive_project
from linkwright.services.attach_event_type import attach_event_type
from linkwright.services.change_project import change_project
from linkwright.services.create_extraction_project import NewExtractionProject, create_extraction_project
from linkwright.services.create_project import NewProject, create_project
from linkwright.services.delete_project import delete_project, preview_delete
from linkwright.services.detach_event_type import DetachRefusedError, detach_event_type
from linkwright.services.export_project_file import export_project_file
from linkwright.services.extraction_faults import ExtractionForm
from linkwright.services.project_form import ProjectForm, ProjectRefusedError, ProjectStateError
from linkwright.services.retry_job import retry_job
from linkwright.services.start_compact import start_compact
from linkwright.services.start_extraction import start_extraction
from linkwright.services.submit_data_file import DataFileRefusedError, DataFileSubmission, submit_data_file
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AuditLogEntry,
    Envelope,
    EnvelopeState,
    Job,
    JobKind,
    JobState,
    LinkageProject,
    MatchConfigurationVersion,
    Notification,
    RemovedPath,
)
from tests.integration.pipeline.acting import A, B, C, person
from tests.integration.pipeline.conftest import System

pytestmark = pytest.mark.usefixtures("without_drawing")

FORM = ProjectForm(name="Second", description="Line one\nLine two", notification_email="a@example.org")


def second(**changes: object) -> NewProject:
    return NewProject(**{"code": "P2", "form": FORM, "event_types": ["ADM"], "like": "P1", **changes})  # type: ignore[arg-type]


def archived(code: str = "P1") -> LinkageProject:
    return archive_project(LinkageProject.objects.get(code=code).pk, COMMAND_LINE, reason="over")


def counts() -> dict[str, int]:
    kept = {"AuditLogEntry"}
    return {
        model.__name__: model._default_manager.count()
        for model in apps.get_app_config("store").get_models(include_auto_created=True)
        if model.__name__ not in kept
    }


def test_a_new_project_gets_the_default_or_what_another_one_has(system: System) -> None:
    LinkageProject.objects.filter(code="P1").update(own_fields={"clinic": "text"}, keep_unused_columns=False)
    like, plain = create_project(second(), COMMAND_LINE), create_project(second(code="P3", like=""), COMMAND_LINE)
    definitions = dict(MatchConfigurationVersion.objects.values_list("project__code", "definition"))
    assert definitions["P2"] == definitions["P1"]
    assert definitions["P3"] == json.loads(json.dumps(default_match_definition(parse_fields({}))))
    assert (like.own_fields, like.keep_unused_columns) == ({"clinic": "text"}, False)
    assert (plain.own_fields, plain.keep_unused_columns, plain.grouping) == ({}, True, {"method": "merge"})
    assert [one.code for one in like.event_types.all()] == ["ADM"]
    actions = list(AuditLogEntry.objects.filter(project_code="P2").order_by("pk").values_list("action", flat=True))
    assert actions == ["create project", "create match configuration", "attach Event Type"]


def test_a_new_project_is_refused_with_every_fault_and_nothing_is_left(system: System) -> None:
    before = counts()
    form = ProjectForm(name="a\nb", notification_email="nobody")
    with pytest.raises(ProjectRefusedError) as caught:
        create_project(NewProject("../x", form, ["NONE"], "NO"), COMMAND_LINE)
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "code", "name", "notification_email", "event_types", "like",
    ]  # fmt: skip
    with pytest.raises(ProjectRefusedError, match="not created") as caught:
        create_project(second(code="P1"), COMMAND_LINE)
    assert "already" in caught.value.faults[0]
    assert counts() == before


def test_a_change_stands_in_the_audit_log_with_before_and_after(system: System) -> None:
    project = LinkageProject.objects.get(code="P1")
    assert change_project(project.pk, FORM, COMMAND_LINE)
    assert not change_project(project.pk, FORM, COMMAND_LINE)
    entry = AuditLogEntry.objects.get(action="change project")
    assert entry.detail["before"]["name"] == "A small project"
    assert entry.detail["after"]["name"] == "Second"
    with pytest.raises(ProjectRefusedError):
        change_project(project.pk, ProjectForm(name=""), COMMAND_LINE)


def test_an_archived_project_takes_no_envelopes_and_loses_nothing(system: System) -> None:
    system.load("one", [A, B])
    project = archived()
    refused = system.submit(system.build("two", [C]))
    system.drain()
    refused.refresh_from_db()
    assert refused.state == EnvelopeState.ERRORS
    assert "was archived on" in Notification.objects.get(envelope=refused).text
    job = Job.objects.get(envelope=refused, kind=JobKind.VALIDATE)
    assert "archive" in why_not_retry(job)
    source = system.folder / "three.csv"
    source.write_text("id,given,surname,dob,postcode\n")
    submission = DataFileSubmission(
        path=source, file_name="three.csv", project_code="P1", event_type_code="ADM",
        request_type=RequestType.SUBMIT_LINKAGE,
    )  # fmt: skip
    with pytest.raises(DataFileRefusedError) as caught:
        submit_data_file(submission, COMMAND_LINE)
    assert "was archived on" in caught.value.faults[0]
    with pytest.raises(DetachRefusedError, match="archived"):
        detach_event_type(project, "ADM", COMMAND_LINE, reason="tidying")
    unarchive_project(project.pk, COMMAND_LINE)
    retry_job(job.pk, COMMAND_LINE)
    system.drain()
    refused.refresh_from_db()
    assert refused.state == EnvelopeState.SUCCESS
    assert len(system.groups()) == 1


def test_a_project_with_jobs_to_do_is_not_archived(system: System) -> None:
    project = LinkageProject.objects.get(code="P1")
    system.submit(system.build("one", [A]))
    with pytest.raises(ProjectStateError, match="queued"):
        archived()
    with pytest.raises(ProjectStateError, match="reason"):
        archive_project(project.pk, COMMAND_LINE, reason=" ")
    with pytest.raises(ProjectStateError, match="is not archived"):
        unarchive_project(project.pk, COMMAND_LINE)
    system.drain()
    archived()
    with pytest.raises(ProjectStateError, match="archived already"):
        archived()


def test_the_project_file_says_that_a_project_is_archived(system: System) -> None:
    archived()
    text = export_project_file(COMMAND_LINE)
    assert "archived: true" in text
    system.apply(text)
    system.apply(text.replace("archived: true", "archived: false"))
    assert LinkageProject.objects.get(code="P1").archived_at is None
    system.apply(text)
    assert LinkageProject.objects.get(code="P1").archived_at is not None
    # a file that says nothing of it leaves it as it is
    system.apply(text.replace("  archived: true\n", ""))
    assert LinkageProject.objects.get(code="P1").archived_at is not None


def test_deleting_takes_every_row_and_file_and_leaves_the_other_projects(system: System) -> None:
    system.load("one", [A, B])
    kept_files = sorted(path for path in system.config.home.rglob("*") if path.is_file())
    before = counts()
    project = create_project(second(), COMMAND_LINE)
    attach_event_type(project, "BIRTH", COMMAND_LINE)
    fill(system, project)
    folder = project_folder(system.config, project)
    assert any(folder.iterdir())
    with pytest.raises(ProjectStateError, match="Archive it first"):
        delete_project(system.config, project.pk, COMMAND_LINE, typed="P2", reason="over")
    archived("P2")
    for typed, reason, told in (("P1", "over", "Type P2"), ("P2", " ", "reason")):
        with pytest.raises(ProjectStateError, match=told):
            delete_project(system.config, project.pk, COMMAND_LINE, typed=typed, reason=reason)
    assert preview_delete(project).envelopes_count == 2
    delete_project(system.config, project.pk, COMMAND_LINE, typed="P2", reason="the approval has ended")
    connection.check_constraints()
    after = counts()
    # series of Envelopes are made on first use
    assert {name: after[name] for name in before} == before
    assert not folder.exists()
    left = sorted(path for path in system.config.home.rglob("*") if path.is_file() and path not in kept_files)
    # the secret of all Person Keys is the server's
    assert [path.name for path in left if path.suffix in {".zip", ".parquet"}] == []
    entry = AuditLogEntry.objects.get(action="delete project")
    assert (entry.target, entry.reason, entry.detail["envelopes_count"]) == ("P2", "the approval has ended", 2)
    assert len(system.groups()) == 1
    with pytest.raises(LinkageProject.DoesNotExist):
        delete_project(system.config, project.pk, COMMAND_LINE, typed="P2", reason="again")


def fill(system: System, project: LinkageProject) -> None:
    """Give a project an Envelope, a failed one, an extraction with a result, and a system job."""
    system.submit(system.build("two", [A, B, person("d")], project=project.code))
    system.submit(system.build("bad", [A], project=project.code))
    system.drain()
    assert set(Envelope.objects.filter(project=project).values_list("state", flat=True)) == {"Success", "Errors"}
    form = ExtractionForm(
        name="Diabetes", approval_reference="1", columns=[("person_key", "KEY")], file_format="csv",
        keep_results_days=9,
    )  # fmt: skip
    made = create_extraction_project(
        project, NewExtractionProject(code="D", kind="snapshot", event_types=["ADM"], form=form), COMMAND_LINE
    )
    system.drain()
    start_extraction(made, COMMAND_LINE)
    start_compact(project, COMMAND_LINE)
    system.drain()
    assert any(system.config.results_folder.iterdir())


def test_a_crash_between_the_rows_and_the_files_leaves_these_to_the_sweep(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.load("one", [A, B])
    project = archived()
    folder = project_folder(system.config, project)
    received = system.config.incoming_folder / Envelope.objects.get(project=project).file_name

    def crash(_config: object) -> int:
        raise OSError("the power is gone")

    with monkeypatch.context() as patched:
        patched.setattr("linkwright.services.delete_project.sweep_removed", crash)
        with pytest.raises(OSError, match="power"):
            delete_project(system.config, project.pk, COMMAND_LINE, typed="P1", reason="over")
    assert any(folder.iterdir())
    assert received.exists()
    assert RemovedPath.objects.count() == 2
    assert sweep_files(system.config).files_count > 1
    assert not folder.exists()
    assert not received.exists()
    assert RemovedPath.objects.count() == 0


def test_a_deletion_that_is_refused_at_its_commit_deletes_no_file(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.load("one", [A, B])
    project = archived()
    before, folder = counts(), project_folder(system.config, project)

    def crash(*_arguments: object, **_words: object) -> None:
        raise RuntimeError("the database is gone")

    monkeypatch.setattr("linkwright.services.delete_project.record_action", crash)
    with pytest.raises(RuntimeError), transaction.atomic():
        delete_project(system.config, project.pk, COMMAND_LINE, typed="P1", reason="over")
    assert counts() == before
    sweep_files(system.config)
    assert any(folder.iterdir())


def test_a_project_is_not_deleted_while_a_backup_reads_it(system: System) -> None:
    project = archived()
    Job.objects.create(kind=JobKind.BACKUP, state=JobState.RUNNING, queue_rank=1, queued_at=project.created_at)
    with pytest.raises(ProjectStateError, match="Backup"):
        delete_project(system.config, project.pk, COMMAND_LINE, typed="P1", reason="over")
