"""Starts a Purge job of a project, for a person or by a schedule; says beforehand what it would blank."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from linkwright.errors import LinkwrightError
from linkwright.jobs.due_ends import ENDED_BEFORE, REASON, due_ends
from linkwright.queue.enqueue import Step, enqueue_job
from linkwright.queue.order import queue_state
from linkwright.store.audit_log import SYSTEM, Actor, record_action
from linkwright.store.batch_catalog import original_batches
from linkwright.store.models import BatchKind, Envelope, Job, JobKind, JobState, LinkageProject
from linkwright.store.settings import read_setting

SCHEDULED_REASON = "by schedule"
MOST_DAYS = 36_500


class PurgeRefusedError(LinkwrightError):
    """There is nothing to purge, a Purge waits already, or no reason was given; the text says which."""


@dataclass(frozen=True)
class PurgePreview:
    """What a Purge would do now.

    Args:
        records_count: ended records that it would blank.
        younger_count: ended records that it would leave, as they ended later.
        older_than_days: only records that ended at least so long ago are blanked.
        fixed: Envelopes that cannot be rolled back any more afterwards: they ended these records.
        refusal: why no Purge can be started, as a sentence; empty if one can.
    """

    records_count: int
    younger_count: int
    older_than_days: int
    fixed: tuple[Envelope, ...]
    refusal: str


def start_purge(
    project: LinkageProject, actor: Actor, *, reason: str = "", older_than_days: int | None = None
) -> Job | None:
    """Queue a Purge job of a project; returns None if there is nothing to do, or one is queued or runs.

    Args:
        project: whose ended records are purged.
        actor: who asks for it.
        reason: why; it stands in the audit log. A schedule (`SYSTEM`) needs none.
        older_than_days: only records that ended at least so long ago; by default the Setting
            `Worker.Purge.AfterDays`.

    Raises:
        PurgeRefusedError: if a person gives no reason, or the number of days is not one.
    """
    given = reason.strip() or (SCHEDULED_REASON if actor == SYSTEM else "")
    if not given:
        raise PurgeRefusedError(
            "A Purge needs a reason: it cannot be undone. Give one; it stands in the audit log."
        )
    with transaction.atomic():
        # two who ask at once: the second sees the job of the first
        queue_state(lock=True)
        preview = preview_purge(project, older_than_days)
        if preview.refusal:
            return None
        before = _ended_before(preview.older_than_days)
        job = enqueue_job(Step(JobKind.PURGE, {ENDED_BEFORE: before.isoformat(), REASON: given}), project)
        record_action(
            actor,
            "purge project",
            str(job),
            project_code=project.code,
            reason=given,
            detail={"records": preview.records_count, "older_than_days": preview.older_than_days, "job": job.pk},
        )
    return job


def preview_purge(project: LinkageProject, older_than_days: int | None = None) -> PurgePreview:
    """Work out what a Purge would blank, and whether it can be started now.

    Raises:
        PurgeRefusedError: if the number of days is not one.
    """
    days = int(read_setting("Worker.Purge.AfterDays")) if older_than_days is None else older_than_days
    if not 0 <= days <= MOST_DAYS:
        raise PurgeRefusedError(
            f"The number of days is {days}; allowed is 0 to {MOST_DAYS:,}. 0 is all that ended until now."
        )
    due = list(due_ends(project, _ended_before(days)).select_related("envelope"))
    records_count = sum(batch.rows_count for batch in due)
    younger_count = unpurged_records_count(project) - records_count
    return PurgePreview(
        records_count=records_count,
        younger_count=younger_count,
        older_than_days=days,
        fixed=tuple(dict.fromkeys(batch.envelope for batch in due if batch.envelope is not None)),
        refusal=_refusal(project, records_count, younger_count, days),
    )


def unpurged_records_count(project: LinkageProject) -> int:
    """Return how many records of a project have ended and still have their values on disk."""
    ends = original_batches(project, BatchKind.ENDS).filter(purged_at=None)
    return sum(ends.values_list("rows_count", flat=True))


def _ended_before(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def _refusal(project: LinkageProject, records_count: int, younger_count: int, days: int) -> str:
    waiting = Job.objects.filter(
        project=project, kind=JobKind.PURGE, state__in=[JobState.QUEUED, JobState.RUNNING]
    ).first()
    if waiting is not None:
        return f"Job {waiting.pk} (Purge) of project {project.code} is queued or runs already. Wait for its end."
    if records_count:
        return ""
    if younger_count:
        return (
            f"Project {project.code} has no record to purge that ended {days} days ago or earlier; "
            f"{younger_count:,} ended later. Give a smaller number of days to purge these."
        )
    return f"Project {project.code} has no ended records to purge: none ended, or all were purged."
