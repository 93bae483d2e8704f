"""People: who there is, inviting somebody, and all of one person. For Administrators."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from linkwright.config import BIND_BY_EMAIL, BIND_BY_USER_NAME
from linkwright.errors import LinkwrightError
from linkwright.services.find_provider_person import BOUND_AS_NEW, BOUND_BY_INVITATION
from linkwright.services.invitation_link import invitation_link
from linkwright.services.invite_person import Invited, invite_person, mail_invitation, renew_invitation
from linkwright.services.list_sessions import list_sessions
from linkwright.services.throttle_sign_in import wait_of
from linkwright.store.models import ApiKey, Invitation, LinkageProject, Membership, ProviderIdentity, Role, User
from linkwright.web.access import access_of, actor_of
from linkwright.web.dialogs import show_dialog

BOUND_WORDS = {
    BIND_BY_EMAIL: "by the e-mail address",
    BIND_BY_USER_NAME: "by the user name",
    BOUND_BY_INVITATION: "by a link",
    BOUND_AS_NEW: "with the account",
}


@require_GET
def people_page(request: HttpRequest) -> HttpResponse:
    """List everybody."""
    access_of(request).demand_administrator()
    people = User.objects.prefetch_related("memberships__project").order_by("-is_active", "username")
    invited = Invitation.objects.filter(ended_at=None)
    waiting = {one.user_id: one.expires_at for one in invited}
    now = timezone.now()
    rows = [(user, waiting.get(user.pk), waiting.get(user.pk, now) < now) for user in people]
    return render(request, "web/pages/people.html", {"rows": rows})


@require_GET
def person_page(request: HttpRequest, person_id: int) -> HttpResponse:
    """Show one person: roles, sessions, API keys."""
    access_of(request).demand_administrator()
    person = person_or_404(person_id)
    context = {
        "person": person,
        "is_self": person == request.user,
        "memberships": Membership.objects.filter(user=person).select_related("project").order_by("project__code"),
        "sessions": list_sessions(person),
        "identities": [
            (one, BOUND_WORDS.get(one.bound_by, one.bound_by))
            for one in ProviderIdentity.objects.filter(user=person).order_by("issuer")
        ],
        "keys": ApiKey.objects.filter(user=person).select_related("user"),
        "wait_until": wait_of(person.username),
        "invitation": Invitation.objects.filter(user=person, ended_at=None, expires_at__gt=timezone.now()).first(),
    }
    return render(request, "web/pages/person.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """Ask for a name and a role, then show the link, once."""
    access_of(request).demand_administrator()
    refusal, given = "", request.POST
    if request.method == "POST":
        project = LinkageProject.objects.filter(code=given.get("project", "")).first()
        try:
            invited = invite_person(
                given.get("username", ""),
                actor_of(request),
                email=given.get("email", ""),
                project=project,
                role=given.get("role", ""),
                administrator=given.get("administrator") == "on",
            )
        except LinkwrightError as error:
            refusal = str(error)
        else:
            return show_link(request, invited)
    context = {
        "refusal": refusal,
        "given": given,
        "roles": Role.values,
        "projects": LinkageProject.objects.order_by("code"),
    }
    return render(request, "web/pages/person_invite.html", context, status=409 if refusal else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def link(request: HttpRequest, person_id: int) -> HttpResponse:
    """Ask, then make a new link for a person, and show it once."""
    access_of(request).demand_administrator()
    person, refusal = person_or_404(person_id), ""
    if request.method == "POST":
        try:
            return show_link(request, renew_invitation(person, actor_of(request)))
        except LinkwrightError as error:
            refusal = str(error)
    title = f"Make a new link for {person.username}?"
    return show_dialog(request, "web/dialogs/person_link.html", title, {"person": person}, refusal=refusal)


def show_link(request: HttpRequest, invited: Invited) -> HttpResponse:
    """Show a fresh link: on this answer and nowhere else. It is mailed as well, if mails are on."""
    own_address = f"{request.scheme}://{request.get_host()}"

    def link_of(token: str) -> str:
        return invitation_link(token, own_address)

    context = {
        "person": invited.user,
        "link": link_of(invited.token),
        "expires_at": invited.invitation.expires_at,
        "mailed": mail_invitation(invited, link_of),
    }
    return render(request, "web/pages/person_link.html", context)


def person_or_404(person_id: int) -> User:
    """Return a person."""
    person = User.objects.filter(pk=person_id).first()
    if person is None:
        raise Http404(f"There is no person {person_id}.")
    return person
