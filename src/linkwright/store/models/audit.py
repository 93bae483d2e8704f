"""The audit log: who did what, when, why and from where, in the whole system; and the head of its chain."""

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
    # place in the chain, without gaps, in the order of commits; None only inside the transaction that writes it
    number = models.PositiveBigIntegerField(null=True, blank=True, unique=True)
    # see store/audit_chain.py
    content_sha256 = models.CharField(max_length=64)
    previous_sha256 = models.CharField(max_length=64, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)

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
            models.Index(fields=["user", "-number"], name="audit_user"),
            models.Index(fields=["action", "-number"], name="audit_action"),
            models.Index(fields=["project_code", "-number"], name="audit_project"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.target}"


class AuditLogHead(models.Model):
    """One row (pk 1): how many entries the chain has, and the hash of the last one."""

    entries_count = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        """Never a second row."""

        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="audit_log_head_single")]

    def __str__(self) -> str:
        return f"{self.entries_count} entries"
