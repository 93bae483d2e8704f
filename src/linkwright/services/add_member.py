"""Gives a person a role in a project, and an account if there is none yet."""

import secrets

from django.db import transaction

from linkwright.errors import LinkwrightError
from linkwright.services.create_administrator import checked_user_name
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import LinkageProject, Membership, Role, User


class MemberError(LinkwrightError):
    """The project or the role is unknown."""


def add_member(username: str, project_code: str, role: str, actor: Actor) -> str | None:
    """Make a person a member of a project, or change the role.

    Returns: the password of a new account (stored as a hash only), or None if the account was there.
    Raises:
        UserNameError: if the name is empty or too long.
        MemberError: if the project or the role is unknown.
    """
    name = checked_user_name(username)
    if role not in Role.values:
        raise MemberError(f"{role!r} is no role. The roles are: {', '.join(Role.values)}.")
    project = LinkageProject.objects.filter(code=project_code).first()
    if project is None:
        known = ", ".join(LinkageProject.objects.order_by("code").values_list("code", flat=True)) or "none yet"
        raise MemberError(f"Linkage Project {project_code!r} is unknown. Known: {known}.")
    password = None
    with transaction.atomic():
        user, created = User.objects.get_or_create(username=name)
        if created:
            password = secrets.token_urlsafe(15)
            user.set_password(password)
            user.save()
        Membership.objects.update_or_create(user=user, project=project, defaults={"role": role})
        record_action(actor, "add member", name, project_code=project.code, detail={"role": role})
    return password
