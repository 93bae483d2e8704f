"""Who may do what: the single permissions, the roles that hold them, and which projects exist for a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.models import AnonymousUser
from django.db.models import CharField, QuerySet

from linkwright.store.audit_log import Actor
from linkwright.store.kept_query import Given, KeptQuery
from linkwright.store.models import LinkageProject, Membership, Role, User
from linkwright.store.one_look import once


class Permission(StrEnum):
    """Every permission that an action asks for."""

    SEE_JOBS = "see jobs"
    SUBMIT = "submit"
    CANCEL = "cancel"
    RETRY = "retry"
    ROLL_BACK = "roll back"
    PAUSE_AND_RESUME = "pause and resume"
    CLEAR = "clear"
    CONFIGURE_CATALOG = "configure catalog"
    CONFIGURE_PROJECTS = "configure projects"
    EXTRACT = "extract"
    REVIEW = "review"
    SEE_IDENTIFYING_VALUES = "see identifying values"
    MANAGE_PEOPLE = "manage people"
    CHANGE_SETTINGS = "change settings"
    READ_AUDIT_LOG = "read the audit log"


_VIEWER = frozenset({Permission.SEE_JOBS})
_REVIEWER = _VIEWER | {Permission.REVIEW, Permission.SEE_IDENTIFYING_VALUES}
_OPERATOR = _VIEWER | {
    Permission.SUBMIT,
    Permission.CANCEL,
    Permission.RETRY,
    Permission.ROLL_BACK,
    Permission.PAUSE_AND_RESUME,
    Permission.EXTRACT,
}
_OWNER = (
    _OPERATOR | _REVIEWER | {Permission.CONFIGURE_PROJECTS, Permission.MANAGE_PEOPLE, Permission.READ_AUDIT_LOG}
)

ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.OWNER: _OWNER,
    Role.OPERATOR: _OPERATOR,
    Role.REVIEWER: _REVIEWER,
    Role.VIEWER: _VIEWER,
}


def visible_projects(user: User | AnonymousUser) -> QuerySet[LinkageProject]:
    """Return the projects that exist for this person: all for the Administrator, else those of a membership."""
    if not isinstance(user, User):
        return LinkageProject.objects.none()
    if user.is_superuser:
        return LinkageProject.objects.all()
    return LinkageProject.objects.filter(memberships__user=user)


_BY_CODE = KeptQuery(lambda: LinkageProject.objects.filter(code=Given("code", CharField())))


def find_visible_project(user: User, code: str) -> LinkageProject | None:
    """Return the project of a code, if it exists for this person; nothing does for one who may not sign in."""
    project = _BY_CODE.first(code=code)
    if project is None or not user.is_active:
        return None
    return project if user.is_superuser or project.pk in held_roles(user) else None


@dataclass(frozen=True)
class HeldRole:
    """What somebody is in a project."""

    project_code: str
    role: str


def held_roles(user: User) -> Mapping[int, HeldRole]:
    """Return the roles of a person by the key of each project; read once in an answer that changes nothing."""
    return once(("held roles", user.pk), lambda: _read_roles(user))


_ROLES = KeptQuery(
    lambda: Membership.objects.filter(user=Given("user")).values_list("project_id", "project__code", "role")
)


def _read_roles(user: User) -> dict[int, HeldRole]:
    return {project_id: HeldRole(code, role) for project_id, code, role in _ROLES.rows(user=user.pk)}


def held_permissions(user: User) -> dict[int, frozenset[Permission]]:
    """Return what a member may do, by the key of each project; the Administrator needs no membership."""
    if not user.is_active:
        return {}
    return {project_id: ROLE_PERMISSIONS[held.role] for project_id, held in held_roles(user).items()}


def projects_with(user: User, permission: Permission) -> QuerySet[LinkageProject]:
    """Return the projects in which a person holds a permission."""
    if user.is_superuser:
        return LinkageProject.objects.all()
    roles = [role for role, held in ROLE_PERMISSIONS.items() if permission in held]
    return LinkageProject.objects.filter(memberships__user=user, memberships__role__in=roles)


def is_allowed(user: User | AnonymousUser, permission: Permission, project: LinkageProject | None = None) -> bool:
    """Tell whether a person holds a permission in a project; without one, in any project at all.

    What concerns the whole queue (pause, resume) may be done by whoever holds the permission in some project;
    clearing touches every project's jobs, and is the Administrator's.
    """
    if not isinstance(user, User) or not user.is_active:
        return False
    if user.is_superuser:
        return True
    held = held_permissions(user)
    if project is not None:
        return permission in held.get(project.pk, frozenset())
    return any(permission in permissions for permissions in held.values())


def actor_may(actor: Actor, permission: Permission, project: LinkageProject | None = None) -> bool:
    """Tell whether whoever acts holds a permission, as `is_allowed`; the system and the machine's owner hold all.

    An API key that is narrowed holds what its person holds, and of that no more than it was given.
    """
    if actor.user is None:
        return True
    if actor.permissions is not None and permission not in actor.permissions:
        return False
    return is_allowed(actor.user, permission, project)


def project_for_sender(code: str, sender: User | None) -> LinkageProject | None:
    """Return the project of a code, if whoever sent an Envelope may submit to it; `sender` None: the machine.

    To others it is the same as one that does not exist.
    """
    project = LinkageProject.objects.filter(code=code).first()
    if project is None or sender is None or is_allowed(sender, Permission.SUBMIT, project):
        return project
    return None
