"""The audit log: who did what, when, why and from where, in the whole system."""

from django.db import models
from django.db.models import Q

from linkwright.store.models.people import User


class AuditLogEntry(models.Model):
    """One action that changed something. Written in the transaction of the action, never changed."""

    at = models.DateTimeField()
    # None: the system itself, or the command line of the machine
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True)
    action = models.CharField(max_length=60)
    # what it was done to, in words: 'Envelope 12 (BIRTHS-2026-03)'
    target = models.CharField(max_length=300, blank=True)
    project_code = models.CharField(max_length=255, blank=True)
    reason = models.TextField(blank=True)
    detail = models.JSONField(default=dict)
    # 'command line', or a network address
    origin = models.CharField(max_length=100, blank=True)
    # whether it steered the Job Queue: these few are found among millions of others
    is_steering = models.BooleanField(default=False)

    class Meta:
        """Newest first; the indexes are for the queue's history, by key and therefore by time."""

        ordering = ["-id"]
        indexes = [
            models.Index(fields=["-id"], condition=Q(is_steering=True), name="steering"),
            models.Index(fields=["action", "-id"], condition=Q(is_steering=True), name="steering_action"),
            models.Index(fields=["user", "-id"], condition=Q(is_steering=True), name="steering_user"),
            models.Index(
                fields=["user", "action", "-id"], condition=Q(is_steering=True), name="steering_user_action"
            ),
            models.Index(fields=["project_code", "-id"], condition=Q(is_steering=True), name="steering_project"),
            models.Index(
                fields=["project_code", "user", "-id"], condition=Q(is_steering=True), name="steering_project_user"
            ),
            models.Index(
                fields=["project_code", "action", "-id"],
                condition=Q(is_steering=True),
                name="steering_project_action",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.target}"
