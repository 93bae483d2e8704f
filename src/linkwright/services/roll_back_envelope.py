"""Rolls an Envelope back: says what that would undo, and queues the job that does it."""

from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction

from linkwright.config import load_config
from linkwright.envelopes.manifest import RequestType
from linkwright.errors import LinkwrightError
from linkwright.jobs.purge import why_purged
from linkwright.jobs.rollback import ENVELOPES, REASON
from linkwright.queue.enqueue import Step, enqueue_job
from linkwright.queue.order import queue_state
from linkwright.store import batch_catalog
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.extraction_catalog import extracted_since
from linkwright.store.models import BatchKind, BatchState, Envelope, EnvelopeState, Job, JobKind, JobState


class RollbackRefusedError(LinkwrightError):
    """The Envelope cannot be rolled back now, or no reason was given."""


class RollbackScope(StrEnum):
    """What goes with the Envelope."""

    ALONE = "alone"
    WITH_LATER = "with_later"


@dataclass(frozen=True)
class WithdrawnExtractions:
    """What was extracted from the data of an Envelope that is to go.

    Args:
        results_count: results that are withdrawn.
        downloaded_count: those of them that somebody has downloaded.
        snapshots_count: snapshots that lose the Envelope's records.
    """

    results_count: int
    downloaded_count: int
    snapshots_count: int


@dataclass(frozen=True)
class RollbackPreview:
    """What rolling an Envelope back would undo.

    Args:
        envelope: the one.
        is_latest: whether nothing of the project was built upon it.
        later: Envelopes of the project that were processed after it and stand, the newest first.
        records_count: of the Envelope.
        later_records_count: of the later ones.
        refusal: why it cannot be rolled back now, as a sentence; empty if it can.
        extractions: what was extracted since it became part of the project.
    """

    envelope: Envelope
    is_latest: bool
    later: tuple[Envelope, ...]
    records_count: int
    later_records_count: int
    refusal: str
    extractions: WithdrawnExtractions

    @property
    def reviews(self) -> tuple[Envelope, ...]:
        """The later Quality Reviews: they are undone with the Envelope in any case."""
        return tuple(filter(is_review, self.later))


def preview_rollback(envelope: Envelope) -> RollbackPreview:
    """Work out what rolling an Envelope back would undo, and whether it can be done now."""
    later = _later(envelope)
    return RollbackPreview(
        envelope=envelope,
        is_latest=not later and _stands_last(envelope),
        later=later,
        records_count=envelope.records_count or 0,
        later_records_count=sum(one.records_count or 0 for one in later),
        refusal=why_not_roll_back(envelope),
        extractions=_extractions(envelope),
    )


def _extractions(envelope: Envelope) -> WithdrawnExtractions:
    """Count what goes with an Envelope; later ones that go as well add nothing, as all was made since this one."""
    if envelope.project is None or envelope.state != EnvelopeState.SUCCESS:
        return WithdrawnExtractions(0, 0, 0)
    since = extracted_since(envelope.project, [envelope.pk])
    holds_records = envelope.batches.filter(kind=BatchKind.RECORDS, state=BatchState.LIVE).exists()
    return WithdrawnExtractions(
        results_count=since.results.count(),
        downloaded_count=since.results.filter(downloads_count__gt=0).count(),
        snapshots_count=since.snapshots.count() if holds_records else 0,
    )


def why_not_roll_back(envelope: Envelope) -> str:
    """Return the sentence that says why an Envelope cannot be rolled back now, or '' if it can."""
    if envelope.state != EnvelopeState.SUCCESS:
        return (
            f"{envelope.name} is {envelope.get_state_display()}; only an Envelope that ended in Success can be "
            "rolled back."
        )
    if not envelope.batches.filter(state=BatchState.LIVE, kind=BatchKind.ASSIGNMENTS).exists():
        return f"{envelope.name} changed nothing in its project; there is nothing to roll back."
    open_jobs = Job.objects.filter(project=envelope.project, state__in=[JobState.QUEUED, JobState.RUNNING])
    # a Compact changes nothing that a rollback undoes: the rollback waits for it in the queue
    busy = open_jobs.exclude(kind=JobKind.COMPACT).first()
    if busy is not None:
        return (
            f"Job {busy.pk} ({busy.kind}) of project {envelope.project_code} is "
            f"{busy.get_state_display().lower()}; wait until no job of the project is queued or running."
        )
    return why_purged(load_config(), [envelope])


def roll_back_envelope(envelope_id: int, actor: Actor, *, reason: str, scope: RollbackScope) -> Job:
    """Queue the rollback of an Envelope.

    Args:
        envelope_id: of an Envelope that ended in Success.
        actor: who asks for it.
        reason: why; it stands in the audit log.
        scope: whether later Envelopes of the project go with it. For the latest there is no difference.

    Raises:
        RollbackRefusedError: if it cannot be rolled back now, or the reason is empty.
    """
    if not reason.strip():
        raise RollbackRefusedError("A rollback needs a reason: it stands in the audit log for ever. Give one.")
    with transaction.atomic():
        queue_state(lock=True)
        envelope = Envelope.objects.select_related("project").filter(pk=envelope_id).first()
        if envelope is None or envelope.project is None:
            raise RollbackRefusedError(f"There is no Envelope {envelope_id} with a project. Look at the list.")
        refusal = why_not_roll_back(envelope)
        if refusal:
            raise RollbackRefusedError(refusal)
        later = _later(envelope)
        # decisions are about groups that this Envelope may have made: those made since go with it
        undone = [*(later if scope is RollbackScope.WITH_LATER else filter(is_review, later)), envelope]
        refusal = why_purged(load_config(), undone)
        if refusal:
            raise RollbackRefusedError(refusal)
        parameters = {ENVELOPES: [one.pk for one in undone], REASON: reason.strip()}
        job = enqueue_job(Step(JobKind.ROLLBACK, parameters), envelope.project)
        record_action(
            actor,
            "roll back Envelope",
            str(envelope),
            project_code=envelope.project_code,
            reason=reason.strip(),
            detail={"scope": scope.value, "envelopes": [str(one) for one in undone], "job": job.pk},
        )
    return job


def is_review(envelope: Envelope) -> bool:
    """Tell whether an Envelope is a Quality Review: it is undone with what was there when it was made."""
    return envelope.request_type == RequestType.SUBMIT_QUALITY_REVIEW


def _stands_last(envelope: Envelope) -> bool:
    return envelope.project is not None and batch_catalog.stand_last(envelope.project, [envelope.pk])


def _later(envelope: Envelope) -> tuple[Envelope, ...]:
    """Return the Envelopes of the project that stand and were written after this one, the newest first."""
    grouped = envelope.batches.filter(state=BatchState.LIVE, kind=BatchKind.ASSIGNMENTS).first()
    if grouped is None or envelope.project is None:
        return ()
    later = batch_catalog.original_batches(envelope.project, BatchKind.ASSIGNMENTS).filter(pk__gt=grouped.pk)
    owners = [batch.envelope for batch in later.select_related("envelope__received_by").order_by("-pk")]
    return tuple(dict.fromkeys(owner for owner in owners if owner is not None and owner != envelope))
