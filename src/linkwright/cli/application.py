"""The typer application with all its commands, and how an error becomes a message and an exit code.

A command's module is imported when the command is asked for: each pulls in rooms that others do not need, and
somebody waits for it.
"""

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup
from typer.main import get_command

from linkwright import __version__
from linkwright.engine.identifying import revealed
from linkwright.errors import LinkwrightError

EXIT_REFUSED = 2
_PLAIN: Mapping[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
}
# module and function of each, in the order of `linkwright --help`
COMMANDS: Mapping[str, str] = {
    "serve": "serving.serve",
    "web": "serving.web",
    "worker": "serving.worker",
    "submit": "envelopes.submit",
    "submit-file": "envelopes.submit_file",
    "status": "envelopes.status",
    "build": "envelopes.build",
    "rollback": "rolling_back.rollback",
    "attach": "event_types.attach",
    "detach": "event_types.detach",
    "estimate-pairs": "linking.estimate_pairs",
    "explain": "explaining.explain",
    "group": "explaining.group",
    "estimate": "estimating.estimate",
    "apply-estimation": "estimating.apply_estimation_command",
    "build-frequencies": "estimating.build_frequencies",
    "create-extraction-project": "extracting.create_extraction_project_command",
    "extract": "extracting.extract",
    "rotate-key-secret": "extracting.rotate_key_secret_command",
    "compact": "storage.compact",
    "purge": "storage.purge",
    "archive-project": "archiving.archive_project_command",
    "unarchive-project": "archiving.unarchive_project_command",
    "delete-project": "archiving.delete_project_command",
    "apply": "setting_up.apply",
    "export": "setting_up.export",
    "export-match": "configurations.export_match",
    "import-match": "configurations.import_match",
    "export-default-match": "configurations.export_default_match_command",
    "import-default-match": "configurations.import_default_match_command",
    "create-administrator": "setting_up.create_administrator_command",
    "add-member": "setting_up.add_member_command",
    "create-api-key": "api_keys.create_api_key_command",
    "list-api-keys": "api_keys.list_api_keys",
    "revoke-api-key": "api_keys.revoke_api_key_command",
    "backup": "backing_up.backup",
    "restore": "backing_up.restore",
    "retry-job": "mending.retry_job_command",
    "cancel-envelope": "mending.cancel_envelope_command",
    "cancel-job": "mending.cancel_job_command",
    "doctor": "setting_up.doctor",
    "send-test-mail": "mailing.send_test_mail_command",
    "demo": "demo.demo",
}


@cache
def _command(name: str) -> Any:
    """Return a command. Typer carries its own Click, whose types are not public."""
    module, _, function = COMMANDS[name].partition(".")
    alone = typer.Typer(**_PLAIN)
    alone.command(name)(getattr(import_module(f"linkwright.cli.{module}"), function))
    return get_command(alone)


class _Commands(Mapping[str, Any]):
    """The commands by name, each imported when it is taken."""

    def __getitem__(self, name: str) -> Any:
        """Return a command."""
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        """Go through the names, importing nothing."""
        return iter(COMMANDS)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(COMMANDS)


class _Group(TyperGroup):
    """The group of all commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands()  # type: ignore[assignment]  # nobody adds one

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        """Return the names, importing nothing."""
        return list(COMMANDS)


app = typer.Typer(
    name="linkwright",
    help="Record linkage that can be watched and trusted.",
    no_args_is_help=True,
    cls=_Group,
    **_PLAIN,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"linkwright {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    home: Annotated[
        Path | None,
        typer.Option(help="The data folder (default: LINKWRIGHT_HOME, else ./linkwright-data)."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Record linkage that can be watched and trusted."""
    # both are dealt with before: --home in bootstrap, --version in its callback
    del home, version


def main() -> None:
    """Run the command line; an error that a person can mend ends in its text and exit code 2."""
    try:
        app()
    except LinkwrightError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"Error: {revealed(str(error))}", markup=False, style="red"
        )
        sys.exit(EXIT_REFUSED)
