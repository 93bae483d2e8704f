"""Takes a person in who follows their link: it works once, until it expires, and sets the password."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from linkwright.errors import FaultsError, LinkwrightError
from linkwright.services.create_api_key import token_hash
from linkwright.services.end_sessions import close_sessions
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Invitation, User

RULES_TEXT = (
    "At least 12 characters, none of the passwords that everybody tries first, and nothing like your user name or "
    "e-mail. Length counts, not odd characters: four or five words that do not belong together are good."
)


class InvitationError(LinkwrightError):
    """The link cannot be used."""


class PasswordRefusedError(FaultsError):
    """The password does not fit the rules; each one that it breaks is named."""


def find_invitation(token: str) -> Invitation:
    """Return the invitation of a link that can be used now.

    Raises:
        InvitationError: if there is none; whether it was used, replaced or made up is not told.
    """
    good = Invitation.objects.select_related("user").filter(
        token_sha256=token_hash(token), ended_at=None, expires_at__gt=timezone.now(), user__is_active=True
    )
    found = good.first()
    if found is None:
        raise InvitationError("This link cannot be used: it was used, has expired or was replaced.")
    return found


def accept_invitation(token: str, password: str, address: str) -> User:
    """Give the person of a link this password; their sessions end, and so does the link.

    Raises:
        InvitationError: if the link cannot be used.
        PasswordRefusedError: if the password is refused; the link stays good.
    """
    user = find_invitation(token).user
    check_password_rules(password, user)
    with transaction.atomic():
        # of two that follow it at once, one is first
        now = timezone.now()
        rows = Invitation.objects.filter(token_sha256=token_hash(token), ended_at=None, expires_at__gt=now)
        if rows.update(ended_at=now) != 1:
            raise InvitationError("This link was used a moment ago. Sign in, or ask for a new one.")
        user.set_password(password)
        user.save(update_fields=["password"])
        close_sessions(user)
        record_action(Actor(user, address), "choose password", user.username)
    return user


def check_password_rules(password: str, user: User) -> None:
    """Refuse a password that breaks a rule.

    Raises:
        PasswordRefusedError: naming each.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PasswordRefusedError("This password cannot be taken.", list(error.messages)) from error
