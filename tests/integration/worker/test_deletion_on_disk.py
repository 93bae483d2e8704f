"""A deleted project: nothing of its data stays in any file, the database and its log among them."""

from linkwright.services.archive_project import archive_project
from linkwright.services.delete_project import delete_project
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, Envelope, EnvelopeState, LinkageProject, Notification
from tests.integration.worker.conftest import PLANTED, Submit, files_with, wait_for_state
from tests.live_system import LiveSystem, wait_until


def test_a_deleted_project_leaves_nothing_in_any_file(live: LiveSystem, submit: Submit, planted: Envelope) -> None:
    live.start_worker()
    wait_for_state(planted, EnvelopeState.SUCCESS)
    assert Notification.objects.filter(envelope=planted, with_values__contains=PLANTED).exists()
    assert files_with(live, PLANTED)
    project = LinkageProject.objects.get(code="TA")
    archive_project(project.pk, COMMAND_LINE, reason="over")
    assert delete_project(live.config, project.pk, COMMAND_LINE, typed="TA", reason="the approval has ended") > 1
    wait_until(lambda: not files_with(live, PLANTED), "the files to be deleted and the log to be cut", 10)
    assert AuditLogEntry.objects.filter(action="delete project", target="TA").exists()
    # the worker goes on: for a project that is no longer there, an Envelope is refused in words
    later = submit()
    wait_for_state(later, EnvelopeState.ERRORS)
    assert "'TA' is unknown" in Notification.objects.get(envelope=later).text
