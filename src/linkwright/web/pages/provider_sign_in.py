"""Signing in at an OpenID Connect provider: off to it, and back. Refusals are told on the sign-in page.

A browser that comes back must be the one that was sent: state, nonce and verifier lie in its session, and are
taken out before they are used, so nothing can be replayed. GET throughout: the Content-Security-Policy lets no
form lead to another server, not even by a redirect.
"""

import logging
import time
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from linkwright.config import OidcConfig, OidcConfigError, load_config, load_oidc_config
from linkwright.errors import LinkwrightError
from linkwright.services.begin_provider_sign_in import begin_provider_sign_in
from linkwright.services.create_api_key import token_hash
from linkwright.services.find_provider_person import PersonNotTakenError
from linkwright.services.finish_provider_sign_in import finish_provider_sign_in
from linkwright.services.oidc_client import Identity, PendingSignIn, ProviderRefusedError
from linkwright.store.models import User

LONGEST_S = 600
AT_ONCE = 5
_PENDING_KEY, _OVER_KEY = "provider_pending", "provider_over"
# longer ones would make an address that servers refuse
_LONGEST_HINT = 4000
_LOG = logging.getLogger("linkwright.sign_in")


def button_label() -> str:
    """Return the provider's name for the button; '' if people sign in by password alone."""
    try:
        config = load_oidc_config()
    except OidcConfigError:
        # the button stays, and tells what is wrong when it is used
        return OidcConfig.label
    return config.label if config else ""


@login_not_required
@never_cache
@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider."""
    back = _safe_next(request, request.GET.get("next", ""))
    try:
        config = _configured()
        if isinstance(request.user, User):
            return HttpResponseRedirect(back)
        own = _own_address(request, "provider-sign-in-back")
        pending, url = begin_provider_sign_in(config, own, anew="anew" in request.GET)
    except LinkwrightError as error:
        return _refused(request, error, back)
    invitation = request.GET.get("invitation", "")
    kept = {
        **asdict(pending),
        "next": back,
        "at": time.time(),
        "invitation_sha256": token_hash(invitation) if invitation else "",
    }
    others = list(_pending(request).items())[-(AT_ONCE - 1) :]
    request.session[_PENDING_KEY] = {**dict(others), pending.state: kept}
    request.session.set_expiry(LONGEST_S)
    return HttpResponseRedirect(url)


@login_not_required
@never_cache
@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Take back the browser that was sent, and sign its person in."""
    to = _safe_next(request, "")
    try:
        config = _configured()
        kept = _take(request, request.GET.get("state", ""))
        to = _safe_next(request, kept["next"])
        pending = PendingSignIn(**{name: kept[name] for name in PendingSignIn.__dataclass_fields__})
        user, identity = finish_provider_sign_in(
            config,
            pending,
            request.GET.dict(),
            address=request.META.get("REMOTE_ADDR", ""),
            invitation_sha256=kept["invitation_sha256"],
        )
    except LinkwrightError as error:
        return _refused(request, error, to)
    login(request, user)
    if identity.end_session_url:
        request.session[_OVER_KEY] = _end_session(request, config, identity)
    return HttpResponseRedirect(to)


def end_session_url(request: HttpRequest) -> str:
    """Return where to sign out at the provider as well; '' for nowhere. Ask before the session ends."""
    return str(request.session.get(_OVER_KEY, ""))


def _end_session(request: HttpRequest, config: OidcConfig, identity: Identity) -> str:
    given = {"client_id": config.client_id, "post_logout_redirect_uri": _own_address(request, "sign-in")}
    if len(identity.id_token) <= _LONGEST_HINT:
        given["id_token_hint"] = identity.id_token
    joint = "&" if "?" in identity.end_session_url else "?"
    return f"{identity.end_session_url}{joint}{urlencode(given)}"


def _configured() -> OidcConfig:
    config = load_oidc_config()
    if config is None:
        raise Http404("People sign in by password here.")
    return config


def _pending(request: HttpRequest) -> dict[str, Any]:
    """Return what was begun in this browser and is not too old."""
    found: dict[str, Any] = request.session.get(_PENDING_KEY, {})
    return {state: kept for state, kept in found.items() if time.time() - kept["at"] < LONGEST_S}


def _take(request: HttpRequest, state: str) -> dict[str, Any]:
    waiting = _pending(request)
    kept = waiting.pop(state, None)
    if kept is None:
        raise ProviderRefusedError(
            "This sign-in was not begun in this browser, was used already, or took more than 10 minutes. "
            "Begin again."
        )
    request.session[_PENDING_KEY] = waiting
    # before anything else is done: whatever comes of it, it does not come twice
    request.session.save()
    found: dict[str, Any] = kept
    return found


def _safe_next(request: HttpRequest, wanted: str) -> str:
    is_own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_own else resolve_url(settings.LOGIN_REDIRECT_URL)


def _own_address(request: HttpRequest, name: str) -> str:
    """Return the full address of a page, as the browser sees it: behind a proxy that speaks TLS, with https."""
    scheme = "https" if load_config().https or request.is_secure() else "http"
    return f"{scheme}://{request.get_host()}{reverse(name)}"


def _refused(request: HttpRequest, error: LinkwrightError, to: str) -> HttpResponse:
    _LOG.warning("Sign-in by provider refused: %s", type(error).__name__)
    status = HTTPStatus.CONFLICT if isinstance(error, PersonNotTakenError) else HTTPStatus.BAD_GATEWAY
    if isinstance(error, ProviderRefusedError):
        status = HTTPStatus.BAD_REQUEST
    context = {
        "form": AuthenticationForm(request),
        "provider_refusal": str(error),
        "provider_label": button_label(),
        "next": to,
        # the provider would give the same answer again
        "is_other_wanted": isinstance(error, PersonNotTakenError),
    }
    return render(request, "web/pages/sign_in.html", context, status=status)
