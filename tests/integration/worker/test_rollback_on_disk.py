"""A Rollback by a real worker: soon, and nothing of the data stays in any file, the database among them."""

from linkwright.services.roll_back_envelope import RollbackScope, roll_back_envelope
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, EnvelopeState, Job, JobState, Notification
from tests.integration.worker.conftest import PLANTED, Submit, files_with, wait_for_state
from tests.live_system import LiveSystem, machine_slowdown, wait_until

MOST_SECONDS = 0.2


def test_a_rollback_is_soon_and_leaves_nothing_in_any_file(
    live: LiveSystem, submit: Submit, planted: Envelope
) -> None:
    live.start_worker()
    wait_for_state(planted, EnvelopeState.SUCCESS)
    assert Notification.objects.filter(envelope=planted, with_values__contains=PLANTED).exists()
    assert files_with(live, PLANTED)
    job = roll_back_envelope(planted.pk, COMMAND_LINE, reason="a test", scope=RollbackScope.ALONE)
    wait_for_state(planted, EnvelopeState.ROLLED_BACK)
    wait_until(lambda: not files_with(live, PLANTED), "the files to be swept and the log to be cut", 20)
    job = Job.objects.get(pk=job.pk)
    assert job.state == JobState.SUCCESS
    assert job.started_at is not None
    assert job.ended_at is not None
    assert (job.ended_at - job.started_at).total_seconds() < MOST_SECONDS * machine_slowdown()
    other = submit()
    wait_for_state(other, EnvelopeState.SUCCESS)
