"""The data catalog, read only: Data Providers, Event Types, Import Formats.

Whoever may configure the catalog sees all of it, others what is attached to their projects: a code of others is
not theirs to know.
"""

from typing import Annotated, Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from ninja import Path, Query, Router, Schema

from linkwright.api.answers import possible_errors
from linkwright.api.paging import NO_ZERO, CodePageQuery, PageAnswer, by_code, links, refuse_unknown
from linkwright.api.rights import Caller, reader_of
from linkwright.store.models import DataProvider, EventType, ImportFormat
from linkwright.store.permissions import Permission, visible_projects

router = Router(tags=["catalog"])

CatalogCode = Annotated[str, Path(min_length=1, max_length=255, pattern=NO_ZERO, description="The code.")]
Row = TypeVar("Row", bound=Model)


class ProviderAnswer(Schema):
    """One Data Provider."""

    code: str
    organisation: str
    contact_name: str
    email: str
    phone: str


class EventTypeAnswer(Schema):
    """One Event Type."""

    code: str
    provider_code: str
    import_format_code: str
    description: str
    category: str
    authoritative: bool


class ImportFormatAnswer(Schema):
    """One Import Format; `definition` as in a project file."""

    code: str
    description: str
    definition: dict[str, Any]


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
    refuse_unknown(request, CodePageQuery)
    rows, cursor = by_code(_providers(reader_of(request)), query)
    return ProviderPageAnswer(items=[_provider(row) for row in rows], **links(request, cursor))


@router.get(
    "/providers/{code}", response={200: ProviderAnswer, **possible_errors()}, summary="Read a Data Provider"
)
def read_provider(request: HttpRequest, code: CatalogCode) -> ProviderAnswer:
    """Read one Data Provider."""
    return _provider(_one_or_404(_providers(reader_of(request)), code, "Data Provider"))


@router.get("/event-types", response={200: EventTypePageAnswer, **possible_errors()}, summary="List Event Types")
def list_event_types(request: HttpRequest, query: Query[CodePageQuery]) -> EventTypePageAnswer:
    """List Event Types by code."""
    refuse_unknown(request, CodePageQuery)
    rows, cursor = by_code(_event_types(reader_of(request)), query)
    return EventTypePageAnswer(items=[_event_type(row) for row in rows], **links(request, cursor))


@router.get(
    "/event-types/{code}", response={200: EventTypeAnswer, **possible_errors()}, summary="Read an Event Type"
)
def read_event_type(request: HttpRequest, code: CatalogCode) -> EventTypeAnswer:
    """Read one Event Type."""
    return _event_type(_one_or_404(_event_types(reader_of(request)), code, "Event Type"))


@router.get(
    "/import-formats", response={200: ImportFormatPageAnswer, **possible_errors()}, summary="List Import Formats"
)
def list_import_formats(request: HttpRequest, query: Query[CodePageQuery]) -> ImportFormatPageAnswer:
    """List Import Formats by code."""
    refuse_unknown(request, CodePageQuery)
    rows, cursor = by_code(_import_formats(reader_of(request)), query)
    return ImportFormatPageAnswer(items=[_import_format(row) for row in rows], **links(request, cursor))


@router.get(
    "/import-formats/{code}",
    response={200: ImportFormatAnswer, **possible_errors()},
    summary="Read an Import Format",
)
def read_import_format(request: HttpRequest, code: CatalogCode) -> ImportFormatAnswer:
    """Read one Import Format."""
    return _import_format(_one_or_404(_import_formats(reader_of(request)), code, "Import Format"))


def _event_types(caller: Caller) -> QuerySet[EventType]:
    rows = EventType.objects.select_related("provider", "import_format")
    if caller.may(Permission.CONFIGURE_CATALOG):
        return rows
    # by key: several of one's projects may share an Event Type
    attached = EventType.objects.filter(projects__in=visible_projects(caller.user)).values("pk")
    return rows.filter(pk__in=attached)


def _providers(caller: Caller) -> QuerySet[DataProvider]:
    if caller.may(Permission.CONFIGURE_CATALOG):
        return DataProvider.objects.all()
    return DataProvider.objects.filter(pk__in=_event_types(caller).values("provider_id"))


def _import_formats(caller: Caller) -> QuerySet[ImportFormat]:
    if caller.may(Permission.CONFIGURE_CATALOG):
        return ImportFormat.objects.all()
    return ImportFormat.objects.filter(pk__in=_event_types(caller).values("import_format_id"))


def _one_or_404(rows: QuerySet[Row], code: str, noun: str) -> Row:
    row = rows.filter(code=code).first()
    if row is None:
        raise Http404(f"There is no {noun} {code}.")
    return row


def _provider(row: DataProvider) -> ProviderAnswer:
    return ProviderAnswer(
        code=row.code,
        organisation=row.organisation,
        contact_name=row.contact_name,
        email=row.email,
        phone=row.phone,
    )


def _event_type(row: EventType) -> EventTypeAnswer:
    return EventTypeAnswer(
        code=row.code,
        provider_code=row.provider.code,
        import_format_code=row.import_format.code,
        description=row.description,
        category=row.category,
        authoritative=row.authoritative,
    )


def _import_format(row: ImportFormat) -> ImportFormatAnswer:
    return ImportFormatAnswer(code=row.code, description=row.description, definition=row.definition)
