"""What a Linkage Project's bulk data takes on disk, and what Compact and Purge could do about it. Never writes."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from linkwright.store.compacted_batches import COMPACTED_KINDS
from linkwright.store.kept_query import Given, KeptQuery, totals_of
from linkwright.store.models import Batch, BatchKind, BatchState, LinkageProject
from linkwright.store.one_look import once


@dataclass(frozen=True)
class ProjectStorage:
    """One project's files.

    Args:
        files_count: that count, staged or live.
        size_bytes: of all of them.
        read_files_count: that are read for the current records, pairs and groups.
        derived_bytes: of compacted files and match indexes, which can be made again from the others.
        unpurged_records_count: records that have ended and still have their values on disk.
    """

    files_count: int
    size_bytes: int
    read_files_count: int
    derived_bytes: int
    unpurged_records_count: int


def read_project_storage(project: LinkageProject) -> ProjectStorage:
    """Add the files of a project up; once in an answer that changes nothing."""
    return once(("project storage", project.pk), lambda: _add_up(project))


def _add_up(project: LinkageProject) -> ProjectStorage:
    return ProjectStorage(*(total or 0 for total in _TOTALS.rows(project=project.pk)[0]))


def _totals() -> QuerySet[Batch, Any]:
    is_derived = Q(position__isnull=False) | Q(kind=BatchKind.INDEX)
    is_read = Q(state=BatchState.LIVE, compacted_into=None, kind__in=COMPACTED_KINDS)
    is_unpurged = Q(state=BatchState.LIVE, kind=BatchKind.ENDS, position=None, purged_at=None)
    counted = Batch.objects.filter(project=Given("project")).exclude(state=BatchState.REMOVED)
    return totals_of(
        counted,
        files_count=Count("pk"),
        size_bytes=Sum("bytes_count"),
        read_files_count=Count("pk", filter=is_read),
        derived_bytes=Sum("bytes_count", filter=is_derived),
        unpurged_records_count=Sum("rows_count", filter=is_unpurged),
    )


_TOTALS = KeptQuery(_totals)
