"""The DATA CATALOG tab: lists of Data Providers, Event Types and Import Formats, and one Import Format to read."""

from typing import Any

from django.db.models import Count, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from linkwright.services.catalog_uses import import_format_uses
from linkwright.store.models import EventType, ImportFormat, LinkageProject
from linkwright.store.permissions import Permission, visible_projects
from linkwright.store.queries.catalog import visible_event_types, visible_import_formats, visible_providers
from linkwright.web.access import access_of, signed_in
from linkwright.web.format_draft import stored_draft

KIND_WORDS = {"delimited": "delimited", "fixed_width": "fixed-width", "parquet": "Parquet"}


@require_safe
def providers(request: HttpRequest) -> HttpResponse:
    """List the Data Providers with their Event Types."""
    user, may_configure = signed_in(request), _may_configure(request)
    rows = visible_providers(user, sees_all=may_configure).order_by("code")
    shown = visible_event_types(user, sees_all=may_configure).order_by("code")
    context = {"rows": rows.prefetch_related(Prefetch("event_types", shown)), "view": "providers"}
    return _list(request, "web/pages/catalog_providers.html", context)


@require_safe
def event_types(request: HttpRequest) -> HttpResponse:
    """List the Event Types with the projects that take them or took them."""
    user, may_configure = signed_in(request), _may_configure(request)
    projects: QuerySet[LinkageProject] = visible_projects(user).order_by("code")
    rows = visible_event_types(user, sees_all=may_configure).order_by("code")
    context = {"rows": rows.prefetch_related(Prefetch("projects", projects)), "view": "event-types"}
    return _list(request, "web/pages/catalog_event_types.html", context)


@require_safe
def import_formats(request: HttpRequest) -> HttpResponse:
    """List the Import Formats with the Event Types that they read."""
    user, may_configure = signed_in(request), _may_configure(request)
    shown: QuerySet[EventType] = visible_event_types(user, sees_all=may_configure).order_by("code")
    rows = visible_import_formats(user, sees_all=may_configure).order_by("code")
    found = list(rows.prefetch_related(Prefetch("event_types", shown)))
    context = {
        "rows": [(row, _kind(row), len(row.definition.get("columns", {}))) for row in found],
        "view": "import-formats",
    }
    return _list(request, "web/pages/catalog_import_formats.html", context)


@require_safe
def import_format(request: HttpRequest, code: str) -> HttpResponse:
    """Show how an Import Format reads files."""
    row = import_format_or_404(request, code)
    may_configure = _may_configure(request)
    context = {
        "row": row,
        "kind": _kind(row),
        "draft": stored_draft(row.definition),
        "may_configure": may_configure,
        "uses": import_format_uses(row) if may_configure else [],
    }
    return render(request, "web/pages/import_format.html", context)


def import_format_or_404(request: HttpRequest, code: str) -> ImportFormat:
    """Return an Import Format that exists for the person."""
    rows = visible_import_formats(signed_in(request), sees_all=_may_configure(request))
    row = rows.filter(code=code).first()
    if row is None:
        raise Http404(f"There is no Import Format {code}.")
    return row


def catalog_counts(request: HttpRequest) -> dict[str, int]:
    """Return how many entries of each kind exist for the person, for the switch between the lists."""
    user, sees_all = signed_in(request), _may_configure(request)
    rows = {
        "providers_count": visible_providers(user, sees_all=sees_all),
        "event_types_count": visible_event_types(user, sees_all=sees_all),
        "import_formats_count": visible_import_formats(user, sees_all=sees_all),
    }
    return {name: found.aggregate(count=Count("pk"))["count"] for name, found in rows.items()}


def _may_configure(request: HttpRequest) -> bool:
    return access_of(request).may(Permission.CONFIGURE_CATALOG)


def _kind(row: ImportFormat) -> str:
    return KIND_WORDS.get(str(row.definition.get("kind", "delimited")), "")


def _list(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    counts = catalog_counts(request)
    return render(request, template, {**context, **counts, "may_configure": _may_configure(request)})
