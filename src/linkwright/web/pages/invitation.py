"""Where the link of an invitation leads: a password is chosen, or a provider's identity bound, once."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from linkwright.errors import FaultsError
from linkwright.services.accept_invitation import (
    RULES_TEXT,
    InvitationError,
    accept_invitation,
    find_invitation,
)
from linkwright.web.flash import add_flash
from linkwright.web.pages.provider_sign_in import button_label


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for a password twice, and take it."""
    refusal, faults = "", []
    try:
        found = find_invitation(token)
        if request.method == "POST":
            given = request.POST.get("new", "")
            if given == request.POST.get("again", ""):
                accept_invitation(token, given, request.META.get("REMOTE_ADDR", ""))
                add_flash(request, "success", "Your password is set. Sign in with it.")
                return HttpResponseRedirect(reverse("sign-in"))
            refusal = "The password and its repetition differ. Nothing was changed."
    except FaultsError as error:
        refusal, faults = error.summary, list(error.faults)
    except InvitationError as error:
        return render(request, "web/pages/invitation_over.html", {"told": str(error)}, status=404)
    context = {
        "person": found.user,
        "rules": RULES_TEXT,
        "refusal": refusal,
        "faults": faults,
        "token": token,
        "provider_label": button_label(),
    }
    return render(request, "web/pages/invitation.html", context, status=409 if refusal else 200)
