"""The form that creates an Extraction Project or changes one; a refused one comes back as it was filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.engine.extraction import ExtractionColumn
from linkwright.errors import FaultsError, LinkwrightError
from linkwright.services.change_extraction_project import change_extraction_project
from linkwright.services.create_extraction_project import NewExtractionProject, create_extraction_project
from linkwright.services.extraction_faults import KEEP_RESULTS_SETTING, ExtractionForm
from linkwright.store.models import ExtractionFormat, ExtractionKind, ExtractionProject, LinkageProject
from linkwright.store.permissions import Permission
from linkwright.store.queries.attachments import attached_event_types
from linkwright.store.settings import SETTINGS, read_setting
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.address import read_key
from linkwright.web.dialogs import REFUSED_STATUS
from linkwright.web.flash import Flash, add_flash
from linkwright.web.pages.extraction import extraction_or_404

_DEFAULT_COLUMNS = (ExtractionColumn.PERSON_KEY, ExtractionColumn.SOURCE_UNIQUE_ID)
_HELP: Mapping[ExtractionColumn, str] = {
    ExtractionColumn.PERSON_KEY: "one key per person, made for this Extraction Project alone",
    ExtractionColumn.SOURCE_UNIQUE_ID: "the identifier that the Data Provider gave the record",
    ExtractionColumn.EVENT_TYPE_CODE: "the same in every row of a result",
    ExtractionColumn.LINKAGE_PROJECT_CODE: "the same in every row",
    ExtractionColumn.SOURCE_PERSON_ID: "the Data Provider's own person identifier, where there is one",
    ExtractionColumn.EXTRACTION_PROJECT_ID: "the code of this Extraction Project, the same in every row",
}


@dataclass(frozen=True)
class ColumnField:
    """One column in the form: chosen or not, its name in the header, its place."""

    column: ExtractionColumn
    help: str
    is_chosen: bool
    name: str
    position: int


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest, code: str) -> HttpResponse:
    """Show the empty form; create the Extraction Project."""
    project = project_or_404(signed_in(request), code)
    access_of(request).demand(Permission.EXTRACT, project.pk)
    if request.method == "GET":
        return _show(request, project, None, _empty_values())
    sent = request.POST
    new = NewExtractionProject(
        code=sent.get("code", "").strip(),
        kind=sent.get("kind", ""),
        event_types=sent.getlist("event_type"),
        form=_read_form(sent),
    )
    try:
        made = create_extraction_project(project, new, actor_of(request))
    except LinkwrightError as error:
        return _show(request, project, None, _sent_values(sent), error)
    waits = f" Job {made.snapshot_job_id} (Snapshot) is queued." if made.snapshot_job_id else ""
    add_flash(request, "success", f"Extraction Project {made.code} is there.{waits}")
    return HttpResponseRedirect(reverse("extraction", args=[code, made.code]))


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, code: str, extraction_code: str) -> HttpResponse:
    """Show the form with what is stored; change it."""
    extraction = extraction_or_404(signed_in(request), code, extraction_code)
    access_of(request).demand(Permission.EXTRACT, extraction.project_id)
    if request.method == "GET":
        return _show(request, extraction.project, extraction, _stored_values(extraction))
    try:
        is_changed = change_extraction_project(extraction.pk, _read_form(request.POST), actor_of(request))
    except LinkwrightError as error:
        return _show(request, extraction.project, extraction, _sent_values(request.POST), error)
    told = "is changed; later extractions follow it." if is_changed else "is as it was: nothing differed."
    add_flash(request, "success", f"Extraction Project {extraction.code} {told}")
    return HttpResponseRedirect(reverse("extraction", args=[code, extraction.code]))


def _show(
    request: HttpRequest,
    project: LinkageProject,
    extraction: ExtractionProject | None,
    values: Mapping[str, Any],
    error: LinkwrightError | None = None,
) -> HttpResponse:
    setting = SETTINGS[KEEP_RESULTS_SETTING]
    context = {
        **values,
        "project": project,
        "extraction": extraction,
        "event_types": list(attached_event_types(project)),
        "kinds": ExtractionKind,
        "formats": ExtractionFormat.choices,
        "columns_count": len(ExtractionColumn),
        "least_days": setting.minimum,
        "most_days": setting.maximum,
        "refused": None if error is None else _flash_of(error),
    }
    status = 200 if error is None else REFUSED_STATUS
    return render(request, "web/pages/extraction_form.html", context, status=status)


def _flash_of(error: LinkwrightError) -> Flash:
    if isinstance(error, FaultsError):
        return Flash("error", error.summary, error.faults)
    return Flash("error", str(error))


def _read_form(sent: QueryDict) -> ExtractionForm:
    chosen = sorted((field for field in _sent_columns(sent) if field.is_chosen), key=lambda field: field.position)
    return ExtractionForm(
        name=sent.get("name", "").strip(),
        approval_reference=sent.get("approval_reference", "").strip(),
        columns=[(field.column.value, field.name) for field in chosen],
        file_format=sent.get("file_format", ""),
        keep_results_days=read_key(sent.get("keep_results_days", "").strip()) or 0,
    )


def _sent_columns(sent: QueryDict) -> list[ColumnField]:
    return [
        ColumnField(
            column=column,
            help=_HELP[column],
            is_chosen=column.value in sent.getlist("column"),
            name=sent.get(f"name_{column.value}", "").strip() or column.value,
            position=read_key(sent.get(f"position_{column.value}", "")) or number,
        )
        for number, column in enumerate(ExtractionColumn, start=1)
    ]


def _columns(chosen: Sequence[tuple[str, str]]) -> list[ColumnField]:
    """Return all columns, the chosen ones first."""
    names = dict(chosen)
    order = [*names, *(column.value for column in ExtractionColumn if column.value not in names)]
    return [
        ColumnField(
            column=ExtractionColumn(column),
            help=_HELP[ExtractionColumn(column)],
            is_chosen=column in names,
            name=names.get(column, column),
            position=number,
        )
        for number, column in enumerate(order, start=1)
    ]


def _empty_values() -> dict[str, Any]:
    return {
        "values": {"keep_results_days": read_setting(KEEP_RESULTS_SETTING), "file_format": ExtractionFormat.CSV},
        "chosen_event_types": (),
        "columns": _columns([(column.value, column.value) for column in _DEFAULT_COLUMNS]),
    }


def _sent_values(sent: QueryDict) -> dict[str, Any]:
    return {
        "values": sent.dict(),
        "chosen_event_types": sent.getlist("event_type"),
        "columns": _sent_columns(sent),
    }


def _stored_values(extraction: ExtractionProject) -> dict[str, Any]:
    fields = ("name", "approval_reference", "file_format", "keep_results_days")
    return {
        "values": {name: getattr(extraction, name) for name in fields},
        "chosen_event_types": (),
        "columns": _columns([(one["column"], one["name"]) for one in extraction.columns]),
    }
