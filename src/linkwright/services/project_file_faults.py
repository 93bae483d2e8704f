"""Finds every fault of a project file that its shape alone does not show: codes, references, inner forms.

Reads the database for what exists already; changes nothing.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from linkwright.engine.fields import STANDARD_FIELDS, parse_fields
from linkwright.engine.grouping import grouping_faults
from linkwright.engine.import_format import parse_import_format
from linkwright.engine.strategy import parse_match_configuration
from linkwright.errors import ConfigurationError, LinkwrightError
from linkwright.services.attach_event_type import why_not_attach
from linkwright.services.extraction_part_faults import extraction_part_faults
from linkwright.services.format_fields import fields_for_format
from linkwright.services.format_fit_faults import unfit_formats
from linkwright.services.project_file import ProjectFile, ProjectPart
from linkwright.store.models import Batch, BatchState, DataProvider, EventType, ImportFormat, LinkageProject
from linkwright.store.queries.attachments import find_attachment
from linkwright.store.settings import check_setting

LISTED_CODES = 20


class _HasCode(Protocol):
    @property
    def code(self) -> str: ...


def project_file_faults(content: ProjectFile) -> list[str]:
    """Return one sentence for each fault: the path in the file, the value, what is allowed, the remedy."""
    faults = [
        fault
        for section in ("providers", "import_formats", "event_types", "projects")
        for fault in _twice(section, getattr(content, section))
    ]
    providers = {part.code for part in content.providers} | _codes(DataProvider)
    formats = {part.code for part in content.import_formats} | _codes(ImportFormat)
    event_types = {part.code for part in content.event_types} | _codes(EventType)
    for index, event_type in enumerate(content.event_types):
        place = f"event_types[{index}]"
        faults.extend(_unknown(f"{place}.provider", "Data Provider", event_type.provider, providers))
        faults.extend(_unknown(f"{place}.import_format", "Import Format", event_type.import_format, formats))
    if isinstance(content.default_match, dict):
        check = partial(parse_match_configuration, content.default_match, STANDARD_FIELDS, "default_match")
        faults.extend(_told(check, "default_match"))
    for index, project in enumerate(content.projects):
        faults.extend(_project_faults(f"projects[{index}]", project, event_types))
    faults.extend(_format_faults(content))
    for name, value in content.settings.items():
        faults.extend(_told(partial(check_setting, name, value), f"settings.{name}"))
    return faults


def _project_faults(place: str, project: ProjectPart, event_types: set[str]) -> list[str]:
    faults = []
    stored = LinkageProject.objects.filter(code=project.code).first()
    for index, code in enumerate(project.event_type_codes):
        here = f"{place}.event_types[{index}]"
        faults.extend(_unknown(here, "Event Type", code, event_types))
        attached = find_attachment(stored, code) if stored is not None else None
        if attached is not None and not attached.is_attached and (refusal := why_not_attach(attached)):
            faults.append(f"{here}: {refusal}")
    faults.extend(_twice(f"{place}.extraction_projects", project.extraction_projects))
    faults.extend(extraction_part_faults(place, project, stored, event_types))
    try:
        fields = parse_fields(project.fields, f"{place}.fields")
    except ConfigurationError as error:
        return [*faults, *error.faults]
    faults.extend(_held_field_faults(place, project))
    faults.extend(grouping_faults(project.grouping, fields, f"{place}.grouping"))
    match = project.match
    if isinstance(match, dict):
        faults.extend(_told(partial(parse_match_configuration, match, fields, f"{place}.match"), place))
    return faults


def _format_faults(content: ProjectFile) -> list[str]:
    """Check each Import Format against the fields of the projects that use it: own fields may differ."""
    faults: list[str] = []
    for index, part in enumerate(content.import_formats):
        place = f"import_formats[{index}]"
        fields = fields_for_format(part.code, content)
        faults.extend(_told(partial(parse_import_format, part.definition, fields, place), place))
    # a format with faults of its own would be told once more for each project
    return faults or unfit_formats(content)


def _told(check: Callable[[], object], place: str) -> list[str]:
    try:
        check()
    except ConfigurationError as error:
        return list(error.faults)
    except LinkwrightError as error:
        return [f"{place}: {error}"]
    return []


def _codes(model: type[DataProvider | ImportFormat | EventType]) -> set[str]:
    return set(model.objects.values_list("code", flat=True))


def _unknown(place: str, what: str, code: str, known: set[str]) -> list[str]:
    if code in known:
        return []
    listed = ", ".join(sorted(known)[:LISTED_CODES]) or "none yet"
    return [f"{place}: {what} {code!r} is unknown. Known: {listed}. Declare it, or correct the code."]


def _twice(section: str, parts: Sequence[_HasCode]) -> list[str]:
    faults: list[str] = []
    seen: dict[str, int] = {}
    for index, part in enumerate(parts):
        if part.code in seen:
            first = f"{section}[{seen[part.code]}]"
            faults.append(
                f"{section}[{index}].code: {part.code!r} occurs twice, first in {first}. "
                "Codes are unique: rename or remove one."
            )
        seen.setdefault(part.code, index)
    return faults


def _held_field_faults(place: str, project: ProjectPart) -> list[str]:
    """Say which fields of records that are loaded already would vanish or change: their files never change."""
    stored = LinkageProject.objects.filter(code=project.code).first()
    if stored is None or not Batch.objects.filter(project=stored).exclude(state=BatchState.REMOVED).exists():
        return []
    return [
        f"{place}.fields: {name} is {project.fields.get(name, 'left out')!r}, but project {project.code} "
        f"holds records in which it is {held!r}. Leave it as it is; new fields may be added."
        for name, held in stored.own_fields.items()
        if project.fields.get(name) != held
    ]
