"""Estimations for pages and commands: those that are complete, newest first. Never writes.

An estimation that an Envelope asked for is there when that Envelope has ended in Success: one that fails or is
cancelled has changed nothing.
"""

from dataclasses import dataclass

from django.db.models import Q, QuerySet, Subquery

from linkwright.store.kept_query import Given, KeptQuery
from linkwright.store.models import EnvelopeState, Estimation, Job, JobKind, JobState, LinkageProject
from linkwright.store.queries.open_jobs import IS_OPEN, OPEN_STATES, open_system_job

LISTED_ESTIMATIONS = 20
_OF_JOB = ("state", "started_at", "ended_at", "progress", "error_message")
_LISTED = ("created_at", "results", "envelope__name", "base_version__version", "applied_version__version")


def complete_estimations() -> QuerySet[Estimation]:
    """Return the estimations that exist for people; whole rows are large, see `list_estimations`."""
    is_complete = Q(envelope=None) | Q(envelope__state=EnvelopeState.SUCCESS)
    related = ("project", "job", "envelope", "base_version", "applied_version")
    return Estimation.objects.filter(is_complete).select_related(*related)


def list_estimations(project: LinkageProject) -> list[Estimation]:
    """Return a project's newest estimations: of each what a line of the list says."""
    return _NEWEST.rows(project=project.pk)


def _newest() -> QuerySet[Estimation]:
    found = complete_estimations().filter(project=Given("project")).select_related(None)
    found = found.select_related("envelope", "base_version", "applied_version").only(*_LISTED)
    return found.order_by("-pk")[:LISTED_ESTIMATIONS]


_NEWEST = KeptQuery(_newest)


def open_estimate_job(project: LinkageProject) -> Job | None:
    """Return the Estimate job of a project that runs or waits, outside any Envelope, if there is one."""
    return open_system_job(JobKind.ESTIMATE, project)


@dataclass(frozen=True)
class EstimateJobs:
    """A project's Estimate jobs outside any Envelope: the one that runs or waits; the latest, if that failed."""

    open: Job | None
    failed: Job | None


def _open_and_latest() -> QuerySet[Job]:
    asked = Job.objects.filter(project=Given("project"), kind=JobKind.ESTIMATE, envelope=None)
    latest = Subquery(asked.order_by("-pk").values("pk")[:1])
    return asked.filter(IS_OPEN | Q(pk=latest)).only(*_OF_JOB).order_by("pk")


_JOBS = KeptQuery(_open_and_latest)


def read_estimate_jobs(project: LinkageProject) -> EstimateJobs:
    """Look for both at once: of each what a line about it says."""
    found = _JOBS.rows(project=project.pk)
    failed = found[-1] if found and found[-1].state == JobState.ERRORS else None
    return EstimateJobs(next((job for job in found if job.state in OPEN_STATES), None), failed)
