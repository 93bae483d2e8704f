"""The first run: the Administrator's account by the link from the terminal, then the list of first steps."""

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from linkwright.config import load_config
from linkwright.errors import LinkwrightError
from linkwright.services.close_first_steps import close_first_steps
from linkwright.services.load_demo import load_demo, why_not_load_demo
from linkwright.services.set_up_token import (
    SetUpOverError,
    SetUpRefusedError,
    create_first_administrator,
    demand_set_up_token,
)
from linkwright.store.models import User
from linkwright.store.queries.first_steps import read_set_up_state
from linkwright.web.access import access_of, actor_of, signed_in
from linkwright.web.dialogs import REFUSED_STATUS
from linkwright.web.first_steps import first_steps, has_first_steps
from linkwright.web.flash import Flash, add_flash

# by name: where there are several ways to sign in, this is the one with a password


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the list of first steps as long as one is left, then to the JOBS tab."""
    is_left = has_first_steps(signed_in(request)) and not read_set_up_state().is_ready
    return HttpResponseRedirect(reverse("first-steps" if is_left else "envelopes"))


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for a name and a password, and make the first Administrator."""
    refused = None
    username = request.POST.get("username", "")
    try:
        demand_set_up_token(load_config(), token)
        if request.method == "POST":
            user = _create(request, token)
            login(request, user)
            return HttpResponseRedirect(reverse("first-steps"))
    except SetUpRefusedError as error:
        refused = Flash("error", error.summary, error.faults)
    except SetUpOverError as error:
        return render(request, "web/pages/set_up_over.html", {"told": str(error)}, status=404)
    context = {"refused": refused, "username": username}
    return render(request, "web/pages/set_up.html", context, status=REFUSED_STATUS if refused else 200)


def _create(request: HttpRequest, token: str) -> User:
    sent = request.POST
    password = sent.get("password", "")
    if password != sent.get("again", ""):
        raise SetUpRefusedError("No account was made.", ["The password and its repetition differ."])
    return create_first_administrator(
        load_config(),
        token,
        username=sent.get("username", ""),
        password=password,
        origin=request.META.get("REMOTE_ADDR", ""),
    )


@require_safe
def steps(request: HttpRequest) -> HttpResponse:
    """Show what is done and what comes next."""
    access_of(request).demand_administrator()
    found = first_steps(read_set_up_state())
    context = {
        "steps": found,
        "next_step": next((step.name for step in found if not step.is_done), ""),
        "done_count": sum(step.is_done for step in found),
        "why_no_demo": why_not_load_demo(),
    }
    return render(request, "web/pages/first_steps.html", context)


@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """Put the list away."""
    access_of(request).demand_administrator()
    close_first_steps(signed_in(request))
    return HttpResponseRedirect(reverse("envelopes"))


@require_POST
def demo(request: HttpRequest) -> HttpResponse:
    """Load the demo project; the page of the Envelopes shows how it goes."""
    access_of(request).demand_administrator()
    try:
        loaded = load_demo(load_config(), actor_of(request))
    except LinkwrightError as error:
        add_flash(request, "error", str(error))
        return HttpResponseRedirect(reverse("first-steps"))
    add_flash(request, "success", f"The demo project is there, and {len(loaded)} Envelopes are queued.")
    return HttpResponseRedirect(reverse("envelopes"))
