"""Changes one's own password: the present one is asked for, and every other session ends."""

from django.db import transaction

from linkwright.errors import LinkwrightError
from linkwright.services.accept_invitation import check_password_rules
from linkwright.services.end_sessions import close_sessions
from linkwright.services.throttle_sign_in import attempt_failed, attempt_succeeded, begin_attempt
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import User


class WrongPasswordError(LinkwrightError):
    """The present password is another one."""


def change_password(user: User, present: str, new: str, actor: Actor, *, session_key: str) -> None:
    """Give a person another password.

    Args:
        user: whose it is.
        present: the one that holds.
        new: the one that is to hold.
        actor: who asks, and from where.
        session_key: of the session that stays.

    Raises:
        WrongPasswordError: if `present` is wrong.
        WaitError: after too many of these.
        PasswordRefusedError: if `new` breaks a rule.
    """
    begin_attempt(user.username, actor.origin)
    if not user.check_password(present):
        attempt_failed(user.username, actor.origin)
        raise WrongPasswordError("That is not your present password. Nothing was changed.")
    attempt_succeeded(user.username, actor.origin)
    check_password_rules(new, user)
    with transaction.atomic():
        user.set_password(new)
        user.save(update_fields=["password"])
        close_sessions(user, but=session_key)
        record_action(actor, "change password", user.username)
