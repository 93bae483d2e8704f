"""One's own password, and one's own sessions."""

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from linkwright.errors import FaultsError, LinkwrightError
from linkwright.services.accept_invitation import RULES_TEXT
from linkwright.services.change_password import change_password
from linkwright.services.list_sessions import list_sessions
from linkwright.web.access import actor_of, signed_in
from linkwright.web.flash import add_flash


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Ask for the present one and a new one twice."""
    user, refusal, faults, given = signed_in(request), "", [], request.POST
    if request.method == "POST":
        new, key = given.get("new", ""), str(request.session.session_key)
        if new != given.get("again", ""):
            refusal = "The new password and its repetition differ. Nothing was changed."
        else:
            try:
                change_password(user, given.get("present", ""), new, actor_of(request), session_key=key)
            except FaultsError as error:
                refusal, faults = error.summary, list(error.faults)
            except LinkwrightError as error:
                refusal = str(error)
            else:
                update_session_auth_hash(request, user)
                add_flash(request, "success", "Your password is changed. Your other sessions have ended.")
                return HttpResponseRedirect(reverse("password"))
    context = {
        "refusal": refusal,
        "faults": faults,
        "rules": RULES_TEXT,
        "sessions": list_sessions(user),
        "own_key": request.session.session_key,
    }
    return render(request, "web/pages/password.html", context, status=409 if refusal else 200)
