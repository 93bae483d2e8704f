"""What Administrators do to one person: rights, shutting out, sessions, the wait after wrong passwords."""

from django.http import Http404, HttpRequest
from ninja import Schema
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.paging import NO_ZERO, Key
from linkwright.api.people import PersonDetailAnswer, PersonId, administered, person_detail, router
from linkwright.services.change_administrator import change_administrator
from linkwright.services.deactivate_person import deactivate_person, reactivate_person
from linkwright.services.end_sessions import end_sessions
from linkwright.services.lift_sign_in_wait import lift_sign_in_wait
from linkwright.services.unbind_identity import unbind_identity
from linkwright.store.models import SignIn

__all__ = ["router"]

_ACT = {200: PersonDetailAnswer, **possible_errors(409)}
_SENT = {200: PersonDetailAnswer, **possible_errors(409, 413, 415)}


class AdministratorForm(Schema):
    """Whether a person is to be an Administrator."""

    is_administrator: bool


class DeactivateForm(Schema):
    """Why; may be left out."""

    reason: str = Field("", max_length=500, pattern=NO_ZERO)


class EndSessionsForm(Schema):
    """Which session; may be left out: all."""

    session_id: Key | None = Field(None, description="All sessions if left out.")


class UnbindForm(Schema):
    """Which binding."""

    identity_id: Key = Field(description="From `identities` of the person.")


@router.put("/{person_id}/administrator", response=_SENT, summary="Make or unmake an Administrator")
def administrator(request: HttpRequest, person_id: PersonId, form: AdministratorForm) -> PersonDetailAnswer:
    """Make a person an Administrator, or no longer one; never oneself, nor the last. Administrators only."""
    caller, person = administered(request, person_id)
    change_administrator(person, caller.actor, is_administrator=form.is_administrator)
    return person_detail(person)


@router.post("/{person_id}/deactivate", response=_SENT, summary="Deactivate a person")
def deactivate(
    request: HttpRequest, person_id: PersonId, form: DeactivateForm | None = None
) -> PersonDetailAnswer:
    """End a person's sessions and links, and refuse their password and API keys. Administrators only."""
    caller, person = administered(request, person_id)
    deactivate_person(person, caller.actor, form.reason if form else "")
    return person_detail(person)


@router.post("/{person_id}/reactivate", response=_ACT, summary="Reactivate a person")
def reactivate(request: HttpRequest, person_id: PersonId) -> PersonDetailAnswer:
    """Let a person in again, with the password, roles and API keys that they had. Administrators only."""
    caller, person = administered(request, person_id)
    reactivate_person(person, caller.actor)
    return person_detail(person)


@router.post("/{person_id}/end-sessions", response=_SENT, summary="End sessions of a person")
def end(request: HttpRequest, person_id: PersonId, form: EndSessionsForm | None = None) -> PersonDetailAnswer:
    """End one session of a person, or all: they have to sign in anew. Administrators only."""
    caller, person = administered(request, person_id)
    session_id = form.session_id if form else None
    if session_id is not None and not SignIn.objects.filter(user=person, pk=session_id).exists():
        raise Http404(f"{person.username} has no session {session_id}.")
    end_sessions(person, caller.actor, session_id)
    return person_detail(person)


@router.post("/{person_id}/lift-wait", response=_ACT, summary="End the wait after wrong passwords")
def lift(request: HttpRequest, person_id: PersonId) -> PersonDetailAnswer:
    """Forget the wrong passwords for a person's name, so that they may try at once. Administrators only."""
    caller, person = administered(request, person_id)
    lift_sign_in_wait(person, caller.actor)
    return person_detail(person)


@router.post("/{person_id}/unbind", response=_SENT, summary="Unbind a person from a sign-in provider")
def unbind(request: HttpRequest, person_id: PersonId, form: UnbindForm) -> PersonDetailAnswer:
    """Take a binding away, and end the person's sessions: it may have opened them. Administrators only."""
    caller, person = administered(request, person_id)
    if not unbind_identity(person, caller.actor, form.identity_id):
        raise Http404(f"{person.username} is not bound by an identity {form.identity_id}.")
    return person_detail(person)
