"""Makes a draft the next version of the default match configuration, or goes back to the built-in one.

Projects that there are keep what they have: it is copied when a project is created, and never again. Who may
change it is the caller's to ask.
"""

from contextlib import suppress

from django.db import IntegrityError, transaction

from linkwright.engine.configuration_differences import Difference
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.strategy import parse_match_configuration
from linkwright.errors import ConfigurationError
from linkwright.services.default_match import (
    BUILT_IN_VERSION,
    CHANGED,
    default_differences,
    read_default_version,
    version_target,
)
from linkwright.services.match_history import UnknownVersionError
from linkwright.services.save_match import MatchChangedError, MatchDraft, changed_meanwhile
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import DefaultMatchVersion


def save_default_match(draft: MatchDraft, actor: Actor) -> DefaultMatchVersion | None:
    """Make a draft the next version.

    Args:
        draft: its `base_version` is None or 0 if it started from the built-in default. An empty definition is the
            built-in one, made of each project's fields.
        actor: who saves it.

    Returns:
        The new version; None if nothing differs from the newest.

    Raises:
        ConfigurationError: naming every fault.
        MatchChangedError: if somebody saved another version since.
        UnknownVersionError: if the draft started from a version that there never was.
    """
    configuration = parse_match_configuration(draft.definition, STANDARD_FIELDS) if draft.definition else None
    newest = read_default_version()
    base_version = draft.base_version or BUILT_IN_VERSION
    if draft.checks_base and newest.row.version != base_version:
        raise _changed(base_version)
    if newest.is_built_in if configuration is None else newest.configuration == configuration:
        return None
    try:
        with transaction.atomic():
            version = DefaultMatchVersion.objects.create(
                version=newest.row.version + 1, definition=dict(draft.definition), created_by=actor.user
            )
            record_action(
                actor,
                CHANGED,
                version_target(version.version),
                reason=draft.note.strip(),
                detail={"from": draft.source},
            )
    except IntegrityError as error:
        # two browsers at once: one of them was first, and this one sees what it has saved
        raise _changed(newest.row.version) from error
    return version


def restore_built_in(actor: Actor, *, source: str, note: str = "") -> DefaultMatchVersion | None:
    """Go back to the built-in default; returns the new version, or None if it is in force already.

    Raises:
        MatchChangedError: if somebody saved another version at the same moment.
    """
    return save_default_match(MatchDraft({}, source=source, note=note, checks_base=False), actor)


def _changed(base_version: int) -> MatchChangedError:
    newest = read_default_version().row
    if newest.version == BUILT_IN_VERSION:
        raise UnknownVersionError(
            f"The default has no version {base_version}: the built-in one is in force. Begin with that, or leave "
            "the version out."
        )
    differences: tuple[Difference, ...] = ()
    # a version that cannot be read any more cannot be compared; the refusal stands all the same
    with suppress(ConfigurationError, UnknownVersionError):
        differences = default_differences(base_version, newest.version)
    return changed_meanwhile(newest, base_version, differences)
