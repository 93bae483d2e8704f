"""The job table, every change of a job's state, and its audit messages.

Only the queue room changes a job's state; everybody else reads.
"""

from typing import Any

from django.db import models
from django.db.models import Q

from linkwright.store.models.envelopes import Envelope
from linkwright.store.models.people import User
from linkwright.store.models.projects import LinkageProject
from linkwright.store.models.series import Series


class JobKind(models.TextChoices):
    """The kinds of processing."""

    VALIDATE = "Validate", "Validate"
    LOAD = "Load", "Load"
    MATCH = "Match", "Match"
    GROUP = "Group", "Group"
    REPORT = "Report", "Report"
    ESTIMATE = "Estimate", "Estimate"
    ROLLBACK = "Rollback", "Rollback"
    DELETE = "Delete", "Delete"
    REVIEW = "Review", "Review"
    SNAPSHOT = "Snapshot", "Snapshot"
    EXTRACT = "Extract", "Extract"
    COMPACT = "Compact", "Compact"
    PURGE = "Purge", "Purge"
    BACKUP = "Backup", "Backup"


INVISIBLE_KINDS = (JobKind.COMPACT, JobKind.PURGE)
"""Jobs that leave records, pairs and groups as they are: they do not stand in the way of a retry."""


class JobState(models.TextChoices):
    """What is stored; *Running* is shown as SuccessActive or ErrorsActive."""

    QUEUED = "Queued", "Queued"
    HELD = "Held", "Held"
    RUNNING = "Running", "Running"
    SUCCESS = "Success", "Success"
    ERRORS = "Errors", "Errors"


class EndReason(models.TextChoices):
    """Why a job ended in Errors."""

    FAILED = "failed", "failed"
    CRASHED = "crashed", "crashed"
    CANCELLED = "cancelled", "cancelled"
    CLEARED = "cleared", "cleared"


class Job(models.Model):
    """One step of processing. `attempt` counts from 1 with the first start and fences late finishers."""

    kind = models.CharField(max_length=16, choices=JobKind.choices)
    envelope = models.ForeignKey(Envelope, on_delete=models.CASCADE, null=True, blank=True, related_name="jobs")
    project = models.ForeignKey(
        LinkageProject, on_delete=models.PROTECT, null=True, blank=True, related_name="jobs"
    )
    # the project's code as sent: the retry rule holds for a project that does not exist yet, too
    project_code = models.CharField(max_length=255, blank=True)
    # its Envelope's, set by `save`
    series = models.ForeignKey(
        Series, on_delete=models.PROTECT, null=True, blank=True, related_name="jobs", db_index=False
    )
    parameters = models.JSONField(default=dict)

    state = models.CharField(max_length=16, choices=JobState.choices, default=JobState.QUEUED)
    end_reason = models.CharField(max_length=16, choices=EndReason.choices, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    crash_count = models.PositiveIntegerField(default=0)
    errors_occurred = models.BooleanField(default=False)
    # without identifying values; `error_with_values` is the same with them, empty if it names none
    error_message = models.TextField(blank=True)
    error_with_values = models.TextField(blank=True)

    # one rank a chain, so that chains never interleave; `chain_position` orders the jobs inside it
    queue_rank = models.BigIntegerField()
    chain_position = models.PositiveIntegerField(default=0)

    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    # {"stage", "done", "total", "unit", "stage_started_at", "reported_at"}
    progress = models.JSONField(default=dict)
    statistics = models.JSONField(default=dict)
    peak_memory_bytes = models.BigIntegerField(null=True, blank=True)

    class Meta:
        """The database itself forbids two running jobs."""

        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="Running"), name="job_one_running"),
        ]
        indexes = [
            models.Index(
                fields=["queue_rank", "envelope", "chain_position", "id"],
                condition=Q(state="Queued"),
                name="job_queued",
            ),
            # what a list may be narrowed to stands behind the order: so no row is looked up in vain
            models.Index(fields=["-started_at", "-id", "envelope"], name="job_started_envelope"),
            models.Index(
                fields=["series", "-started_at", "-id", "state", "kind", "envelope"], name="job_series_started"
            ),
            models.Index(fields=["series", "state", "-started_at", "-id", "kind"], name="job_series_state"),
            models.Index(fields=["kind", "state", "-started_at", "-id", "series"], name="job_kind_started"),
            models.Index(fields=["envelope", "chain_position"], name="job_chain"),
            models.Index(fields=["project_code", "-started_at"], name="job_project_started"),
        ]

    def __str__(self) -> str:
        return f"Job {self.pk} ({self.kind})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row; a new one gets its Envelope's series, or that of its project's system jobs."""
        if self._state.adding:
            self.series = (
                self.envelope.series
                if self.envelope
                else Series.objects.fitting(project_id=self.project_id, project_code=self.project_code)
            )
        super().save(*args, **kwargs)


class JobEvent(models.Model):
    """One change of a job's state, written in the transaction that made it."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    attempt = models.PositiveIntegerField()
    left = models.CharField(max_length=16, blank=True)
    entered = models.CharField(max_length=16)
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        """In the order of happening."""

        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.job}: {self.left or 'new'} → {self.entered}"


class AuditMessage(models.Model):
    """A timed progress line of one attempt of one job; kept when the job is tried again."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="audit_messages")
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField()
    # without identifying values; `with_values` is the same with them, empty if it names none
    text = models.TextField()
    with_values = models.TextField(blank=True)

    class Meta:
        """In the order written."""

        ordering = ["id"]

    def __str__(self) -> str:
        return self.text
