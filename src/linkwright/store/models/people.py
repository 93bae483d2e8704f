"""People who sign in, and their role in each project."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person who signs in; `is_superuser` is the Administrator."""

    # when an Administrator put the list of first steps away
    first_steps_closed_at = models.DateTimeField(null=True, blank=True)

    class Meta(AbstractUser.Meta):
        """Table options."""


class Role(models.TextChoices):
    """What a person may do in one project, from most to least."""

    OWNER = "Owner", "Owner"
    OPERATOR = "Operator", "Operator"
    REVIEWER = "Reviewer", "Reviewer"
    VIEWER = "Viewer", "Viewer"


class Membership(models.Model):
    """One person's role in one project; a project without one does not exist for that person."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    project = models.ForeignKey("store.LinkageProject", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        """One role a project."""

        constraints = [models.UniqueConstraint(fields=["user", "project"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"
