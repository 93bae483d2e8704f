"""Commands about parameters: estimate them, apply what was proposed, build term frequencies."""

from typing import Annotated

import typer
from rich.table import Table

from linkwright.cli.tables import data_console
from linkwright.cli.waiting import await_success
from linkwright.config import load_config
from linkwright.services import start_estimation
from linkwright.services.apply_estimation import apply_estimation, find_estimation
from linkwright.services.prepare_database import prepare_database
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Estimation, MatchConfigurationVersion

ProjectArgument = Annotated[str, typer.Argument(help="Linkage Project code.")]
WaitOption = Annotated[bool, typer.Option("--wait", help="Wait until the job has ended, and show its result.")]


def estimate(project: ProjectArgument, wait: WaitOption = False) -> None:
    """Queue an estimation of a project's parameters; it proposes, and changes nothing by itself."""
    prepare_database(load_config())
    job = start_estimation.start_estimation(start_estimation.find_project(project), COMMAND_LINE)
    typer.echo(f"Job {job.pk} (Estimate): Queued")
    if wait:
        await_success(job)
        _print_estimation(Estimation.objects.get(job=job))


def apply_estimation_command(
    estimation: Annotated[int, typer.Argument(help="The estimation's number.")],
    replace_version: Annotated[
        int | None,
        typer.Option(help="Confirm that this version, made since the estimation began, is replaced."),
    ] = None,
) -> None:
    """Make what an estimation proposes the next version of its project's match configuration."""
    prepare_database(load_config())
    version = apply_estimation(estimation, COMMAND_LINE, replace_version=replace_version)
    code = find_estimation(estimation).project.code
    typer.echo(f"{code} has version {version.version} of its match configuration; later Envelopes use it.")


def build_frequencies(project: ProjectArgument, wait: WaitOption = False) -> None:
    """Queue the counting of term frequencies; they come as the next version of the match configuration."""
    prepare_database(load_config())
    job = start_estimation.start_building_frequencies(start_estimation.find_project(project), COMMAND_LINE)
    typer.echo(f"Job {job.pk} (Estimate): Queued")
    if wait:
        await_success(job)
        newest = MatchConfigurationVersion.objects.filter(project=job.project).first()
        number = newest.version if newest else 0
        typer.echo(f"{project} has version {number} of its match configuration, with term frequencies.")


def _print_estimation(estimation: Estimation) -> None:
    results = estimation.results
    typer.echo(
        f"Estimation {estimation.pk}: {results['records_count']:,} records; prior {results['current_prior']:g}, "
        f"proposed {results['estimated_prior']:g}"
    )
    thresholds = Table("strategy", "match threshold", "proposed", "review threshold", "proposed", box=None)
    parameters = Table("comparison", "level", "m", "proposed", "u", "proposed", box=None)
    for strategy in results["strategies"]:
        thresholds.add_row(
            strategy["strategy"],
            *(
                f"{strategy[f'{version}_{kind}_threshold']:g}"
                for kind in ("match", "review")
                for version in ("current", "proposed")
            ),
        )
        for comparison in strategy["comparisons"]:
            for level in comparison["levels"]:
                values = (level[f"{version}_{kind}"] for kind in "mu" for version in ("current", "estimated"))
                parameters.add_row(comparison["name"], level["level"], *(f"{value:.4g}" for value in values))
    console = data_console()
    console.print(thresholds)
    console.print(parameters)
    for note in results["notes"]:
        typer.echo(f"Note: {note}")
    typer.echo(f"To apply it: linkwright apply-estimation {estimation.pk}")
