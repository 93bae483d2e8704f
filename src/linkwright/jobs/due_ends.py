"""Which ends a Purge is for, and how its job is told. Must stay light: the worker asks every few seconds."""

from datetime import datetime

from django.db.models import QuerySet

from linkwright.store import batch_catalog
from linkwright.store.models import Batch, BatchKind, LinkageProject

ENDED_BEFORE, REASON = "ended_before", "reason"
"""Parameters of the job: records that ended until then (ISO 8601); why."""


def due_ends(project: LinkageProject, ended_before: datetime) -> QuerySet[Batch]:
    """Return the batches that name records which ended until then and have not been purged."""
    ends = batch_catalog.original_batches(project, BatchKind.ENDS)
    return ends.filter(purged_at=None, created_at__lte=ended_before)
