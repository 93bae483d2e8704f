"""Commands that carry match configurations in and out: export-match, import-match."""

from pathlib import Path
from typing import Annotated

import typer

from linkwright.config import load_config
from linkwright.engine.splink_import import SplinkImportOptions
from linkwright.errors import LinkwrightError
from linkwright.services.export_match import export_match as written_match
from linkwright.services.export_match import export_splink_settings
from linkwright.services.import_match import import_match as add_imported
from linkwright.services.prepare_database import prepare_database
from linkwright.store.audit_log import COMMAND_LINE

_DEFAULTS = SplinkImportOptions()


def export_match(
    project: Annotated[str, typer.Argument(help="Linkage Project code.")],
    splink: Annotated[
        bool, typer.Option("--splink", help="Write one strategy as JSON that Splink loads.")
    ] = False,
    strategy: Annotated[str | None, typer.Option(help="Which strategy, with --splink.")] = None,
    output: Annotated[Path | None, typer.Option(help="The file to write; printed if left out.")] = None,
) -> None:
    """Write the current match configuration of a project: as YAML, or as a Splink model."""
    if strategy is not None and not splink:
        raise LinkwrightError("--strategy goes with --splink: the YAML holds all strategies. Leave it out.")
    prepare_database(load_config())
    text = export_splink_settings(project, strategy) if splink else written_match(project)
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LinkwrightError(f"{output} cannot be written: {error.strerror}. Name another file.") from error
    typer.echo(f"wrote {output}")


def import_match(
    project: Annotated[str, typer.Argument(help="Linkage Project code.")],
    file: Annotated[Path, typer.Argument(help="JSON that Splink saved, or a match configuration (YAML or JSON).")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    column: Annotated[
        list[str] | None, typer.Option(help="COLUMN=FIELD: which linkage field a column of the Splink model is.")
    ] = None,
    strategy: Annotated[str | None, typer.Option(help="Name of the strategy that a Splink model becomes.")] = None,
    match_threshold: Annotated[
        float | None, typer.Option(help="Match weight (log2) that makes a match (Splink model; default 4.25).")
    ] = None,
    review_threshold: Annotated[
        float | None, typer.Option(help="Match weight from which a pair is kept (default: 4 under the other).")
    ] = None,
    approximate: Annotated[
        bool, typer.Option("--approximate", help="Take what can be said nearly only, and tell how it differs.")
    ] = False,
) -> None:
    """Make a trained Splink model, or an exported file, the new version of a match configuration."""
    options = SplinkImportOptions(
        columns=dict(_column_and_field(text) for text in column or ()),
        strategy=_DEFAULTS.strategy if strategy is None else strategy,
        match_threshold=_DEFAULTS.match_threshold if match_threshold is None else match_threshold,
        review_threshold=review_threshold,
        approximate=approximate,
    )
    prepare_database(load_config())
    done = add_imported(
        project, file, COMMAND_LINE, options=None if options == _DEFAULTS else options, dry_run=dry_run
    )
    for note in done.notes:
        typer.echo(f"Note: {note}.")
    if done.version is None:
        typer.echo("Nothing differs; nothing was changed.")
    else:
        typer.echo(f"{'would ' * dry_run}create match configuration {project} version {done.version}")


def _column_and_field(text: str) -> tuple[str, str]:
    name, equals, field = text.rpartition("=")
    if not (name and equals and field):
        raise LinkwrightError(f"--column {text!r} is not COLUMN=FIELD, such as 'Family Name=surname'. Correct it.")
    return name, field
