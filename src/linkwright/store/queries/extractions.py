"""Extraction Projects and their results for pages and commands, newest results first. Never writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum, prefetch_related_objects

from linkwright.store.kept_query import Given, KeptQuery
from linkwright.store.models import ExtractionProject, ExtractionResult, Job, JobState, LinkageProject

LISTED_RESULTS = 50
_COLUMNS = ("code", "name", "kind", "approval_reference", "created_at", "closed_at", "kept_at")
_LISTED = (*_COLUMNS, "snapshot_job__state", "extract_job__state")
_OPEN = (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True)
class ExtractionLine:
    """One Extraction Project in a list."""

    extraction_project: ExtractionProject
    event_types: tuple[str, ...]
    results_count: int
    job: Job | None


@dataclass(frozen=True)
class KeyNumbers:
    """What the latest extraction told of keys; `reasons` are pairs of a reason and how many keys changed."""

    job_id: int
    new_count: int
    kept_count: int
    retired_count: int
    reasons: Sequence[tuple[str, int]]


def _of_project() -> QuerySet[ExtractionProject]:
    kept = Count("results", filter=Q(results__removed_at=None))
    found = ExtractionProject.objects.filter(project=Given("project")).annotate(kept_count=kept)
    return found.select_related("snapshot_job", "extract_job").only(*_LISTED)


_OF_PROJECT: KeptQuery[Any] = KeptQuery(_of_project)


def list_extraction_projects(project: LinkageProject) -> list[ExtractionLine]:
    """Return a project's Extraction Projects: the open ones by code, then the closed ones."""
    rows = _OF_PROJECT.rows(project=project.pk)
    prefetch_related_objects(rows, "event_types")
    return [
        ExtractionLine(
            extraction_project=one,
            event_types=tuple(sorted(event_type.code for event_type in one.event_types.all())),
            results_count=one.kept_count,
            job=open_extract_job(one),
        )
        for one in sorted(rows, key=lambda one: (one.closed_at is not None, one.code))
    ]


def snapshot_records_count(extraction_project: ExtractionProject) -> int | None:
    """Return how many records the snapshot holds; None if there is none, or not yet."""
    if not extraction_project.is_snapshot or extraction_project.kept_at is None:
        return None
    held = extraction_project.parts.aggregate(count=Sum("records__rows_count"))
    return int(held["count"] or 0)


def results_of(extraction_project: ExtractionProject) -> QuerySet[ExtractionResult]:
    """Return the results of an Extraction Project, kept or not, newest first."""
    return _results().filter(extraction_project=extraction_project)


def list_results(extraction_project: ExtractionProject) -> list[ExtractionResult]:
    """Return the newest results, kept or not."""
    return list(results_of(extraction_project)[:LISTED_RESULTS])


def find_result(extraction_project: ExtractionProject, result_id: int) -> ExtractionResult | None:
    """Return one result of an Extraction Project."""
    return _results().filter(extraction_project=extraction_project, pk=result_id).first()


def results_of_job(job: Job) -> list[ExtractionResult]:
    """Return what a job has extracted, by Event Type."""
    return list(_results().filter(job=job).order_by("event_type__code"))


def open_extract_job(extraction_project: ExtractionProject) -> Job | None:
    """Return the Extract job that waits or runs without an Envelope, if there is one."""
    job = extraction_project.extract_job
    return job if job is not None and job.state in _OPEN else None


def last_failed_extract_job(extraction_project: ExtractionProject) -> Job | None:
    """Return the latest Extract job without an Envelope, if that failed."""
    job = extraction_project.extract_job
    return job if job is not None and job.state == JobState.ERRORS else None


def read_key_numbers(extraction_project: ExtractionProject) -> KeyNumbers | None:
    """Return what the latest extraction, by Envelope or not, told of keys; None if it compared none."""
    last = results_of(extraction_project).first()
    statistics: Mapping[str, Any] = last.job.statistics if last is not None else {}
    if last is None or "kept_keys_count" not in statistics:
        return None
    return KeyNumbers(
        job_id=last.job_id,
        new_count=statistics["new_keys_count"],
        kept_count=statistics["kept_keys_count"],
        retired_count=statistics["retired_keys_count"],
        reasons=[(one["reason"], one["keys_count"]) for one in statistics.get("changed_keys", [])],
    )


def _results() -> QuerySet[ExtractionResult]:
    related = ("extraction_project__project", "event_type", "job", "envelope", "removed_by_job")
    return ExtractionResult.objects.select_related(*related).order_by("-pk")
