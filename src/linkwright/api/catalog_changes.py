"""Changing the data catalog: Data Providers, Event Types, Import Formats are created, changed, deleted.

For whoever holds 'configure catalog'. Nothing that is in use is deleted. Reading: catalog.py,
whose router this shares: an address has one.
"""

from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Schema, Status
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.catalog import (
    CatalogCode,
    EventTypeAnswer,
    ImportFormatAnswer,
    ProviderAnswer,
    Row,
    event_type_answers,
    import_format_answers,
    provider_answers,
    router,
)
from linkwright.api.paging import NO_ZERO
from linkwright.api.rights import Caller, caller_of
from linkwright.services.catalog_rows import CatalogRefusedError, Save, Saving
from linkwright.services.delete_event_type import delete_event_type
from linkwright.services.delete_import_format import delete_import_format
from linkwright.services.delete_provider import delete_provider
from linkwright.services.project_file import EventTypePart, ImportFormatPart, ProviderPart
from linkwright.services.read_part import definition_faults, read_part
from linkwright.services.save_event_type import EVENT_TYPE, save_event_type
from linkwright.services.save_import_format import IMPORT_FORMAT, save_import_format
from linkwright.services.save_provider import PROVIDER, save_provider
from linkwright.store.models import DataProvider, EventType, ImportFormat
from linkwright.store.permissions import Permission

__all__ = ["router"]

NewCode = Annotated[str, Field(max_length=50, pattern=NO_ZERO, description="Unique, never changed.")]
_CREATE = possible_errors(409, 413, 415)
_DELETE = possible_errors(409)
Text50 = Annotated[str, Field(max_length=50, pattern=NO_ZERO)]
Text100 = Annotated[str, Field(max_length=100, pattern=NO_ZERO)]
Text200 = Annotated[str, Field(max_length=200, pattern=NO_ZERO)]
Text254 = Annotated[str, Field(max_length=254, pattern=NO_ZERO)]
Text500 = Annotated[str, Field(max_length=500, pattern=NO_ZERO)]


class ProviderForm(Schema):
    """What can be changed of a Data Provider."""

    organisation: Text200 = Field(min_length=1)
    contact_name: Text200 = ""
    email: Text254 = ""
    phone: Text50 = ""


class NewProviderForm(ProviderForm):
    """A Data Provider."""

    code: NewCode


class EventTypeForm(Schema):
    """What can be changed of an Event Type."""

    provider_code: Text50
    import_format_code: Text50
    description: Text500 = ""
    category: Text100 = ""
    authoritative: bool = Field(False, description="A person should have at most one such record.")


class NewEventTypeForm(EventTypeForm):
    """An Event Type."""

    code: NewCode


class ImportFormatForm(Schema):
    """What can be changed of an Import Format."""

    description: Text500 = ""
    definition: dict[str, Any] = Field(description="As in a project file, without `code` and `description`.")


class NewImportFormatForm(ImportFormatForm):
    """An Import Format."""

    code: NewCode


@router.post("/providers", response={201: ProviderAnswer, **_CREATE}, summary="Create a Data Provider")
def create_provider(request: HttpRequest, form: NewProviderForm) -> Status[ProviderAnswer]:
    """Create a Data Provider; a code that is taken is refused."""
    caller = _configuring(request)
    save_provider(_provider(form.code, form), Saving(caller.actor, Save.CREATE))
    return Status(201, provider_answers(caller, [DataProvider.objects.get(code=form.code)])[0])


@router.put("/providers/{code}", response={200: ProviderAnswer, **_CREATE}, summary="Change a Data Provider")
def change_provider(request: HttpRequest, code: CatalogCode, form: ProviderForm) -> ProviderAnswer:
    """Change a Data Provider, all of it at once; what is left out gets its default."""
    caller = _configuring(request)
    _row_or_404(DataProvider, PROVIDER, code)
    save_provider(_provider(code, form), Saving(caller.actor, Save.CHANGE))
    return provider_answers(caller, [DataProvider.objects.get(code=code)])[0]


@router.delete("/providers/{code}", response={200: ProviderAnswer, **_DELETE}, summary="Delete a Data Provider")
def remove_provider(request: HttpRequest, code: CatalogCode) -> ProviderAnswer:
    """Delete a Data Provider that nothing uses; otherwise `faults` name what does.

    The answer is what was deleted.
    """
    caller = _configuring(request)
    answer = provider_answers(caller, [_row_or_404(DataProvider, PROVIDER, code)])[0]
    delete_provider(code, caller.actor)
    return answer


@router.post("/event-types", response={201: EventTypeAnswer, **_CREATE}, summary="Create an Event Type")
def create_event_type(request: HttpRequest, form: NewEventTypeForm) -> Status[EventTypeAnswer]:
    """Create an Event Type; a code that is taken is refused."""
    caller = _configuring(request)
    save_event_type(_event_type(form.code, form), Saving(caller.actor, Save.CREATE))
    return Status(201, event_type_answers(caller, [EventType.objects.get(code=form.code)])[0])


@router.put("/event-types/{code}", response={200: EventTypeAnswer, **_CREATE}, summary="Change an Event Type")
def change_event_type(request: HttpRequest, code: CatalogCode, form: EventTypeForm) -> EventTypeAnswer:
    """Change an Event Type, all of it at once; what is left out gets its default."""
    caller = _configuring(request)
    _row_or_404(EventType, EVENT_TYPE, code)
    save_event_type(_event_type(code, form), Saving(caller.actor, Save.CHANGE))
    return event_type_answers(caller, [EventType.objects.get(code=code)])[0]


@router.delete("/event-types/{code}", response={200: EventTypeAnswer, **_DELETE}, summary="Delete an Event Type")
def remove_event_type(request: HttpRequest, code: CatalogCode) -> EventTypeAnswer:
    """Delete an Event Type that nothing uses; otherwise `faults` name what does.

    The answer is what was deleted.
    """
    caller = _configuring(request)
    answer = event_type_answers(caller, [_row_or_404(EventType, EVENT_TYPE, code)])[0]
    delete_event_type(code, caller.actor)
    return answer


@router.post("/import-formats", response={201: ImportFormatAnswer, **_CREATE}, summary="Create an Import Format")
def create_import_format(request: HttpRequest, form: NewImportFormatForm) -> Status[ImportFormatAnswer]:
    """Create an Import Format; a code that is taken is refused."""
    caller = _configuring(request)
    save_import_format(_import_format(form.code, form), Saving(caller.actor, Save.CREATE))
    return Status(201, import_format_answers(caller, [ImportFormat.objects.get(code=form.code)])[0])


@router.put(
    "/import-formats/{code}", response={200: ImportFormatAnswer, **_CREATE}, summary="Change an Import Format"
)
def change_import_format(request: HttpRequest, code: CatalogCode, form: ImportFormatForm) -> ImportFormatAnswer:
    """Change an Import Format, all of it at once; what is left out gets its default."""
    caller = _configuring(request)
    _row_or_404(ImportFormat, IMPORT_FORMAT, code)
    save_import_format(_import_format(code, form), Saving(caller.actor, Save.CHANGE))
    return import_format_answers(caller, [ImportFormat.objects.get(code=code)])[0]


@router.delete(
    "/import-formats/{code}", response={200: ImportFormatAnswer, **_DELETE}, summary="Delete an Import Format"
)
def remove_import_format(request: HttpRequest, code: CatalogCode) -> ImportFormatAnswer:
    """Delete an Import Format that nothing uses; otherwise `faults` name what does.

    The answer is what was deleted.
    """
    caller = _configuring(request)
    answer = import_format_answers(caller, [_row_or_404(ImportFormat, IMPORT_FORMAT, code)])[0]
    delete_import_format(code, caller.actor)
    return answer


def _configuring(request: HttpRequest) -> Caller:
    caller = caller_of(request)
    caller.demand(Permission.CONFIGURE_CATALOG)
    return caller


def _row_or_404(model: type[Row], kind: str, code: str) -> Row:
    row = model._default_manager.filter(code=code).first()  # noqa: SLF001 - Django's public name for it
    if row is None:
        raise Http404(f"There is no {kind} {code}.")
    return row


def _provider(code: str, form: ProviderForm) -> ProviderPart:
    return read_part(ProviderPart, PROVIDER, {**form.dict(), "code": code})


def _event_type(code: str, form: EventTypeForm) -> EventTypePart:
    values = form.dict()
    values |= {
        "code": code,
        "provider": values.pop("provider_code"),
        "import_format": values.pop("import_format_code"),
    }
    return read_part(EventTypePart, EVENT_TYPE, values)


def _import_format(code: str, form: ImportFormatForm) -> ImportFormatPart:
    faults = definition_faults(form.definition)
    if faults:
        raise CatalogRefusedError(f"{IMPORT_FORMAT} {code} was not saved.", faults)
    values = {**form.definition, "code": code, "description": form.description}
    return read_part(ImportFormatPart, IMPORT_FORMAT, values)
