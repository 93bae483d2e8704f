"""Checks a draft of a match configuration, and makes it the next version: the page and the API alike.

A draft names the version that it started from. If somebody saved another since, it is refused with the difference,
and nothing is lost: whoever saves decides.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import transaction

from linkwright.engine.configuration_differences import Difference
from linkwright.engine.fields import LinkageField
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.errors import ConfigurationError, LinkwrightError
from linkwright.jobs.project_form import current_version, linkage_fields
from linkwright.services.match_history import UnknownVersionError, version_differences
from linkwright.services.match_versions import add_match_version
from linkwright.services.project_file import MAX_FILE_BYTES, parse_yaml, refused
from linkwright.store.audit_log import Actor
from linkwright.store.models import DefaultMatchVersion, LinkageProject, MatchConfigurationVersion

PAGE = "the page"
_FAULT = re.compile(r"^\.?([\w.\[\]]*?): ")


class MatchChangedError(LinkwrightError):
    """Somebody saved another version since the draft was begun.

    Args:
        message: who, which, when, and the remedy.
        newest: its number.
        differences: what it changed.
    """

    def __init__(self, message: str, newest: int, differences: tuple[Difference, ...]) -> None:
        self.newest = newest
        self.differences = differences
        super().__init__(message)


class DraftFault(NamedTuple):
    """One fault of a draft.

    place: where, as `strategies.0.comparisons.1`; empty for the whole.
    text: a full sentence that begins with the place as a project file has it.
    """

    place: str
    text: str


@dataclass(frozen=True)
class CheckedDraft:
    """What a check found: a configuration, or faults."""

    configuration: MatchConfiguration | None
    faults: tuple[DraftFault, ...] = ()


@dataclass(frozen=True)
class MatchDraft:
    """What is to become a version.

    Args:
        definition: what `parse_match_configuration` takes.
        base_version: the version that it started from; None if there was none, or if that does not matter.
        source: where it comes from, for the history.
        note: why, if anything is said.
        checks_base: whether a version that was saved since is a reason to refuse.
    """

    definition: Mapping[str, Any]
    base_version: int | None = None
    source: str = PAGE
    note: str = ""
    checks_base: bool = True


def check_definition(fields: Sequence[LinkageField], definition: object) -> CheckedDraft:
    """Check a draft against linkage fields, and name every fault with its place."""
    try:
        return CheckedDraft(parse_match_configuration(definition, fields, ""))
    except ConfigurationError as error:
        return CheckedDraft(None, tuple(_located(fault.lstrip(".")) for fault in error.faults))


def read_draft_text(text: str) -> Any:
    """Read the text of a draft as plain values.

    Raises:
        ConfigurationError: if it is too long or no YAML; the fault with its line.
    """
    if len(text) > MAX_FILE_BYTES:
        raise ConfigurationError("The text is refused.", [f"It is longer than {MAX_FILE_BYTES} characters."])
    return parse_yaml(text, "The text")[0]


def check_text(fields: Sequence[LinkageField], text: str) -> CheckedDraft:
    """Check a draft in YAML, and name every fault with its line."""
    try:
        data, lines = parse_yaml(text, "The text")
    except ConfigurationError as error:
        return CheckedDraft(None, tuple(DraftFault("", fault) for fault in error.faults))
    checked = check_definition(fields, data)
    if checked.configuration is not None:
        return checked
    located = refused("The text", [fault.text for fault in checked.faults], lines)
    return CheckedDraft(None, tuple(DraftFault("", fault) for fault in located.faults))


def changed_meanwhile(
    newest: MatchConfigurationVersion | DefaultMatchVersion,
    base_version: int | None,
    differences: tuple[Difference, ...],
) -> MatchChangedError:
    """Return the refusal of a draft that started from another version than the newest.

    Args:
        newest: what was saved since.
        base_version: what the draft started from; None if that is not known.
        differences: what changed between them.
    """
    by = f" by {newest.created_by.username}" if newest.created_by else ""
    since = "since this draft was begun"
    if base_version is not None:
        since = f"after version {base_version}, which this draft started from"
    return MatchChangedError(
        f"Version {newest.version} was saved{by} at {newest.created_at:%Y-%m-%d %H:%M} UTC, {since}. Nothing was "
        f"saved. Take over what version {newest.version} changed, or save the draft over it.",
        newest.version,
        differences,
    )


def save_match(project: LinkageProject, draft: MatchDraft, actor: Actor) -> MatchConfigurationVersion | None:
    """Make a draft the next version.

    Term frequencies go on to hold if the new version asks for those of no other field (decision 0029).

    Returns:
        The new version; None if nothing differs from the newest.

    Raises:
        ConfigurationError: naming every fault.
        MatchChangedError: if somebody saved another version since.
    """
    with transaction.atomic():
        # two browsers at once: the second waits here, and then sees what the first has saved
        locked = LinkageProject.objects.select_for_update().get(pk=project.pk)
        parse_match_configuration(draft.definition, linkage_fields(locked))
        newest = current_version(locked)
        found = newest.version if newest else None
        if draft.checks_base and newest is not None and found != draft.base_version:
            raise _changed(locked, newest, draft.base_version)
        return add_match_version(
            locked, draft.definition, actor, draft.source, note=draft.note.strip(), keeps_frequencies=True
        )


def _changed(
    project: LinkageProject, newest: MatchConfigurationVersion, base_version: int | None
) -> MatchChangedError:
    differences: tuple[Difference, ...] = ()
    if base_version is not None:
        # a version that no longer fits the fields cannot be compared; the refusal stands all the same
        with suppress(ConfigurationError, UnknownVersionError):
            differences = version_differences(project, base_version, newest.version)
    return changed_meanwhile(newest, base_version, differences)


def _located(fault: str) -> DraftFault:
    found = _FAULT.match(fault)
    place = found.group(1).replace("[", ".").replace("]", "") if found else ""
    return DraftFault(place.strip("."), fault)
