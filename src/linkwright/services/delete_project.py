"""Deletes an archived Linkage Project with all its rows and files, for good; the audit log says who did it.

The rows go in one transaction, which writes down which files have to go. They are deleted right after; after a
crash in between, the worker's sweep deletes them. Backups that were made before still hold the project.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from linkwright.config import ServerConfig
from linkwright.jobs.context import project_folder
from linkwright.queue.order import queue_state
from linkwright.services.archive_project import why_busy
from linkwright.services.project_form import ProjectStateError
from linkwright.services.sweep_files import empty_write_ahead_log, sweep_removed, sweep_results
from linkwright.services.waiting_data_file import discard_waiting
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import (
    AttachedEventType,
    AuditMessage,
    Batch,
    BatchState,
    Envelope,
    EnvelopeReport,
    Estimation,
    ExtractionProject,
    ExtractionResult,
    Job,
    JobEvent,
    JobKind,
    JobState,
    KeptPart,
    LinkageProject,
    MatchConfigurationVersion,
    Membership,
    Notification,
    QueueState,
    RemovedPath,
    Series,
)

_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True)
class DeletePreview:
    """What deleting a project would take away.

    Args:
        envelopes_count: its Envelopes, with their received files.
        files_count: its data files that count; size_bytes: of these.
        extraction_projects_count: their Person Keys can never be made again.
        members_count: people who belong to it.
        refusal: why it cannot be deleted now, as a sentence; empty if it can.
    """

    envelopes_count: int
    files_count: int
    size_bytes: int
    extraction_projects_count: int
    members_count: int
    refusal: str


def preview_delete(project: LinkageProject) -> DeletePreview:
    """Count what deleting would take away."""
    files = Batch.objects.filter(project=project).exclude(state=BatchState.REMOVED)
    counted = files.aggregate(files=Count("pk"), size=Sum("bytes_count"))
    return DeletePreview(
        envelopes_count=Envelope.objects.filter(project=project).count(),
        files_count=counted["files"],
        size_bytes=counted["size"] or 0,
        extraction_projects_count=ExtractionProject.objects.filter(project=project).count(),
        members_count=Membership.objects.filter(project=project).count(),
        refusal=why_not_delete(project),
    )


def why_not_delete(project: LinkageProject) -> str:
    """Return the sentence that says why a project cannot be deleted now, or '' if it can."""
    if project.archived_at is None:
        return f"Linkage Project {project.code} is not archived. Archive it first: only then it can be deleted."
    busy = why_busy(project)
    if busy:
        return busy
    if Job.objects.filter(kind=JobKind.BACKUP, state=JobState.RUNNING).exists():
        return "A Backup is running, and reads the project's files. Wait until it has ended."
    return ""


def delete_project(config: ServerConfig, project_id: int, actor: Actor, *, typed: str, reason: str) -> int:
    """Delete a project, its Envelopes, jobs, records, pairs, groups and results, and all files of these.

    Args:
        config: of this server.
        project_id: of the project.
        actor: who deletes it.
        typed: its code, typed to confirm.
        reason: why; it stands in the audit log.

    Returns: how many files were deleted from disk.
    Raises:
        ProjectStateError: if it is not archived, has jobs to do, or the code or the reason is missing.
        LinkageProject.DoesNotExist: if it was deleted meanwhile.
    """
    with transaction.atomic():
        queue_state(lock=True)
        project = LinkageProject.objects.select_for_update().get(pk=project_id)
        refusal = why_not_delete(project) or _why_not_confirmed(project, typed, reason)
        if refusal:
            raise ProjectStateError(refusal)
        preview = preview_delete(project)
        _note_files(config, project)
        _delete_rows(project)
        record_action(
            actor,
            "delete project",
            project.code,
            project_code=project.code,
            reason=reason.strip()[:500],
            detail={
                "envelopes_count": preview.envelopes_count,
                "files_count": preview.files_count,
                "size_bytes": preview.size_bytes,
                "extraction_projects_count": preview.extraction_projects_count,
            },
        )
    discard_waiting(config, project_id)
    files_count = sweep_removed(config) + sweep_results(config)
    empty_write_ahead_log()
    return files_count


def _why_not_confirmed(project: LinkageProject, typed: str, reason: str) -> str:
    if typed.strip() != project.code:
        return f"Type {project.code} to confirm; {typed.strip()[:50]!r} was typed. Nothing was deleted."
    if not reason.strip():
        return "Deleting needs a reason: it stands in the audit log for ever. Give one."
    return ""


def _note_files(config: ServerConfig, project: LinkageProject) -> None:
    """Write down what has to go; results are swept by not being named."""
    folder = project_folder(config, project).relative_to(config.home)
    received = config.incoming_folder.relative_to(config.home)
    names = Envelope.objects.filter(project=project).exclude(file_name="").values_list("file_name", flat=True)
    RemovedPath.objects.create(path=str(folder))
    RemovedPath.objects.bulk_create(
        (RemovedPath(path=str(received / name)) for name in names.order_by("pk").iterator()),
        batch_size=_ROWS_AT_ONCE,
    )


def _delete_rows(project: LinkageProject) -> None:
    jobs = Job.objects.filter(Q(project=project) | Q(envelope__project=project)).order_by()
    envelopes = Envelope.objects.filter(project=project).order_by()
    state = QueueState.objects.filter(pk=1)
    state.filter(active_envelope__in=envelopes).update(active_envelope=None)
    state.filter(paused_by_job__in=jobs).update(paused_by_job=None)
    # what names others before what is named; keys are looked at when the transaction commits
    for rows in (
        ExtractionResult.objects.filter(extraction_project__project=project),
        KeptPart.objects.filter(extraction_project__project=project),
        ExtractionProject.event_types.through.objects.filter(extractionproject__project=project),
        ExtractionProject.objects.filter(project=project),
        Estimation.objects.filter(project=project),
        Batch.objects.filter(project=project),
        AttachedEventType.objects.filter(project=project),
        Notification.objects.filter(envelope__in=envelopes),
        EnvelopeReport.objects.filter(envelope__in=envelopes),
        AuditMessage.objects.filter(job__in=jobs),
        JobEvent.objects.filter(job__in=jobs),
        jobs,
        envelopes,
        MatchConfigurationVersion.objects.filter(project=project),
        Membership.objects.filter(project=project),
        Series.objects.filter(project=project),
        LinkageProject.objects.filter(pk=project.pk),
    ):
        _delete(rows)


def _delete(rows: QuerySet[Any]) -> None:
    # by one statement: Django's own deletion reads every row first, to follow what the list above follows already
    rows.order_by()._raw_delete(rows.db)  # noqa: SLF001
