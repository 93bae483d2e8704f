"""The forms that create and change Data Providers and Event Types; a refused one comes back as filled in."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.errors import FaultsError
from linkwright.services.catalog_rows import CatalogRefusedError, Save, Saved, Saving, fingerprint
from linkwright.services.project_file import EventTypePart, ProviderPart
from linkwright.services.read_part import read_part
from linkwright.services.save_event_type import EVENT_TYPE, save_event_type
from linkwright.services.save_provider import PROVIDER, save_provider
from linkwright.store.models import DataProvider, EventType, ImportFormat
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, signed_in
from linkwright.web.dialogs import REFUSED_STATUS
from linkwright.web.first_steps import leads_to_next_step
from linkwright.web.flash import Flash, add_flash

_PROVIDER_TEXTS = ("organisation", "contact_name", "email", "phone")
_EVENT_TYPE_TEXTS = ("provider", "import_format", "description", "category")


@require_http_methods(["GET", "POST"])
def new_provider(request: HttpRequest) -> HttpResponse:
    """Create a Data Provider."""
    access_of(request).demand(Permission.CONFIGURE_CATALOG)
    return _provider_form(request, None)


@require_http_methods(["GET", "POST"])
def change_provider(request: HttpRequest, code: str) -> HttpResponse:
    """Change a Data Provider."""
    access_of(request).demand(Permission.CONFIGURE_CATALOG)
    row = DataProvider.objects.filter(code=code).first()
    if row is None:
        raise Http404(f"There is no {PROVIDER} {code}.")
    return _provider_form(request, row)


@require_http_methods(["GET", "POST"])
def new_event_type(request: HttpRequest) -> HttpResponse:
    """Create an Event Type."""
    access_of(request).demand(Permission.CONFIGURE_CATALOG)
    return _event_type_form(request, None)


@require_http_methods(["GET", "POST"])
def change_event_type(request: HttpRequest, code: str) -> HttpResponse:
    """Change an Event Type."""
    access_of(request).demand(Permission.CONFIGURE_CATALOG)
    row = EventType.objects.select_related("provider", "import_format").filter(code=code).first()
    if row is None:
        raise Http404(f"There is no {EVENT_TYPE} {code}.")
    return _event_type_form(request, row)


def saving(request: HttpRequest, row: DataProvider | EventType | ImportFormat | None) -> Saving:
    """Say how a form saves: a new row, or the one that it was opened with, if nobody changed it meanwhile."""
    mode = Save.CREATE if row is None else Save.CHANGE
    return Saving(actor_of(request), mode, seen=request.POST.get("seen", ""))


def saved_words(kind: str, code: str, saved: Saved) -> str:
    """Say what saving did."""
    told = {"create": "is created.", "update": "is changed."}
    return f"{kind} {code} {told.get(saved.action, 'is as it was: nothing differed.')}"


def flash_of(error: FaultsError) -> Flash:
    """Return a refusal with its reasons."""
    return Flash("error", error.summary, error.faults)


def _provider_form(request: HttpRequest, row: DataProvider | None) -> HttpResponse:
    values = {name: getattr(row, name, "") for name in ("code", *_PROVIDER_TEXTS)}
    sent = _sent(request, row, _PROVIDER_TEXTS)

    def save() -> Saved:
        return save_provider(read_part(ProviderPart, PROVIDER, sent), saving(request, row))

    context = {"row": row, "values": sent if request.method == "POST" else values}
    return _answer(request, "web/pages/provider_form.html", context, save, PROVIDER, "catalog-providers")


def _event_type_form(request: HttpRequest, row: EventType | None) -> HttpResponse:
    values: dict[str, Any] = {
        name: str(getattr(row, name, "")) if row else request.GET.get(name, "")
        for name in ("code", *_EVENT_TYPE_TEXTS)
    }
    values["authoritative"] = bool(row and row.authoritative)
    sent: dict[str, Any] = _sent(request, row, _EVENT_TYPE_TEXTS)
    sent["authoritative"] = "authoritative" in request.POST

    def save() -> Saved:
        return save_event_type(read_part(EventTypePart, EVENT_TYPE, sent), saving(request, row))

    providers = list(DataProvider.objects.order_by("code"))
    import_formats = list(ImportFormat.objects.order_by("code"))
    for name, choices in (("provider", providers), ("import_format", import_formats)):
        if len(choices) == 1:
            values[name] = values[name] or choices[0].code
    context = {
        "row": row,
        "values": sent if request.method == "POST" else values,
        "providers": providers,
        "import_formats": import_formats,
    }
    return _answer(request, "web/pages/event_type_form.html", context, save, EVENT_TYPE, "catalog-event-types")


def _sent(request: HttpRequest, row: DataProvider | EventType | None, names: tuple[str, ...]) -> dict[str, Any]:
    sent: dict[str, Any] = {name: request.POST.get(name, "").strip() for name in names}
    sent["code"] = row.code if row else request.POST.get("code", "").strip()
    return sent


def _answer(  # noqa: PLR0917 - one form's parts
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    save: Callable[[], Saved],
    kind: str,
    back: str,
) -> HttpResponse:
    refused = None
    if request.method == "POST":
        try:
            saved = save()
        except CatalogRefusedError as error:
            refused = flash_of(error)
        else:
            told = saved_words(kind, context["values"]["code"], saved)
            add_flash(request, "success", told, leads_to=leads_to_next_step(signed_in(request)))
            return HttpResponseRedirect(reverse(back))
    row = context["row"]
    seen = request.POST.get("seen") or (fingerprint(row) if row else "")
    status = REFUSED_STATUS if refused else 200
    return render(request, template, {**context, "refused": refused, "seen": seen}, status=status)
