"""Takes the binding between an account and a person at an OpenID Connect provider away."""

from django.db import transaction

from linkwright.services.end_sessions import close_sessions
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import ProviderIdentity, User


def unbind_identity(user: User, actor: Actor, identity_id: int) -> bool:
    """Unbind an identity from a person's account, and end the sessions of the account: it may have opened them.

    Whoever signs in by the provider next is bound anew, as at a first sign-in. Who may is the caller's to ask.

    Returns: whether it was bound.
    """
    with transaction.atomic():
        found = ProviderIdentity.objects.select_for_update().filter(user=user, pk=identity_id).first()
        if found is None:
            return False
        found.delete()
        detail = {
            "issuer": found.issuer,
            "subject": found.subject,
            "sessions_count": close_sessions(user),
        }
        record_action(actor, "unbind account from provider", user.username, detail=detail)
    return True
