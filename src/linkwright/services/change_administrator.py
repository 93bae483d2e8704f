"""Makes a person an Administrator, or no longer one."""

from django.db import transaction

from linkwright.services.person_rules import demand_administrator_left, demand_another
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import User


def change_administrator(user: User, actor: Actor, *, is_administrator: bool) -> bool:
    """Let a person be an Administrator or not; returns whether anything changed.

    Raises:
        PersonRefusedError: if it is oneself, or nobody else would be one.
    """
    with transaction.atomic():
        if not is_administrator:
            demand_another(user, actor, "take the Administrator's rights from")
            demand_administrator_left(user)
        rows = User.objects.filter(pk=user.pk, is_superuser=not is_administrator)
        changed = bool(rows.update(is_superuser=is_administrator))
        if changed:
            action = "make Administrator" if is_administrator else "unmake Administrator"
            record_action(actor, action, user.username)
    return changed
