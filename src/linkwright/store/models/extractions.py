"""Extraction Projects, approved uses of the linkage map, and what was extracted for them."""

import uuid

from django.db import models

from linkwright.store.models.batches import Batch
from linkwright.store.models.catalog import EventType
from linkwright.store.models.envelopes import Envelope
from linkwright.store.models.jobs import Job
from linkwright.store.models.people import User
from linkwright.store.models.projects import LinkageProject


class ExtractionKind(models.TextChoices):
    """Which map an Extraction Project shows."""

    SNAPSHOT = "snapshot", "Snapshot"
    ENDURING = "enduring", "Enduring"


class ExtractionFormat(models.TextChoices):
    """How the data files of results are written."""

    CSV = "csv", "CSV"
    PARQUET = "parquet", "Parquet"


class ExtractionProject(models.Model):
    """One approved use of a project's map. Kind, Event Types and uuid never change: its keys rest on them."""

    project = models.ForeignKey(LinkageProject, on_delete=models.PROTECT, related_name="extraction_projects")
    code = models.CharField(max_length=50)
    name = models.CharField(max_length=200)
    approval_reference = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, choices=ExtractionKind.choices)
    event_types = models.ManyToManyField(EventType, related_name="extraction_projects")
    # [{"column", "name"}, ...] in the order of the file; columns are engine.extraction's
    columns = models.JSONField()
    file_format = models.CharField(max_length=8, choices=ExtractionFormat.choices, default=ExtractionFormat.CSV)
    # results are kept so long
    keep_results_days = models.PositiveIntegerField()
    # the Person Keys follow from it, from the version of the server's secret, and from nothing else that is stored
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    secret_version = models.PositiveIntegerField()
    secret_fingerprint = models.CharField(max_length=16)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    # of a snapshot: the job that makes it
    snapshot_job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # when its parts were written: of the snapshot, or of the ledger of its latest extraction; none: not yet
    kept_at = models.DateTimeField(null=True, blank=True)
    # the latest that was started from a page or the command line
    extract_job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        """Codes are unique within a Linkage Project."""

        constraints = [models.UniqueConstraint(fields=["project", "code"], name="extraction_project_code_once")]
        ordering = ["project_id", "code"]

    def __str__(self) -> str:
        return self.code

    @property
    def is_snapshot(self) -> bool:
        """Whether it shows the map as at its creation."""
        return self.kind == ExtractionKind.SNAPSHOT


class KeptPart(models.Model):
    """One part of what an Extraction Project keeps: of its snapshot; or of the ledger of its latest extraction."""

    extraction_project = models.ForeignKey(ExtractionProject, on_delete=models.PROTECT, related_name="parts")
    # none: they were rolled back, and the groups are read in their place
    records = models.OneToOneField(Batch, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # of a ledger: under which groups the records were shown, without the records
    groups = models.OneToOneField(Batch, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # of the records; none: written by a version that did not keep it
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        """As they were written: ascending by record id, but for what a rollback wrote anew."""

        ordering = ["id"]

    def __str__(self) -> str:
        return f"Part {self.pk} of {self.extraction_project}"


class ResultEnd(models.TextChoices):
    """Why the file of a result is no longer kept."""

    EXPIRED = "expired", "Expired"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ExtractionResult(models.Model):
    """What one extraction gave for one Event Type: an Envelope, kept until it expires or is withdrawn."""

    extraction_project = models.ForeignKey(ExtractionProject, on_delete=models.PROTECT, related_name="results")
    event_type = models.ForeignKey(EventType, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="extraction_results")
    # the Envelope that asked for it, if one did
    envelope = models.ForeignKey(Envelope, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # in the folder of results
    file_name = models.CharField(max_length=100, unique=True)
    records_count = models.BigIntegerField()
    persons_count = models.BigIntegerField()
    # rows of its list of changes; none: it has no such list
    changes_count = models.BigIntegerField(null=True, blank=True)
    bytes_count = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    downloads_count = models.PositiveIntegerField(default=0)
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_why = models.CharField(max_length=16, choices=ResultEnd.choices, blank=True)
    # which Rollback withdrew it
    removed_by_job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        """Newest first."""

        ordering = ["-id"]
        indexes = [
            models.Index(fields=["expires_at"], condition=models.Q(removed_at=None), name="extraction_result_kept")
        ]

    def __str__(self) -> str:
        return f"Result {self.pk} of {self.extraction_project}"
