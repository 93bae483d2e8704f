"""The catalog of bulk data: which immutable Parquet files count (ARCHITECTURE: staged → live → removed)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from linkwright.store.models.envelopes import Envelope
from linkwright.store.models.jobs import Job
from linkwright.store.models.projects import LinkageProject


class BatchKind(models.TextChoices):
    """What a file holds."""

    RECORDS = "records", "records"
    AUX = "aux", "aux"
    PAIRS = "pairs", "pairs"
    ASSIGNMENTS = "assignments", "assignments"
    REJECTS = "rejects", "rejects"
    INDEX = "index", "index"
    ENDS = "ends", "ends"
    DECISIONS = "decisions", "decisions"
    SNAPSHOT = "snapshot", "snapshot"
    LEDGER = "ledger", "ledger"
    LEDGER_GROUPS = "ledger groups", "ledger groups"


class BatchState(models.TextChoices):
    """Staged files are seen by their own Envelope's jobs alone; live files are the project."""

    STAGED = "staged", "staged"
    LIVE = "live", "live"
    REMOVED = "removed", "removed"


class Batch(models.Model):
    """One file, written once by one job. `id` orders the batches of a project, or `position` if it has one."""

    project = models.ForeignKey(LinkageProject, on_delete=models.PROTECT, related_name="batches")
    # none: written by a job that belongs to no Envelope, such as a Rollback out of order
    envelope = models.ForeignKey(Envelope, on_delete=models.PROTECT, null=True, blank=True, related_name="batches")
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="batches")
    kind = models.CharField(max_length=16, choices=BatchKind.choices)
    state = models.CharField(max_length=8, choices=BatchState.choices, default=BatchState.STAGED)
    # relative to the project's folder in the warehouse
    file_name = models.CharField(max_length=255, unique=True)
    rows_count = models.BigIntegerField()
    bytes_count = models.BigIntegerField()
    # records, snapshot, ledger: first and last record id; assignments: the highest group id so far as `last_id`
    first_id = models.BigIntegerField(null=True, blank=True)
    last_id = models.BigIntegerField(null=True, blank=True)
    # index: the records batch whose index it is; it can be made again from that at any time
    derived_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="derived"
    )
    # the compacted batch that is read in this one's place, if there is one; this one stays for history and undo
    compacted_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="originals"
    )
    # of a compacted batch: the id of the last original that it stands for, at whose place it is read; else none
    position = models.BigIntegerField(null=True, blank=True)
    # when a Purge last blanked values in this file (records, aux) or the records that it names (ends); or (of
    # assignments) that their Envelope listed such records. What was received of the Envelope is deleted then
    purged_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        """Oldest first: later assignments win."""

        ordering = [Coalesce("position", "id")]
        indexes = [
            models.Index(fields=["project", "state", "kind", "id"], name="batch_live"),
            # few among many, once a project is compacted: what is read must not cost a look at all that ever came
            models.Index(
                fields=["project", "state", "kind", "id"],
                condition=Q(compacted_into=None),
                name="batch_current",
            ),
            models.Index(fields=["envelope"], condition=Q(purged_at__isnull=False), name="batch_purged"),
        ]

    def __str__(self) -> str:
        return self.file_name
