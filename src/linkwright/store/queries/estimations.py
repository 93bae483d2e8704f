"""Estimations for pages and commands: those that are complete, newest first. Never writes.

An estimation that an Envelope asked for is there when that Envelope has ended in Success: one that fails or is
cancelled has changed nothing.
"""

from django.db.models import Q, QuerySet

from linkwright.store.models import EnvelopeState, Estimation, Job, JobKind, JobState, LinkageProject
from linkwright.store.queries.open_jobs import open_system_job

LISTED_ESTIMATIONS = 20
_LISTED = ("created_at", "results", "envelope__name", "base_version__version", "applied_version__version")


def complete_estimations() -> QuerySet[Estimation]:
    """Return the estimations that exist for people; whole rows are large, see `list_estimations`."""
    is_complete = Q(envelope=None) | Q(envelope__state=EnvelopeState.SUCCESS)
    related = ("project", "job", "envelope", "base_version", "applied_version")
    return Estimation.objects.filter(is_complete).select_related(*related)


def list_estimations(project: LinkageProject) -> list[Estimation]:
    """Return a project's newest estimations: of each what a line of the list says."""
    found = complete_estimations().filter(project=project).select_related(None)
    found = found.select_related("envelope", "base_version", "applied_version").only(*_LISTED)
    return list(found.order_by("-pk")[:LISTED_ESTIMATIONS])


def open_estimate_job(project: LinkageProject) -> Job | None:
    """Return the Estimate job of a project that runs or waits, outside any Envelope, if there is one."""
    return open_system_job(JobKind.ESTIMATE, project)


def last_failed_estimate_job(project: LinkageProject) -> Job | None:
    """Return the project's latest Estimate job outside any Envelope, if that failed."""
    last = Job.objects.filter(project=project, kind=JobKind.ESTIMATE, envelope=None).order_by("-pk").first()
    return last if last is not None and last.state == JobState.ERRORS else None
