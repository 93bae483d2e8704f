"""The editor of an Import Format: choose a sample, check what was detected, map the columns, look at the rows.

Everything stands in one form, so that the page works without scripts; with them a change renders the columns and
the first rows anew. Nothing is stored before it is saved but the sample, for a day, for the person who chose it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from linkwright.config import load_config
from linkwright.engine.date_formats import DIRECTIVES
from linkwright.engine.fields import SOURCE_PERSON_ID, SOURCE_UNIQUE_ID, FieldType, LinkageField
from linkwright.engine.import_format import Encoding
from linkwright.engine.sniffing import SEPARATORS
from linkwright.errors import LinkwrightError
from linkwright.services.catalog_rows import CatalogRefusedError, fingerprint
from linkwright.services.format_fields import fields_for_format
from linkwright.services.look_at_sample import (
    SHOWN_COLUMNS,
    Detected,
    Look,
    SampleColumns,
    detect,
    look,
    read_columns,
    suggested_fields,
)
from linkwright.services.project_file import ImportFormatPart
from linkwright.services.read_part import read_part
from linkwright.services.sample_file import (
    PARQUET_SAMPLE_BYTES,
    SAMPLE_BYTES,
    Sample,
    drop_sample,
    find_sample,
    keep_sample,
)
from linkwright.services.save_import_format import IMPORT_FORMAT, save_import_format
from linkwright.store.models import ImportFormat
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, signed_in
from linkwright.web.dialogs import REFUSED_STATUS
from linkwright.web.first_steps import leads_to_next_step
from linkwright.web.flash import Flash, add_flash
from linkwright.web.format_draft import (
    BLANK_LINES,
    Draft,
    DraftLine,
    detected_draft,
    sent_draft,
    stored_draft,
    with_columns,
)
from linkwright.web.pages.catalog import KIND_WORDS, import_format_or_404
from linkwright.web.pages.catalog_forms import flash_of, saved_words, saving

_SEPARATOR_WORDS = {
    ",": "comma ,",
    ";": "semicolon ;",
    "\t": "tab",
    "|": "vertical bar |",
    "^": "caret ^",
    "~": "tilde ~",
    ":": "colon :",
}
_QUOTE_WORDS = {'"': 'double quotes "', "'": "single quotes '", "": "never quoted"}
_ESCAPE_WORDS = {"": "is doubled", "\\": "has a backslash \\ before it"}
_ADD_DATE = "add-date:"


@dataclass
class _Editor:
    """One request's editor: what it edits, the draft, the sample with what was found in it."""

    row: ImportFormat | None
    code: str
    description: str
    draft: Draft
    fields: tuple[LinkageField, ...]
    sample: Sample | None = None
    detected: Detected | None = None
    found: SampleColumns | None = None
    look: Look | None = None
    sample_fault: str = ""
    refused: Flash | None = None
    seen: str = ""


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Describe a new Import Format."""
    access_of(request).demand(Permission.CONFIGURE_CATALOG)
    return _edit(request, None)


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, code: str) -> HttpResponse:
    """Change an Import Format."""
    access_of(request).demand(Permission.CONFIGURE_CATALOG)
    return _edit(request, import_format_or_404(request, code))


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """Render the first rows anew, and the columns if the file is read otherwise than before."""
    access_of(request).demand(Permission.CONFIGURE_CATALOG)
    code = request.POST.get("code", "").strip()
    editor = _sent_editor(request, ImportFormat.objects.filter(code=code).first())
    _find_sample(request, editor)
    is_otherwise = request.POST.get("structure", "") != editor.draft.structure
    _look(editor)
    context = {**_context(editor), "is_fragment": True, "with_columns": is_otherwise}
    return render(request, "web/partials/format_preview.html", context)


def _edit(request: HttpRequest, row: ImportFormat | None) -> HttpResponse:
    if request.method == "GET":
        editor = _stored_editor(row)
        return _show(request, editor)
    editor = _sent_editor(request, row)
    action = request.POST.get("action", "save")
    _find_sample(request, editor)
    if action == "sample":
        _take_sample(request, editor)
    elif action == "detect":
        _detect(editor, takes_it=True)
    elif action == "drop-sample" and editor.sample:
        drop_sample(editor.sample)
        editor.sample = None
    elif action.startswith(_ADD_DATE):
        wanted = action.removeprefix(_ADD_DATE)
        editor.draft = replace(editor.draft, date_formats=_with_format(editor.draft.date_formats, wanted))
    elif action == "save":
        answer = _save(request, editor)
        if answer is not None:
            return answer
    return _show(request, editor)


def _stored_editor(row: ImportFormat | None) -> _Editor:
    if row is None:
        return _Editor(None, "", "", Draft(), fields_for_format(""))
    return _Editor(
        row,
        row.code,
        row.description,
        stored_draft(row.definition),
        fields_for_format(row.code),
        seen=fingerprint(row),
    )


def _sent_editor(request: HttpRequest, row: ImportFormat | None) -> _Editor:
    sent = request.POST
    code = row.code if row else sent.get("code", "").strip()
    return _Editor(
        row,
        code,
        sent.get("description", "").strip(),
        sent_draft(sent),
        fields_for_format(code),
        seen=sent.get("seen", ""),
    )


def _find_sample(request: HttpRequest, editor: _Editor) -> None:
    sample_id = request.POST.get("sample", "")
    if not sample_id:
        return
    try:
        editor.sample = find_sample(sample_id, load_config(), signed_in(request))
    except LinkwrightError as error:
        editor.sample_fault = str(error)


def _take_sample(request: HttpRequest, editor: _Editor) -> None:
    """Keep the sample that was sent; what is detected holds at once for a new format, else it is offered."""
    file = request.FILES.get("sample_file")
    if not isinstance(file, TemporaryUploadedFile):
        editor.sample_fault = "No file was sent. Choose a sample file and send it again."
        return
    before = editor.sample
    try:
        sample = keep_sample(
            Path(file.temporary_file_path()), file.name or "sample", load_config(), signed_in(request)
        )
    except LinkwrightError as error:
        editor.sample_fault = str(error)
        return
    except OSError as error:
        editor.sample_fault = (
            f"The sample could not be kept ({error.strerror}). Free space in the data folder and send it again."
        )
        return
    if before is not None:
        drop_sample(before)
    editor.sample = sample
    _detect(editor, takes_it=editor.row is None)


def _detect(editor: _Editor, *, takes_it: bool) -> None:
    if editor.sample is None:
        return
    try:
        editor.detected = detect(editor.sample, editor.fields)
    except LinkwrightError as error:
        editor.sample_fault = str(error)
        return
    if takes_it:
        editor.draft = detected_draft(editor.detected.definition, editor.draft)


def _with_format(formats: Sequence[str], wanted: str) -> tuple[str, ...]:
    return (*formats, wanted) if wanted and wanted not in formats else tuple(formats)


def _save(request: HttpRequest, editor: _Editor) -> HttpResponse | None:
    """Save the draft; None if it was refused, which the editor then shows."""
    _look(editor)
    if faults := editor.draft.faults():
        editor.refused = Flash("error", f"{IMPORT_FORMAT} {editor.code} was not saved.", tuple(faults))
        return None
    try:
        values = {**editor.draft.definition(), "code": editor.code, "description": editor.description}
        part = read_part(ImportFormatPart, IMPORT_FORMAT, values)
        saved = save_import_format(part, saving(request, editor.row))
    except CatalogRefusedError as error:
        editor.refused = flash_of(error)
        return None
    if editor.sample is not None:
        drop_sample(editor.sample)
    told = saved_words(IMPORT_FORMAT, editor.code, saved)
    add_flash(request, "success", told, leads_to=leads_to_next_step(signed_in(request)))
    return HttpResponseRedirect(reverse("import-format", args=[editor.code]))


def _look(editor: _Editor) -> None:
    """Read the sample as the draft says: its columns, then its first rows."""
    if editor.sample is None:
        return
    try:
        found = read_columns(editor.sample, editor.draft.reading())
    except LinkwrightError as error:
        editor.sample_fault = str(error)
        return
    editor.found = found
    editor.draft = with_columns(editor.draft, found, suggested_fields(found, editor.fields))
    editor.look = look(editor.sample, editor.draft.definition(), editor.fields, load_config())


def _show(request: HttpRequest, editor: _Editor) -> HttpResponse:
    if editor.look is None:
        _look(editor)
    if editor.sample is not None and editor.detected is None:
        _detect(editor, takes_it=False)
    status = REFUSED_STATUS if editor.refused else 200
    return render(request, "web/pages/import_format_editor.html", _context(editor), status=status)


def _context(editor: _Editor) -> dict[str, Any]:
    draft, has_sample = editor.draft, editor.found is not None
    blank = () if has_sample and not draft.is_fixed else (DraftLine(None),) * BLANK_LINES
    dates = {one.name for one in editor.fields if one.type is FieldType.DATE}
    return {
        "editor": editor,
        "draft": draft,
        "lines": [(line, line.field in dates) for line in (*draft.lines, *blank)],
        "lines_count": len(draft.lines) + len(blank),
        "has_sample": has_sample,
        "unlisted_count": max(0, editor.found.columns_count - SHOWN_COLUMNS) if editor.found else 0,
        "identifiers": (SOURCE_UNIQUE_ID, SOURCE_PERSON_ID),
        "kinds": KIND_WORDS.items(),
        "separators": _choices({one: _SEPARATOR_WORDS[one] for one in SEPARATORS}, draft.separator),
        "quotes": _choices(_QUOTE_WORDS, draft.quote),
        "escapes": _choices(_ESCAPE_WORDS, draft.escape),
        "encodings": _choices({one.value: one.value for one in Encoding}, draft.encoding),
        "directives": DIRECTIVES,
        "suggested_dates": _suggested_dates(draft),
        "sample_bytes": SAMPLE_BYTES,
        "parquet_bytes": PARQUET_SAMPLE_BYTES,
        "ruler": _ruler(editor.found),
        "add_date": _ADD_DATE,
    }


def _choices(words: dict[str, str], held: str) -> list[tuple[str, str]]:
    """Return what can be chosen, and what is held if it is something else."""
    return list({**words, **({} if held in words else {held: held})}.items())


def _suggested_dates(draft: Draft) -> list[tuple[str, str]]:
    """Return the column and the best format of each column of dates that no format of the draft reads."""
    return [
        (line.name or line.source_text, line.guess.date_formats[0])
        for line in draft.lines
        if line.guess and line.guess.date_formats and not line.date_formats
        # several formats may read it; one that is declared already is enough
        if not set(line.guess.date_formats) & set(draft.date_formats)
    ]


def _ruler(found: SampleColumns | None) -> str:
    """Return the line of tens over the first lines of fixed-width text."""
    width = max((len(line) for line in found.lines), default=0) if found else 0
    return "".join(str(place // 10 % 10) if place % 10 == 0 else "·" for place in range(1, width + 1))
