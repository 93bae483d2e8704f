"""The status that people see, worked out from what is stored and from what runs. Never writes.

Source: SPEC section 3. 'Active' is not stored: an Envelope is active while one of its jobs runs, and between two
of its jobs as long as nothing keeps the next one from starting.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q

from linkwright.store.models import EnvelopeState, Job, JobState, QueueState


class ShownStatus(StrEnum):
    """The words on the pages, in the API and in addresses."""

    QUEUED = "Queued"
    HELD = "Held"
    SUCCESS_ACTIVE = "SuccessActive"
    ERRORS_ACTIVE = "ErrorsActive"
    SUCCESS = "Success"
    ERRORS = "Errors"
    CORRUPT = "Corrupt"
    CANCELLED = "Cancelled"
    ROLLED_BACK = "RolledBack"

    @property
    def is_active(self) -> bool:
        """Whether something runs."""
        return self in (ShownStatus.SUCCESS_ACTIVE, ShownStatus.ERRORS_ACTIVE)


ENVELOPE_STATUSES = tuple(status for status in ShownStatus if status is not ShownStatus.HELD)
JOB_STATUSES = (
    ShownStatus.QUEUED,
    ShownStatus.HELD,
    ShownStatus.SUCCESS_ACTIVE,
    ShownStatus.ERRORS_ACTIVE,
    ShownStatus.SUCCESS,
    ShownStatus.ERRORS,
)


@dataclass(frozen=True)
class QueueActivity:
    """What runs at this moment: at most one job, and the Envelope whose chain is under way."""

    running_job_id: int | None
    running_envelope_id: int | None
    chain_envelope_id: int | None
    is_paused: bool

    @property
    def active_envelope_id(self) -> int | None:
        """The one Envelope that is processing; None while nothing runs and nothing is about to."""
        if self.running_job_id is not None:
            return self.running_envelope_id
        return None if self.is_paused else self.chain_envelope_id


def read_activity() -> QueueActivity:
    """Read what runs."""
    running = Job.objects.filter(state=JobState.RUNNING).values_list("pk", "envelope_id").first()
    queue = QueueState.objects.filter(pk=1).values_list("active_envelope_id", "paused_at").first()
    chain_envelope_id, paused_at = queue or (None, None)
    return QueueActivity(
        running_job_id=running[0] if running else None,
        running_envelope_id=running[1] if running else None,
        chain_envelope_id=chain_envelope_id,
        is_paused=paused_at is not None,
    )


def shown_envelope_status(state: str, *, errors_occurred: bool, is_active: bool) -> ShownStatus:
    """Return the status of an Envelope; only one that has not ended can be active."""
    if state == EnvelopeState.QUEUED and is_active:
        return ShownStatus.ERRORS_ACTIVE if errors_occurred else ShownStatus.SUCCESS_ACTIVE
    return ShownStatus(state)


def shown_job_status(state: str, *, errors_occurred: bool) -> ShownStatus:
    """Return the status of a job."""
    if state == JobState.RUNNING:
        return ShownStatus.ERRORS_ACTIVE if errors_occurred else ShownStatus.SUCCESS_ACTIVE
    return ShownStatus(state)


def envelopes_shown_as(status: ShownStatus, activity: QueueActivity) -> Q:
    """Return the condition that picks the Envelopes which are shown with a status."""
    active = Q(pk=activity.active_envelope_id, state=EnvelopeState.QUEUED)
    if status is ShownStatus.SUCCESS_ACTIVE:
        return active & Q(errors_occurred=False)
    if status is ShownStatus.ERRORS_ACTIVE:
        return active & Q(errors_occurred=True)
    if status is ShownStatus.QUEUED:
        # pk=NULL picks nothing, and its negation must not pick nothing
        return Q(state=EnvelopeState.QUEUED) & (~active if activity.active_envelope_id else Q())
    return Q(state=status.value)


def jobs_shown_as(status: ShownStatus) -> Q:
    """Return the condition that picks the jobs which are shown with a status."""
    if status is ShownStatus.SUCCESS_ACTIVE:
        return Q(state=JobState.RUNNING, errors_occurred=False)
    if status is ShownStatus.ERRORS_ACTIVE:
        return Q(state=JobState.RUNNING, errors_occurred=True)
    return Q(state=status.value)
