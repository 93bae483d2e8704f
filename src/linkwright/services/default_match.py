"""The match configuration that new projects start with: the newest version that was saved, or the built-in one.

Reads only. A saved version is for the standard linkage fields, and copied as it stands; the built-in one (version
0, and every version that goes back to it) is made of a project's own fields as well.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from linkwright.engine.configuration_differences import Difference, configuration_differences
from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.fields import STANDARD_FIELDS, LinkageField
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.errors import ConfigurationError
from linkwright.services.match_history import ReadVersion, UnknownVersionError, VersionLine
from linkwright.services.project_file import BUILT_IN_MATCH
from linkwright.store.models import AuditLogEntry, DefaultMatchVersion

BUILT_IN_VERSION = 0
CHANGED = "change default match configuration"
"""The action in the audit log."""


class FirstMatch(NamedTuple):
    """What a new project starts with.

    definition: plain data for `parse_match_configuration`, with the project's fields.
    source: where it comes from, for the project's history.
    """

    definition: dict[str, Any]
    source: str


def first_match(fields: Sequence[LinkageField]) -> FirstMatch:
    """Return the match configuration of a project that declares none; `fields` are all of the project's."""
    newest = DefaultMatchVersion.objects.first()
    if newest is None or not newest.definition:
        return FirstMatch(default_match_definition(fields), "the built-in default")
    return FirstMatch(newest.definition, f"version {newest.version} of the default")


def list_default_versions() -> list[VersionLine]:
    """List all versions, newest first; the built-in one comes last, and nobody made it."""
    entries = {entry.target: entry for entry in AuditLogEntry.objects.filter(action=CHANGED).order_by("pk")}
    rows = DefaultMatchVersion.objects.select_related("created_by").defer("definition")
    saved = [_line(row, entries.get(version_target(row.version))) for row in rows]
    return [*saved, VersionLine(BUILT_IN_VERSION, None, "", "Linkwright itself", "", has_frequencies=False)]


def read_default_version(number: int | None = None) -> ReadVersion:
    """Read a version, the newest if no number is given.

    Raises:
        UnknownVersionError: if there is no such version.
    """
    rows = DefaultMatchVersion.objects.select_related("created_by")
    row = (rows if number is None else rows.filter(version=number)).first()
    if row is None:
        if number:
            raise UnknownVersionError(f"The default has no version {number}. The page lists those it has.")
        row = DefaultMatchVersion(version=BUILT_IN_VERSION, definition={})
    is_built_in = not row.definition
    row.definition = row.definition or default_match_definition(STANDARD_FIELDS)
    try:
        configuration = parse_match_configuration(row.definition, STANDARD_FIELDS, "")
    except ConfigurationError as error:
        # a later Linkwright may have other standard fields, or refuse what an earlier one took
        faults = tuple(fault.lstrip(".") for fault in error.faults)
        return ReadVersion(row, None, faults, is_built_in=is_built_in)
    return ReadVersion(row, configuration, is_built_in=is_built_in)


def default_differences(old: int, new: int) -> tuple[Difference, ...]:
    """List what differs between two versions.

    Raises:
        UnknownVersionError: if there is no such version.
        ConfigurationError: if one of them cannot be read any more.
    """
    return configuration_differences(*(_readable(number) for number in (old, new)))


def declared_default() -> Mapping[str, Any] | str | None:
    """Return what a project file says of the default: a configuration, the word `built-in`, or nothing."""
    newest = DefaultMatchVersion.objects.first()
    if newest is None:
        return None
    definition: dict[str, Any] = newest.definition
    return definition or BUILT_IN_MATCH


def version_target(number: int) -> str:
    """Return what the audit log calls a version."""
    return f"version {number}"


def _readable(number: int) -> MatchConfiguration:
    read = read_default_version(number)
    if read.configuration is None:
        raise ConfigurationError(
            f"Version {number} of the default does not fit the standard linkage fields, and cannot be compared.",
            read.faults,
        )
    return read.configuration


def _line(row: DefaultMatchVersion, entry: AuditLogEntry | None) -> VersionLine:
    return VersionLine(
        version=row.version,
        made_at=row.created_at,
        made_by=row.created_by.username if row.created_by else "",
        source=str(entry.detail.get("from", "")) if entry else "",
        note=entry.reason if entry else "",
        has_frequencies=False,
    )
