"""Says which linkage fields an Import Format may fill: those of the projects that use it.

For the editor all fields of all these projects are offered; what is saved must fit each of them, or the Load jobs
of some would fail.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from linkwright.engine.fields import LinkageField, parse_fields
from linkwright.errors import ConfigurationError
from linkwright.jobs.format_fit import format_faults
from linkwright.services.project_file import ProjectFile
from linkwright.store.models import ATTACHED, AttachedEventType, EventType, LinkageProject

NOTHING_DECLARED = ProjectFile()


class FormatUse(NamedTuple):
    """A project that takes an Event Type; `own_fields` are name and type, as the project declares them."""

    project: str
    event_type: str
    own_fields: Mapping[str, str]


def fields_for_format(format_code: str, content: ProjectFile = NOTHING_DECLARED) -> tuple[LinkageField, ...]:
    """Return the standard fields, and the own fields of the projects that use an Import Format.

    As long as no project uses it, the own fields of every project: it is made before the Event Type that uses it.

    Args:
        format_code: of the Import Format, which need not be there yet.
        content: a project file that is about to be applied; what it declares counts.
    """
    event_types = {part.code for part in content.event_types if part.import_format == format_code}
    event_types |= set(EventType.objects.filter(import_format__code=format_code).values_list("code", flat=True))
    stored = LinkageProject.objects.filter(event_types__code__in=event_types).distinct()
    declared = [part for part in content.projects if event_types.intersection(part.event_type_codes)]
    if not stored and not declared:
        stored, declared = LinkageProject.objects.all(), list(content.projects)
    own: dict[str, str] = {}
    for project in stored:
        own |= project.own_fields
    for part in declared:
        own |= part.fields
    try:
        return parse_fields(own)
    except ConfigurationError:
        # told with the project that declares them
        return parse_fields({})


def saved_format_faults(format_code: str, definition: Mapping[str, Any], place: str) -> list[str]:
    """Return what keeps an Import Format from being saved: its own faults, or projects that it does not fit.

    Args:
        format_code: of the Import Format, which need not be there yet.
        definition: that it would have.
        place: what the sentences begin with.
    """
    faults = list(format_faults(definition, fields_for_format(format_code), place))
    if faults:
        return faults
    return [
        fault
        for use in stored_uses(import_format=format_code)
        for fault in unfit(use, format_code, definition, place)
    ]


def stored_uses(**event_type: str) -> list[FormatUse]:
    """Return the projects that take Event Types now, by project and Event Type.

    Args:
        event_type: code=..., or import_format=... for the Event Types that it reads.
    """
    found = AttachedEventType.objects.filter(ATTACHED, project__archived_at=None)
    if "code" in event_type:
        found = found.filter(event_type__code=event_type["code"])
    if "import_format" in event_type:
        found = found.filter(event_type__import_format__code=event_type["import_format"])
    rows = found.order_by("project__code", "event_type__code")
    return [
        FormatUse(*row) for row in rows.values_list("project__code", "event_type__code", "project__own_fields")
    ]


def unfit(use: FormatUse, format_code: str, definition: Mapping[str, Any], place: str) -> list[str]:
    """Return why a project could not load an Event Type by an Import Format that is sound in itself."""
    try:
        fields = parse_fields(use.own_fields)
    except ConfigurationError:
        # told with the project that declares them
        return []
    told = []
    for fault in format_faults(definition, fields, place):
        where, _, text = fault.partition(": ")
        taken = f"Linkage Project {use.project} takes {use.event_type}, read by Import Format {format_code}"
        told.append(f"{where}: {taken}, and {text}")
    return told
