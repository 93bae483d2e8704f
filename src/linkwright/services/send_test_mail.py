"""Sends one mail now, past the outbox, so that a person sees whether the Settings are right."""

import uuid

from django.utils import timezone

from linkwright.services.mail_transport import Letter, send_letter
from linkwright.store.audit_log import Actor, record_action


def send_test_mail(address: str, actor: Actor) -> str:
    """Send a test mail to an address, also while mails are off; returns where it went, in words.

    Raises:
        MailError: with what the server said.
        EmailPasswordError: if the file with the password cannot be read.
    """
    now = timezone.now()
    place = send_letter(
        Letter(
            address=address.strip(),
            subject="Linkwright: test mail",
            body="This mail was asked for with `linkwright send-test-mail`. The settings for e-mail work.\n",
            message_id=f"<{uuid.uuid4().hex}@linkwright.invalid>",
            written_at=now,
        )
    )
    record_action(actor, "send test mail", address.strip())
    return place
