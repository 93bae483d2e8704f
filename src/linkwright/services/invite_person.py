"""Invites a person by a link that works once: with it they choose a password. Also for those who forgot theirs.

The token is returned once and kept as a hash. It goes past the outbox of mails, which would store it.
"""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from linkwright.errors import LinkwrightError
from linkwright.services.change_role import change_role
from linkwright.services.create_administrator import checked_user_name
from linkwright.services.create_api_key import token_hash
from linkwright.services.mail_transport import Letter, send_letter
from linkwright.services.person_rules import PersonRefusedError
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Invitation, LinkageProject, User
from linkwright.store.settings import read_setting

TOKEN_BYTES = 32


@dataclass(frozen=True)
class Invited:
    """A person, and the token of their link: the only moment at which anybody can read it."""

    user: User
    invitation: Invitation
    token: str


def invite_person(
    username: str,
    actor: Actor,
    *,
    email: str = "",
    project: LinkageProject | None = None,
    role: str = "",
    administrator: bool = False,
) -> Invited:
    """Make an account without a password, and a link.

    Raises:
        UserNameError: if the name cannot be one.
        PersonRefusedError: if there is such a person already.
        RoleRefusedError: if the role is unknown.
    """
    name = checked_user_name(username)
    if not name.isprintable() or "@" in email[:1] or len(email) > _LONGEST_EMAIL or not email.isprintable():
        raise PersonRefusedError("A user name and an e-mail address are one line of printable characters.")
    taken = PersonRefusedError(f"There is a person {name} already. Choose another user name.")
    with transaction.atomic():
        if User.objects.filter(username__iexact=name).exists():
            raise taken
        user = User(username=name, email=email.strip(), is_superuser=administrator)
        user.set_unusable_password()
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError as error:
            # somebody else has invited them at the same moment
            raise taken from error
        record_action(actor, "invite person", name, detail={"is_administrator": administrator})
        if project is not None:
            change_role(user, project, role, actor)
        return _invited(user, actor)


def renew_invitation(user: User, actor: Actor) -> Invited:
    """Make a new link for a person; earlier ones end. A password that they have stays until they use it.

    Raises:
        PersonRefusedError: if the person is deactivated.
    """
    if not user.is_active:
        raise PersonRefusedError(f"{user.username} is deactivated. Reactivate them before.")
    with transaction.atomic():
        record_action(actor, "make sign-in link", user.username)
        return _invited(user, actor)


def mail_invitation(invited: Invited, link_of: Callable[[str], str]) -> str:
    """Mail the link, if mails are on and the person has an address; returns what came of it, in words, or ''."""
    if not (read_setting("Notifications.Email.Enabled") and invited.user.email):
        return ""
    letter = Letter(
        address=invited.user.email,
        subject="Linkwright: your sign-in link",
        body=f"Choose your password for the user name {invited.user.username} at\n\n{link_of(invited.token)}\n\n"
        f"The link works once, until {invited.invitation.expires_at:%Y-%m-%d %H:%M} UTC.\n",
        message_id=f"<{uuid.uuid4().hex}@linkwright.invalid>",
        written_at=timezone.now(),
    )
    try:
        return f"Mailed to {invited.user.email}: {send_letter(letter)}."
    except LinkwrightError as error:
        return f"It could not be mailed to {invited.user.email}: {error}"


_LONGEST_EMAIL = 254


def _invited(user: User, actor: Actor) -> Invited:
    now, token = timezone.now(), secrets.token_urlsafe(TOKEN_BYTES)
    Invitation.objects.filter(user=user, ended_at=None).update(ended_at=now)
    invitation = Invitation.objects.create(
        user=user,
        token_sha256=token_hash(token),
        created_at=now,
        created_by=actor.user,
        expires_at=now + timedelta(days=int(read_setting("People.InvitationDays"))),
    )
    return Invited(user, invitation, token)
