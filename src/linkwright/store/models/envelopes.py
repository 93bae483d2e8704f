"""Envelopes, what operators should know about them, and their reports."""

import unicodedata
from typing import Any

from django.db import models
from django.db.models import Q

from linkwright.store.models.people import User
from linkwright.store.models.projects import LinkageProject, MatchConfigurationVersion
from linkwright.store.models.series import Series
from linkwright.store.report_summary import report_summary


class EnvelopeState(models.TextChoices):
    """What is stored; whether an Envelope is *active* is worked out from what runs (store/queries)."""

    QUEUED = "Queued", "Queued"
    SUCCESS = "Success", "Success"
    ERRORS = "Errors", "Errors"
    CORRUPT = "Corrupt", "Corrupt"
    CANCELLED = "Cancelled", "Cancelled"
    ROLLED_BACK = "RolledBack", "Rolled back"


ESTIMATION = "EstimateProbabilities"
"""The data action whose records are used and not kept: it is no part of the linkage map."""

# an index of PostgreSQL takes no longer ones; a name of 255 characters can grow to more only in odd scripts
SEARCHABLE_LENGTH = 500


def searchable(text: str) -> str:
    """Return a text as searches see it: without case, and in one Unicode form, whatever the database."""
    return unicodedata.normalize("NFKC", text).casefold()[:SEARCHABLE_LENGTH]


class Envelope(models.Model):
    """One unit of work from outside. Codes are kept as sent: an unknown one must still be shown and mended."""

    name = models.CharField(max_length=255)
    state = models.CharField(max_length=16, choices=EnvelopeState.choices, default=EnvelopeState.QUEUED)
    errors_occurred = models.BooleanField(default=False)
    request_type = models.CharField(max_length=40, blank=True)
    project_code = models.CharField(max_length=255, blank=True)
    sender_code = models.CharField(max_length=255, blank=True)
    event_type_codes = models.JSONField(default=list)
    project = models.ForeignKey(
        LinkageProject, on_delete=models.PROTECT, null=True, blank=True, related_name="envelopes"
    )
    # the version that Match used: a changed configuration holds for later Envelopes only
    match_configuration = models.ForeignKey(
        MatchConfigurationVersion, on_delete=models.PROTECT, null=True, blank=True
    )
    # relative to the folder of received Envelopes; empty once the file was deleted, as an estimation's is
    file_name = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    records_count = models.BigIntegerField(null=True, blank=True)
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True)
    # why it was sent, of a Quality Review made on a page; people name people in it
    reason = models.TextField(blank=True)
    processing_started_at = models.DateTimeField(null=True, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    # for how long its jobs ran that have stopped, over all attempts, and since when the one runs that does: kept
    # here by the queue, because a list would have to look up hundreds of jobs and events for it
    ran_s = models.FloatField(default=0)
    running_since = models.DateTimeField(null=True, blank=True)
    # set by `save`, and anew when the project becomes known (store/series.py)
    series = models.ForeignKey(
        Series, on_delete=models.PROTECT, null=True, blank=True, related_name="envelopes", db_index=False
    )
    search_text = models.TextField(blank=True)

    class Meta:
        """Newest first, by key: lists page without counting."""

        ordering = ["-id"]
        # what a list may be narrowed to beside an index's own order stands behind it: no row is looked up in vain
        indexes = [
            models.Index(fields=["state", "-id", "series"], name="envelope_state_series"),
            models.Index(fields=["series", "state", "-id"], name="envelope_series_state"),
            models.Index(fields=["series", "-id"], name="envelope_series"),
            models.Index(fields=["received_at", "id"], name="envelope_received"),
            # names are looked through: in here, not in rows ten times as wide
            models.Index(fields=["id", "search_text"], name="envelope_names"),
            models.Index(fields=["project", "-id"], name="envelope_project"),
            # few among many: whoever deletes their files must not read all that were ever rolled back
            models.Index(
                fields=["id"],
                condition=Q(state="RolledBack") & ~Q(file_name=""),
                name="envelope_rolled_back_file",
            ),
            # few among many: whoever deletes the files of estimations must not read all Envelopes
            models.Index(
                fields=["project", "id"],
                condition=Q(request_type=ESTIMATION),
                name="envelope_estimation",
            ),
        ]

    def __str__(self) -> str:
        return f"Envelope {self.pk} ({self.name})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row; a new one gets its series and its searchable name."""
        if self._state.adding:
            self.search_text = searchable(self.name)
            self.series = Series.objects.fitting(
                project_id=self.project_id,
                project_code=self.project_code,
                sender_code=self.sender_code,
                request_type=self.request_type,
                event_type_codes=self.event_type_codes,
                owner_id=self.received_by_id,
            )
        super().save(*args, **kwargs)


class Severity(models.TextChoices):
    """How much a Notification matters."""

    INFO = "info", "Info"
    WARNING = "warning", "Warning"
    ERROR = "error", "Error"


class Notification(models.Model):
    """Something an operator should know about an Envelope."""

    envelope = models.ForeignKey(Envelope, on_delete=models.CASCADE, related_name="notifications")
    job = models.ForeignKey("store.Job", on_delete=models.SET_NULL, null=True, blank=True)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    # without identifying values; `with_values` is the same with them, empty if it names none
    text = models.TextField()
    with_values = models.TextField(blank=True)
    raised_at = models.DateTimeField()

    class Meta:
        """In the order raised."""

        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.severity}: {self.text}"


class EnvelopeReport(models.Model):
    """The Report job's result: tables as `statistics`, plots as rendered SVG with their data."""

    envelope = models.OneToOneField(Envelope, on_delete=models.CASCADE, related_name="report")
    # {"envelope": {...}, "project": {...}}: numbers of this Envelope, and of its project at that moment
    statistics = models.JSONField()
    # [{"name", "title", "svg", "columns", "rows"}, ...]
    plots = models.JSONField(default=list)
    created_at = models.DateTimeField()
    # what lists show of `statistics`; set by `save` (store/report_summary.py)
    summary = models.JSONField(default=dict)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row, with the summary of its statistics."""
        self.summary = report_summary(self.statistics)
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "summary"}
        super().save(*args, **kwargs)

    def __str__(self) -> str:
        return f"Report of {self.envelope}"
