"""Hands one e-mail to Django's backend, as the Settings say: an SMTP server, or files in the data folder.

Knows nothing of the outbox. The password comes from the environment when a mail is sent, and is in no message.
"""

import smtplib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from linkwright.config import load_config, read_email_password
from linkwright.errors import LinkwrightError
from linkwright.services.mail_outbox import one_line
from linkwright.store.settings import read_setting

TIMEOUT_S = 10.0
# from here on, an SMTP server's answer is final
_FINAL_CODE = 500
_REASON_LENGTH = 250


class MailError(LinkwrightError):
    """A mail could not be sent; `is_final`: trying again is of no use."""

    def __init__(self, text: str, *, is_final: bool = False) -> None:
        self.is_final = is_final
        super().__init__(text)


@dataclass(frozen=True)
class Letter:
    """What is sent: one address, a subject of one line, plain text."""

    address: str
    subject: str
    body: str
    message_id: str
    written_at: datetime


def send_letter(letter: Letter) -> str:
    """Send a letter; returns where it went, in words.

    Raises:
        MailError: if it was refused, or nobody could be reached.
        EmailPasswordError: if the file with the password cannot be read.
    """
    connection = _connection()
    message = EmailMessage(
        subject=letter.subject,
        body=letter.body,
        from_email=_setting("From"),
        to=[letter.address],
        headers={
            "Message-ID": letter.message_id,
            "Date": format_datetime(letter.written_at),
            # no absence note is to answer
            "Auto-Submitted": "auto-generated",
        },
        connection=connection,
    )
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise MailError(
            f"{destination()} refused the recipient {letter.address}: {code} {_said(said)}",
            is_final=code >= _FINAL_CODE,
        ) from error
    except smtplib.SMTPResponseException as error:
        raise MailError(f"{destination()} refused: {error.smtp_code} {_said(error.smtp_error)}") from error
    except OSError as error:
        raise MailError(f"{destination()} could not be used: {one_line(str(error), _REASON_LENGTH)}") from error
    except ValueError as error:
        reason = one_line(str(error), _REASON_LENGTH)
        raise MailError(f"The mail to {letter.address!r} is no valid one: {reason}", is_final=True) from error
    finally:
        # Django leaves a connection open over which signing in or encrypting failed
        with suppress(OSError):
            connection.close()
    return destination()


def destination() -> str:
    """Return where mails go by the Settings in force; no user and no password."""
    if _setting("Delivery") == "file":
        return f"The folder {load_config().mail_folder}"
    security = _setting("Security")
    encrypted = "" if security == "none" else f" ({security})"
    return f"The SMTP server {_setting('Host')}:{_setting('Port')}{encrypted}"


def _connection() -> BaseEmailBackend:
    if _setting("Delivery") == "file":
        folder = load_config().mail_folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return get_connection("django.core.mail.backends.filebased.EmailBackend", file_path=str(folder))
    user, password = _setting("User"), read_email_password()
    if user and not password:
        raise MailError(
            f"Notifications.Email.User is {user!r}, but there is no password. Set LINKWRIGHT_EMAIL_PASSWORD or "
            "LINKWRIGHT_EMAIL_PASSWORD_FILE where the worker is started."
        )
    security = _setting("Security")
    return get_connection(
        "django.core.mail.backends.smtp.EmailBackend",
        host=_setting("Host"),
        port=int(_setting("Port")),
        username=user,
        password=password if user else "",
        use_tls=security == "starttls",
        use_ssl=security == "tls",
        timeout=TIMEOUT_S,
    )


def _said(answer: bytes | str) -> str:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return one_line(text, _REASON_LENGTH)


def _setting(name: str) -> str:
    return str(read_setting(f"Notifications.Email.{name}"))
