"""Dialogs that delete a Data Provider, an Event Type or an Import Format that nothing uses, or say what does."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.services.catalog_rows import CatalogRefusedError
from linkwright.services.catalog_uses import event_type_uses, import_format_uses, provider_uses
from linkwright.services.delete_event_type import delete_event_type
from linkwright.services.delete_import_format import delete_import_format
from linkwright.services.delete_provider import delete_provider
from linkwright.services.save_event_type import EVENT_TYPE
from linkwright.services.save_import_format import IMPORT_FORMAT
from linkwright.services.save_provider import PROVIDER
from linkwright.store.audit_log import Actor
from linkwright.store.models import DataProvider, EventType, ImportFormat
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of
from linkwright.web.dialogs import is_fragment_request, show_dialog
from linkwright.web.flash import add_flash

_Row = TypeVar("_Row", bound=models.Model)
SHOWN_USES = 20


@require_http_methods(["GET", "POST"])
def provider(request: HttpRequest, code: str) -> HttpResponse:
    """Ask, then delete a Data Provider."""
    uses = _uses(request, DataProvider, PROVIDER, code, provider_uses)
    return _answer(request, PROVIDER, code, uses, delete_provider, "catalog-providers")


@require_http_methods(["GET", "POST"])
def event_type(request: HttpRequest, code: str) -> HttpResponse:
    """Ask, then delete an Event Type."""
    uses = _uses(request, EventType, EVENT_TYPE, code, event_type_uses)
    return _answer(request, EVENT_TYPE, code, uses, delete_event_type, "catalog-event-types")


@require_http_methods(["GET", "POST"])
def import_format(request: HttpRequest, code: str) -> HttpResponse:
    """Ask, then delete an Import Format."""
    uses = _uses(request, ImportFormat, IMPORT_FORMAT, code, import_format_uses)
    return _answer(request, IMPORT_FORMAT, code, uses, delete_import_format, "catalog-import-formats")


def _uses(
    request: HttpRequest, model: type[_Row], kind: str, code: str, uses_of: Callable[[_Row], Sequence[str]]
) -> Sequence[str]:
    access_of(request).demand(Permission.CONFIGURE_CATALOG)
    row = model._default_manager.filter(code=code).first()  # noqa: SLF001 - Django's public name for it
    if row is None:
        raise Http404(f"There is no {kind} {code}.")
    return uses_of(row)


def _answer(  # noqa: PLR0917 - one dialog's parts
    request: HttpRequest,
    kind: str,
    code: str,
    uses: Sequence[str],
    delete: Callable[[str, Actor], None],
    back: str,
) -> HttpResponse:
    refusal = ""
    if request.method == "POST":
        try:
            delete(code, actor_of(request))
        except CatalogRefusedError as error:
            refusal = error.summary
        else:
            add_flash(request, "success", f"{kind} {code} is deleted.")
            if not is_fragment_request(request):
                return HttpResponseRedirect(reverse(back))
            response = HttpResponse(status=204)
            response.headers["HX-Redirect"] = reverse(back)
            return response
    title = f"{kind} {code} is in use" if uses else f"Delete {kind} {code}?"
    context = {
        "kind": kind,
        "code": code,
        "uses": uses[:SHOWN_USES],
        "more_count": max(0, len(uses) - SHOWN_USES),
        "back": reverse(back),
    }
    return show_dialog(request, "web/dialogs/delete_from_catalog.html", title, context, refusal=refusal)
