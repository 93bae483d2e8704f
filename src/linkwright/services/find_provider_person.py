"""Says whose account an identity at the provider is, and binds it when somebody comes for the first time.

Once bound, issuer and subject alone decide: names and e-mail addresses change hands at a provider. A fresh link
binds its account anew. Call it inside a transaction. Nobody gets a role here.
"""

from django.db.models import QuerySet
from django.utils import timezone

from linkwright.config import BIND_BY_EMAIL, BIND_BY_USER_NAME, OidcConfig
from linkwright.errors import LinkwrightError
from linkwright.services.create_administrator import UserNameError, checked_user_name
from linkwright.services.oidc_client import Identity
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Invitation, ProviderIdentity, User

BOUND_BY_INVITATION, BOUND_AS_NEW = "invitation", "new"
_LONGEST_SUBJECT, _LONGEST_EMAIL = 255, 254


class PersonNotTakenError(LinkwrightError):
    """The provider knows them, and they may not come in; `why` is for the audit log, without addresses."""

    def __init__(self, text: str, why: str, username: str = "") -> None:
        self.why, self.username = why, username
        super().__init__(text)


def find_provider_person(identity: Identity, config: OidcConfig, address: str, invitation_sha256: str) -> User:
    """Return the account of an identity.

    Raises:
        PersonNotTakenError: if there is none, or it is deactivated, or the rules keep them out.
    """
    _demand_allowed(identity, config)
    if len(identity.subject) > _LONGEST_SUBJECT:
        raise PersonNotTakenError(
            f"{config.label} names you by more than {_LONGEST_SUBJECT} characters, which cannot be kept.",
            "the subject is too long",
        )
    known = ProviderIdentity.objects.select_related("user").filter(
        issuer=identity.issuer, subject=identity.subject
    )
    if bound := known.first():
        _demand_active(bound.user)
        known.update(used_at=timezone.now())
        return bound.user
    if invitation_sha256:
        return _invited(identity, config, address, invitation_sha256)
    user = _matching(identity, config)
    if user is not None:
        _demand_active(user)
        _bind(user, identity, config, address, by=config.bind_by)
        return user
    if not config.makes_accounts:
        raise PersonNotTakenError(
            f"{config.label} knows you{_as_whom(identity, config)}, and Linkwright does not. Ask an "
            "Administrator to invite you, or to compare your e-mail address and user name here with those there.",
            "there is no account for them",
        )
    return _made(identity, config, address)


def _demand_allowed(identity: Identity, config: OidcConfig) -> None:
    domain = identity.verified_email.rpartition("@")[2].lower()
    if config.allowed_domains and domain not in config.allowed_domains:
        raise PersonNotTakenError(
            f"Your e-mail address at {config.label} is of no domain that may sign in here, or is not "
            "verified there. Ask an Administrator.",
            "the domain of their e-mail address is not allowed",
        )
    if config.allowed_groups and not identity.listed(config.groups_claim) & set(config.allowed_groups):
        raise PersonNotTakenError(
            f"You are in no group of {config.label} that may sign in here. Ask an Administrator.",
            "they are in no group that is allowed",
        )


def _demand_active(user: User) -> None:
    if not user.is_active:
        raise PersonNotTakenError(
            f"The account {user.username} is deactivated. Ask an Administrator to reactivate it.",
            "the account is deactivated",
            user.username,
        )


def _matching(identity: Identity, config: OidcConfig) -> User | None:
    found: QuerySet[User]
    if config.bind_by == BIND_BY_EMAIL:
        found = User.objects.filter(email__iexact=identity.verified_email).exclude(email="")
    elif config.bind_by == BIND_BY_USER_NAME and (name := identity.text(config.user_name_claim)):
        found = User.objects.filter(username__iexact=name)
    else:
        return None
    people = list(found.order_by("pk")[:2])
    if len(people) > 1:
        raise PersonNotTakenError(
            "More than one account here fits you. Ask an Administrator for a link, and follow it.",
            "more than one account fits them",
        )
    return people[0] if people else None


def _invited(identity: Identity, config: OidcConfig, address: str, invitation_sha256: str) -> User:
    now = timezone.now()
    rows = Invitation.objects.filter(
        token_sha256=invitation_sha256, ended_at=None, expires_at__gt=now, user__is_active=True
    )
    invitation = rows.select_related("user").first()
    # of two that follow it at once, one is first
    if invitation is None or rows.update(ended_at=now) != 1:
        raise PersonNotTakenError(
            "The link that you followed was used, has expired or was replaced. Ask for a new one.",
            "the link cannot be used",
        )
    # whoever makes a link for an account says with it whose the account is from now on
    ProviderIdentity.objects.filter(user=invitation.user, issuer=identity.issuer).delete()
    _bind(invitation.user, identity, config, address, by=BOUND_BY_INVITATION)
    return invitation.user


def _made(identity: Identity, config: OidcConfig, address: str) -> User:
    try:
        name = checked_user_name(identity.text(config.user_name_claim))
    except UserNameError as error:
        raise PersonNotTakenError(
            f"{config.label} tells no user name that can be used here (claim {config.user_name_claim}). Ask an "
            "Administrator.",
            "they have no usable user name",
        ) from error
    if not name.isprintable() or User.objects.filter(username__iexact=name).exists():
        raise PersonNotTakenError(
            f"There is an account {name} here already, which is not bound to you. Ask an "
            "Administrator for a link.",
            "their user name is taken",
            name,
        )
    email = identity.verified_email
    user = User(username=name, email=email if len(email) <= _LONGEST_EMAIL else "")
    user.set_unusable_password()
    user.save()
    record_action(Actor(user, address), "make account", name, detail={"issuer": identity.issuer})
    _bind(user, identity, config, address, by=BOUND_AS_NEW)
    return user


def _bind(user: User, identity: Identity, config: OidcConfig, address: str, *, by: str) -> None:
    if ProviderIdentity.objects.filter(user=user, issuer=identity.issuer).exists():
        raise PersonNotTakenError(
            f"The account {user.username} is bound to another person at {config.label}. If it is yours, ask an "
            "Administrator for a link, and follow it.",
            "the account is bound to somebody else",
            user.username,
        )
    now = timezone.now()
    ProviderIdentity.objects.create(
        user=user, issuer=identity.issuer, subject=identity.subject, bound_at=now, bound_by=by, used_at=now
    )
    detail = {"issuer": identity.issuer, "subject": identity.subject, "by": by}
    record_action(Actor(user, address), "bind account to provider", user.username, detail=detail)


def _as_whom(identity: Identity, config: OidcConfig) -> str:
    names = [name for name in (identity.text(config.user_name_claim), identity.text("email")) if name]
    return f" as {' / '.join(names)[:200]}" if names else ""
