"""What the tests of e-mails share."""

from datetime import UTC, datetime, timedelta

from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import MailEvent
from linkwright.store.settings import change_setting

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ADDRESS = "unit@example.org"


def set_email(**values: bool | int | str) -> None:
    """Change Settings under Notifications.Email."""
    for name, value in values.items():
        change_setting(f"Notifications.Email.{name}", value, COMMAND_LINE)


def tell(text: str, address: str = ADDRESS) -> None:
    """Put a line into the outbox."""
    MailEvent.objects.create(address=address, text=text, happened_at=NOW)


def events() -> list[tuple[str, str]]:
    """Return what is in the outbox: address and line."""
    return list(MailEvent.objects.values_list("address", "text"))
