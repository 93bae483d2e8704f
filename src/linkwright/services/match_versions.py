"""Adds versions to a project's match configuration: an earlier version is never changed, only followed.

Must be called inside a transaction, with a configuration that fits the project's linkage fields.
"""

from collections.abc import Mapping
from typing import Any

from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.engine.term_frequencies import frequency_fields
from linkwright.errors import ConfigurationError, LinkwrightError
from linkwright.jobs.project_form import current_version, linkage_fields
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import LinkageProject, MatchConfigurationVersion


class UnknownProjectError(LinkwrightError):
    """There is no Linkage Project of that code."""


def find_project(code: str) -> LinkageProject:
    """Return the project of a code.

    Raises:
        UnknownProjectError: if there is none; those that exist are named.
    """
    project = LinkageProject.objects.filter(code=code).first()
    if project is None:
        known = ", ".join(LinkageProject.objects.order_by("code").values_list("code", flat=True)) or "none yet"
        raise UnknownProjectError(f"Linkage Project {code!r} is unknown. Known: {known}.")
    return project


def add_match_version(
    project: LinkageProject,
    definition: Mapping[str, Any],
    actor: Actor,
    source: str,
    *,
    note: str = "",
    keeps_frequencies: bool = False,
) -> MatchConfigurationVersion | None:
    """Add a version, unless it would mean the same as the newest.

    Args:
        project: of the configuration.
        definition: what `parse_match_configuration` takes; its fields are the project's.
        actor: who adds it.
        source: where it comes from, for the audit log.
        note: why it is made, in the words of whoever makes it.
        keeps_frequencies: whether the newest version's term frequencies go on to hold, if they are of every field
            that the new version asks for.

    Returns:
        The new version; None if nothing differs.
    """
    newest = current_version(project)
    configuration = parse_match_configuration(definition, linkage_fields(project))
    before = _read(newest) if newest is not None else None
    if newest is not None and before == configuration:
        return None
    kept = ""
    if keeps_frequencies and newest is not None and before is not None:
        asked = set(frequency_fields(configuration))
        kept = newest.term_frequencies if asked and asked <= set(frequency_fields(before)) else ""
    version = MatchConfigurationVersion.objects.create(
        project=project,
        version=1 if newest is None else newest.version + 1,
        definition=dict(definition),
        term_frequencies=kept,
        created_by=actor.user,
    )
    record_action(
        actor,
        "create match configuration",
        f"{project.code} version {version.version}",
        project_code=project.code,
        reason=note,
        detail={"from": source},
    )
    return version


def _read(version: MatchConfigurationVersion) -> MatchConfiguration | None:
    """Return a stored version in the engine's form; None if it does not fit the project's fields any more."""
    try:
        return parse_match_configuration(version.definition, linkage_fields(version.project))
    except ConfigurationError:
        return None
