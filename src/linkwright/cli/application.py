"""The typer application with all its commands, and how an error becomes a message and an exit code."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from linkwright import __version__
from linkwright.cli import (
    api_keys,
    archiving,
    backing_up,
    configurations,
    demo,
    envelopes,
    estimating,
    event_types,
    explaining,
    extracting,
    linking,
    mailing,
    mending,
    serving,
    setting_up,
    storage,
)
from linkwright.engine.identifying import revealed
from linkwright.errors import LinkwrightError

EXIT_REFUSED = 2

app = typer.Typer(
    name="linkwright",
    help="Record linkage that can be watched and trusted.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.command("serve")(serving.serve)
app.command("web")(serving.web)
app.command("worker")(serving.worker)
app.command("submit")(envelopes.submit)
app.command("submit-file")(envelopes.submit_file)
app.command("status")(envelopes.status)
app.command("build")(envelopes.build)
app.command("rollback")(envelopes.rollback)
app.command("attach")(event_types.attach)
app.command("detach")(event_types.detach)
app.command("estimate-pairs")(linking.estimate_pairs)
app.command("explain")(explaining.explain)
app.command("group")(explaining.group)
app.command("estimate")(estimating.estimate)
app.command("apply-estimation")(estimating.apply_estimation_command)
app.command("build-frequencies")(estimating.build_frequencies)
app.command("create-extraction-project")(extracting.create_extraction_project_command)
app.command("extract")(extracting.extract)
app.command("rotate-key-secret")(extracting.rotate_key_secret_command)
app.command("compact")(storage.compact)
app.command("purge")(storage.purge)
app.command("archive-project")(archiving.archive_project_command)
app.command("unarchive-project")(archiving.unarchive_project_command)
app.command("delete-project")(archiving.delete_project_command)
app.command("apply")(setting_up.apply)
app.command("export")(setting_up.export)
app.command("export-match")(configurations.export_match)
app.command("import-match")(configurations.import_match)
app.command("export-default-match")(configurations.export_default_match_command)
app.command("import-default-match")(configurations.import_default_match_command)
app.command("create-administrator")(setting_up.create_administrator_command)
app.command("add-member")(setting_up.add_member_command)
app.command("create-api-key")(api_keys.create_api_key_command)
app.command("list-api-keys")(api_keys.list_api_keys)
app.command("revoke-api-key")(api_keys.revoke_api_key_command)
app.command("backup")(backing_up.backup)
app.command("restore")(backing_up.restore)
app.command("retry-job")(mending.retry_job_command)
app.command("cancel-envelope")(mending.cancel_envelope_command)
app.command("cancel-job")(mending.cancel_job_command)
app.command("doctor")(setting_up.doctor)
app.command("send-test-mail")(mailing.send_test_mail_command)
app.command("demo")(demo.demo)


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
