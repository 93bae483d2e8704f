"""Extraction Projects: list, one, create, change, close, extract. Their results: extraction_results.py."""

from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.jobs import JobDetailAnswer, job_detail
from linkwright.api.paging import NO_ZERO, Code, CodePageQuery, PageAnswer, by_code, links, refuse_unknown
from linkwright.api.projects import ProjectCode
from linkwright.api.queue import ReasonForm
from linkwright.api.rights import Caller, caller_of, project_or_404, reader_of
from linkwright.engine.extraction import ExtractionColumn
from linkwright.jobs.extraction_project import RELATED, find_extraction_project, why_not_extract
from linkwright.services.change_extraction_project import change_extraction_project, close_extraction_project
from linkwright.services.create_extraction_project import NewExtractionProject, create_extraction_project
from linkwright.services.extraction_faults import KEEP_RESULTS_SETTING, MAX_TEXT_CHARACTERS, ExtractionForm
from linkwright.services.start_extraction import start_extraction
from linkwright.store.models import ExtractionFormat, ExtractionKind, ExtractionProject
from linkwright.store.permissions import Permission
from linkwright.store.queries.extractions import KeyNumbers, read_key_numbers
from linkwright.store.settings import read_setting

router = Router(tags=["extractions"])

ExtractionCode = Annotated[
    str, Path(min_length=1, max_length=50, pattern=NO_ZERO, description="The Extraction Project's code.")
]
Name = Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS, pattern=NO_ZERO)]
MOST_CHOSEN = 1000


class ColumnForm(Schema):
    """One column of a data file, and its name in the header."""

    column: ExtractionColumn
    name: Name


class ExtractionProjectForm(Schema):
    """What can be changed of an Extraction Project."""

    name: Name
    approval_reference: Name = Field(description="Of the approval that it rests on.")
    columns: list[ColumnForm] = Field(max_length=MOST_CHOSEN, description="In the order of the file.")
    file_format: ExtractionFormat = ExtractionFormat.CSV
    keep_results_days: int | None = Field(
        None, ge=1, le=2_147_483_647, description=f"`{KEEP_RESULTS_SETTING}` if left out."
    )


class NewExtractionProjectForm(ExtractionProjectForm):
    """An Extraction Project; code, kind and Event Types are never changed."""

    code: Code = Field(description="Unique in its Linkage Project, for ever.")
    kind: ExtractionKind
    event_type_codes: list[Code] = Field(max_length=MOST_CHOSEN)


class ExtractForm(Schema):
    """How to extract; may be left out."""

    with_changes: bool = Field(
        True, description="With the list of keys that changed since the latest extraction, if it is enduring."
    )


class ExtractionProjectAnswer(Schema):
    """One Extraction Project."""

    code: str
    name: str
    kind: ExtractionKind
    approval_reference: str
    event_type_codes: list[str]
    created_at: datetime
    created_by: str = Field(description="A user name; empty: the machine itself.")
    closed_at: datetime | None
    refusal: str = Field(description="Why nothing can be extracted; empty if it can, unless a job of it waits.")


class KeyNumbersAnswer(Schema):
    """What the latest extraction told of Person Keys; the changes stand in its results as data-changes."""

    job_id: int
    new_count: int
    kept_count: int
    retired_count: int
    changed_counts: dict[str, int] = Field(description="How many keys changed, by reason.")


class ExtractionProjectDetailAnswer(ExtractionProjectAnswer):
    """One Extraction Project with its set-up and its jobs."""

    columns: list[ColumnForm]
    file_format: ExtractionFormat
    keep_results_days: int
    snapshot_job_id: int | None = Field(description="Of a snapshot: the job that makes it.")
    extract_job_id: int | None = Field(description="The latest Extract job that no Envelope asked for.")
    keys: KeyNumbersAnswer | None = Field(description="Of an enduring one, after its first extraction; else null.")


class ExtractionProjectPageAnswer(PageAnswer):
    """Extraction Projects by code."""

    items: list[ExtractionProjectAnswer]


@router.get(
    "/{code}/extraction-projects",
    response={200: ExtractionProjectPageAnswer, **possible_errors()},
    summary="List Extraction Projects",
)
def list_all(request: HttpRequest, code: ProjectCode, query: Query[CodePageQuery]) -> ExtractionProjectPageAnswer:
    """List a project's Extraction Projects by code, closed ones too."""
    caller = reader_of(request)
    refuse_unknown(request, CodePageQuery)
    project = project_or_404(caller, code)
    found = ExtractionProject.objects.filter(project=project).select_related(*RELATED, "created_by")
    rows, cursor = by_code(found.prefetch_related("event_types"), query)
    items = [ExtractionProjectAnswer(**_values(row)) for row in rows]
    return ExtractionProjectPageAnswer(items=items, **links(request, cursor))


@router.post(
    "/{code}/extraction-projects",
    response={201: ExtractionProjectDetailAnswer, **possible_errors(409, 413, 415)},
    summary="Create an Extraction Project",
)
def create(
    request: HttpRequest, code: ProjectCode, form: NewExtractionProjectForm
) -> Status[ExtractionProjectDetailAnswer]:
    """Create an Extraction Project; for a snapshot, queue the job that keeps the map as it is now."""
    caller = caller_of(request)
    project = project_or_404(caller, code)
    caller.demand(Permission.EXTRACT, project)
    new = NewExtractionProject(form.code, form.kind.value, form.event_type_codes, _form(form))
    return Status(201, _detail(create_extraction_project(project, new, caller.actor)))


@router.get(
    "/{code}/extraction-projects/{extraction_code}",
    response={200: ExtractionProjectDetailAnswer, **possible_errors()},
    summary="Read an Extraction Project",
)
def read_one(
    request: HttpRequest, code: ProjectCode, extraction_code: ExtractionCode
) -> ExtractionProjectDetailAnswer:
    """Read one Extraction Project with its set-up, and what became of its keys."""
    return _detail(extraction_or_404(reader_of(request), code, extraction_code))


@router.put(
    "/{code}/extraction-projects/{extraction_code}",
    response={200: ExtractionProjectDetailAnswer, **possible_errors(409, 413, 415)},
    summary="Change an Extraction Project",
)
def change(
    request: HttpRequest, code: ProjectCode, extraction_code: ExtractionCode, form: ExtractionProjectForm
) -> ExtractionProjectDetailAnswer:
    """Change what can be changed, all of it at once; later extractions follow it."""
    caller = caller_of(request)
    found = _extraction_to_use(caller, code, extraction_code)
    change_extraction_project(found.pk, _form(form), caller.actor)
    return _detail(extraction_or_404(caller, code, extraction_code))


@router.post(
    "/{code}/extraction-projects/{extraction_code}/close",
    response={200: ExtractionProjectDetailAnswer, **possible_errors(409, 413, 415)},
    summary="Close an Extraction Project",
)
def close(
    request: HttpRequest, code: ProjectCode, extraction_code: ExtractionCode, form: ReasonForm
) -> ExtractionProjectDetailAnswer:
    """Close it for good: nothing more is extracted. Results stay until they expire."""
    caller = caller_of(request)
    found = _extraction_to_use(caller, code, extraction_code)
    close_extraction_project(found.pk, caller.actor, reason=form.reason)
    return _detail(extraction_or_404(caller, code, extraction_code))


@router.post(
    "/{code}/extraction-projects/{extraction_code}/extract",
    response={202: JobDetailAnswer, **possible_errors(409, 413, 415)},
    summary="Extract",
)
def extract(
    request: HttpRequest, code: ProjectCode, extraction_code: ExtractionCode, form: ExtractForm | None = None
) -> Status[JobDetailAnswer]:
    """Queue an Extract job of all records that it shows; for some of them, send an extraction Envelope."""
    caller = caller_of(request)
    found = _extraction_to_use(caller, code, extraction_code)
    job = start_extraction(found, caller.actor, with_changes=form.with_changes if form else True)
    return Status(202, job_detail(caller, job))


def extraction_or_404(caller: Caller, code: str, extraction_code: str) -> ExtractionProject:
    """Return an Extraction Project of a project that the person belongs to."""
    found = find_extraction_project(project_or_404(caller, code), extraction_code)
    if found is None:
        raise Http404(f"There is no Extraction Project {extraction_code} of {code}.")
    return found


def _extraction_to_use(caller: Caller, code: str, extraction_code: str) -> ExtractionProject:
    found = extraction_or_404(caller, code, extraction_code)
    caller.demand(Permission.EXTRACT, found.project)
    return found


def _form(form: ExtractionProjectForm) -> ExtractionForm:
    days = form.keep_results_days
    return ExtractionForm(
        name=form.name,
        approval_reference=form.approval_reference,
        columns=[(one.column.value, one.name) for one in form.columns],
        file_format=form.file_format.value,
        keep_results_days=int(read_setting(KEEP_RESULTS_SETTING)) if days is None else days,
    )


def _detail(found: ExtractionProject) -> ExtractionProjectDetailAnswer:
    numbers = read_key_numbers(found)
    return ExtractionProjectDetailAnswer(
        **_values(found),
        columns=[ColumnForm(**one) for one in found.columns],
        file_format=ExtractionFormat(found.file_format),
        keep_results_days=found.keep_results_days,
        snapshot_job_id=found.snapshot_job_id,
        extract_job_id=found.extract_job_id,
        keys=None if numbers is None else _keys(numbers),
    )


def _keys(numbers: KeyNumbers) -> KeyNumbersAnswer:
    return KeyNumbersAnswer(
        job_id=numbers.job_id,
        new_count=numbers.new_count,
        kept_count=numbers.kept_count,
        retired_count=numbers.retired_count,
        changed_counts=dict(numbers.reasons),
    )


def _values(found: ExtractionProject) -> dict[str, Any]:
    return {
        "code": found.code,
        "name": found.name,
        "kind": ExtractionKind(found.kind),
        "approval_reference": found.approval_reference,
        "event_type_codes": sorted(one.code for one in found.event_types.all()),
        "created_at": found.created_at,
        "created_by": found.created_by.username if found.created_by else "",
        "closed_at": found.closed_at,
        "refusal": why_not_extract(found),
    }
