"""Commands about API keys: create-api-key, list-api-keys, revoke-api-key."""

from typing import Annotated

import typer
from rich.table import Table

from linkwright.cli.tables import data_console
from linkwright.config import load_config
from linkwright.errors import LinkwrightError
from linkwright.services.create_api_key import create_api_key
from linkwright.services.prepare_database import prepare_database
from linkwright.services.revoke_api_key import revoke_api_key, visible_api_keys
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import User
from linkwright.store.permissions import Permission


def create_api_key_command(
    username: Annotated[str, typer.Argument(help="Whose permissions the key has.")],
    name: Annotated[str, typer.Option(help="What the key is for, such as 'nightly load'.")],
    days: Annotated[int | None, typer.Option(help="Until it expires (default: a year).")] = None,
    permission: Annotated[
        list[Permission] | None,
        typer.Option(help="Narrow the key to this permission; may be given several times."),
    ] = None,
) -> None:
    """Make an API key for a person; prints it once."""
    prepare_database(load_config())
    user = User.objects.filter(username=username.strip()).first()
    if user is None:
        raise LinkwrightError(f"There is no person {username!r}. `linkwright add-member` makes one.")
    made = create_api_key(user, name, COMMAND_LINE, lifetime_days=days, permissions=permission or None)
    typer.echo(
        f"API key {made.key.pk} ({made.key.name}) of {user.username}, until {made.key.expires_at:%Y-%m-%d}:"
    )
    typer.echo(made.token)


def list_api_keys() -> None:
    """List all API keys, newest first; the keys themselves are not kept anywhere."""
    prepare_database(load_config())
    table = Table("id", "person", "name", "begins with", "narrowed to", "expires", "last used", "state", box=None)
    for key in visible_api_keys(COMMAND_LINE):
        table.add_row(
            str(key.pk),
            key.user.username,
            key.name,
            key.token_start,
            ", ".join(key.permissions) if key.permissions else "",
            f"{key.expires_at:%Y-%m-%d}",
            f"{key.last_used_at:%Y-%m-%d %H:%M} from {key.last_used_from}" if key.last_used_at else "never",
            key.state_text,
        )
    data_console().print(table)


def revoke_api_key_command(
    key_id: Annotated[int, typer.Argument(help="The key's number, as `linkwright list-api-keys` shows it.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")] = "",
) -> None:
    """Make an API key useless at once, for good."""
    prepare_database(load_config())
    key = revoke_api_key(key_id, COMMAND_LINE, reason)
    typer.echo(f"{key} is revoked.")
