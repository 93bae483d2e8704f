"""People, for Administrators: list, one with roles and sessions, invite, make a new sign-in link.

What is done to a person: person_actions.py. No answer holds a password, the hash of one, or that of a token.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from django.utils import timezone
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.me import RoleAnswer
from linkwright.api.paging import (
    MAX_KEY,
    NO_ZERO,
    NOT_BLANK,
    PageAnswer,
    PageQuery,
    Text,
    links,
    oldest_first,
    refuse_unknown,
)
from linkwright.api.rights import Caller, caller_of
from linkwright.services.change_role import RoleRefusedError
from linkwright.services.invitation_link import invitation_link
from linkwright.services.invite_person import Invited, invite_person, mail_invitation, renew_invitation
from linkwright.services.list_sessions import list_sessions
from linkwright.services.throttle_sign_in import wait_of
from linkwright.store.models import Invitation, LinkageProject, ProviderIdentity, Role, User

router = Router(tags=["people"])

PersonId = Annotated[int, Path(ge=1, le=MAX_KEY, description="The person's number.")]
UserName = Annotated[str, Field(min_length=1, max_length=150, pattern=NOT_BLANK)]
Email = Annotated[str, Field(max_length=254, pattern=NO_ZERO)]


class PersonAnswer(Schema):
    """One person."""

    id: int
    user_name: str
    email: str
    is_active: bool
    is_administrator: bool
    has_password: bool = Field(description="False until they used their sign-in link.")
    link_expires_at: datetime | None = Field(description="Of the sign-in link that is still good; null: none is.")
    last_sign_in_at: datetime | None
    roles: list[RoleAnswer] = Field(description="By project; an Administrator needs none.")


class SessionAnswer(Schema):
    """One open session."""

    id: int
    signed_in_at: datetime
    seen_at: datetime = Field(description="To the minute.")
    origin: str = Field(description="A network address.")
    browser: str


class IdentityAnswer(Schema):
    """Who a person is at an OpenID Connect provider."""

    id: int
    issuer: str
    subject: str
    bound_at: datetime
    bound_by: str = Field(description="What found the account: email, user-name, invitation or new.")
    used_at: datetime | None = Field(description="The last sign-in by it; null: none since that was first noted.")


class PersonDetailAnswer(PersonAnswer):
    """One person with their sessions."""

    waits_until: datetime | None = Field(description="After wrong passwords; null: they need not wait.")
    sessions: list[SessionAnswer] = Field(description="Open ones, newest first.")
    identities: list[IdentityAnswer] = Field(description="By issuer.")


class PersonPageAnswer(PageAnswer):
    """People, the first first."""

    items: list[PersonAnswer]


class PersonQuery(PageQuery):
    """Who."""

    user_name: Text = Field("", description="Only the person of this user name.")


class InvitePersonForm(Schema):
    """A person to be."""

    user_name: UserName = Field(description="Unique, whatever the case; at most 150 characters.")
    email: Email = ""
    is_administrator: bool = False
    project_code: str = Field(
        "", max_length=255, pattern=NO_ZERO, description="A project to belong to, with `role`."
    )
    role: Role | None = None


class SignInLinkAnswer(Schema):
    """A sign-in link: in this answer and nowhere else."""

    person_id: int
    user_name: str
    link: str = Field(description="Works once; with it they choose a password.")
    expires_at: datetime
    mailed: str = Field(description="What came of mailing it, in words; empty: it was not mailed.")


@router.get("", response={200: PersonPageAnswer, **possible_errors()}, summary="List people")
def list_all(request: HttpRequest, query: Query[PersonQuery]) -> PersonPageAnswer:
    """List everybody who may sign in, and who might. Administrators only."""
    caller_of(request).demand_administrator()
    refuse_unknown(request, PersonQuery)
    found = User.objects.filter(username=query.user_name) if query.user_name else User.objects.all()
    rows, cursor = oldest_first(found.prefetch_related("memberships__project"), query)
    expiries = _link_expiries(rows)
    items = [PersonAnswer(**_values(row, expiries)) for row in rows]
    return PersonPageAnswer(items=items, **links(request, cursor))


@router.post("", response={201: SignInLinkAnswer, **possible_errors(409, 413, 415)}, summary="Invite a person")
def invite(request: HttpRequest, form: InvitePersonForm) -> Status[SignInLinkAnswer]:
    """Make an account without a password, and the link with which they choose one. Administrators only."""
    caller = caller_of(request)
    caller.demand_administrator()
    project = LinkageProject.objects.filter(code=form.project_code).first() if form.project_code else None
    if form.project_code and project is None:
        raise Http404(f"There is no Linkage Project {form.project_code}.")
    if (project is None) is not (form.role is None):
        raise RoleRefusedError("A role is one in a project. Give both project_code and role, or neither.")
    invited = invite_person(
        form.user_name,
        caller.actor,
        email=form.email,
        project=project,
        role=form.role.value if form.role else "",
        administrator=form.is_administrator,
    )
    return Status(201, sign_in_link(request, invited))


@router.get("/{person_id}", response={200: PersonDetailAnswer, **possible_errors()}, summary="Read a person")
def read_one(request: HttpRequest, person_id: PersonId) -> PersonDetailAnswer:
    """Read one person with roles and open sessions. Administrators only."""
    _, person = administered(request, person_id)
    return person_detail(person)


@router.post(
    "/{person_id}/link", response={201: SignInLinkAnswer, **possible_errors(409)}, summary="Make a sign-in link"
)
def renew(request: HttpRequest, person_id: PersonId) -> Status[SignInLinkAnswer]:
    """Make a new sign-in link, also for whom has forgotten their password; earlier ones end. Administrators only.

    A password that they have stays until they use the link.
    """
    caller, person = administered(request, person_id)
    return Status(201, sign_in_link(request, renew_invitation(person, caller.actor)))


def administered(request: HttpRequest, person_id: int) -> tuple[Caller, User]:
    """Return an Administrator who calls, and a person."""
    caller = caller_of(request)
    caller.demand_administrator()
    person = User.objects.filter(pk=person_id).first()
    if person is None:
        raise Http404(f"There is no person {person_id}.")
    return caller, person


def person_detail(person: User) -> PersonDetailAnswer:
    """Return one person as they are now, with their sessions."""
    person.refresh_from_db()
    return PersonDetailAnswer(
        **_values(person, _link_expiries([person])),
        waits_until=wait_of(person.username),
        sessions=[
            SessionAnswer(
                id=one.pk, signed_in_at=one.at, seen_at=one.seen_at, origin=one.origin, browser=one.browser
            )
            for one in list_sessions(person)
        ],
        identities=[
            IdentityAnswer(
                id=one.pk,
                issuer=one.issuer,
                subject=one.subject,
                bound_at=one.bound_at,
                bound_by=one.bound_by,
                used_at=one.used_at,
            )
            for one in ProviderIdentity.objects.filter(user=person).order_by("issuer")
        ],
    )


def sign_in_link(request: HttpRequest, invited: Invited) -> SignInLinkAnswer:
    """Return a fresh link, the only time; it is mailed as well, if mails are on."""
    own_address = f"{request.scheme}://{request.get_host()}"
    return SignInLinkAnswer(
        person_id=invited.user.pk,
        user_name=invited.user.username,
        link=invitation_link(invited.token, own_address),
        expires_at=invited.invitation.expires_at,
        mailed=mail_invitation(invited, lambda token: invitation_link(token, own_address)),
    )


def _link_expiries(people: Sequence[User]) -> dict[int, datetime]:
    waiting = Invitation.objects.filter(user__in=people, ended_at=None, expires_at__gt=timezone.now())
    return {one.user_id: one.expires_at for one in waiting}


def _values(person: User, expiries: Mapping[int, datetime]) -> dict[str, Any]:
    memberships = sorted(person.memberships.all(), key=lambda one: one.project.code)
    return {
        "id": person.pk,
        "user_name": person.username,
        "email": person.email,
        "is_active": person.is_active,
        "is_administrator": person.is_superuser,
        "has_password": person.has_usable_password(),
        "link_expires_at": expiries.get(person.pk),
        "last_sign_in_at": person.last_login,
        "roles": [RoleAnswer(project_code=one.project.code, role=Role(one.role)) for one in memberships],
    }
