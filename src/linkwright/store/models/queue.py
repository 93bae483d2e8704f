"""The state of the Job Queue as a whole, and which workers are there."""

from django.db import models

from linkwright.store.models.envelopes import Envelope
from linkwright.store.models.jobs import Job
from linkwright.store.models.people import User


class QueueState(models.Model):
    """One row (pk 1): paused or not, by whom or by which failed job, and the chain that is under way."""

    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    paused_by_job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    paused_reason = models.TextField(blank=True)
    # its remaining jobs go first: no other Envelope's job comes between
    active_envelope = models.ForeignKey(
        Envelope, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        """Never a second row."""

        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="queue_state_single")]

    def __str__(self) -> str:
        return "paused" if self.paused_at else "running"


class WorkerRole(models.TextChoices):
    """Whether a worker process holds the lock."""

    ACTIVE = "active", "active"
    STANDBY = "standby", "standby"


class WorkerPresence(models.Model):
    """A worker process as last seen: for people to look at. The lock alone decides who works."""

    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    role = models.CharField(max_length=8, choices=WorkerRole.choices)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        """One row a process."""

        constraints = [models.UniqueConstraint(fields=["host", "pid"], name="worker_presence_once")]

    def __str__(self) -> str:
        return f"{self.role} worker {self.pid} on {self.host}"
