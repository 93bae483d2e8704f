"""The match configuration of a project: one version read, the history, what differs between two, downloads."""

from itertools import zip_longest
from typing import Any

import yaml
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from linkwright.errors import ConfigurationError, LinkwrightError
from linkwright.services.export_match import export_match, export_splink_settings
from linkwright.services.match_history import (
    ReadVersion,
    UnknownVersionError,
    list_versions,
    read_version,
    version_differences,
)
from linkwright.store.models import LinkageProject
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, project_or_404, signed_in
from linkwright.web.address import read_key
from linkwright.web.match_view import view_configuration, view_differences
from linkwright.web.match_words import GROUPING_WORDS
from linkwright.web.pages.errors import not_shown


@require_GET
def match_configuration_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show a version, the newest unless another is asked for, and the history."""
    project = _readable(request, code)
    lines = list_versions(project)
    read = _version_or_404(project, request.GET.get("version", ""))
    access = access_of(request)
    grouping = str(project.grouping.get("method", "merge"))
    context: dict[str, Any] = {
        "project": project,
        "read": read,
        "view": view_configuration(read.configuration) if read and read.configuration else None,
        "line": next((line for line in lines if read and line.version == read.row.version), None),
        "newest": lines[0].version if lines else None,
        "written": _written(read),
        "history": list(zip_longest(lines, lines[1:])),
        "grouping": grouping,
        "grouping_words": GROUPING_WORDS.get(grouping, ""),
        "may_configure": access.may(Permission.CONFIGURE_PROJECTS, project.pk),
        "is_administrator": access.user.is_superuser,
    }
    return render(request, "web/pages/match_configuration.html", context)


@require_GET
def match_differences(request: HttpRequest, code: str) -> HttpResponse:
    """Show what differs between two versions."""
    project = _readable(request, code)
    lines = {line.version: line for line in list_versions(project)}
    numbers = [read_key(request.GET.get(name, "")) for name in ("from", "to")]
    old, new = (lines.get(number or 0) for number in numbers)
    if old is None or new is None:
        raise Http404(f"{code} has no such two versions of its match configuration. Choose two.")
    context: dict[str, Any] = {"project": project, "old": old, "new": new, "lines": list(lines.values())}
    try:
        found = version_differences(project, old.version, new.version)
        context |= {"differences": view_differences(found), "count": len(found)}
    except ConfigurationError as error:
        context |= {"differences": [], "refusal": error.summary, "faults": error.faults}
    return render(request, "web/pages/match_differences.html", context)


@require_GET
def match_download(request: HttpRequest, code: str) -> HttpResponse:
    """Send the newest version: Linkwright's own form, or a strategy as the JSON that Splink loads."""
    project = _readable(request, code)
    is_splink = request.GET.get("form") == "splink"
    try:
        if is_splink:
            text = export_splink_settings(project.code, request.GET.get("strategy") or None)
        else:
            text = export_match(project.code)
    except LinkwrightError as error:
        return not_shown(request, error)
    ending, kind = ("json", "application/json") if is_splink else ("yaml", "application/yaml")
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    name = f"{project.code}-match.{ending}"
    disposition = content_disposition_header(as_attachment=True, filename=name)
    response.headers["Content-Disposition"] = disposition or "attachment"
    return response


def _readable(request: HttpRequest, code: str) -> LinkageProject:
    project = project_or_404(signed_in(request), code)
    access_of(request).demand(Permission.SEE_JOBS, project.pk)
    return project


def _version_or_404(project: LinkageProject, wanted: str) -> ReadVersion | None:
    # what is no number is no version either
    number = (read_key(wanted) or 0) if wanted else None
    try:
        return read_version(project, number)
    except UnknownVersionError as error:
        raise Http404(str(error)) from error


def _written(read: ReadVersion | None) -> str:
    """Return the version as text if it cannot be shown in any other way."""
    if read is None or read.configuration is not None:
        return ""
    return yaml.safe_dump(read.row.definition, sort_keys=False, allow_unicode=True)
