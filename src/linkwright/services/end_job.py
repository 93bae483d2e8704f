"""Ends a running job in one transaction: its state, its statistics, and what becomes of its Envelope's files.

The rule of atomic Envelopes stands here: files count from Group on (promoted by that job's own commit); an
Envelope that fails hides its files until a retry, one that is cancelled gives them up, and so does an estimation
when it has ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from linkwright.engine.identifying import concealed, take_apart
from linkwright.jobs.context import UNDONE_ENVELOPES, JobResult, is_estimation
from linkwright.queue.finish import finish_cancelled, finish_failure, finish_success
from linkwright.queue.order import queue_state
from linkwright.services.mail_outbox import tell_envelopes, tell_job_failure, tell_pause
from linkwright.services.start_compact import compact_if_due
from linkwright.store import batch_catalog
from linkwright.store.audit_log import SYSTEM, record_action
from linkwright.store.models import EndReason, EnvelopeState, Job, JobKind, Notification, Severity
from linkwright.store.settings import read_setting


@dataclass(frozen=True)
class Raised:
    """A Notification that a job raised while it ran."""

    severity: Severity
    text: str


def complete_job(
    job: Job, *, attempt: int, result: JobResult, raised: Sequence[Raised], peak_memory_bytes: int
) -> None:
    """Commit a job's result and its end together.

    Raises:
        StaleTransitionError: if this attempt was given up; nothing is committed.
    """
    with transaction.atomic():
        state = finish_success(
            job, attempt=attempt, statistics=result.statistics, peak_memory_bytes=peak_memory_bytes
        )
        result.commit()
        store_notifications(job, raised)
        settle_files(job, state)
        if state == EnvelopeState.SUCCESS and job.project is not None:
            compact_if_due(job.project)
        if job.kind == JobKind.ROLLBACK:
            tell_envelopes(job.parameters[UNDONE_ENVELOPES], EnvelopeState.ROLLED_BACK)
        elif job.envelope_id is not None:
            tell_envelopes([job.envelope_id], state)


def fail_job(
    job: Job,
    *,
    attempt: int,
    message: str,
    end_reason: EndReason = EndReason.FAILED,
    corrupt: bool = False,
    raised: Sequence[Raised] = (),
    peak_memory_bytes: int | None = None,
) -> None:
    """End a job in Errors, with its message as an error Notification; pauses the queue if the Setting says so.

    `peak_memory_bytes` is None if its process died: what it has told last stays then.

    Raises:
        StaleTransitionError: if this attempt was given up.
    """
    pause_on_failure = bool(read_setting("Worker.Jobs.PauseProcessingOnFailure"))
    with transaction.atomic():
        state = finish_failure(
            job,
            attempt=attempt,
            message=message,
            end_reason=end_reason,
            corrupt=corrupt,
            pause_on_failure=pause_on_failure,
            peak_memory_bytes=peak_memory_bytes,
        )
        store_notifications(job, raised)
        settle_files(job, state)
        _tell_failure(job, state)


def end_job_cancelled(job: Job, *, attempt: int) -> None:
    """End a running job that a person cancelled.

    Raises:
        StaleTransitionError: if it ended by itself first.
    """
    with transaction.atomic():
        settle_files(job, finish_cancelled(job, attempt=attempt))


def _tell_failure(job: Job, state: EnvelopeState | None) -> None:
    """Tell by e-mail, and in the audit log if the queue paused itself."""
    if job.envelope_id is None:
        tell_job_failure(job)
    else:
        tell_envelopes([job.envelope_id], state, job)
    if queue_state().paused_by_job_id == job.pk:
        # of the whole queue: the job and its project stand in the detail, for those who may see them
        record_action(
            SYSTEM,
            "pause queue",
            "Job Queue",
            reason=job.error_message,
            detail={"job": job.pk, "kind": job.kind, "project": job.project_code},
        )
        tell_pause(job)


def settle_files(job: Job, state: EnvelopeState | None) -> None:
    """Let an Envelope's files follow its state."""
    if job.envelope is None:
        return
    if state in (EnvelopeState.CANCELLED, EnvelopeState.CORRUPT):
        batch_catalog.remove(job.envelope)
    elif state == EnvelopeState.SUCCESS and is_estimation(job.envelope):
        batch_catalog.remove_files(job.envelope)
    elif state == EnvelopeState.ERRORS:
        batch_catalog.demote(job.envelope)


def store_notifications(job: Job, raised: Sequence[Raised]) -> None:
    """Store what a job raised; an error makes its Envelope one in which errors have occurred."""
    if job.envelope is None:
        return
    now = timezone.now()
    Notification.objects.bulk_create(
        Notification(
            envelope=job.envelope,
            job=job,
            severity=one.severity,
            text=concealed(one.text),
            with_values=take_apart(one.text).with_values,
            raised_at=now,
        )
        for one in raised
    )
    if any(one.severity == Severity.ERROR for one in raised):
        type(job.envelope).objects.filter(pk=job.envelope.pk).update(errors_occurred=True)
