"""The command send-test-mail."""

from typing import Annotated

import typer

from linkwright.config import load_config
from linkwright.services.prepare_database import prepare_database
from linkwright.services.send_test_mail import send_test_mail
from linkwright.store.audit_log import COMMAND_LINE


def send_test_mail_command(
    address: Annotated[str, typer.Argument(help="Where the mail goes.")],
) -> None:
    """Send a mail by the settings Notifications.Email.*, and say what came of it."""
    prepare_database(load_config())
    place = send_test_mail(address, COMMAND_LINE)
    typer.echo(f"{place} has taken the mail to {address.strip()}.")
