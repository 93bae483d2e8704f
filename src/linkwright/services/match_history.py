"""Tells the versions of a project's match configuration: who made which, when and from where; what differs.

Changes nothing. Where a version came from stands in the audit log and with the estimations, not in the version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from linkwright.engine.configuration_differences import Difference, configuration_differences
from linkwright.engine.fields import LinkageField
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.errors import ConfigurationError, LinkwrightError
from linkwright.jobs.project_form import linkage_fields
from linkwright.store.models import (
    AuditLogEntry,
    DefaultMatchVersion,
    LinkageProject,
    MatchConfigurationVersion,
)

CREATED = "create match configuration"


class UnknownVersionError(LinkwrightError):
    """The project has no such version of its match configuration."""


@dataclass(frozen=True)
class VersionLine:
    """One version in the history.

    Args:
        version: its number.
        made_at: when; None for the built-in default.
        made_by: the person's user name; empty for the machine's command line.
        source: from where: a file, an estimation, the page; empty if that is not known.
        note: why, if whoever made it said so.
        has_frequencies: whether term frequencies belong to it.
    """

    version: int
    made_at: datetime | None
    made_by: str
    source: str
    note: str
    has_frequencies: bool


@dataclass(frozen=True)
class ReadVersion:
    """One version with what it says.

    Args:
        row: as stored.
        configuration: in the engine's form; None if it does not fit the linkage fields (any more).
        faults: why it does not.
        is_built_in: whether it is the built-in default, which is made of a project's fields.
    """

    row: MatchConfigurationVersion | DefaultMatchVersion
    configuration: MatchConfiguration | None
    faults: tuple[str, ...] = ()
    is_built_in: bool = False


def list_versions(project: LinkageProject) -> list[VersionLine]:
    """List all versions, newest first."""
    rows = list(
        MatchConfigurationVersion.objects.filter(project=project)
        .select_related("created_by")
        .prefetch_related("estimations")
        .defer("definition")
        .order_by("-version")
    )
    entries = _entries(project)
    return [_line(row, entries.get(f"{project.code} version {row.version}")) for row in rows]


def read_version(project: LinkageProject, number: int | None = None) -> ReadVersion | None:
    """Read a version.

    Args:
        project: of the configuration.
        number: of the version; the newest if None.

    Returns:
        The version; None if the project has no match configuration at all.

    Raises:
        UnknownVersionError: if a number is given, and there is no such version.
    """
    versions = MatchConfigurationVersion.objects.filter(project=project).select_related("created_by")
    row = (versions if number is None else versions.filter(version=number)).order_by("-version").first()
    if row is None:
        if number is not None:
            raise UnknownVersionError(
                f"{project.code} has no version {number} of its match configuration. The page lists those it has."
            )
        return None
    return _read(row, linkage_fields(project))


def version_differences(project: LinkageProject, old: int, new: int) -> tuple[Difference, ...]:
    """List what differs between two versions.

    Raises:
        UnknownVersionError: if there is no such version.
        ConfigurationError: if one of them does not fit the project's fields any more.
    """
    return configuration_differences(*(_readable(project, number) for number in (old, new)))


def _readable(project: LinkageProject, number: int) -> MatchConfiguration:
    found = read_version(project, number)
    if found is None or found.configuration is None:
        faults = found.faults if found else ()
        raise ConfigurationError(
            f"Version {number} does not fit the linkage fields of {project.code}, and cannot be compared.", faults
        )
    return found.configuration


def _read(row: MatchConfigurationVersion, fields: tuple[LinkageField, ...]) -> ReadVersion:
    try:
        return ReadVersion(row, parse_match_configuration(row.definition, fields, ""))
    except ConfigurationError as error:
        return ReadVersion(row, None, tuple(fault.lstrip(".") for fault in error.faults))


def _entries(project: LinkageProject) -> Mapping[str, AuditLogEntry]:
    """Return what the audit log says of each version, by its target; of a code that was used again the newest."""
    found = AuditLogEntry.objects.filter(
        action=CREATED, target__startswith=f"{project.code} version ", at__gte=project.created_at
    )
    return {entry.target: entry for entry in found.order_by("pk")}


def _line(row: MatchConfigurationVersion, entry: AuditLogEntry | None) -> VersionLine:
    applied = list(row.estimations.all())
    source = str(entry.detail.get("from", "")) if entry else ""
    if applied:
        source = f"estimation {applied[0].pk}"
    elif not source and row.term_frequencies:
        source = "term frequencies counted"
    return VersionLine(
        version=row.version,
        made_at=row.created_at,
        made_by=row.created_by.username if row.created_by else "",
        source=source,
        note=entry.reason if entry else "",
        has_frequencies=bool(row.term_frequencies),
    )
