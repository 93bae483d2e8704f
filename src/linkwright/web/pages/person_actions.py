"""What Administrators do to one person: role, rights, sessions, bindings, and letting them in or not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linkwright.errors import LinkwrightError
from linkwright.services.change_administrator import change_administrator
from linkwright.services.change_role import RoleRefusedError, change_role
from linkwright.services.deactivate_person import deactivate_person, reactivate_person
from linkwright.services.end_sessions import end_sessions
from linkwright.services.lift_sign_in_wait import lift_sign_in_wait
from linkwright.services.unbind_identity import unbind_identity
from linkwright.store.models import LinkageProject, Role, User
from linkwright.web.access import access_of, actor_of
from linkwright.web.address import read_key
from linkwright.web.dialogs import dialog_left, show_dialog
from linkwright.web.pages.people import person_or_404


@dataclass(frozen=True)
class Question:
    """A dialog that asks before something is done to a person."""

    title: str
    text: str
    verb: str
    done: str
    is_danger: bool = False
    asks_reason: bool = False


@require_http_methods(["GET", "POST"])
def deactivate(request: HttpRequest, person_id: int) -> HttpResponse:
    """Ask, then shut the person out."""
    question = Question(
        "Deactivate {name}?",
        "Their sessions and links end at once; their password and API keys are refused. Roles stay, and they can "
        "be let in again.",
        "Deactivate",
        "{name} is deactivated.",
        is_danger=True,
        asks_reason=True,
    )
    reason = request.POST.get("reason", "")
    actor = actor_of(request)
    return _ask(request, person_id, question, lambda person: deactivate_person(person, actor, reason))


@require_http_methods(["GET", "POST"])
def reactivate(request: HttpRequest, person_id: int) -> HttpResponse:
    """Ask, then let the person in again."""
    question = Question(
        "Reactivate {name}?",
        "Password, roles and API keys are good again as they were. Revoke keys before that should stay shut.",
        "Reactivate",
        "{name} may sign in again.",
    )
    return _ask(request, person_id, question, lambda person: reactivate_person(person, actor_of(request)))


@require_http_methods(["GET", "POST"])
def administrator(request: HttpRequest, person_id: int) -> HttpResponse:
    """Ask, then make the person an Administrator, or no longer one."""
    access_of(request).demand_administrator()
    wanted = not person_or_404(person_id).is_superuser
    if wanted:
        question = Question(
            "Make {name} an Administrator?",
            "Administrators do everything in every project, change settings and people, and back the system up.",
            "Make Administrator",
            "{name} is an Administrator.",
        )
    else:
        question = Question(
            "Take the Administrator's rights from {name}?",
            "What their roles in projects allow stays.",
            "Take the rights",
            "{name} is no longer an Administrator.",
            is_danger=True,
        )
    return _ask(
        request,
        person_id,
        question,
        lambda person: change_administrator(person, actor_of(request), is_administrator=wanted),
    )


@require_http_methods(["GET", "POST"])
def sessions(request: HttpRequest, person_id: int) -> HttpResponse:
    """Ask, then end one session of the person, or all."""
    one = read_key(request.POST.get("session", request.GET.get("session", "")))
    question = Question(
        "End this session of {name}?" if one else "End all sessions of {name}?",
        "Whoever goes on with it has to sign in anew." if one else "They have to sign in anew everywhere.",
        "End it" if one else "End all",
        "Ended for {name}.",
    )
    actor = actor_of(request)
    return _ask(request, person_id, question, lambda person: end_sessions(person, actor, one), {"session": one})


@require_http_methods(["GET", "POST"])
def unbind(request: HttpRequest, person_id: int) -> HttpResponse:
    """Ask, then unbind the account from who its person is at the OpenID Connect provider."""
    key = read_key(request.POST.get("identity", request.GET.get("identity", "")))
    question = Question(
        "Unbind {name} from the provider?",
        "All their sessions end. Whoever comes from the provider next and fits this account by its rules (e-mail "
        "address, user name or link) is bound to it anew: if somebody else had been bound, mend that first, or "
        "deactivate the person.",
        "Unbind",
        "{name} is not bound to the provider any more.",
        is_danger=True,
    )
    actor = actor_of(request)
    return _ask(
        request, person_id, question, lambda person: unbind_identity(person, actor, key or 0), {"identity": key}
    )


@require_http_methods(["GET", "POST"])
def lift(request: HttpRequest, person_id: int) -> HttpResponse:
    """Ask, then end the wait after wrong passwords."""
    question = Question(
        "End the wait of {name}?",
        "Wrong passwords for this user name are forgotten, and they may try at once. If it was not them who "
        "tried, somebody goes on guessing.",
        "End the wait",
        "{name} may try again.",
    )
    return _ask(request, person_id, question, lambda person: lift_sign_in_wait(person, actor_of(request)))


@require_http_methods(["GET", "POST"])
def role(request: HttpRequest, person_id: int) -> HttpResponse:
    """Ask for project and role, then change it."""
    access_of(request).demand_administrator()
    person, refusal = person_or_404(person_id), ""
    code = request.POST.get("project", request.GET.get("project", ""))
    project = LinkageProject.objects.filter(code=code).first()
    held = person.memberships.filter(project=project).values_list("role", flat=True).first() if project else ""
    if request.method == "POST":
        try:
            if project is None:
                raise RoleRefusedError("No project was chosen. Choose one.")
            change_role(person, project, request.POST.get("role", ""), actor_of(request))
        except LinkwrightError as error:
            refusal = str(error)
        else:
            return dialog_left(
                request,
                f"{person.username} is now {request.POST.get('role') or 'no member'} in {code}.",
                _page(person),
            )
    context = {
        "action": reverse("person-role", args=[person.pk]),
        "back": _page(person),
        "projects": [project] if project else LinkageProject.objects.order_by("code"),
        "roles": Role.values,
        "held": request.POST.get("role", held or ""),
        "may_remove": bool(held),
    }
    title = f"Role of {person.username}" if held else f"Give {person.username} a role"
    return show_dialog(request, "web/dialogs/role.html", title, context, refusal=refusal)


def _ask(
    request: HttpRequest,
    person_id: int,
    question: Question,
    act: Callable[[User], object],
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    access_of(request).demand_administrator()
    person, refusal = person_or_404(person_id), ""
    if request.method == "POST":
        try:
            act(person)
        except LinkwrightError as error:
            refusal = str(error)
        else:
            return dialog_left(request, question.done.format(name=person.username), _page(person))
    context = {"question": question, "action": request.path, "back": _page(person), **(extra or {})}
    title = question.title.format(name=person.username)
    return show_dialog(request, "web/dialogs/ask_person.html", title, context, refusal=refusal)


def _page(person: User) -> str:
    return reverse("person", args=[person.pk])
