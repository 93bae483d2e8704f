"""Gives a person a role in a project, another one, or none any more."""

from django.db import transaction

from linkwright.errors import LinkwrightError
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import LinkageProject, Membership, Role, User


class RoleRefusedError(LinkwrightError):
    """The role is unknown, or one's own."""


def change_role(user: User, project: LinkageProject, role: str, actor: Actor) -> bool:
    """Let a person have this role in a project; '' takes them out of it. Returns whether anything changed.

    Raises:
        RoleRefusedError: if there is no such role, or it is one's own and one is no Administrator.
    """
    if role and role not in Role.values:
        raise RoleRefusedError(f"{role!r} is no role. The roles are: {', '.join(Role.values)}.")
    if actor.user is not None and actor.user.pk == user.pk and not user.is_superuser:
        raise RoleRefusedError("You cannot change your own role. Ask another Owner or an Administrator.")
    with transaction.atomic():
        rows = Membership.objects.select_for_update().filter(user=user, project=project)
        before = rows.values_list("role", flat=True).first() or ""
        if before == role:
            return False
        if role:
            Membership.objects.update_or_create(user=user, project=project, defaults={"role": role})
        else:
            rows.delete()
        action = "change role" if before and role else "add member" if role else "remove member"
        detail = {"before": before, "role": role}
        record_action(actor, action, user.username, project_code=project.code, detail=detail)
    return True
