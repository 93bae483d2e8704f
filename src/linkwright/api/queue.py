"""The Job Queue as a whole: its state, pause, resume, clear."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.jobs import JobAnswer, job_answer
from linkwright.api.paging import NOT_BLANK
from linkwright.api.rights import Caller, caller_of, reader_of
from linkwright.services.clear_queue import clear_queue
from linkwright.services.pause_queue import pause_queue, resume_queue
from linkwright.services.queue_status import LISTED_JOBS, read_visible_queue
from linkwright.store.permissions import Permission
from linkwright.store.queries.job_lists import job_row

router = Router(tags=["queue"])


class QueueAnswer(Schema):
    """How the queue stands. Jobs in projects of others are not shown; that something runs is."""

    is_paused: bool
    paused_at: datetime | None
    paused_by: str = Field(description="A person, a failed job, or the command line; empty if not paused.")
    paused_reason: str
    is_busy: bool = Field(description="Whether a job runs, be it one's own or not.")
    worker_is_alive: bool
    running: JobAnswer | None
    queued: list[JobAnswer] = Field(
        description=f"In queue order: the first {LISTED_JOBS} that whoever asks may see."
    )


class ClearedAnswer(Schema):
    """What was taken out of the queue."""

    jobs_count: int
    envelopes_count: int


class ReasonForm(Schema):
    """Why; it stands in the audit log."""

    reason: str = Field(min_length=1, max_length=500, pattern=NOT_BLANK, description="Not only blanks.")


@router.get("", response={200: QueueAnswer, **possible_errors()}, summary="Read the queue's state")
def read_state(request: HttpRequest) -> QueueAnswer:
    """Say whether the queue is paused and why, what runs, and what waits."""
    return _answer(reader_of(request))


@router.post("/pause", response={200: QueueAnswer, **possible_errors(409, 413, 415)}, summary="Pause the queue")
def pause(request: HttpRequest, form: ReasonForm) -> QueueAnswer:
    """Keep further jobs from starting; the running one goes on."""
    caller = caller_of(request)
    caller.demand(Permission.PAUSE_AND_RESUME)
    pause_queue(caller.actor, form.reason)
    return _answer(caller)


@router.post("/resume", response={200: QueueAnswer, **possible_errors(409)}, summary="Resume the queue")
def resume(request: HttpRequest) -> QueueAnswer:
    """Let jobs start again."""
    caller = caller_of(request)
    caller.demand(Permission.PAUSE_AND_RESUME)
    resume_queue(caller.actor)
    return _answer(caller)


@router.post("/clear", response={200: ClearedAnswer, **possible_errors(409, 413, 415)}, summary="Clear the queue")
def clear(request: HttpRequest, form: ReasonForm) -> ClearedAnswer:
    """Take every queued job out of the queue; the running one goes on. Administrators only."""
    caller = caller_of(request)
    caller.demand(Permission.CLEAR)
    reason = form.reason.strip()
    if not reason:
        raise HttpError(422, "A reason is needed: whoever finds the queue empty must know why. Give one.")
    cleared = clear_queue(caller.actor, reason)
    return ClearedAnswer(jobs_count=cleared.jobs_count, envelopes_count=cleared.envelopes_count)


def _answer(caller: Caller) -> QueueAnswer:
    seen = read_visible_queue(caller.user)
    status, is_paused = seen.status, seen.status.paused_at is not None
    return QueueAnswer(
        is_paused=is_paused,
        paused_at=status.paused_at,
        paused_by=seen.paused_by if is_paused else "",
        paused_reason=seen.paused_reason,
        is_busy=status.running is not None,
        worker_is_alive=status.worker_alive,
        running=job_answer(job_row(seen.running)) if seen.running else None,
        queued=[job_answer(row) for row in seen.queued],
    )
