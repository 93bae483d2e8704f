"""Finds records of a project: by what their providers call them, by record id, or by values.

Names of records are everybody's who belongs to the project. A search by values needs the permission to see
identifying values, and stands in the audit log with the fields that were searched, never with what was looked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from linkwright.config import ServerConfig
from linkwright.engine.fields import FieldType, LinkageField
from linkwright.engine.scoring import strategy_columns
from linkwright.engine.standardisation import DEFAULT_SEX_MAP, DEFAULT_STATE_MAP, StandardisationMaps
from linkwright.engine.strategy import parse_match_configuration
from linkwright.errors import ConfigurationError, LinkwrightError
from linkwright.jobs.project_form import current_version, linkage_fields
from linkwright.services.live_project import find_project, may_see_values, open_live_project
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import LinkageProject
from linkwright.store.permissions import Permission
from linkwright.store.settings import read_setting
from linkwright.warehouse.record_search import (
    FoundRecords,
    WantedValue,
    find_by_identifier,
    find_by_record_id,
    find_by_values,
)
from linkwright.warehouse.record_values import RecordValues, read_record_values

MOST_FOUND = 100
MOST_ID = 2**63 - 1
"""Record ids and group ids are 64-bit integers."""
_SEARCHED_TYPES = frozenset(
    {FieldType.NAME, FieldType.DATE, FieldType.SEX, FieldType.POSTCODE, FieldType.IDENTIFIER}
)


class SearchRefusedError(LinkwrightError):
    """The search cannot be made as it was asked."""


@dataclass(frozen=True)
class FoundByValues:
    """What a search by values has found.

    Args:
        fields: the searchable fields, whose values are shown.
        found: the records.
        values: of each, by record id.
    """

    fields: tuple[LinkageField, ...]
    found: FoundRecords
    values: Mapping[int, RecordValues] = field(default_factory=dict)


def searchable_fields(project: LinkageProject) -> tuple[LinkageField, ...]:
    """Return the fields that the project's newest match configuration looks at and that a person can search by."""
    version = current_version(project)
    if version is None:
        return ()
    fields = linkage_fields(project)
    try:
        configuration = parse_match_configuration(version.definition, fields)
    except ConfigurationError:
        # it was stored before the project's fields changed: there is nothing to search by, and Match says why
        return ()
    used = {column for strategy in configuration.strategies for column in strategy_columns(strategy)}
    return tuple(
        one
        for one in fields
        if one.type in _SEARCHED_TYPES and used.intersection((one.name, *one.derived_columns))
    )


def search_by_identifier(
    config: ServerConfig, actor: Actor, project_code: str, source_unique_id: str, event_type: str = ""
) -> FoundRecords:
    """Find the records of a Source Unique ID, at most `MOST_FOUND`; those that have ended among them.

    Raises:
        LinkwrightError: if there is no such project (or not for whoever asks), or if a file cannot be read.
    """
    with open_live_project(config, find_project(project_code, actor)) as live:
        return find_by_identifier(live.limits, live.files, source_unique_id, event_type, most=MOST_FOUND)


def search_by_record_id(config: ServerConfig, actor: Actor, project_code: str, record_id: int) -> FoundRecords:
    """Find a record by its record id.

    Raises:
        LinkwrightError: as `search_by_identifier`.
    """
    project = find_project(project_code, actor)
    if record_id > MOST_ID:
        return FoundRecords()
    with open_live_project(config, project) as live:
        record = find_by_record_id(live.limits, live.files, record_id)
    return FoundRecords() if record is None else FoundRecords((record,))


def search_by_values(
    config: ServerConfig,
    actor: Actor,
    project_code: str,
    wanted: Mapping[str, str],
    *,
    sounds_alike: bool = False,
) -> FoundByValues:
    """Find the live records that hold all of some values, at most `MOST_FOUND`, and show what they hold.

    Args:
        config: of this server.
        actor: who asks, and from where.
        project_code: of the Linkage Project.
        wanted: text by field; '' is not looked at. A name that ends in `*` may go on.
        sounds_alike: whether names that sound alike (Soundex) are found as well.

    Raises:
        SearchRefusedError: if whoever asks may not see values, nothing is wanted, or a field cannot be searched.
        LinkwrightError: as `search_by_identifier`.
    """
    project = find_project(project_code, actor)
    if not may_see_values(actor, project):
        raise SearchRefusedError(
            f"A search by values needs the permission '{Permission.SEE_IDENTIFYING_VALUES}' in {project.code}."
        )
    fields = searchable_fields(project)
    texts = {name: text.strip() for name, text in wanted.items() if text.strip(" *")}
    names = {one.name for one in fields}
    unknown = sorted(texts.keys() - names)
    if unknown or not texts:
        allowed = ", ".join(one.name for one in fields) or "none, since the project has no match configuration"
        told = f"{', '.join(unknown)} cannot be searched" if unknown else "Nothing to search for was given"
        raise SearchRefusedError(f"{told}. Fields to search by: {allowed}.")
    maps = StandardisationMaps(
        sex={**DEFAULT_SEX_MAP, **read_setting("Standardise.Sex.Map")},
        state={**DEFAULT_STATE_MAP, **read_setting("Standardise.State.Map")},
    )
    values = [WantedValue(one, texts[one.name]) for one in fields if one.name in texts]
    with open_live_project(config, project) as live:
        found = find_by_values(live.limits, live.files, values, maps, sounds_alike=sounds_alike, most=MOST_FOUND)
        shown = read_record_values(live.limits, live.files, fields, [one.record_id for one in found.records])
    _record_search(actor, project, [one.field.name for one in values], found)
    return FoundByValues(fields, found, shown)


def _record_search(actor: Actor, project: LinkageProject, fields: list[str], found: FoundRecords) -> None:
    record_action(
        actor,
        "see identifying values",
        f"search by {', '.join(fields)}",
        project_code=project.code,
        detail={
            "fields": fields,
            "records": [str(one.key) for one in found.records],
            "has_more": found.has_more,
        },
    )
