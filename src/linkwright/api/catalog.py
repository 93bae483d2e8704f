"""Reading the data catalog: Data Providers, Event Types, Import Formats.

Whoever may configure the catalog sees all of it, others what is attached to their projects: a code of others is
not theirs to know. Changes: catalog_changes.py.
"""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.paging import NO_ZERO, CodePageQuery, PageAnswer, by_code, links, refuse_unknown
from linkwright.api.rights import Caller, reader_of
from linkwright.services.catalog_uses import (
    UseKind,
    Uses,
    uses_of_event_types,
    uses_of_import_formats,
    uses_of_providers,
)
from linkwright.store.models import DataProvider, EventType, ImportFormat, LinkageProject
from linkwright.store.permissions import Permission, visible_projects
from linkwright.store.queries.catalog import visible_event_types, visible_import_formats, visible_providers

router = Router(tags=["catalog"])

CatalogCode = Annotated[str, Path(min_length=1, max_length=255, pattern=NO_ZERO, description="The code.")]
Row = TypeVar("Row", bound=Model)


class UseAnswer(Schema):
    """One thing that uses a row of the catalog; while there is any, the row cannot be deleted."""

    kind: UseKind
    code: str
    project_code: str = Field(description="Of an Extraction Project its Linkage Project; else empty.")
    is_over: bool = Field(description="A project that takes the Event Type no more, and keeps its history.")


class ProviderAnswer(Schema):
    """One Data Provider."""

    code: str
    organisation: str
    contact_name: str
    email: str
    phone: str
    used_by: list[UseAnswer] = Field(description="Its Event Types.")


class EventTypeAnswer(Schema):
    """One Event Type."""

    code: str
    provider_code: str
    import_format_code: str
    description: str
    category: str
    authoritative: bool
    used_by: list[UseAnswer] = Field(
        description="Projects that take it or took it, and Extraction Projects that show it."
    )


class ImportFormatAnswer(Schema):
    """One Import Format; `definition` as in a project file."""

    code: str
    description: str
    definition: dict[str, Any]
    used_by: list[UseAnswer] = Field(description="Event Types whose files it reads.")


class ProviderPageAnswer(PageAnswer):
    """Data Providers by code."""

    items: list[ProviderAnswer]


class EventTypePageAnswer(PageAnswer):
    """Event Types by code."""

    items: list[EventTypeAnswer]


class ImportFormatPageAnswer(PageAnswer):
    """Import Formats by code."""

    items: list[ImportFormatAnswer]


@router.get("/providers", response={200: ProviderPageAnswer, **possible_errors()}, summary="List Data Providers")
def list_providers(request: HttpRequest, query: Query[CodePageQuery]) -> ProviderPageAnswer:
    """List Data Providers by code."""
    caller = reader_of(request)
    refuse_unknown(request, CodePageQuery)
    rows, cursor = by_code(_providers(caller), query)
    return ProviderPageAnswer(items=provider_answers(caller, rows), **links(request, cursor))


@router.get(
    "/providers/{code}", response={200: ProviderAnswer, **possible_errors()}, summary="Read a Data Provider"
)
def read_provider(request: HttpRequest, code: CatalogCode) -> ProviderAnswer:
    """Read one Data Provider."""
    caller = reader_of(request)
    return provider_answers(caller, [_one_or_404(_providers(caller), code, "Data Provider")])[0]


@router.get("/event-types", response={200: EventTypePageAnswer, **possible_errors()}, summary="List Event Types")
def list_event_types(request: HttpRequest, query: Query[CodePageQuery]) -> EventTypePageAnswer:
    """List Event Types by code."""
    caller = reader_of(request)
    refuse_unknown(request, CodePageQuery)
    rows, cursor = by_code(_event_types(caller), query)
    return EventTypePageAnswer(items=event_type_answers(caller, rows), **links(request, cursor))


@router.get(
    "/event-types/{code}", response={200: EventTypeAnswer, **possible_errors()}, summary="Read an Event Type"
)
def read_event_type(request: HttpRequest, code: CatalogCode) -> EventTypeAnswer:
    """Read one Event Type."""
    caller = reader_of(request)
    return event_type_answers(caller, [_one_or_404(_event_types(caller), code, "Event Type")])[0]


@router.get(
    "/import-formats", response={200: ImportFormatPageAnswer, **possible_errors()}, summary="List Import Formats"
)
def list_import_formats(request: HttpRequest, query: Query[CodePageQuery]) -> ImportFormatPageAnswer:
    """List Import Formats by code."""
    caller = reader_of(request)
    refuse_unknown(request, CodePageQuery)
    rows, cursor = by_code(_import_formats(caller), query)
    return ImportFormatPageAnswer(items=import_format_answers(caller, rows), **links(request, cursor))


@router.get(
    "/import-formats/{code}",
    response={200: ImportFormatAnswer, **possible_errors()},
    summary="Read an Import Format",
)
def read_import_format(request: HttpRequest, code: CatalogCode) -> ImportFormatAnswer:
    """Read one Import Format."""
    caller = reader_of(request)
    return import_format_answers(caller, [_one_or_404(_import_formats(caller), code, "Import Format")])[0]


def sees_all(caller: Caller) -> bool:
    """Tell whether the whole catalog exists for a caller."""
    return caller.may(Permission.CONFIGURE_CATALOG)


def _event_types(caller: Caller) -> QuerySet[EventType]:
    return visible_event_types(caller.user, sees_all=sees_all(caller))


def _providers(caller: Caller) -> QuerySet[DataProvider]:
    return visible_providers(caller.user, sees_all=sees_all(caller))


def _import_formats(caller: Caller) -> QuerySet[ImportFormat]:
    return visible_import_formats(caller.user, sees_all=sees_all(caller))


def _one_or_404(rows: QuerySet[Row], code: str, noun: str) -> Row:
    row = rows.filter(code=code).first()
    if row is None:
        raise Http404(f"There is no {noun} {code}.")
    return row


def provider_answers(caller: Caller, rows: Sequence[DataProvider]) -> list[ProviderAnswer]:
    """Return Data Providers, each with its Event Types that exist for the caller."""
    uses = uses_of_providers(rows, _event_types(caller))
    return [
        ProviderAnswer(
            code=row.code,
            organisation=row.organisation,
            contact_name=row.contact_name,
            email=row.email,
            phone=row.phone,
            used_by=_uses(uses, row.pk),
        )
        for row in rows
    ]


def event_type_answers(caller: Caller, rows: Sequence[EventType]) -> list[EventTypeAnswer]:
    """Return Event Types, each with what uses it and exists for the caller."""
    shown = LinkageProject.objects.all() if sees_all(caller) else visible_projects(caller.user)
    uses = uses_of_event_types(rows, shown)
    return [
        EventTypeAnswer(
            code=row.code,
            provider_code=row.provider.code,
            import_format_code=row.import_format.code,
            description=row.description,
            category=row.category,
            authoritative=row.authoritative,
            used_by=_uses(uses, row.pk),
        )
        for row in rows
    ]


def import_format_answers(caller: Caller, rows: Sequence[ImportFormat]) -> list[ImportFormatAnswer]:
    """Return Import Formats, each with the Event Types that it reads and that exist for the caller."""
    uses = uses_of_import_formats(rows, _event_types(caller))
    return [
        ImportFormatAnswer(
            code=row.code, description=row.description, definition=row.definition, used_by=_uses(uses, row.pk)
        )
        for row in rows
    ]


def _uses(uses: Uses, key: int) -> list[UseAnswer]:
    return [
        UseAnswer(kind=one.kind, code=one.code, project_code=one.project_code, is_over=one.is_over)
        for one in uses.get(key, [])
    ]
