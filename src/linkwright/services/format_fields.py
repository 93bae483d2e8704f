"""Says which linkage fields an Import Format may fill: those of the projects that use it."""

from linkwright.engine.fields import LinkageField, parse_fields
from linkwright.errors import ConfigurationError
from linkwright.services.project_file import ProjectFile
from linkwright.store.models import EventType, LinkageProject

NOTHING_DECLARED = ProjectFile()


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
