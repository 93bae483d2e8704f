"""Commands about the Event Types of a project: attach, detach, what is done with records that come again."""

from typing import Annotated

import typer

from linkwright.config import load_config
from linkwright.engine.update_mode import UpdateMode
from linkwright.services.attach_event_type import attach_event_type, change_update_mode
from linkwright.services.detach_event_type import DetachPreview, detach_event_type, preview_detach
from linkwright.services.live_project import find_project
from linkwright.services.prepare_database import prepare_database
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.queries.attachments import find_attachment

EventTypeArgument = Annotated[str, typer.Argument(help="Event Type code.")]
ProjectOption = Annotated[str, typer.Option(help="Linkage Project code.")]


def attach(
    event_type: EventTypeArgument,
    project: ProjectOption,
    updates: Annotated[
        UpdateMode | None,
        typer.Option(help="What is done with records that come again (default: reject, or as it is)."),
    ] = None,
) -> None:
    """Attach an Event Type; of one that is attached, change what is done with records that come again."""
    prepare_database(load_config())
    found = find_project(project, COMMAND_LINE)
    attached = find_attachment(found, event_type)
    if attached is not None and attached.is_attached and updates is not None:
        change_update_mode(found, event_type, COMMAND_LINE, updates=updates)
    else:
        attach_event_type(found, event_type, COMMAND_LINE, updates=updates or UpdateMode.REJECT)
    mode = updates or UpdateMode.REJECT
    typer.echo(f"{event_type} is attached to {project}; records that come again: {mode.value}")


def detach(
    event_type: EventTypeArgument,
    project: ProjectOption,
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")],
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would end.")] = False,
) -> None:
    """Detach an Event Type from a project: an Envelope is queued that ends all its records."""
    config = load_config()
    prepare_database(config)
    found = find_project(project, COMMAND_LINE)
    if preview:
        print_preview(event_type, preview_detach(config, found, event_type))
        return
    envelope = detach_event_type(found, event_type, COMMAND_LINE, reason=reason)
    typer.echo(f"{envelope} is queued")


def print_preview(event_type: str, preview: DetachPreview) -> None:
    """Print what detaching would do."""
    if preview.refusal:
        typer.echo(f"It cannot be detached now: {preview.refusal}")
    typer.echo(
        f"{event_type}: {preview.records_count:,} records end; {preview.groups_count:,} groups are worked out anew"
    )
    for envelope in preview.waiting:
        typer.echo(f"Processed before: {envelope}")
