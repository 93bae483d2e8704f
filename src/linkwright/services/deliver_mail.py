"""Makes mails of what waits in the outbox and sends those that are due. The active worker alone calls this.

Each thing is told once, as far as SMTP allows: an attempt is counted before it is made, and the mail is marked
when the server has taken it. A crash between the two sends the same mail again, under the same Message-ID, which
lets mail programs drop the second. Bundling: while an address has a mail that waits, or had one within
`Notifications.Email.BundleMinutes`, what it is to be told waits for the next one.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urljoin

from django.db import transaction
from django.db.models import DateTimeField, QuerySet
from django.utils import timezone

from linkwright.errors import LinkwrightError
from linkwright.services.mail_outbox import one_line
from linkwright.services.mail_transport import Letter, MailError, send_letter
from linkwright.store.kept_query import Given, KeptQuery, count_of
from linkwright.store.models import Mail, MailEvent
from linkwright.store.settings import read_setting

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=4)
LISTED_EVENTS = 100
KEPT_FOR = timedelta(days=30)
WARNED_FOR = timedelta(days=7)
SUBJECT_LENGTH = 150
_FOOTER = (
    "This is the notification address of a Linkage Project, or the system address,\n"
    "in Linkwright's settings. Do not answer: nobody reads it."
)


@dataclass(frozen=True)
class MailState:
    """How the outbox stands; `last_error` is that of the mail given up last."""

    is_enabled: bool
    waiting_count: int
    given_up_count: int
    last_error: str


def read_mail_state() -> MailState:
    """Count what waits, and what was given up within a week."""
    given_up_count, last_error = read_given_up()
    return MailState(
        is_enabled=bool(read_setting("Notifications.Email.Enabled")),
        waiting_count=_waiting().count() + MailEvent.objects.filter(mail=None).count(),
        given_up_count=given_up_count,
        last_error=last_error,
    )


_GIVEN_UP_COUNT = KeptQuery(
    lambda: count_of(Mail.objects.filter(given_up_at__gte=Given("since", DateTimeField())))
)


def read_given_up() -> tuple[int, str]:
    """Return how many mails were given up within a week, and the error of the last one."""
    since = timezone.now() - WARNED_FOR
    count = _GIVEN_UP_COUNT.first(since=since)
    if not count:
        return 0, ""
    given_up = Mail.objects.filter(given_up_at__gte=since)
    return count, given_up.order_by("-given_up_at").values_list("last_error", flat=True).first() or ""


def has_due_mail(now: datetime) -> bool:
    """Tell whether a look at the outbox is worth while: two reads of short indexes."""
    return _waiting().filter(not_before__lte=now).exists() or MailEvent.objects.filter(mail=None).exists()


def deliver_due(now: datetime, is_stopped: Callable[[], bool] = lambda: False) -> int:
    """Send what is due at `now`; returns how many mails were taken by the server.

    Nothing is sent while `Notifications.Email.Enabled` is off; what waits then goes out once it is on.
    """
    if not read_setting("Notifications.Email.Enabled"):
        return 0
    _make_mails(now)
    sent_count = 0
    for mail in list(_waiting().filter(not_before__lte=now).order_by("not_before", "pk")):
        if is_stopped():
            break
        if _claim(mail, now):
            sent_count += _send(mail)
    return sent_count


def forget_old_mail(now: datetime) -> int:
    """Delete mails that were sent or given up a month ago; returns how many."""
    old = Mail.objects.filter(created_at__lt=now - KEPT_FOR).exclude(sent_at=None, given_up_at=None)
    count = old.count()
    if count:
        old.delete()
    return count


def pause_after(attempts: int) -> timedelta:
    """Return how long a mail rests after so many attempts: 1, 2, 4 ... minutes, at most 4 hours."""
    pause_s = FIRST_PAUSE.total_seconds() * 2.0 ** min(attempts - 1, 20)
    return min(LONGEST_PAUSE, timedelta(seconds=pause_s))


def write_letter(mail: Mail) -> Letter:
    """Return a mail's text: of one event or of many, always the same for the same mail."""
    events = list(mail.events.order_by("pk")[: LISTED_EVENTS + 1])
    count = len(events) if len(events) <= LISTED_EVENTS else mail.events.count()
    if count == 1:
        subject = f"Linkwright: {events[0].text}"
    else:
        subject = f"Linkwright: {count:,} messages, the last: {_last_text(mail)}"
    parts = ["\n".join(_lines(event)) for event in events[:LISTED_EVENTS]]
    if count > LISTED_EVENTS:
        parts.append(f"And {count - LISTED_EVENTS:,} more, which the list of Envelopes shows.")
    return Letter(
        address=mail.address,
        subject=one_line(subject, SUBJECT_LENGTH),
        body="\n\n".join([*parts, f"-- \n{_FOOTER}\n"]),
        message_id=mail.message_id,
        written_at=mail.created_at,
    )


def _waiting() -> QuerySet[Mail]:
    return Mail.objects.filter(sent_at=None, given_up_at=None)


def _last_text(mail: Mail) -> str:
    return mail.events.order_by("-pk").values_list("text", flat=True)[0]


def _lines(event: MailEvent) -> list[str]:
    base = str(read_setting("Notifications.Email.PagesAddress"))
    link = [urljoin(base, event.path)] if base and event.path else []
    return [event.text, f"{event.happened_at:%Y-%m-%d %H:%M:%S} UTC", *link]


def _make_mails(now: datetime) -> None:
    """Bundle what waits, one mail for each address that may get one now."""
    interval = timedelta(minutes=int(read_setting("Notifications.Email.BundleMinutes")))
    addresses = (
        MailEvent.objects.filter(mail=None).order_by("address").values_list("address", flat=True).distinct()
    )
    for address in list(addresses):
        own = Mail.objects.filter(address=address)
        if _waiting().filter(address=address).exists():
            continue
        if interval and own.filter(created_at__gt=now - interval).exists():
            continue
        with transaction.atomic():
            mail = Mail.objects.create(
                address=address,
                message_id=f"<{uuid.uuid4().hex}@linkwright.invalid>",
                created_at=now,
                not_before=now,
            )
            if not MailEvent.objects.filter(mail=None, address=address).update(mail=mail):
                # another worker, which has lost its lock without knowing it, was faster
                mail.delete()


def _claim(mail: Mail, now: datetime) -> bool:
    """Count the attempt before it is made; exactly one of two senders gets the mail."""
    attempts = mail.attempts + 1
    mine = _waiting().filter(pk=mail.pk, attempts=mail.attempts)
    if mine.update(attempts=attempts, not_before=now + pause_after(attempts)) != 1:
        return False
    mail.attempts = attempts
    return True


def _send(mail: Mail) -> bool:
    try:
        send_letter(write_letter(mail))
    except LinkwrightError as error:
        is_final = isinstance(error, MailError) and error.is_final
        is_over = is_final or mail.attempts >= int(read_setting("Notifications.Email.MaxAttempts"))
        Mail.objects.filter(pk=mail.pk).update(
            last_error=one_line(str(error), 300), given_up_at=timezone.now() if is_over else None
        )
        return False
    Mail.objects.filter(pk=mail.pk).update(sent_at=timezone.now(), last_error="")
    return True
