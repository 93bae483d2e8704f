"""Writes a match configuration as text, a project's or the default: in Linkwright's form, or as a Splink model."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from linkwright.engine.splink_settings import splink_settings
from linkwright.engine.strategy import MatchConfiguration, Strategy
from linkwright.errors import ConfigurationError, LinkwrightError
from linkwright.jobs.project_form import current_match_configuration
from linkwright.services.default_match import read_default_version
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
    return _written(f"match configuration of {project_code}, version {version.version}", version.definition)


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
    return _splink_settings(configuration, strategy_name)


def export_default_match() -> str:
    """Return the default match configuration in force as YAML, as `default_match` of a project file has it.

    The built-in one is written as it is for the standard linkage fields.
    """
    read = read_default_version()
    what = "built in" if read.is_built_in else f"version {read.row.version}"
    return _written(f"default match configuration, {what}", read.row.definition)


def export_default_splink_settings(strategy_name: str | None) -> str:
    """Return one strategy of the default match configuration as the JSON that Splink loads.

    Raises:
        ExportMatchError: if the strategy is unknown, or several could be meant.
        NoSplinkModelError: if it has no comparisons.
        ConfigurationError: if the default cannot be read any more.
    """
    read = read_default_version()
    if read.configuration is None:
        raise ConfigurationError("The default match configuration cannot be read any more.", read.faults)
    return _splink_settings(read.configuration, strategy_name)


def _written(what: str, definition: Mapping[str, Any]) -> str:
    text = yaml.safe_dump(dict(definition), sort_keys=False, allow_unicode=True, width=100)
    return f"# {what}\n{text}"


def _splink_settings(configuration: MatchConfiguration, strategy_name: str | None) -> str:
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
