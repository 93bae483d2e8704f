"""Writes a project's current match configuration as text: in Linkwright's own form, or as a Splink model."""

import json

import yaml

from linkwright.engine.splink_settings import splink_settings
from linkwright.engine.strategy import Strategy
from linkwright.errors import LinkwrightError
from linkwright.jobs.project_form import current_match_configuration
from linkwright.services.match_versions import find_project


class ExportMatchError(LinkwrightError):
    """It is not clear which strategy is meant, or there is none that can be exported."""


def export_match(project_code: str) -> str:
    """Return the newest version as YAML, as `match` of a project file has it; `import_match` takes it back.

    Raises:
        UnknownProjectError: if there is no such project.
        JobError: if it has no match configuration.
    """
    version, _configuration = current_match_configuration(find_project(project_code))
    written = yaml.safe_dump(version.definition, sort_keys=False, allow_unicode=True, width=100)
    return f"# match configuration of {project_code}, version {version.version}\n{written}"


def export_splink_settings(project_code: str, strategy_name: str | None) -> str:
    """Return one strategy of the newest version as the JSON that Splink loads.

    Args:
        project_code: of the Linkage Project.
        strategy_name: may be left out if there is but one strategy with comparisons.

    Raises:
        UnknownProjectError: if there is no such project.
        JobError: if it has no match configuration.
        ExportMatchError: if the strategy is unknown, or several could be meant.
        NoSplinkModelError: if it has no comparisons.
    """
    _version, configuration = current_match_configuration(find_project(project_code))
    strategy = _chosen(configuration.strategies, strategy_name)
    return json.dumps(splink_settings(configuration, strategy), indent=4, ensure_ascii=False) + "\n"


def _chosen(strategies: tuple[Strategy, ...], name: str | None) -> Strategy:
    with_comparisons = [strategy for strategy in strategies if not strategy.is_deterministic]
    fitting = with_comparisons if name is None else [strategy for strategy in strategies if strategy.name == name]
    if len(fitting) == 1:
        return fitting[0]
    named = ", ".join(strategy.name for strategy in with_comparisons) or "none"
    if name is not None:
        raise ExportMatchError(f"There is no strategy {name!r}. Strategies with comparisons: {named}.")
    raise ExportMatchError(
        f"A Splink model is one strategy with comparisons, and there are {len(fitting)}: {named}. Name one."
    )
