"""Archives a Linkage Project, and takes it out again: it takes no Envelopes meanwhile, and loses nothing."""

from django.db import transaction
from django.utils import timezone

from linkwright.queue.order import queue_state
from linkwright.services.project_form import ProjectStateError
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Job, JobState, LinkageProject


def why_not_archive(project: LinkageProject) -> str:
    """Return the sentence that says why a project cannot be archived now, or '' if it can."""
    if project.archived_at is not None:
        return f"Linkage Project {project.code} is archived already, since {project.archived_at:%Y-%m-%d}."
    return why_busy(project)


def why_busy(project: LinkageProject) -> str:
    """Return the sentence that says that jobs of the project wait or run, or ''."""
    jobs = Job.objects.filter(project=project)
    counts = [jobs.filter(state=state).count() for state in (JobState.QUEUED, JobState.RUNNING)]
    if not any(counts):
        return ""
    return (
        f"{counts[0]} queued and {counts[1]} running jobs of {project.code} are to be done first. Wait until they "
        "have ended, or cancel them."
    )


def archive_project(project_id: int, actor: Actor, *, reason: str) -> LinkageProject:
    """Archive a project: it stands in no list unless one asks for it, and Envelopes for it are refused.

    Raises:
        ProjectStateError: if it is archived already, its jobs wait or run, or the reason is empty.
        LinkageProject.DoesNotExist: if it was deleted meanwhile.
    """
    if not reason.strip():
        raise ProjectStateError("Archiving needs a reason: it stands in the audit log for ever. Give one.")
    with transaction.atomic():
        # no job of it is queued or begins meanwhile
        queue_state(lock=True)
        project = LinkageProject.objects.select_for_update().get(pk=project_id)
        refusal = why_not_archive(project)
        if refusal:
            raise ProjectStateError(refusal)
        project.archived_at = timezone.now()
        project.save(update_fields=["archived_at"])
        record_action(
            actor, "archive project", project.code, project_code=project.code, reason=reason.strip()[:500]
        )
    return project


def unarchive_project(project_id: int, actor: Actor) -> LinkageProject:
    """Take a project out of the archive: it takes Envelopes again.

    Raises:
        ProjectStateError: if it is not archived.
        LinkageProject.DoesNotExist: if it was deleted meanwhile.
    """
    with transaction.atomic():
        project = LinkageProject.objects.select_for_update().get(pk=project_id)
        if project.archived_at is None:
            raise ProjectStateError(f"Linkage Project {project.code} is not archived.")
        project.archived_at = None
        project.save(update_fields=["archived_at"])
        record_action(actor, "unarchive project", project.code, project_code=project.code)
    return project
