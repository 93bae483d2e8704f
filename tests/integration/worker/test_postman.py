"""A worker sends mails beside its jobs: a mail server that hangs holds nothing up, and a restart loses nothing."""

import socket

from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import EnvelopeState, LinkageProject, Mail, MailEvent
from linkwright.store.settings import change_setting
from tests.integration.worker.conftest import Submit, wait_for_state
from tests.live_system import LiveSystem, wait_until
from tests.smtp_sink import smtp_sink


def test_a_server_that_hangs_holds_no_job_up_and_the_next_worker_sends_what_waits(
    live: LiveSystem, submit: Submit
) -> None:
    LinkageProject.objects.update(notification_email="unit@example.org")
    for name, value in (("Enabled", True), ("Host", "127.0.0.1"), ("BundleMinutes", 0)):
        change_setting(f"Notifications.Email.{name}", value, COMMAND_LINE)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        # it takes connections and never greets
        change_setting("Notifications.Email.Port", hanging.getsockname()[1], COMMAND_LINE)
        worker = live.start_worker()
        first = submit()
        wait_for_state(first, EnvelopeState.SUCCESS)
        wait_until(lambda: Mail.objects.filter(attempts=1).exists(), "the postman to try")
        second = submit()
        wait_for_state(second, EnvelopeState.SUCCESS)
        assert Mail.objects.get().sent_at is None
        worker.kill()
    Mail.objects.update(not_before=first.received_at)
    with smtp_sink() as sink:
        change_setting("Notifications.Email.Port", sink.port, COMMAND_LINE)
        live.start_worker()
        wait_until(lambda: Mail.objects.filter(sent_at__isnull=False).count() == 2, "both mails to be sent")
    assert [mail["Subject"].split(" of ")[0] for mail in sink.mails] == [
        f"Linkwright: Envelope {envelope.pk} ({envelope.name})" for envelope in (first, second)
    ]
    assert not MailEvent.objects.filter(mail=None).exists()
