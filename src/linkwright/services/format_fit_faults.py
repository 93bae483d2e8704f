"""Finds the Import Formats of a project file that would not fit the projects that load by them.

The file is taken together with what is stored: what it declares counts, else what is there. Told is only what has
to do with something that the file declares.
"""

from linkwright.services.format_fields import FormatUse, stored_uses, unfit
from linkwright.services.project_file import ProjectFile
from linkwright.store.models import EventType, ImportFormat


def unfit_formats(content: ProjectFile) -> list[str]:
    """Return one sentence for each column or date format that a project has no linkage field for."""
    declared = {part.code: index for index, part in enumerate(content.import_formats)}
    definitions = {part.code: part.definition for part in content.import_formats}
    formats = dict(EventType.objects.values_list("code", "import_format__code"))
    formats |= {part.code: part.import_format for part in content.event_types}
    touched = {part.code for part in content.event_types}
    faults = []
    for use, place in _uses(content):
        code = formats.get(use.event_type, "")
        if place is None and code not in declared and use.event_type not in touched:
            continue
        if code not in definitions:
            stored = ImportFormat.objects.filter(code=code).first()
            # one that is unknown is told where it is named
            definitions[code] = stored.definition if stored else {}
        if definitions[code]:
            where = _place(use, place, declared.get(code), content)
            faults += unfit(use, code, definitions[code], where)
    return faults


def _uses(content: ProjectFile) -> list[tuple[FormatUse, int | None]]:
    """Return who takes which Event Type once the file is applied, with the place of the project in the file."""
    places = {part.code: index for index, part in enumerate(content.projects)}
    uses = {(use.project, use.event_type): use for use in stored_uses()}
    for part in content.projects:
        if part.archived:
            # it takes no files
            continue
        codes = dict.fromkeys([*part.event_type_codes, *(code for name, code in uses if name == part.code)])
        for code in codes:
            uses[part.code, code] = FormatUse(part.code, code, part.fields)
    return [(use, places.get(use.project)) for use in uses.values()]


def _place(use: FormatUse, project: int | None, import_format: int | None, content: ProjectFile) -> str:
    """Return where the file says what does not fit: with the format, else the project, else the Event Type."""
    if import_format is not None:
        return f"import_formats[{import_format}]"
    if project is not None:
        codes = content.projects[project].event_type_codes
        listed = f".event_types[{codes.index(use.event_type)}]" if use.event_type in codes else ".fields"
        return f"projects[{project}]{listed}"
    codes = tuple(part.code for part in content.event_types)
    return f"event_types[{codes.index(use.event_type)}].import_format"
