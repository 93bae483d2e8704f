"""A match configuration, a project's or the default: one version read, the history, what differs, downloads."""

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

import yaml
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from linkwright.errors import ConfigurationError, LinkwrightError
from linkwright.services.match_history import ReadVersion, UnknownVersionError
from linkwright.store.models import LinkageProject
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, project_or_404, signed_in
from linkwright.web.address import read_key
from linkwright.web.match_home import MatchHome, ProjectMatch
from linkwright.web.match_view import view_configuration, view_differences
from linkwright.web.match_words import GROUPING_WORDS
from linkwright.web.pages.errors import not_shown


@require_GET
def match_configuration_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show a version, the newest unless another is asked for, and the history."""
    project = _readable(request, code)
    access = access_of(request)
    grouping = str(project.grouping.get("method", "merge"))
    context = {
        "grouping": grouping,
        "grouping_words": GROUPING_WORDS.get(grouping, ""),
        "may_configure": access.may(Permission.CONFIGURE_PROJECTS, project.pk),
    }
    return show_match(request, ProjectMatch(project), context)


@require_GET
def match_differences(request: HttpRequest, code: str) -> HttpResponse:
    """Show what differs between two versions."""
    return show_differences(request, ProjectMatch(_readable(request, code)))


@require_GET
def match_download(request: HttpRequest, code: str) -> HttpResponse:
    """Send the newest version: Linkwright's own form, or a strategy as the JSON that Splink loads."""
    return download_match(request, ProjectMatch(_readable(request, code)))


def show_match(request: HttpRequest, home: MatchHome, context: Mapping[str, Any]) -> HttpResponse:
    """Show a version of a project's configuration or of the default; `context` is what only one of them has."""
    lines = home.lines()
    read = _version_or_404(home, request.GET.get("version", ""))
    values = {
        "home": home,
        "read": read,
        "view": view_configuration(read.configuration) if read and read.configuration else None,
        "line": next((line for line in lines if read and line.version == read.row.version), None),
        "newest": lines[0].version if lines else None,
        "written": _written(read),
        "history": list(zip_longest(lines, lines[1:])),
        **context,
    }
    return render(request, "web/pages/match_configuration.html", values)


def show_differences(request: HttpRequest, home: MatchHome) -> HttpResponse:
    """Show what differs between the two versions that are asked for."""
    lines = {line.version: line for line in home.lines()}
    numbers = [read_key(request.GET.get(name, "")) for name in ("from", "to")]
    old, new = (None if number is None else lines.get(number) for number in numbers)
    if old is None or new is None:
        raise Http404("There are no such two versions of this match configuration. Choose two.")
    context: dict[str, Any] = {"home": home, "old": old, "new": new, "lines": list(lines.values())}
    try:
        found = home.differences(old.version, new.version)
        context |= {"differences": view_differences(found), "count": len(found)}
    except ConfigurationError as error:
        context |= {"differences": [], "refusal": error.summary, "faults": error.faults}
    return render(request, "web/pages/match_differences.html", context)


def download_match(request: HttpRequest, home: MatchHome) -> HttpResponse:
    """Send the newest version."""
    is_splink = request.GET.get("form") == "splink"
    try:
        text = home.written_for_splink(request.GET.get("strategy") or None) if is_splink else home.written()
    except LinkwrightError as error:
        return not_shown(request, error)
    ending, kind = ("json", "application/json") if is_splink else ("yaml", "application/yaml")
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    name = f"{home.file_stem}.{ending}"
    disposition = content_disposition_header(as_attachment=True, filename=name)
    response.headers["Content-Disposition"] = disposition or "attachment"
    return response


def _readable(request: HttpRequest, code: str) -> LinkageProject:
    project = project_or_404(signed_in(request), code)
    access_of(request).demand(Permission.SEE_JOBS, project.pk)
    return project


def _version_or_404(home: MatchHome, wanted: str) -> ReadVersion | None:
    number = read_key(wanted)
    if wanted and number is None:
        raise Http404(f"There is no version {wanted}. The page lists those there are.")
    try:
        return home.read(number)
    except UnknownVersionError as error:
        raise Http404(str(error)) from error


def _written(read: ReadVersion | None) -> str:
    """Return the version as text if it cannot be shown in any other way."""
    if read is None or read.configuration is not None:
        return ""
    return yaml.safe_dump(read.row.definition, sort_keys=False, allow_unicode=True)
