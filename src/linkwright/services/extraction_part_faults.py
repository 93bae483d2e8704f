"""Finds every fault of the Extraction Projects that a project file declares. Reads what exists; changes nothing.

What the values may be is the same as on the pages (extraction_faults.py). Added here is what only a file can ask
for: to change what is never changed, or what is closed.
"""

from collections.abc import Collection, Iterator

from linkwright.services.change_extraction_project import what_differs
from linkwright.services.extraction_faults import KEEP_RESULTS_SETTING, ExtractionForm, form_faults_by_field
from linkwright.services.project_file import ExtractionProjectPart, ProjectPart
from linkwright.store.models import ExtractionProject, LinkageProject
from linkwright.store.queries.attachments import attached_event_types
from linkwright.store.settings import read_setting


def extraction_part_faults(
    place: str, project: ProjectPart, stored: LinkageProject | None, event_types: Collection[str]
) -> list[str]:
    """Return one sentence for each fault of a project's Extraction Projects.

    Args:
        place: of the project in the file.
        project: what the file says of it.
        stored: the project as it is, if there is one.
        event_types: all codes that there are once the file is applied.
    """
    attached = set(project.event_type_codes)
    held = {}
    if stored is not None:
        attached |= set(attached_event_types(stored).values_list("code", flat=True))
        rows = ExtractionProject.objects.filter(project=stored).select_related("project")
        held = {row.code: row for row in rows.prefetch_related("event_types")}
    faults: list[str] = []
    for index, part in enumerate(project.extraction_projects):
        here = f"{place}.extraction_projects[{index}]"
        row = held.get(part.code)
        form = form_of(part, row)
        faults += [f"{here}.{field}: {fault}" for field, fault in form_faults_by_field(form)]
        if row is None:
            faults += _choice_faults(here, project.code, part, attached, event_types)
        else:
            faults += _fixed_faults(here, part, row)
            faults += _closed_faults(here, part, row, form)
    return faults


def form_of(part: ExtractionProjectPart, row: ExtractionProject | None) -> ExtractionForm:
    """Return what a file says as the pages would send it; `row` is what there is of it, if anything."""
    days = part.keep_results_days
    if days is None:
        days = row.keep_results_days if row is not None else int(read_setting(KEEP_RESULTS_SETTING))
    return ExtractionForm(
        name=part.name,
        approval_reference=part.approval_reference,
        columns=[(one.column.value, one.name) for one in part.columns],
        file_format=part.file_format.value,
        keep_results_days=days,
    )


def _choice_faults(
    here: str,
    project_code: str,
    part: ExtractionProjectPart,
    attached: Collection[str],
    event_types: Collection[str],
) -> Iterator[str]:
    there_are = f"Attached are: {', '.join(sorted(attached)) or 'none'}."
    if not part.event_types:
        yield f"{here}.event_types: no Event Type is chosen. Choose at least one. {there_are}"
    for index, shown in enumerate(part.event_types):
        place = f"{here}.event_types[{index}]"
        if shown.code not in event_types:
            yield f"{place}: Event Type {shown.code!r} is unknown. Declare it, or correct the code. {there_are}"
        elif shown.code not in attached and not shown.detached:
            yield (
                f"{place}: Event Type {shown.code!r} is not attached to {project_code}. {there_are} List it under "
                "the project's own event_types, or leave it out here."
            )


def _fixed_faults(here: str, part: ExtractionProjectPart, row: ExtractionProject) -> Iterator[str]:
    shown = ", ".join(sorted(one.code for one in row.event_types.all()))
    asked = ", ".join(part.event_type_codes) or "nothing"
    remedy = "Leave it so, or declare another Extraction Project, with a code and keys of its own."
    if part.kind != row.kind:
        yield (
            f"{here}.kind: {part.kind.value!r}, but {row.code} of {row.project.code} is {row.kind!r}, and that is "
            f"never changed. {remedy}"
        )
    if asked != shown:
        yield (
            f"{here}.event_types: {asked}; but {row.code} of {row.project.code} shows {shown}, and that is never "
            f"changed. {remedy}"
        )


def _closed_faults(
    here: str, part: ExtractionProjectPart, row: ExtractionProject, form: ExtractionForm
) -> Iterator[str]:
    if row.closed_at is None:
        return
    closed = f"{row.code} of {row.project.code} was closed on {row.closed_at:%Y-%m-%d}, for good"
    if part.closed is False:
        yield (
            f"{here}.closed: false, but {closed}. Write true, or declare another Extraction Project, with a code "
            "and keys of its own."
        )
    for name, value in what_differs(row, form).items():
        yield (
            f"{here}.{name}: {value!r}, but {closed}, and holds {getattr(row, name)!r}. Leave it so, or leave "
            "this Extraction Project out of the file."
        )
