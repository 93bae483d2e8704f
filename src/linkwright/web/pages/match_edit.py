"""The editor of a match configuration: as fields or as text, checked while it is typed, saved as a version."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from linkwright.engine.splink_import import SplinkImportOptions
from linkwright.engine.strategy import OversizedBlocks
from linkwright.errors import ConfigurationError, LinkwrightError
from linkwright.services.import_match import read_match
from linkwright.services.project_file import MAX_FILE_BYTES, decode_text
from linkwright.services.save_match import MatchChangedError, MatchDraft
from linkwright.store.models import LinkageProject
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.dialogs import REFUSED_STATUS, is_fragment_request
from linkwright.web.flash import Flash, add_flash
from linkwright.web.match_draft import (
    LONGEST_SOURCE,
    Draft,
    as_form,
    as_text,
    begin_draft,
    draft_context,
    draft_of,
    read_draft,
)
from linkwright.web.match_form import take_step
from linkwright.web.match_home import MatchHome, ProjectMatch
from linkwright.web.match_view import view_differences
from linkwright.web.match_words import OVERSIZED_WORDS

_FROM_FILE = "the page, from "


@require_http_methods(["GET", "POST"])
def match_edit(request: HttpRequest, code: str) -> HttpResponse:
    """Show the editor; take a step in it; save the draft."""
    return edit_match(request, ProjectMatch(configurable_or_404(request, code)))


@require_POST
def match_check(request: HttpRequest, code: str) -> HttpResponse:
    """Check the draft as it is typed: faults beside their place, weights, and what would change."""
    return check_match(request, ProjectMatch(configurable_or_404(request, code)))


@require_POST
def match_upload(request: HttpRequest, code: str) -> HttpResponse:
    """Show the editor with what a file holds: Linkwright's own form, or a model that Splink saved."""
    return upload_match(request, ProjectMatch(configurable_or_404(request, code)))


def edit_match(request: HttpRequest, home: MatchHome) -> HttpResponse:
    """Show the editor of a project's configuration or of the default; take a step in it; save the draft."""
    if request.method == "GET":
        return _show(request, home, begin_draft(home))
    draft, step = read_draft(request.POST), request.POST.get("step", "")
    try:
        if step == "save":
            return _save(request, home, draft)
        return _show(request, home, *_step(home, draft, step))
    except MatchChangedError as error:
        told: dict[str, Any] = {"changed": error, "changed_differences": view_differences(error.differences)}
        return _show(request, home, draft, "", refused=Flash("error", str(error)), **told)
    except ConfigurationError as error:
        return _show(request, home, draft, refused=Flash("error", error.summary, _unplaced(draft, error)))
    except LinkwrightError as error:
        return _show(request, home, draft, refused=Flash("error", str(error)))


def check_match(request: HttpRequest, home: MatchHome) -> HttpResponse:
    """Answer with what the check of a draft found."""
    context = draft_context(home, read_draft(request.POST))
    return render(request, "web/partials/match_check.html", {**context, "is_swap": True})


def upload_match(request: HttpRequest, home: MatchHome) -> HttpResponse:
    """Show the editor with what the file that was sent holds."""
    newest = home.read()
    base_version = newest.row.version if newest else None
    file = request.FILES.get("file")
    if file is None:
        flash = Flash("error", "No file was chosen. Choose a YAML or JSON file.")
        return _show(request, home, begin_draft(home), refused=flash)
    name = (file.name or "the file")[: LONGEST_SOURCE // 2]
    options = SplinkImportOptions(approximate=True) if "approximate" in request.POST else None
    try:
        read = read_match(decode_text(file.read(MAX_FILE_BYTES + 1), name), name, home.fields, options)
    except ConfigurationError as error:
        flash = Flash("error", error.summary, error.faults)
        return _show(request, home, begin_draft(home), refused=flash)
    draft = replace(draft_of(read.definition, home.fields, base_version), source=_FROM_FILE + read.source)
    told = Flash("success", f"The draft below is what {name} holds. Nothing is saved yet.", read.notes)
    return _show(request, home, draft, told=told)


def configurable_or_404(request: HttpRequest, code: str) -> LinkageProject:
    """Return a project that whoever asks may configure."""
    project = project_or_404(signed_in(request), code)
    access_of(request).demand(Permission.CONFIGURE_PROJECTS, project.pk)
    return project


def _save(request: HttpRequest, home: MatchHome, draft: Draft) -> HttpResponse:
    definition = draft.plain()
    if not isinstance(definition, dict):
        raise ConfigurationError("The text is no match configuration.", ["Write the keys prior and strategies."])
    new = MatchDraft(definition, draft.base_version, source=draft.source, note=draft.note)
    version = home.save(new, actor_of(request))
    if version is None:
        add_flash(request, "success", "Nothing differs from the newest version; none was made.")
    else:
        effect = "New projects start with it." if home.is_default else "Later Envelopes are matched with it."
        add_flash(request, "success", f"Version {version} is saved. {effect}")
    here = home.urls["page"]
    if not is_fragment_request(request):
        return HttpResponseRedirect(here)
    response = HttpResponse(status=204)
    response.headers["HX-Redirect"] = here
    return response


def _step(home: MatchHome, draft: Draft, step: str) -> tuple[Draft, str]:
    """Take a step; returns the draft and the place to look at."""
    if step == "as-text" and draft.mode == "form":
        return as_text(draft), ""
    if step == "as-form" and draft.mode == "text":
        return as_form(draft, home.fields), ""
    if step == "rebase":
        newest = home.read()
        return replace(draft, base_version=newest.row.version if newest else None), ""
    if step and draft.mode == "form" and step not in {"refresh", "as-form"}:
        return draft, take_step(draft.definition, step, home.fields)
    return draft, ""


def _show(request: HttpRequest, home: MatchHome, draft: Draft, place: str = "", **told: Any) -> HttpResponse:
    context = {
        **draft_context(home, draft),
        "place": place,
        "oversized_choices": [(one.value, OVERSIZED_WORDS[one]) for one in OversizedBlocks],
        **told,
    }
    template = "web/partials/match_editor.html" if is_fragment_request(request) else "web/pages/match_edit.html"
    return render(request, template, context, status=REFUSED_STATUS if "refused" in told else 200)


def _unplaced(draft: Draft, error: ConfigurationError) -> tuple[str, ...]:
    """Return the faults that are not shown beside their place."""
    return () if draft.mode == "form" else error.faults
