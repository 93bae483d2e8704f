"""The retry rule: a failed job may be retried while no other job has been run against its project since.

Jobs that change nothing of what others build upon (Compact, Purge) do not count.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from linkwright.queue.order import front_rank, queue_state
from linkwright.queue.transitions import change_state
from linkwright.store.kept_query import KeptQuery, given_one_of
from linkwright.store.models import (
    INVISIBLE_KINDS,
    EndReason,
    Envelope,
    EnvelopeState,
    Job,
    JobState,
    LinkageProject,
    User,
)
from linkwright.store.permissions import project_for_sender

_RETRIABLE = (EndReason.FAILED, EndReason.CRASHED)
_COLUMNS = (
    *("pk", "state", "end_reason", "ended_at", "project_id", "project_code", "project__archived_at"),
    *("envelope_id", "envelope__state", "envelope__received_by_id"),
)


@dataclass(frozen=True)
class _Asked:
    """What the rule looks at of a job; a list asks of fifty at once, and models would cost more than the rule."""

    pk: int
    state: str
    end_reason: str
    ended_at: datetime | None
    project_id: int | None
    project_code: str
    archived_at: datetime | None
    envelope_id: int | None
    envelope_state: str
    sender_id: int | None


@dataclass(frozen=True)
class _Since:
    """A job that has been run since."""

    pk: int
    kind: str
    envelope_name: str | None


def why_not_retry(job: Job) -> str:
    """Return the sentence that says why a job cannot be retried, or '' if it can."""
    envelope = job.envelope
    asked = _Asked(
        *(job.pk, job.state, job.end_reason, job.ended_at, job.project_id, job.project_code),
        job.project.archived_at if job.project else None,
        *((envelope.pk, envelope.state, envelope.received_by_id) if envelope else (None, "", None)),
    )
    return _why_not(asked) or _refusal(asked, _run_since(asked))


def _with_others() -> QuerySet[Job, Any]:
    outer = (OuterRef(name) for name in ("project_code", "ended_at", "envelope_id", "pk"))
    others = _against_a_project(_others_run(*outer))
    asked = Job.objects.filter(given_one_of("pk", "keys"))
    return asked.values_list(*_COLUMNS, Subquery(others.values("pk")[:1]))


_ASKED = KeptQuery(_with_others)
_NAMED = KeptQuery(
    lambda: Job.objects.filter(given_one_of("pk", "keys")).values_list("pk", "kind", "envelope__name")
)


def why_not_retry_each(keys: Collection[int]) -> dict[int, str]:
    """Return the same for many jobs at once: a list of failed jobs asks twice, not once a row."""
    asked = {_Asked(*columns): since_id for *columns, since_id in _ASKED.among(keys)}
    of_none = _of_no_project(asked)
    named = _named({since_id for job, since_id in asked.items() if since_id and job.pk not in of_none})
    refusals = {}
    for job, since_id in asked.items():
        # SQL compares nothing with NULL: system jobs, of which few fail, are asked for one by one
        since = _run_since(job) if job.envelope_id is None else named.get(since_id)
        refusals[job.pk] = _why_not(job) or _refusal(job, None if job.pk in of_none else since)
    return refusals


def _why_not(job: _Asked) -> str:
    if job.state != JobState.ERRORS:
        return "Only a failed job can be retried."
    if job.end_reason not in _RETRIABLE:
        return f"This job was {job.end_reason}; {_instead(job)}."
    if job.envelope_id is not None and job.envelope_state != EnvelopeState.ERRORS:
        return f"The Envelope is {EnvelopeState(job.envelope_state).label}; submit a new one instead."
    if job.envelope_id is not None and job.archived_at is not None:
        return LinkageProject(code=job.project_code, archived_at=job.archived_at).why_closed
    return ""


def _refusal(job: _Asked, since: _Since | None) -> str:
    if since is None:
        return ""
    of = f" of {since.envelope_name}" if since.envelope_name is not None else ""
    against = f" against {job.project_code}" if job.project_code else ""
    return f"Job {since.pk} ({since.kind}{of}) has been run{against} since; {_instead(job)}."


def _instead(job: _Asked) -> str:
    return "start a new one instead" if job.envelope_id is None else "submit the Envelope again instead"


def _run_since(job: _Asked) -> _Since | None:
    if _of_no_project([job]):
        return None
    others = _others_run(job.project_code, job.ended_at, job.envelope_id, job.pk)
    if job.project_id is None and job.envelope_id is None:
        # of the whole system, such as a Backup
        others = others.filter(envelope=None)
    else:
        others = _against_a_project(others)
    first = others.values_list("pk", flat=True).first()
    return None if first is None else _named({first})[first]


def _named(keys: Collection[int]) -> dict[int, _Since]:
    return {pk: _Since(pk, kind, name) for pk, kind, name in _NAMED.among(keys)}


def _of_no_project(jobs: Iterable[_Asked]) -> set[int]:
    """Return the keys of the jobs of Envelopes whose project is unknown, or not the sender's to know.

    They touched nothing; and to whoever may not submit to a project its jobs are not to be told.
    """
    named: dict[tuple[str, int | None], list[int]] = {}
    for job in jobs:
        if job.project_id is None and job.envelope_id is not None:
            named.setdefault((job.project_code, job.sender_id), []).append(job.pk)
    return {
        key
        for (code, sender_id), alike in named.items()
        if project_for_sender(code, _person(sender_id)) is None
        for key in alike
    }


def _person(key: int | None) -> User | None:
    return None if key is None else User.objects.filter(pk=key).first()


def _others_run(project_code: Any, ended_at: Any, envelope_id: Any, job_id: Any) -> QuerySet[Job]:
    """Return the other jobs run against a project since, first one first; for values, or for an outer query's."""
    others = Job.objects.filter(project_code=project_code, started_at__gt=ended_at).exclude(pk=job_id)
    others = others.exclude(kind__in=INVISIBLE_KINDS)
    # NULL <> x is not true in SQL: system jobs must be named
    others = others.filter(Q(envelope_id=None) | ~Q(envelope_id=envelope_id))
    return others.order_by("started_at")


def _against_a_project(jobs: QuerySet[Job]) -> QuerySet[Job]:
    # a job whose project is not known has not been run against it: it named a code, and failed
    return jobs.filter(project__isnull=False)


def requeue_for_retry(job: Job) -> list[Job]:
    """Queue a failed job at the front, with the held jobs of its chain behind it.

    Check `why_not_retry` first, inside the same transaction.

    Returns: the jobs queued, first to run first.
    Raises:
        StaleTransitionError: if somebody else retried it meanwhile.
    """
    queue_state(lock=True)
    rank, now = front_rank(), timezone.now()
    change_state(
        job,
        leaving=[JobState.ERRORS],
        entering=JobState.QUEUED,
        reason="retried",
        of_attempt=job.attempt,
        crash_count=0,
        cancel_requested_at=None,
        cancel_requested_by=None,
        ended_at=None,
        progress={},
        queue_rank=rank,
        queued_at=now,
    )
    held = list(
        Job.objects.filter(envelope=job.envelope, state=JobState.HELD).order_by("chain_position")
        if job.envelope
        else []
    )
    for later in held:
        change_state(
            later,
            leaving=[JobState.HELD],
            entering=JobState.QUEUED,
            reason=f"job {job.pk} is retried",
            queue_rank=rank,
            queued_at=now,
        )
    if job.envelope_id is not None:
        Envelope.objects.filter(pk=job.envelope_id).update(state=EnvelopeState.QUEUED, processed_at=None)
    return [job, *held]
