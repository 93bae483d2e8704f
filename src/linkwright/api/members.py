"""The people of one project: list, add or invite, another role, take out. For whoever may manage its people."""

from datetime import datetime

from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.paging import PageAnswer, PageQuery, cut_page, links, refuse_unknown
from linkwright.api.people import Email, PersonId, SignInLinkAnswer, UserName, sign_in_link
from linkwright.api.projects import ProjectCode
from linkwright.api.rights import Caller, caller_of, project_or_404
from linkwright.services.change_role import change_role
from linkwright.services.invite_person import invite_person
from linkwright.store.models import LinkageProject, Membership, Role, User
from linkwright.store.permissions import Permission

router = Router(tags=["people"])


class MemberAnswer(Schema):
    """One member of a project."""

    person_id: int
    user_name: str
    role: Role
    is_active: bool
    has_password: bool = Field(description="False until they used their sign-in link.")
    last_sign_in_at: datetime | None


class MemberPageAnswer(PageAnswer):
    """Members of a project, by the person's number."""

    items: list[MemberAnswer]


class RoleForm(Schema):
    """What the person may do in the project."""

    role: Role


class NewMemberForm(RoleForm):
    """Who is to belong to a project."""

    user_name: UserName = Field(description="Whoever is not there yet is invited.")
    email: Email = Field("", description="Of whom is invited.")


class NewMemberAnswer(MemberAnswer):
    """A member, and the sign-in link of whom was not there before."""

    invitation: SignInLinkAnswer | None = Field(description="Null: they have an account.")


@router.get(
    "/{code}/members", response={200: MemberPageAnswer, **possible_errors()}, summary="List a project's people"
)
def list_all(request: HttpRequest, code: ProjectCode, query: Query[PageQuery]) -> MemberPageAnswer:
    """List the members of a project."""
    _, project = _managed(request, code)
    refuse_unknown(request, PageQuery)
    rows = Membership.objects.filter(project=project).select_related("user").order_by("user_id")
    if query.cursor:
        rows = rows.filter(user_id__gt=int(query.cursor))
    page, cursor = cut_page(list(rows[: query.limit + 1]), query.limit, lambda one: str(one.user_id))
    return MemberPageAnswer(items=[_answer(one) for one in page], **links(request, cursor))


@router.post(
    "/{code}/members",
    response={201: NewMemberAnswer, **possible_errors(409, 413, 415)},
    summary="Add a person to a project",
)
def add(request: HttpRequest, code: ProjectCode, form: NewMemberForm) -> Status[NewMemberAnswer]:
    """Give a person a role in a project; whoever is not there yet is invited by a sign-in link."""
    caller, project = _managed(request, code)
    name, invitation = form.user_name.strip(), None
    person = User.objects.filter(username=name).first()
    if person is None:
        invited = invite_person(name, caller.actor, email=form.email, project=project, role=form.role.value)
        person, invitation = invited.user, sign_in_link(request, invited)
    else:
        change_role(person, project, form.role.value, caller.actor)
    member = _answer(_member_or_404(project, person.pk))
    return Status(201, NewMemberAnswer(**member.dict(), invitation=invitation))


@router.put(
    "/{code}/members/{person_id}",
    response={200: MemberAnswer, **possible_errors(409, 413, 415)},
    summary="Change a member's role",
)
def change(request: HttpRequest, code: ProjectCode, person_id: PersonId, form: RoleForm) -> MemberAnswer:
    """Give a member another role; one's own role is another's to change, unless one is an Administrator."""
    caller, project = _managed(request, code)
    change_role(_member_or_404(project, person_id).user, project, form.role.value, caller.actor)
    return _answer(_member_or_404(project, person_id))


@router.delete(
    "/{code}/members/{person_id}",
    response={200: MemberAnswer, **possible_errors(409)},
    summary="Take a member out of a project",
)
def remove(request: HttpRequest, code: ProjectCode, person_id: PersonId) -> MemberAnswer:
    """Take a person out of a project: it does not exist for them any more. The answer is what they were."""
    caller, project = _managed(request, code)
    member = _member_or_404(project, person_id)
    change_role(member.user, project, "", caller.actor)
    return _answer(member)


def _managed(request: HttpRequest, code: str) -> tuple[Caller, LinkageProject]:
    caller = caller_of(request)
    project = project_or_404(caller, code)
    caller.demand(Permission.MANAGE_PEOPLE, project)
    return caller, project


def _member_or_404(project: LinkageProject, person_id: int) -> Membership:
    found = Membership.objects.filter(project=project, user=person_id).select_related("user").first()
    if found is None:
        raise Http404(f"There is no member {person_id} of {project.code}.")
    return found


def _answer(one: Membership) -> MemberAnswer:
    return MemberAnswer(
        person_id=one.user_id,
        user_name=one.user.username,
        role=Role(one.role),
        is_active=one.user.is_active,
        has_password=one.user.has_usable_password(),
        last_sign_in_at=one.user.last_login,
    )
