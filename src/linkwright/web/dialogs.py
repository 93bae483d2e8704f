"""Dialogs: the same view is a <dialog> where scripts run, and a page of its own where they do not."""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from linkwright.web.flash import add_flash

# shown inside the dialog, where a plain 4xx would be taken for a broken server
REFUSED_STATUS = 409


def is_fragment_request(request: HttpRequest) -> bool:
    """Tell whether a script asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def show_dialog(
    request: HttpRequest,
    template: str,
    title: str,
    context: Mapping[str, Any],
    *,
    refusal: str = "",
    is_refused: bool = False,
) -> HttpResponse:
    """Render a dialog under its title (the question), with the reason why its action was refused, if it was.

    `is_refused`: it was, and the template says so beside the field.
    """
    frame = "web/dialog_fragment.html" if is_fragment_request(request) else "web/dialog_page.html"
    status = REFUSED_STATUS if refusal or is_refused else 200
    next_url = request.POST.get("next") or request.GET.get("next", "")
    values = {**context, "title": title, "dialog_frame": frame, "refusal": refusal, "next_url": next_url}
    return render(request, template, values, status=status)


def dialog_done(request: HttpRequest, message: str, fallback: str, *, leads_to: str = "") -> HttpResponse:
    """Answer an action that succeeded: the script closes the dialog and says so; without one, the page returns.

    With `leads_to` that page is loaded in either case: the one behind the dialog has changed, or is gone.
    """
    if leads_to:
        add_flash(request, "success", message)
        if is_fragment_request(request):
            return HttpResponse(status=204, headers={"HX-Redirect": leads_to})
        return HttpResponseRedirect(leads_to)
    if is_fragment_request(request):
        response = HttpResponse(status=204)
        response.headers["HX-Trigger"] = json.dumps({"linkwright:done": {"message": message}})
        return response
    add_flash(request, "success", message)
    return HttpResponseRedirect(_safe_next(request, fallback))


def dialog_left(request: HttpRequest, message: str, url: str) -> HttpResponse:
    """Answer an action that succeeded and changes a page that does not update itself: it is loaded anew."""
    add_flash(request, "success", message)
    if not is_fragment_request(request):
        return HttpResponseRedirect(url)
    response = HttpResponse(status=204)
    response.headers["HX-Redirect"] = url
    return response


def _safe_next(request: HttpRequest, fallback: str) -> str:
    wanted = request.POST.get("next", "")
    if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None, require_https=request.is_secure()):
        return wanted
    return fallback
