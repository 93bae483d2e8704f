"""What may not be done to a person by accident."""

from linkwright.errors import LinkwrightError
from linkwright.store.audit_log import Actor
from linkwright.store.models import User


class PersonRefusedError(LinkwrightError):
    """It cannot be done to this person; the text says why."""


def demand_another(user: User, actor: Actor, what: str) -> None:
    """Refuse what people would do to themselves."""
    if actor.user is not None and actor.user.pk == user.pk:
        raise PersonRefusedError(f"You cannot {what} yourself. Ask another Administrator.")


def demand_administrator_left(user: User) -> None:
    """Refuse to go on without any Administrator; call it inside a transaction.

    The rows are locked: two who end each other's rights at once cannot both be let through.
    """
    rows = User.objects.select_for_update(no_key=True).filter(is_superuser=True, is_active=True).order_by("pk")
    if not [one for one in rows if one.pk != user.pk]:
        raise PersonRefusedError(f"{user.username} is the last Administrator. Make another person one before.")
