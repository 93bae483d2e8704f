"""Whether the Import Format of an Event Type fits the linkage fields of a project that takes it.

A format may serve many projects, and each project may have fields of its own: a column that is mapped to a field
which one of them lacks could be loaded by the others alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from linkwright.engine.fields import LinkageField
from linkwright.engine.import_format import parse_import_format
from linkwright.errors import ConfigurationError
from linkwright.jobs.project_form import linkage_fields
from linkwright.store.models import EventType, LinkageProject


def format_faults(definition: Mapping[str, Any], fields: Sequence[LinkageField], place: str) -> tuple[str, ...]:
    """Return what keeps an Import Format from being used with linkage fields, one sentence each; empty if nothing.

    Args:
        definition: of the Import Format.
        fields: of a project.
        place: what the sentences begin with.
    """
    try:
        parse_import_format(definition, fields, place)
    except ConfigurationError as error:
        return error.faults
    return ()


def why_not_load(project: LinkageProject, event_type: EventType) -> str:
    """Return the sentences that say why no data of an Event Type can be loaded into a project, or '' if it can."""
    used = event_type.import_format
    try:
        fields = linkage_fields(project)
    except ConfigurationError as error:
        return " ".join(error.faults)
    faults = format_faults(used.definition, fields, "")
    if not faults:
        return ""
    # what is allowed are all linkage fields: a long list, that stands on the project's page
    told = ", and ".join(fault.lstrip(".").partition(". ")[0].rstrip(".") for fault in faults)
    return (
        f"Import Format {used.code} of Event Type {event_type.code} does not fit the linkage fields of project "
        f"{project.code} ({told}). Add what is missing to the project's fields in its project file, or give the "
        "Event Type another Import Format."
    )
