"""The command that undoes an Envelope."""

from typing import Annotated

import typer

from linkwright.config import load_config
from linkwright.services.prepare_database import prepare_database
from linkwright.services.roll_back_envelope import RollbackScope, preview_rollback, roll_back_envelope
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope


def rollback(
    envelope_id: Annotated[int, typer.Argument(help="The Envelope's id, as `linkwright status` shows it.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")],
    with_later: Annotated[
        bool, typer.Option("--with-later", help="Roll all later Envelopes of the project back as well.")
    ] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would be undone.")] = False,
) -> None:
    """Undo everything that an Envelope changed in its project; the job is queued, and cannot be undone itself."""
    prepare_database(load_config())
    if preview:
        _print_preview(envelope_id)
        return
    scope = RollbackScope.WITH_LATER if with_later else RollbackScope.ALONE
    job = roll_back_envelope(envelope_id, COMMAND_LINE, reason=reason, scope=scope)
    typer.echo(f"{job} is queued")


def _print_preview(envelope_id: int) -> None:
    """Print what rolling an Envelope back would undo."""
    envelope = Envelope.objects.filter(pk=envelope_id).first()
    if envelope is None:
        raise typer.BadParameter(f"there is no Envelope {envelope_id}", param_hint="ENVELOPE_ID")
    found = preview_rollback(envelope)
    typer.echo(f"{envelope}: {found.records_count:,} records")
    if found.refusal:
        typer.echo(f"It cannot be rolled back now: {found.refusal}")
    if found.is_latest:
        typer.echo("It is the latest of its project: its files are dropped.")
    extracted = found.extractions
    if extracted.results_count:
        typer.echo(
            f"Results of extractions made since, which are withdrawn: {extracted.results_count:,} "
            f"({extracted.downloaded_count:,} of them downloaded already)"
        )
    if extracted.snapshots_count:
        typer.echo(f"Snapshots made since, which lose its records: {extracted.snapshots_count:,}")
    for one in found.later:
        typer.echo(f"Later: {one}, {one.records_count or 0:,} records")
    for one in found.reviews:
        by = f", by {one.received_by.username}" if one.received_by else ""
        typer.echo(f"A Quality Review made since, undone with it in any case: {one}{by}")
