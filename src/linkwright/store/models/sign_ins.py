"""How people come in: invitations, identities at a provider, sessions, and wrong passwords that were counted."""

from django.db import models

from linkwright.store.models.people import User


class Invitation(models.Model):
    """A link with which one person chooses a password, once. The token itself is never stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    expires_at = models.DateTimeField()
    # used, replaced by a newer one, or withdrawn with the person
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"invitation of {self.user}"


class ProviderIdentity(models.Model):
    """Who a person is at an OpenID Connect provider: issuer and subject never change hands there, names do."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="provider_identities")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    bound_at = models.DateTimeField()
    # which rule found the account: email, user-name, invitation, or new
    bound_by = models.CharField(max_length=16)
    # nobody signed in by it since that was first noted
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Each of both is one of the other, at one provider."""

        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="provider_identity_once"),
            models.UniqueConstraint(fields=["user", "issuer"], name="provider_identity_one_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"


class SignIn(models.Model):
    """One session of a person, from where and with what; it is open while the framework's session is."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, db_index=True)
    at = models.DateTimeField()
    # to the minute
    seen_at = models.DateTimeField()
    origin = models.CharField(max_length=100, blank=True)
    browser = models.CharField(max_length=200, blank=True)

    class Meta:
        """Newest first."""

        ordering = ["-id"]

    def __str__(self) -> str:
        return f"session of {self.user} from {self.origin}"


class SignInThrottle(models.Model):
    """Wrong passwords for one user name, or from one network address; both as a keyed hash."""

    subject = models.CharField(max_length=64, unique=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    wait_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.failures} failures"
