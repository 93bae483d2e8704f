"""Which jobs outside any Envelope wait or run: a second one of the same kind would only do the same again."""

from django.db.models import Q

from linkwright.store.models import Job, JobKind, JobState, LinkageProject

OPEN_STATES = (JobState.RUNNING, JobState.QUEUED)
# as alternatives: each has an index of its own, of few rows
IS_OPEN = Q(state=JobState.RUNNING) | Q(state=JobState.QUEUED)


def open_system_job(kind: JobKind, project: LinkageProject | None = None) -> Job | None:
    """Return the job of a kind that runs or waits outside any Envelope, of a project or of none."""
    return Job.objects.filter(IS_OPEN, project=project, kind=kind, envelope=None).order_by("pk").first()


def last_system_job(kind: JobKind) -> Job | None:
    """Return the latest job of a kind that belongs to no project."""
    # few among many: the code of a project, or none, is what an index has
    found = Job.objects.filter(project_code="", project=None, kind=kind, envelope=None)
    return found.order_by("-pk").first()
