"""Commands that carry match configurations in and out: those of a project, and the default for new projects."""

from pathlib import Path
from typing import Annotated

import typer

from linkwright.config import load_config
from linkwright.engine.splink_import import SplinkImportOptions
from linkwright.errors import LinkwrightError
from linkwright.services.export_match import (
    export_default_match,
    export_default_splink_settings,
    export_splink_settings,
)
from linkwright.services.export_match import export_match as written_match
from linkwright.services.import_match import ImportedMatch, import_default_match
from linkwright.services.import_match import import_match as add_imported
from linkwright.services.prepare_database import prepare_database
from linkwright.store.audit_log import COMMAND_LINE

_DEFAULTS = SplinkImportOptions()

_Project = Annotated[str, typer.Argument(help="Linkage Project code.")]
_Splink = Annotated[bool, typer.Option("--splink", help="Write one strategy as JSON that Splink loads.")]
_Chosen = Annotated[str | None, typer.Option(help="Which strategy, with --splink.")]
_Output = Annotated[Path | None, typer.Option(help="The file to write; printed if left out.")]
_File = Annotated[Path, typer.Argument(help="JSON that Splink saved, or a match configuration (YAML or JSON).")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]
_Columns = Annotated[
    list[str] | None, typer.Option(help="COLUMN=FIELD: which linkage field a column of the Splink model is.")
]
_Strategy = Annotated[str | None, typer.Option(help="Name of the strategy that a Splink model becomes.")]
_MatchThreshold = Annotated[
    float | None, typer.Option(help="Match weight (log2) that makes a match (Splink model; default 4.25).")
]
_ReviewThreshold = Annotated[
    float | None, typer.Option(help="Match weight from which a pair is kept (default: 4 under the other).")
]
_Approximate = Annotated[
    bool, typer.Option("--approximate", help="Take what can be said nearly only, and tell how it differs.")
]


def export_match(
    project: _Project, splink: _Splink = False, strategy: _Chosen = None, output: _Output = None
) -> None:
    """Write the current match configuration of a project: as YAML, or as a Splink model."""
    _demand_splink(strategy, is_splink=splink)
    prepare_database(load_config())
    _write(export_splink_settings(project, strategy) if splink else written_match(project), output)


def export_default_match_command(
    splink: _Splink = False, strategy: _Chosen = None, output: _Output = None
) -> None:
    """Write the match configuration that new projects start with: as YAML, or as a Splink model."""
    _demand_splink(strategy, is_splink=splink)
    prepare_database(load_config())
    _write(export_default_splink_settings(strategy) if splink else export_default_match(), output)


def import_match(
    project: _Project,
    file: _File,
    *,
    dry_run: _DryRun = False,
    column: _Columns = None,
    strategy: _Strategy = None,
    match_threshold: _MatchThreshold = None,
    review_threshold: _ReviewThreshold = None,
    approximate: _Approximate = False,
) -> None:
    """Make a trained Splink model, or an exported file, the new version of a match configuration."""
    options = _options(column, strategy, match_threshold, review_threshold, approximate=approximate)
    prepare_database(load_config())
    done = add_imported(project, file, COMMAND_LINE, options=options, dry_run=dry_run)
    _tell(done, f"match configuration {project}", is_dry_run=dry_run)


def import_default_match_command(
    file: _File,
    *,
    dry_run: _DryRun = False,
    column: _Columns = None,
    strategy: _Strategy = None,
    match_threshold: _MatchThreshold = None,
    review_threshold: _ReviewThreshold = None,
    approximate: _Approximate = False,
) -> None:
    """Make a trained Splink model, or an exported file, what new projects start with."""
    options = _options(column, strategy, match_threshold, review_threshold, approximate=approximate)
    prepare_database(load_config())
    done = import_default_match(file, COMMAND_LINE, options=options, dry_run=dry_run)
    _tell(done, "default match configuration", is_dry_run=dry_run)


def _demand_splink(strategy: str | None, *, is_splink: bool) -> None:
    if strategy is not None and not is_splink:
        raise LinkwrightError("--strategy goes with --splink: the YAML holds all strategies. Leave it out.")


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LinkwrightError(f"{output} cannot be written: {error.strerror}. Name another file.") from error
    typer.echo(f"wrote {output}")


def _options(
    columns: list[str] | None,
    strategy: str | None,
    match_threshold: float | None,
    review_threshold: float | None,
    *,
    approximate: bool,
) -> SplinkImportOptions | None:
    options = SplinkImportOptions(
        columns=dict(_column_and_field(text) for text in columns or ()),
        strategy=_DEFAULTS.strategy if strategy is None else strategy,
        match_threshold=_DEFAULTS.match_threshold if match_threshold is None else match_threshold,
        review_threshold=review_threshold,
        approximate=approximate,
    )
    return None if options == _DEFAULTS else options


def _tell(done: ImportedMatch, what: str, *, is_dry_run: bool) -> None:
    for note in done.notes:
        typer.echo(f"Note: {note}.")
    if done.version is None:
        typer.echo("Nothing differs; nothing was changed.")
    else:
        typer.echo(f"{'would ' * is_dry_run}create {what} version {done.version}")


def _column_and_field(text: str) -> tuple[str, str]:
    name, equals, field = text.rpartition("=")
    if not (name and equals and field):
        raise LinkwrightError(f"--column {text!r} is not COLUMN=FIELD, such as 'Family Name=surname'. Correct it.")
    return name, field
