"""API keys: what a program signs in with in a person's name. The token itself is never stored."""

from django.db import models
from django.utils import timezone

from linkwright.store.models.people import User

MAX_KEY_NAME_LENGTH = 40


class ApiKey(models.Model):
    """One key of one person. `permissions` are those that it is narrowed to; None: all that the person has."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=MAX_KEY_NAME_LENGTH)
    # the first characters of the token: enough to recognise it by, too few to guess the rest
    token_start = models.CharField(max_length=12)
    token_sha256 = models.CharField(max_length=64, unique=True)
    permissions = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    # None: revoked on the command line of the machine
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # to the minute: a write for every request would make readers wait for writers
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_from = models.CharField(max_length=100, blank=True)

    class Meta:
        """The audit log names a key by person and name, so no two that can be used share both."""

        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"], condition=models.Q(revoked_at=None), name="api_key_name_once"
            )
        ]
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"API key {self.name} of {self.user}"

    @property
    def state_text(self) -> str:
        """Whether it can be used, and if not why; in a word."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at <= timezone.now():
            return "expired"
        return "good" if self.user.is_active else "person disabled"
