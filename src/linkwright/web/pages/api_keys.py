"""API keys in the person menu: one's own, with creating and revoking; for Administrators everybody's.

A new key's token is on the answer of its form and nowhere else: in no session, no address, no list.
"""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from linkwright.errors import LinkwrightError
from linkwright.services.create_api_key import (
    MAX_LIFETIME_SETTING,
    create_api_key,
    default_lifetime_days,
)
from linkwright.services.revoke_api_key import UnknownApiKeyError, find_api_key, revoke_api_key, visible_api_keys
from linkwright.store.models import User
from linkwright.store.models.api_keys import MAX_KEY_NAME_LENGTH
from linkwright.store.permissions import Permission
from linkwright.store.settings import read_setting
from linkwright.web.access import access_of, actor_of, signed_in
from linkwright.web.address import read_key
from linkwright.web.dialogs import is_fragment_request, show_dialog
from linkwright.web.flash import add_flash


@require_GET
def api_keys(request: HttpRequest) -> HttpResponse:
    """Show the keys."""
    user = signed_in(request)
    found = list(visible_api_keys(actor_of(request)))
    context = {
        "own": [key for key in found if key.user_id == user.pk],
        "others": [key for key in found if key.user_id != user.pk],
        "sees_all": user.is_superuser,
    }
    return render(request, "web/pages/api_keys.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Ask for a name and a lifetime, then show the new key, once."""
    user, refusal = signed_in(request), ""
    chosen = request.POST.getlist("permission")
    if request.method == "POST":
        try:
            made = create_api_key(
                user,
                request.POST.get("name", ""),
                actor_of(request),
                lifetime_days=read_key(request.POST.get("days", "")) or 0,
                permissions=chosen or None,
            )
        except LinkwrightError as error:
            refusal = str(error)
        else:
            return render(request, "web/pages/api_key_created.html", {"key": made.key, "token": made.token})
    context = {
        "refusal": refusal,
        "name": request.POST.get("name", ""),
        "days": request.POST.get("days") or default_lifetime_days(),
        "longest_days": read_setting(MAX_LIFETIME_SETTING),
        "longest_name": MAX_KEY_NAME_LENGTH,
        "permissions": _held(request),
        "chosen": chosen,
    }
    return render(request, "web/pages/api_key_new.html", context, status=409 if refusal else 200)


@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    """Ask, then revoke."""
    user: User = signed_in(request)
    try:
        key = find_api_key(key_id, actor_of(request))
    except UnknownApiKeyError as error:
        raise Http404(f"There is no API key {key_id}.") from error
    if request.method == "POST":
        revoke_api_key(key_id, actor_of(request), request.POST.get("reason", ""))
        add_flash(request, "success", f"The key {key.name} is revoked.")
        return _back(request)
    context = {"key": key, "is_own": key.user_id == user.pk}
    return show_dialog(request, "web/dialogs/revoke_api_key.html", f"Revoke the key {key.name}?", context)


def _held(request: HttpRequest) -> list[str]:
    """Return the permissions that the person holds somewhere: a key cannot be given more."""
    access = access_of(request)
    return [permission.value for permission in Permission if access.may(permission)]


def _back(request: HttpRequest) -> HttpResponse:
    here = reverse("api-keys")
    if not is_fragment_request(request):
        return HttpResponseRedirect(here)
    response = HttpResponse(status=204)
    response.headers["HX-Redirect"] = here
    return response
