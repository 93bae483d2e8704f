"""Settings: all of them in groups, with who changed each last, and a form for each."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from linkwright.services.change_setting_by_hand import (
    change_setting_by_hand,
    mark_of,
    reset_setting_by_hand,
    text_of,
)
from linkwright.services.list_settings import ListedSetting, SettingKind, grouped_settings, list_settings
from linkwright.store.permissions import Permission
from linkwright.store.setting import Value
from linkwright.store.settings import SettingError
from linkwright.web.access import access_of, actor_of
from linkwright.web.dialogs import dialog_left, show_dialog
from linkwright.web.formatting import format_number


@require_GET
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show the page."""
    access_of(request).demand(Permission.CHANGE_SETTINGS)
    groups = [(name, [_shown(one) for one in found]) for name, found in grouped_settings()]
    return render(request, "web/pages/settings.html", {"groups": groups})


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, name: str) -> HttpResponse:
    """Show the form of one Setting, and take it."""
    access_of(request).demand(Permission.CHANGE_SETTINGS)
    try:
        (listed,) = list_settings([name])
    except SettingError as error:
        raise Http404(str(error)) from error
    fault = ""
    if request.method == "POST":
        seen = request.POST.get("seen", "")
        try:
            if "default" in request.POST:
                changed = reset_setting_by_hand(name, seen, actor_of(request))
            else:
                changed = change_setting_by_hand(name, request.POST.get("value", ""), seen, actor_of(request))
        except SettingError as error:
            fault = str(error)
        else:
            message = f"{name} is {'changed' if changed else 'as it was'}."
            return dialog_left(request, message, reverse("settings"))
    context = {
        **_shown(listed),
        "fault": fault,
        "typed": request.POST.get("value", text_of(listed.value)),
        "seen": mark_of(listed.value),
    }
    return show_dialog(request, "web/dialogs/change_setting.html", name, context, is_refused=bool(fault))


def _shown(listed: ListedSetting) -> dict[str, object]:
    return {
        "one": listed,
        "setting": listed.setting,
        "value": _as_read(listed.value),
        "default": _as_read(listed.setting.default),
        "bound": _bound(listed),
    }


def _as_read(value: Value) -> str:
    """Return a value as a page shows it: a number with separators, which its form takes as well."""
    return format_number(value) if isinstance(value, int) and not isinstance(value, bool) else text_of(value)


def _bound(listed: ListedSetting) -> str:
    setting = listed.setting
    if listed.kind is not SettingKind.INTEGER or setting.minimum is None or setting.maximum is None:
        return listed.bound
    return f"a whole number from {format_number(setting.minimum)} to {format_number(setting.maximum)}"
