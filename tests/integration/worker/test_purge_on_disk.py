"""A Purge by a real worker: nothing of ended records stays in any file, the database and its log among them."""

from pathlib import Path

from linkwright.envelopes.builder import SourceFile, build_package
from linkwright.envelopes.manifest import RequestType
from linkwright.services.receive_envelope import receive_envelope
from linkwright.services.start_purge import start_purge
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, EnvelopeState, Job, JobState, LinkageProject, Notification
from tests.integration.worker.conftest import PLANTED, RECORDS_COUNT, files_with, wait_for_state
from tests.live_system import LiveSystem, wait_until


def test_a_purge_leaves_nothing_of_deleted_records_in_any_file(
    live: LiveSystem, planted: Envelope, tmp_path: Path
) -> None:
    live.start_worker()
    wait_for_state(planted, EnvelopeState.SUCCESS)
    assert Notification.objects.filter(envelope=planted, with_values__contains=PLANTED).exists()
    source = tmp_path / "list.txt"
    source.write_text("".join(f"p{number}\n" for number in range(RECORDS_COUNT)))
    package = build_package(
        tmp_path / "deletion.zip",
        linkage_project="TA",
        sender="FEBRL",
        request_type=RequestType.SUBMIT_DELETION,
        data=[SourceFile(path=source, event_type_code="FEBRL-A")],
    )
    deletion = receive_envelope(package, name="", actor=COMMAND_LINE)
    wait_for_state(deletion, EnvelopeState.SUCCESS)
    assert files_with(live, PLANTED)
    project = LinkageProject.objects.get(code="TA")
    job = start_purge(project, COMMAND_LINE, reason="a test", older_than_days=0)
    assert job is not None
    wait_until(lambda: not files_with(live, PLANTED), "the files to be swept and the log to be cut", 30)
    job.refresh_from_db()
    assert (job.state, job.statistics["records_count"]) == (JobState.SUCCESS, RECORDS_COUNT)
    assert Job.objects.filter(state=JobState.ERRORS).count() == 0
