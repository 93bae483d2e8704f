"""One group: its records side by side, its links, pairs, history and Quality Reviews; and the place to decide."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from linkwright.config import load_config
from linkwright.engine.group_graph import MOST_DRAWN_RECORDS
from linkwright.errors import LinkwrightError
from linkwright.services.explain_group import UnknownGroupError
from linkwright.services.look_at_group import look_at_group
from linkwright.services.review_group import (
    MOST_REASON_LENGTH,
    GroupReview,
    ReviewDecision,
    ReviewRefusedError,
    review_group,
)
from linkwright.store.models import LinkageProject
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.address import read_key
from linkwright.web.dialogs import REFUSED_STATUS
from linkwright.web.first_steps import note_look_at_groups
from linkwright.web.flash import add_flash
from linkwright.web.group_view import view_group
from linkwright.web.pages.errors import not_shown


@never_cache
@require_http_methods(["GET"])
def group_page(request: HttpRequest, code: str, group_id: int) -> HttpResponse:
    """Show the group."""
    return _page(request, project_or_404(signed_in(request), code), group_id)


@never_cache
@require_POST
def review(request: HttpRequest, code: str, group_id: int) -> HttpResponse:
    """Queue a decision about the group; refused, the group is shown with what was chosen."""
    project = project_or_404(signed_in(request), code)
    access_of(request).demand(Permission.REVIEW, project.pk)
    try:
        envelope = review_group(load_config(), actor_of(request), code, _asked(request, group_id))
    except LinkwrightError as error:
        return _page(request, project, group_id, refusal=str(error))
    add_flash(
        request,
        "success",
        f"{envelope.name} is queued as Envelope {envelope.pk}. The group changes when it has been processed.",
    )
    return HttpResponseRedirect(reverse("group", args=[code, group_id]))


def _page(request: HttpRequest, project: LinkageProject, group_id: int, *, refusal: str = "") -> HttpResponse:
    try:
        looked = look_at_group(load_config(), actor_of(request), project.code, group_id)
    except UnknownGroupError as error:
        raise Http404(f"{project.code} has no group {group_id}, and never had.") from error
    except LinkwrightError as error:
        return not_shown(request, error)
    note_look_at_groups(signed_in(request))
    may_review = access_of(request).may(Permission.REVIEW, project.pk) and bool(looked.members)
    context = {
        "project": project,
        "group_id": group_id,
        "looked": looked,
        "explained": looked.explained,
        "view": view_group(looked),
        "most_drawn": MOST_DRAWN_RECORDS,
        "may_review": may_review,
        # of a group of one nothing can be taken apart
        "may_choose": may_review and len(looked.members) > 1,
        "most_reason_length": MOST_REASON_LENGTH,
        "seen": ".".join(str(member.record_id) for member in looked.explained.members),
        "refusal": refusal,
        "chosen": {read_key(text) for text in request.POST.getlist("record")},
        "decision": request.POST.get("decision", ""),
        "other_group": request.POST.get("other_group", ""),
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "web/pages/group.html", context, status=REFUSED_STATUS if refusal else 200)


def _asked(request: HttpRequest, group_id: int) -> GroupReview:
    """Read the form.

    Raises:
        ReviewRefusedError: if it cannot be read.
    """
    decision, other = request.POST.get("decision", ""), request.POST.get("other_group", "").strip()
    if decision not in set(ReviewDecision):
        raise ReviewRefusedError("Choose what you decide about the group.")
    wanted = ReviewDecision(decision)
    other_group_id = read_key(other) if wanted is ReviewDecision.TOGETHER else None
    if wanted is ReviewDecision.TOGETHER and other and other_group_id is None:
        raise ReviewRefusedError(f"The group id {other[:40]!r} is no whole number. Correct it, or leave it empty.")
    chosen = (read_key(text) for text in request.POST.getlist("record"))
    seen = (read_key(text) for text in request.POST.get("seen", "").split("."))
    return GroupReview(
        group_id=group_id,
        seen=frozenset(one for one in seen if one is not None),
        decision=wanted,
        chosen=frozenset(one for one in chosen if one is not None),
        other_group_id=other_group_id,
        reason=request.POST.get("reason", ""),
    )
