"""Search for records of a project: by what their providers call them, by id, or by values.

What is searched by values never stands in an address: such a search is sent by POST, and is kept nowhere.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from linkwright.config import load_config
from linkwright.errors import LinkwrightError
from linkwright.services.search_records import (
    MOST_FOUND,
    FoundByValues,
    search_by_identifier,
    search_by_record_id,
    search_by_values,
    searchable_fields,
)
from linkwright.store.models import LinkageProject
from linkwright.store.permissions import Permission
from linkwright.store.queries.attachments import read_attachments
from linkwright.warehouse.record_search import FoundRecords
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.address import MAX_TEXT_LENGTH, read_key
from linkwright.web.dialogs import REFUSED_STATUS

_ASKED = ("id", "event_type", "record", "group")


@never_cache
@require_GET
def records(request: HttpRequest, code: str) -> HttpResponse:
    """Find records by Source Unique ID or record id; or lead on to a group."""
    project = project_or_404(signed_in(request), code)
    asked = {name: request.GET.get(name, "").strip()[:MAX_TEXT_LENGTH] for name in _ASKED}
    group_id = read_key(asked["group"])
    if group_id is not None:
        return HttpResponseRedirect(reverse("group", args=[code, group_id]))
    refusal, found = "", None
    try:
        found = _find(request, code, asked)
    except LinkwrightError as error:
        refusal = str(error)
    for name in ("record", "group"):
        if asked[name] and read_key(asked[name]) is None:
            refusal = f"The {name} id {asked[name]!r} is no number. Correct it, or search by Source Unique ID."
    context = {**search_context(request, project), "asked": asked, "found": found, "refusal": refusal}
    return _page(request, context, is_refused=bool(refusal))


def _find(request: HttpRequest, code: str, asked: dict[str, str]) -> FoundRecords | None:
    config, actor, record_id = load_config(), actor_of(request), read_key(asked["record"])
    if asked["id"]:
        return search_by_identifier(config, actor, code, asked["id"], asked["event_type"])
    return None if record_id is None else search_by_record_id(config, actor, code, record_id)


@never_cache
@require_http_methods(["GET", "POST"])
def by_values(request: HttpRequest, code: str) -> HttpResponse:
    """Find records by values, for those who may see them; by GET show the form alone."""
    project = project_or_404(signed_in(request), code)
    access_of(request).demand(Permission.SEE_IDENTIFYING_VALUES, project.pk)
    refusal, found = "", FoundByValues((), FoundRecords())
    fields = searchable_fields(project)
    wanted = {one.name: request.POST.get(one.name, "")[:MAX_TEXT_LENGTH] for one in fields}
    sounds_alike = "sounds_alike" in request.POST
    if request.method == "POST":
        try:
            found = search_by_values(load_config(), actor_of(request), code, wanted, sounds_alike=sounds_alike)
        except LinkwrightError as error:
            refusal = str(error)
    # what no record found has, and nobody asked for, would be an empty column
    shown = [
        one.name
        for one in found.fields
        if wanted.get(one.name) or any(held.values[one.name] for held in found.values.values())
    ]
    context: dict[str, Any] = {
        **search_context(request, project),
        "found": found.found if request.method == "POST" and not refusal else None,
        "shown_fields": [name.replace("_", " ") for name in shown],
        "shown_values": {
            record_id: [held.values[name] for name in shown] for record_id, held in found.values.items()
        },
        "value_fields": _value_fields(project, wanted),
        "sounds_alike": sounds_alike,
        "opens_values": True,
        "refusal": refusal,
    }
    return _page(request, context, is_refused=bool(refusal))


def search_context(request: HttpRequest, project: LinkageProject) -> dict[str, Any]:
    """Return what the search forms show."""
    may_see_values = access_of(request).may_see_values(project.pk)
    return {
        "project": project,
        "event_type_codes": [one.event_type.code for one in read_attachments(project) if one.is_attached],
        "may_see_values": may_see_values,
        "value_fields": _value_fields(project, {}) if may_see_values else [],
        "most_found": MOST_FOUND,
        "asked": {},
    }


def _value_fields(project: LinkageProject, wanted: dict[str, str]) -> list[dict[str, str]]:
    return [
        {
            "name": one.name,
            "label": one.name.replace("_", " ").capitalize(),
            "type": one.type.value,
            "value": wanted.get(one.name, ""),
        }
        for one in searchable_fields(project)
    ]


def _page(request: HttpRequest, context: dict[str, Any], *, is_refused: bool) -> HttpResponse:
    return render(request, "web/pages/records.html", context, status=REFUSED_STATUS if is_refused else 200)
