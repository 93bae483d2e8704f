"""The retry rule: a failed job may be retried while no other job has been run against its project since.

Jobs that change nothing of what others build upon (Compact, Purge) do not count.
"""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from linkwright.queue.order import front_rank, queue_state
from linkwright.queue.transitions import change_state
from linkwright.store.models import INVISIBLE_KINDS, EndReason, Envelope, EnvelopeState, Job, JobState
from linkwright.store.permissions import project_for_sender

_RETRIABLE = (EndReason.FAILED, EndReason.CRASHED)
# what the rule looks at
_ASKED = (
    "state",
    "end_reason",
    "project__code",
    "project__archived_at",
    "project_code",
    "ended_at",
    "envelope__state",
    "envelope__name",
    "envelope__received_by",
)


def why_not_retry(job: Job) -> str:
    """Return the sentence that says why a job cannot be retried, or '' if it can."""
    return _why_not(job) or _refusal(job, _run_since(job))


def why_not_retry_each(keys: Collection[int]) -> dict[int, str]:
    """Return the same for many jobs at once: a list of failed jobs asks twice, not once a row."""
    outer = (OuterRef(name) for name in ("project_code", "ended_at", "envelope_id", "pk"))
    others = _against_a_project(_others_run(*outer))
    found = Job.objects.filter(pk__in=keys).select_related("envelope__received_by", "project").only(*_ASKED)
    jobs = list(found.annotate(since_id=Subquery(others.values("pk")[:1])))
    of_envelopes = [job for job in jobs if job.envelope_id is not None]
    of_none = _of_no_project(of_envelopes)
    since_ids = {job.pk: job.since_id for job in of_envelopes if job.since_id and job.pk not in of_none}
    named = Job.objects.select_related("envelope").only("kind", "envelope__name").in_bulk(set(since_ids.values()))
    # SQL compares nothing with NULL: system jobs, of which few fail, are asked for one by one
    refusals = {job.pk: why_not_retry(job) for job in jobs if job.envelope_id is None}
    for job in of_envelopes:
        refusals[job.pk] = _why_not(job) or _refusal(job, named.get(since_ids.get(job.pk, 0)))
    return refusals


def _why_not(job: Job) -> str:
    if job.state != JobState.ERRORS:
        return "Only a failed job can be retried."
    if job.end_reason not in _RETRIABLE:
        return f"This job was {job.end_reason}; {_instead(job)}."
    if job.envelope is not None and job.envelope.state != EnvelopeState.ERRORS:
        return f"The Envelope is {job.envelope.get_state_display()}; submit a new one instead."
    if job.envelope is not None and job.project is not None and job.project.why_closed:
        return job.project.why_closed
    return ""


def _refusal(job: Job, since: Job | None) -> str:
    if since is None:
        return ""
    of = f" of {since.envelope.name}" if since.envelope else ""
    against = f" against {job.project_code}" if job.project_code else ""
    return f"Job {since.pk} ({since.kind}{of}) has been run{against} since; {_instead(job)}."


def _instead(job: Job) -> str:
    return "submit the Envelope again instead" if job.envelope else "start a new one instead"


def _run_since(job: Job) -> Job | None:
    if _of_no_project([job]):
        return None
    if job.project_id is None and job.envelope_id is None:
        # of the whole system, such as a Backup
        others = _others_run(job.project_code, job.ended_at, job.envelope_id, job.pk).filter(envelope=None)
    else:
        others = _against_a_project(_others_run(job.project_code, job.ended_at, job.envelope_id, job.pk))
    return others.select_related("envelope").first()


def _of_no_project(jobs: Iterable[Job]) -> set[int]:
    """Return the keys of the jobs of Envelopes whose project is unknown, or not the sender's to know.

    They touched nothing; and to whoever may not submit to a project its jobs are not to be told.
    """
    named: dict[tuple[str, int | None], list[Job]] = {}
    for job in jobs:
        if job.project_id is None and job.envelope is not None:
            named.setdefault((job.project_code, job.envelope.received_by_id), []).append(job)
    return {
        job.pk
        for (code, _sender), alike in named.items()
        if alike[0].envelope is not None and project_for_sender(code, alike[0].envelope.received_by) is None
        for job in alike
    }


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
